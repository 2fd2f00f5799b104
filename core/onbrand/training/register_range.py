"""How far outside of its own range in each register a brand's sentence may read."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder
from onbrand.voice.ngrams import words_of
from onbrand.voice.registers import RegisterAnswer, load_registers

PRIOR_LINES = 40
"""Lines that the range of good copy in general counts for, beside a brand's own."""
MIN_SLOPE = 1.0
"""Log-odds that one spread of excess stands for, at the least."""


def answer_by_registers(
    encoder: Encoder,
    vectors: NDArray[np.float32],
    texts: Sequence[str],
    threshold: float,
    share: float,
) -> RegisterAnswer | None:
    """Return a voice's range in each register, measured on its own lines.

    Args:
        encoder: whose registers to use; there is no answer where it has none.
        vectors: of on-brand lines, shape (lines, dim).
        texts: the lines themselves.
        threshold: the voice's P below which sentences are flagged: the edge of the range.
        share: of on-brand sentences that may lie outside of it.
    """
    registers = load_registers(encoder.fingerprint)
    if registers is None:
        return None
    words = [len(words_of(text)) for text in texts]
    own = registers.measure(vectors, words, share)
    usual = own.blend(registers.reference, PRIOR_LINES / (PRIOR_LINES + len(texts)))
    edge = math.log(threshold / (1 - threshold))
    worst = registers.excess(vectors, words, usual).max(axis=1)
    # As many again as lie outside may lie on the wrong side of P 0.5, so that what the head knows
    # of other brands still decides there.
    even = float(np.quantile(worst, max(0.0, 1 - 2 * share)))
    slope = max(MIN_SLOPE, registers.slope, -edge / max(-even, 1e-6))
    return RegisterAnswer(usual, edge, min(slope, 20.0))
