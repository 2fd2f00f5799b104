"""Fitting of registers: their heads, and a brand's own range in each."""

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
"""Maximum number of lines of a group that a register is fitted on."""
GOOD_SHARE = 0.02
"""Share of good sentences that may lie outside the reference range."""
GENERAL = "any"
"""Name of the head that separates any wrong voice from any good one."""
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
"""Scale → the voices at its upper and its lower end."""


@dataclass(frozen=True, slots=True)
class Bank:
    """The lines of the bank as vectors."""

    texts: list[str]
    voices: NDArray[np.str_]
    pieces: NDArray[np.str_]
    vectors: NDArray[np.float32]
    """Shape (lines, dim)."""
    deltas: NDArray[np.float32]
    """Each line minus its neutral twin, the effect of the voice alone; shape (lines, dim)."""

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
        """Return a mask of the lines in these voices, shape (lines,)."""
        return np.isin(self.voices, list(voices))


@dataclass(frozen=True, slots=True)
class Population:
    """Published lines of many organisations and authors, all of them good copy."""

    texts: list[str]
    owners: NDArray[np.str_]
    vectors: NDArray[np.float32]
    """Shape (lines, dim)."""


def fit_head(
    bank: Bank, population: Population, high: NDArray[np.bool_], low: NDArray[np.bool_]
) -> LinearFit:
    """Fit a head that separates two groups of the bank's lines, whatever their subject.

    The bank has 94 subjects only. So that heads generalise to others, the effect of a voice on a
    vector (the line minus its neutral twin) is also added to published lines of the population.

    Args:
        bank: the lines.
        population: the lines that effects are added to.
        high: mask of the bank's lines at the upper end.
        low: mask of those at the lower end.
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
    """Fit all registers, the general one and the scales, and the range of good copy.

    Args:
        bank: the lines of the bank.
        population: good published lines.
        fingerprint: fingerprint of the encoder.
        names: the wrong voices, each of which becomes a register.
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
    """Return the registers with the range of good copy and the slope of their excess.

    Args:
        bank: the lines of the bank.
        population: good published lines.
        fingerprint: fingerprint of the encoder.
        names: names of the registers.
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
"""Weight, in lines, of the general range of good copy beside a brand's own lines."""
HEAD_SUPPORT = 0.25
"""Spreads of excess that one log-odds of the head compensates."""
MAX_SLOPE = 8.0
"""Maximum of log-odds per spread of excess."""
UNDECIDED_RATIO = 1.125
"""Own lines below P 0.5 per own line outside the range: between the two the head's knowledge of
other brands decides."""
SPLITS = 4
"""Number of splits in which own lines are measured by the range of the others. Neighbours, which
are mostly of one document, are in one split."""


@dataclass(frozen=True, slots=True)
class RegisterFit:
    """A voice's answer by registers, with the excess of the brand's held-out lines."""

    answer: RegisterAnswer
    registers: Registers
    excess: NDArray[np.float64]
    """Excess of own lines, each by the range of the other splits, shape (lines,)."""

    @property
    def alone(self) -> NDArray[np.float64]:
        """Log-odds of own lines by the registers alone, shape (lines,)."""
        return self.answer.odds(self.excess)

    def own(self, heads: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the voice's log-odds of own lines, shape (lines,).

        Args:
            heads: the head's held-out log-odds of them.
        """
        return np.minimum(heads, self.answer.odds(self.excess, heads))

    def other(
        self, vectors: NDArray[np.float32], words: Sequence[int], heads: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the voice's log-odds of other lines, shape (lines,).

        Args:
            vectors: the lines' vectors, shape (lines, dim).
            words: number of words of each.
            heads: the head's held-out log-odds of them.
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
    """Fit a voice's range in each register on its own lines; None without registers.

    Args:
        encoder: the encoder, whose registers are used.
        vectors: vectors of on-brand lines, shape (lines, dim), those of one document side by side.
        words: number of words of each line.
        heads: the head's held-out log-odds of them, shape (lines,).
        threshold: P below which sentences are flagged: P at the end of the range.
        share: share of on-brand sentences that may lie outside.
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
    """Return the range of own lines, the closer to that of good copy the fewer they are."""
    reference = msgspec.structs.replace(registers.reference, room=0.0)
    if len(vectors) == 0:
        return reference
    return registers.measure(vectors).blend(reference, prior_share(len(vectors)))


def prior_share(lines: int) -> float:
    """Return the weight of the range of good copy, given the number of own lines, 0 to 1."""
    return PRIOR_LINES / (PRIOR_LINES + lines)
