"""How far outside of its own range in each register a brand's sentence may read."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder
from onbrand.voice.ngrams import words_of
from onbrand.voice.registers import RegisterAnswer, load_registers, room_for

PRIOR_LINES = 40
"""Lines that the range of good copy in general counts for, beside a brand's own."""
HEAD_SUPPORT = 0.25
"""Spreads of excess that one log-odds of the head makes up for."""
MAX_SLOPE = 6.0
"""Log-odds that one spread of excess stands for, at the most."""


def answer_by_registers(
    encoder: Encoder,
    vectors: NDArray[np.float32],
    texts: Sequence[str],
    heads: NDArray[np.float64],
    threshold: float,
    share: float,
) -> RegisterAnswer | None:
    """Return a voice's range in each register, measured on its own lines.

    Args:
        encoder: whose registers to use; there is no answer where it has none.
        vectors: of on-brand lines, shape (lines, dim).
        texts: the lines themselves.
        heads: what the head says of them when held out, log-odds, shape (lines,).
        threshold: the voice's P below which sentences are flagged: the edge of the range.
        share: of on-brand sentences that may lie outside of it.
    """
    registers = load_registers(encoder.fingerprint)
    if registers is None:
        return None
    words = [len(words_of(text)) for text in texts]
    prior = PRIOR_LINES / (PRIOR_LINES + len(texts))
    reference = msgspec.structs.replace(registers.reference, room=0.0)
    usual = registers.measure(vectors).blend(reference, prior)
    excess = registers.excess(vectors, words, usual).max(axis=1) - HEAD_SUPPORT * heads
    few = prior * registers.reference.room
    room, even = ((1 - prior) * room_for(excess, s) + few for s in (share, 1.5 * share))
    edge = math.log(threshold / (1 - threshold))
    # Half as many again as lie outside may lie on the wrong side of P 0.5: what the head knows of
    # other brands decides there.
    slope = max(registers.slope, -edge / max(room - even, 1e-6))
    return RegisterAnswer(
        msgspec.structs.replace(usual, room=room), edge, min(slope, MAX_SLOPE), HEAD_SUPPORT
    )


def with_registers(
    encoder: Encoder,
    vectors: NDArray[np.float32],
    texts: Sequence[str],
    heads: NDArray[np.float64],
    answer: RegisterAnswer | None,
) -> NDArray[np.float64]:
    """Return what a voice says of lines, log-odds, shape (lines,): the lower of its two answers.

    Args:
        encoder: whose registers they are.
        vectors: of lines, shape (lines, dim).
        texts: the lines.
        heads: what the head says of them.
        answer: of the registers, if there is one.
    """
    registers = load_registers(encoder.fingerprint)
    if registers is None or answer is None:
        return heads
    words = [len(words_of(text)) for text in texts]
    raw, allowance = registers.raw(vectors), registers.allowance(words)
    return np.minimum(heads, registers.worst(raw, allowance, answer, heads)[1])
