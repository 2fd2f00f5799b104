"""Which lines are held out together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from onbrand.voice.model import unit

MAX_FOLDS = 10
MIN_GROUPS = 5
"""With fewer documents per class than this, folds by document would starve the training side."""

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


def make_folds(
    on: NDArray[np.bool_], docs: Sequence[str | None], *, most: int = MAX_FOLDS
) -> tuple[list[Fold], bool]:
    """Return (train, held-out) index pairs, and whether documents were kept together.

    Lines of one document share subject and author: held out one by one they would flatter the
    model. Lines without a document stand for themselves. The same labels give the same folds.

    Args:
        on: labels, shape (lines,), both classes present at least twice.
        docs: the document of each line, where known.
        most: the largest number of folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    groups = np.array([f"d:{doc}" if doc else f"line:{i}" for i, doc in enumerate(docs)])
    per_class = min(len(set(groups[on])), len(set(groups[~on])))
    rows = np.zeros((len(on), 1))
    if per_class >= MIN_GROUPS:
        splitter = StratifiedGroupKFold(min(most, per_class), shuffle=True, random_state=0)
        folds = list(splitter.split(rows, on, groups))
        if all(_both(on[train]) and len(held) for train, held in folds):
            return folds, any(docs)
    smallest = int(min(on.sum(), (~on).sum()))
    plain = StratifiedKFold(max(2, min(most, smallest)), shuffle=True, random_state=0)
    return list(plain.split(rows, on)), False


def _both(on: NDArray[np.bool_]) -> bool:
    return bool(on.any() and not on.all())


def without_twins(
    folds: Sequence[Fold], on: NDArray[np.bool_], contents: NDArray[np.float32]
) -> list[Fold]:
    """Drop from each training side the opposite-label twins of its held-out lines.

    Off-brand lines are often rewritten on-brand ones, or picked for the same subject. With one twin
    held out and the other trained on, its subject speaks for the wrong label, and the figures would
    come out worse than those on text that has no twin. Twins are two lines of different label that
    are each other's nearest line.

    Args:
        folds: (train, held-out) index pairs.
        on: labels, shape (lines,).
        contents: vectors near for like content, shape (lines, any): the encoder's last layer.
    """
    centred = unit(contents - contents.mean(axis=0))
    cosines = centred @ centred.T
    np.fill_diagonal(cosines, -2.0)
    nearest = cosines.argmax(axis=1)
    lines = np.arange(len(on))
    twinned = (nearest[nearest] == lines) & (on[nearest] != on)
    cleaned = []
    for train, held in folds:
        kept = train[~np.isin(train, nearest[held[twinned[held]]])]
        cleaned.append((kept if _both(on[kept]) else train, held))
    return cleaned
