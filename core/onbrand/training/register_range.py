"""How far outside of its own range in each register a brand's sentence may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder
from onbrand.voice.model import log_odds
from onbrand.voice.registers import (
    RegisterAnswer,
    RegisterRange,
    Registers,
    load_registers,
    room_for,
)

PRIOR_LINES = 40
"""Lines that the range of good copy in general counts for, beside a brand's own."""
HEAD_SUPPORT = 0.25
"""Spreads of excess that one log-odds of the head makes up for."""
MAX_SLOPE = 8.0
"""Log-odds that one spread of excess stands for, at the most."""
EVEN = 1.125
"""For each own line that lies outside of the range so many are on the wrong side of P 0.5: what the
head knows of other brands decides there."""
PARTS = 4
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
    encoder: Encoder,
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
    for held in np.array_split(np.arange(len(vectors)), PARTS):
        others = np.delete(vectors, held, axis=0)
        held_words = [words[i] for i in held]
        part = registers.excess(vectors[held], held_words, _range_of(registers, others))
        excess[held] = part.max(axis=1)
    supported = excess - HEAD_SUPPORT * heads
    prior = prior_share(len(vectors))
    few = prior * registers.reference.room
    room, even = ((1 - prior) * room_for(supported, s) + few for s in (share, EVEN * share))
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
