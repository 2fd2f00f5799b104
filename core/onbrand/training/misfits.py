"""Lines of published copy that are not the brand's: found by what the rest of the copy says.

Whoever gathers a brand's pages gathers guest posts, quotations and boilerplate with them. They
hardly move the head, but they lie where other copy lies, and a threshold that spares them spares
that, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from onbrand.training.background import held_out_logits
from onbrand.training.folds import make_folds

MAX_SHARE = 0.2
"""Share of the lines that may be left out."""
ROUNDS = 2
FOLDS = 4
PURE = 0.02
"""Copy that seems to have no more misfits than this at first sight is taken as it is."""
MARGIN = 0.03
"""A brand writes lines like other copy, too: that much is never taken for misfits."""


def find_misfits(
    own: NDArray[np.float32], other: NDArray[np.float32], docs: Sequence[str | None]
) -> NDArray[np.bool_]:
    """Return which lines seem not to be the brand's, shape (lines,); none where copy is pure.

    The head is fitted without those that are least like the brand when held out, which no longer
    speak for themselves then. What of the copy lies among the lower half of other copy, as a share
    of that, bounds the share of lines that are other copy (Garg et al. 2021, Mixture proportion
    estimation and PU learning: a modern approach).

    Args:
        own: published lines in the background's basis, shape (lines, dimensions).
        other: lines of others in the same basis.
        docs: the document of each own line, where known; documents are held out together.
    """
    on = np.arange(len(own) + len(other)) < len(own)
    folds, _ = make_folds(on, [*docs, *[None] * len(other)], most=FOLDS)
    both = np.concatenate([own, other])
    logits = held_out_logits(both, on, folds)
    if _share(logits, on) <= PURE:
        return np.zeros(len(own), np.bool_)
    for _ in range(ROUNDS):
        trusted = ~on
        trusted[: len(own)] = ~_lowest(logits[on], MAX_SHARE)
        logits = held_out_logits(both, on, folds, trusted)
    return _lowest(logits[on], min(MAX_SHARE, _share(logits, on) - MARGIN))


def _share(logits: NDArray[np.float64], on: NDArray[np.bool_]) -> float:
    return 2 * float((logits[on] < np.median(logits[~on])).mean())


def _lowest(logits: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    lowest = np.zeros(len(logits), np.bool_)
    lowest[np.argsort(logits)[: max(0, round(share * len(logits)))]] = True
    return lowest
