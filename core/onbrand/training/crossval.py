"""Cross-validation: folds by document, and quality figures of held-out lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from onbrand.voice.lexical import SHORT_WORDS
from onbrand.voice.model import Metrics, unit

MAX_FOLDS = 10
MIN_GROUPS = 5
"""Documents per class below which folds are by line: too little would be left to train on."""

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


def make_folds(
    on: NDArray[np.bool_], docs: Sequence[str | None], *, max_folds: int = MAX_FOLDS
) -> tuple[list[Fold], bool]:
    """Return (train, held-out) index pairs, and whether documents were kept together.

    Lines of one document share subject and author: split between train and held-out they would
    make the figures too good. A line without a document is its own group. The folds are the same
    for the same labels.

    Args:
        on: labels, shape (lines,), both classes present at least twice.
        docs: the document of each line, where known.
        max_folds: the largest number of folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    groups = np.array([f"d:{doc}" if doc else f"line:{i}" for i, doc in enumerate(docs)])
    per_class = min(len(set(groups[on])), len(set(groups[~on])))
    rows = np.zeros((len(on), 1))
    if per_class >= MIN_GROUPS:
        splitter = StratifiedGroupKFold(min(max_folds, per_class), shuffle=True, random_state=0)
        folds = list(splitter.split(rows, on, groups))
        if all(_has_both_classes(on[train]) and len(held) for train, held in folds):
            return folds, any(docs)
    smallest = int(min(on.sum(), (~on).sum()))
    plain = StratifiedKFold(max(2, min(max_folds, smallest)), shuffle=True, random_state=0)
    return list(plain.split(rows, on)), False


def _has_both_classes(on: NDArray[np.bool_]) -> bool:
    return bool(on.any() and not on.all())


def remove_contrast_pairs(
    folds: Sequence[Fold], on: NDArray[np.bool_], contents: NDArray[np.float32]
) -> list[Fold]:
    """Drop the opposite-label twins of held-out lines from each training side.

    Off-brand lines are often rewritten on-brand ones, or chosen for the same subject. If one twin
    is held out and the other trained on, the subject points to the wrong label, and the figures
    come out worse than on text that has no twin. Twins are two lines with different labels that are
    each other's nearest line.

    Args:
        folds: (train, held-out) index pairs.
        on: labels, shape (lines,).
        contents: vectors that are near for like content, shape (lines, any).
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
        cleaned.append((kept if _has_both_classes(on[kept]) else train, held))
    return cleaned


ECE_BINS = 10
ALARM_BUDGET = 0.05


def measure(on: NDArray[np.bool_], probabilities: NDArray[np.floating]) -> Metrics:
    """Return quality figures of predictions.

    Args:
        on: the labels, shape (lines,).
        probabilities: P(on-brand), shape (lines,).
    """
    from sklearn.metrics import log_loss, roc_auc_score

    p = np.clip(np.asarray(probabilities, dtype=np.float64), 1e-6, 1 - 1e-6)
    return Metrics(
        accuracy=float(((p >= 0.5) == on).mean()),
        auroc=float(roc_auc_score(on, p)),
        log_loss=float(log_loss(on, p, labels=[False, True])),
        ece=calibration_error(on, p),
        recall_at_5fpr=recall_at_budget(on, p),
    )


def calibration_error(on: NDArray[np.bool_], probabilities: NDArray[np.floating]) -> float:
    """Return the expected calibration error over ten bins of equal width.

    Naeini, Cooper and Hauskrecht (2015), Obtaining well calibrated probabilities.
    """
    bins = np.minimum((probabilities * ECE_BINS).astype(int), ECE_BINS - 1)
    error = 0.0
    for index in range(ECE_BINS):
        inside = bins == index
        if inside.any():
            error += inside.mean() * abs(on[inside].mean() - probabilities[inside].mean())
    return float(error)


def alarm_threshold(on: NDArray[np.bool_], p: NDArray[np.floating], budget: float) -> float:
    """Return the highest P below which at most ``budget`` of the on-brand lines lie."""
    ordered = np.sort(p[on])
    return float(ordered[int(budget * len(ordered))])


def recall_at_budget(on: NDArray[np.bool_], p: NDArray[np.floating]) -> float:
    """Return the share of off-brand lines below the threshold of a 5 % false-alarm budget."""
    return float((p[~on] < alarm_threshold(on, p, ALARM_BUDGET)).mean())


def bag_of_words(
    train: Sequence[str], on: NDArray[np.bool_], test: Sequence[str]
) -> NDArray[np.float64]:
    """Return P(on-brand) of the test lines by a bag-of-words baseline, shape (lines,).

    It is what one would try first: sublinear TF-IDF of unigrams and logistic regression, C=10.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectoriser = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")  # noqa: S106
    model = LogisticRegression(C=10.0, max_iter=1000).fit(vectoriser.fit_transform(train), on)
    return np.asarray(model.predict_proba(vectoriser.transform(test))[:, 1], dtype=np.float64)


def first_words(text: str) -> str:
    """Return a short sentence made of the first words of a line and its closing mark."""
    words = text.split()
    start = " ".join(words[:SHORT_WORDS]).rstrip(",;:")
    closing = text[-1:] if text[-1:] in ".!?" and len(words) > SHORT_WORDS else ""
    return start + closing


DEFAULT_ALARM_BUDGET = 0.05
"""Share of on-brand sentences that may be underlined."""
MAX_THRESHOLD = 0.35
"""Upper limit of a voice's threshold: only what is clearly more likely off-brand is underlined."""
HEAD_SHARE, REGISTER_SHARE = 0.1, 0.4
"""Shares of the alarm budget that the head and the registers may use. The rest is reserve, because
drafts have headings and lists, and label files do not."""
