"""Joining the logits of several models into one calibrated logit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHRINKAGE = 1e-3
"""L2 on the weights: keeps a perfectly separated tiny set from claiming certainty."""


@dataclass(frozen=True, slots=True)
class Stacker:
    """``logit = logits @ weights + intercept``; no weight is negative."""

    weights: NDArray[np.float64]
    intercept: float

    def __call__(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Join logits of shape (lines, models) into shape (lines,)."""
        return np.asarray(logits @ self.weights + self.intercept)


def fit_stacker(logits: NDArray[np.float64], on: NDArray[np.bool_]) -> Stacker:
    """Fit on out-of-fold logits, so that the joint logit comes out calibrated.

    Stacked generalisation with weights kept from going negative (Wolpert 1992; Breiman 1996,
    Stacked regressions); with one model it is Platt's scaling (Platt 1999).

    Args:
        logits: shape (lines, models), of lines that the models had not seen.
        on: labels, shape (lines,).
    """
    from scipy.optimize import minimize

    sign = np.where(on, 1.0, -1.0)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, intercept = parameters[:-1], parameters[-1]
        margins = sign * (logits @ weights + intercept)
        slope = -sign * 0.5 * (1.0 - np.tanh(0.5 * margins)) / len(on)
        value = np.logaddexp(0.0, -margins).mean() + SHRINKAGE / 2 * weights @ weights
        gradient = np.append(logits.T @ slope + SHRINKAGE * weights, slope.sum())
        return float(value), gradient

    models = logits.shape[1]
    start = np.append(np.full(models, 1.0 / models), 0.0)
    bounds = [(0.0, None)] * models + [(None, None)]
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B")
    return Stacker(found.x[:-1], float(found.x[-1]))


def stacked_loss(logits: NDArray[np.float64], on: NDArray[np.bool_]) -> float:
    """Return the mean log loss of the best calibration of these out-of-fold logits."""
    joint = fit_stacker(logits, on)(logits)
    return float(np.logaddexp(0.0, np.where(on, -joint, joint)).mean())
