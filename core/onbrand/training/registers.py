"""Fitting registers: the heads, and how far outside its own range a brand's sentence may read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import SentenceEncoder
from onbrand.training.background import GOOD_VOICES, NEUTRAL, WRONG_VOICES, Piece
from onbrand.training.logistic import LinearFit, fit_weighted
from onbrand.voice.lexical import LONG_WORDS, SHORT_WORDS, words_of
from onbrand.voice.model import log_odds
from onbrand.voice.registers import (
    SCALES,
    RegisterAnswer,
    RegisterRange,
    Registers,
    load_registers,
    room_for,
)

REGRESSION_C = 0.005
"""scikit-learn's C on vectors scaled to a mean variance of 1."""
MAX_LINES = 4000
"""Of a wrong voice, or of all together, that one register is fitted on."""
GOOD_SHARE = 0.02
"""Good sentences that may lie outside the reference range."""
GENERAL = "any"
"""The head that tells any wrong voice from any good one."""
SCALE_ENDS = {
    "formal": (
        ("legalese", "academic", "bureaucratic", "exact"),
        ("chummy", "slang", "wry", "warm"),
    ),
    "warm": (("warm", "chummy"), ("terse", "exact", "legalese", "telegraphic")),
    "plain": (
        ("plain", "neutral", "terse"),
        ("legalese", "academic", "bureaucratic", "corporate", "jargon", "florid"),
    ),
    "confident": (("hype", "hardsell", "motivational"), ("apologetic", "academic")),
}
"""Scale → the voices at its two ends."""


@dataclass(frozen=True, slots=True)
class Bank:
    """The lines of the bank as vectors."""

    texts: list[str]
    voices: NDArray[np.str_]
    pieces: NDArray[np.str_]
    vectors: NDArray[np.float32]
    """Shape (lines, dim)."""
    deltas: NDArray[np.float32]
    """Each line less its neutral twin: what the voice alone does to the vector."""

    @classmethod
    def encode(cls, pieces: Sequence[Piece], encoder: SentenceEncoder) -> Bank:
        """Encode the lines of these pieces."""
        rows = [
            (line, voice, piece.name, number)
            for piece in pieces
            for voice, lines in piece.lines.items()
            for number, line in enumerate(lines)
        ]
        texts, voices, names, numbers = (list(column) for column in zip(*rows, strict=True))
        vectors = encoder.encode(texts)
        neutral = {
            (name, number): i for i, (_, voice, name, number) in enumerate(rows) if voice == NEUTRAL
        }
        twins = [neutral[name, number] for name, number in zip(names, numbers, strict=True)]
        return cls(texts, np.array(voices), np.array(names), vectors, vectors - vectors[twins])

    def of(self, voices: Collection[str]) -> NDArray[np.bool_]:
        """Return which lines are in one of these voices."""
        return np.isin(self.voices, list(voices))


@dataclass(frozen=True, slots=True)
class Population:
    """Published lines of many organisations and authors, each as good as the other."""

    texts: list[str]
    owners: NDArray[np.str_]
    vectors: NDArray[np.float32]
    """Shape (lines, dim)."""


