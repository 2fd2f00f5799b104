"""Quality figures on held-out lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from onbrand.voice.model import Metrics

ECE_BINS = 10
ALARM_BUDGET = 0.05


def measure(on: NDArray[np.bool_], probabilities: NDArray[np.floating]) -> Metrics:
    """Return the figures for lines with known labels.

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