def fit_head(
    bank: Bank, population: Population, high: NDArray[np.bool_], low: NDArray[np.bool_]
) -> LinearFit:
    """Fit what tells one group of the bank's lines from another, whatever they are about.

    The bank knows 94 subjects; so that its heads hold on others, what a voice does to a vector
    (the line less its neutral twin) is also added to published lines of the population.

    Args:
        bank: the lines.
        population: the lines to which differences are added.
        high: which lines of the bank are at the upper end.
        low: which ones are at the lower end.
    """
    random = np.random.default_rng(0)

    def moved(chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
        rows = random.permutation(np.flatnonzero(chosen))[:MAX_LINES]
        base = random.integers(len(population.vectors), size=2 * len(rows))
        shifted = population.vectors[base] + np.tile(bank.deltas[rows], (2, 1))
        return np.concatenate([shifted, bank.vectors[rows]])

    neutral = bool((bank.voices[low] == NEUTRAL).any())
    as_they_are = np.concatenate([population.vectors, bank.vectors[low]])
    above, below = moved(high), as_they_are if neutral else moved(low)
    on = np.arange(len(above) + len(below)) < len(above)
    return fit_weighted(np.concatenate([above, below]), on, REGRESSION_C)


def fit_registers(
    bank: Bank,
    population: Population,
    fingerprint: str,
    names: Sequence[str] = WRONG_VOICES,
) -> Registers:
    """Fit all registers, the general one and the scales, and measure good copy by them.

    Args:
        bank: the lines of the bank; no more than these are learnt from.
        population: good published lines.
        fingerprint: of the encoder.
        names: the wrong voices to have registers of.
    """
    fits = fit_heads(bank, population, names)
    return assemble(bank, population, fingerprint, tuple(names), [*fits.values()])


def fit_heads(bank: Bank, population: Population, names: Sequence[str]) -> dict[str, LinearFit]:
    """Fit a head for each wrong voice, then the general one, named `GENERAL`, then the scales."""
    good = bank.of(GOOD_VOICES)
    fits = {name: fit_head(bank, population, bank.of([name]), good) for name in names}
    fits[GENERAL] = fit_head(bank, population, bank.of(names), good)
    for scale in SCALES:
        high, low = SCALE_ENDS[scale]
        fits[scale] = fit_head(bank, population, bank.of(high), bank.of(low))
    return fits


def assemble(
    bank: Bank,
    population: Population,
    fingerprint: str,
    names: tuple[str, ...],
    fits: Sequence[LinearFit],
) -> Registers:
    """Return the registers with the range of good copy, and what their excess is worth.

    Args:
        bank: the lines of the bank.
        population: good published lines.
        fingerprint: of the encoder.
        names: of the registers.
        fits: a head for each name, then the general one, then the scales in their order.
    """
    good, wrong = bank.of(GOOD_VOICES), bank.of(names)
    vectors = np.concatenate([population.vectors, bank.vectors[good]])
    texts = population.texts + [bank.texts[row] for row in np.flatnonzero(good)]
    words = np.array([len(words_of(text)) for text in texts])
    weights = np.stack([fit.weights for fit in fits], axis=1).astype(np.float32)
    bias = np.array([fit.bias for fit in fits], np.float32)
    scales = vectors @ weights[:, len(names) + 1 :] + bias[len(names) + 1 :]
    none = (0.0,) * len(names)
    unmeasured = Registers(
        fingerprint=fingerprint,
        names=names,
        weights=weights,
        bias=bias,
        reference=RegisterRange((*none, 0.0), (*none, 0.0), none, none, 0.0),
        alone=none,
        scale_range=tuple((float(scale.mean()), float(scale.std())) for scale in scales.T),
        short_room=0.0,
        slope=1.0,
    )
    long, short = words >= LONG_WORDS, words <= SHORT_WORDS + 1
    reference = unmeasured.measure(vectors[long])
    within = unmeasured.excess(vectors[long], words[long].tolist(), reference).max(axis=1)
    reference = msgspec.structs.replace(reference, room=room_for(within, GOOD_SHARE))
    worst = unmeasured.excess(vectors, words.tolist(), reference).max(axis=1)
    each = unmeasured.excess(vectors[long], words[long].tolist(), reference)
    measured = replace(
        unmeasured,
        reference=reference,
        alone=tuple(np.quantile(each + reference.room, 1 - GOOD_SHARE, axis=0).tolist()),
        # As many short sentences as long ones may lie outside.
        short_room=max(0.0, float(np.quantile(worst[short], 1 - GOOD_SHARE))),
    )
    bad_words = [len(words_of(bank.texts[row])) for row in np.flatnonzero(wrong)]
    bad = measured.excess(bank.vectors[wrong], bad_words, reference).max(axis=1)
    fine = measured.excess(vectors, words.tolist(), reference).max(axis=1)
    on = np.arange(len(bad) + len(fine)) >= len(bad)
    slope = fit_weighted(-np.concatenate([bad, fine])[:, None], on, 1.0).weights[0]
    return replace(measured, slope=float(slope))


PRIOR_LINES = 40
"""Lines that the range of good copy in general counts for, beside a brand's own."""
HEAD_SUPPORT = 0.25
"""Spreads of excess that one log-odds of the head makes up for."""
MAX_SLOPE = 8.0
"""Log-odds that one spread of excess stands for, at the most."""
UNDECIDED_RATIO = 1.125
"""For each own line that lies outside of the range so many are on the wrong side of P 0.5: what the
head knows of other brands decides there."""
SPLITS = 4
"""Own lines are measured by the range of the other parts. Neighbours, which are of one document
more often than not, are in one part."""


@dataclass(frozen=True, slots=True)
class RegisterFit:
    """A voice's answer by registers, and what it says of the brand's own lines when held out."""

    answer: RegisterAnswer
    registers: Registers
    excess: NDArray[np.float64]
    """Of own lines, each measured by the range of the others, shape (lines,)."""

    @property
    def alone(self) -> NDArray[np.float64]:
        """Log-odds of own lines by the registers alone, shape (lines,)."""
        return self.answer.odds(self.excess)

    def own(self, heads: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the voice says of own lines, log-odds, shape (lines,).

        Args:
            heads: what the head says of them when held out.
        """
        return np.minimum(heads, self.answer.odds(self.excess, heads))

    def other(
        self, vectors: NDArray[np.float32], words: Sequence[int], heads: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return what the voice says of other lines, log-odds, shape (lines,).

        Args:
            vectors: of the lines, shape (lines, dim).
            words: how many each has.
            heads: what the head says of them when held out.
        """
        raw, allowance = self.registers.raw(vectors), self.registers.allowance(words)
        return np.minimum(heads, self.registers.read(raw, allowance, self.answer, heads).odds)


def fit_register_answer(
    encoder: SentenceEncoder,
    vectors: NDArray[np.float32],
    words: Sequence[int],
    heads: NDArray[np.float64],
    threshold: float,
    share: float,
) -> RegisterFit | None:
    """Measure a voice's range in each register on its own lines.

    Args:
        encoder: whose registers to use; there is no answer where it has none.
        vectors: of on-brand lines, shape (lines, dim), those of one document side by side.
        words: how many each line has.
        heads: what the head says of them when held out, log-odds, shape (lines,).
        threshold: the voice's P below which sentences are flagged: the edge of the range.
        share: of on-brand sentences that may lie outside of it.
    """
    registers = load_registers(encoder.fingerprint)
    if registers is None:
        return None
    usual, excess = _range_of(registers, vectors), np.zeros(len(vectors))
    for held in np.array_split(np.arange(len(vectors)), SPLITS):
        others = np.delete(vectors, held, axis=0)
        held_words = [words[i] for i in held]
        part = registers.excess(vectors[held], held_words, _range_of(registers, others))
        excess[held] = part.max(axis=1)
    supported = excess - HEAD_SUPPORT * heads
    prior = prior_share(len(vectors))
    few = prior * registers.reference.room
    room, even = (
        (1 - prior) * room_for(supported, s) + few for s in (share, UNDECIDED_RATIO * share)
    )
    edge = log_odds(threshold)
    slope = min(MAX_SLOPE, max(registers.slope, -edge / max(room - even, 1e-6)))
    answer = RegisterAnswer(msgspec.structs.replace(usual, room=room), edge, slope, HEAD_SUPPORT)
    return RegisterFit(answer, registers, excess - room)


def _range_of(registers: Registers, vectors: NDArray[np.float32]) -> RegisterRange:
    """Return the range of own lines, drawn to that of good copy where they are few."""
    reference = msgspec.structs.replace(registers.reference, room=0.0)
    if len(vectors) == 0:
        return reference
    return registers.measure(vectors).blend(reference, prior_share(len(vectors)))


def prior_share(lines: int) -> float:
    """Return what the range of good copy counts for beside so many lines of one's own, 0 to 1."""
    return PRIOR_LINES / (PRIOR_LINES + lines)
