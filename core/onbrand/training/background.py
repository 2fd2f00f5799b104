"""The background: lines of open voices as vectors, which say what a brand is *not* without labels.

Who published a line is free supervision. A brand's own copy against this background gives a head
before anybody has labelled a line, and supports one that has few labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder
from onbrand.training.folds import Fold
from onbrand.training.linear import fit_weighted

STRENGTH = 0.01
"""scikit-learn's C on vectors scaled to a mean variance of 1."""
SHRINKAGE = 0.1
"""Share of the mean variance that is added to the background's covariance."""
_FOLDER = Path(__file__).parents[1] / "data"


@dataclass(frozen=True, slots=True)
class Background:
    """Vectors of open voices in the directions in which copy varies most."""

    fingerprint: str
    """Of the encoder that made them."""
    mean: NDArray[np.float32]
    """Shape (dim,)."""
    basis: NDArray[np.int8]
    """Shape (dim, dimensions)."""
    step: float
    """What one unit of the basis stands for."""
    rows: NDArray[np.int8]
    """Shape (lines, dimensions)."""
    row_step: NDArray[np.float32]
    """Shape (dimensions,): what one unit of the rows stands for."""

    @classmethod
    def compress(
        cls,
        fingerprint: str,
        mean: NDArray[np.float32],
        basis: NDArray[np.float32],
        vectors: NDArray[np.float32],
    ) -> Background:
        """Keep vectors of shape (lines, dim) as bytes in the basis, shape (dim, dimensions)."""
        step = float(np.abs(basis).max()) / 127
        small = np.round(basis / step).astype(np.int8)
        rows, row_step = to_bytes((vectors - mean) @ (small.astype(np.float32) * step))
        return cls(fingerprint, mean.astype(np.float32), small, step, rows, row_step)

    def project(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return vectors of shape (lines, dim) in the basis, shape (lines, dimensions)."""
        return np.asarray((vectors - self.mean) @ (self.basis * np.float32(self.step)))

    def lines(self) -> NDArray[np.float32]:
        """Return the background's own lines in the basis, shape (lines, dimensions)."""
        return self.rows * self.row_step

    def restore(self, projected: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what `project` was given, as far as it is known, shape (lines, dim)."""
        return np.asarray(self.mean + projected @ (self.basis * np.float32(self.step)).T)

    def lift(self, weights: NDArray[np.float64], bias: float) -> tuple[NDArray[np.float64], float]:
        """Return weights and bias in the basis as those of the encoder's vectors."""
        whole = (self.basis * self.step) @ weights
        return whole, bias - float(whole @ self.mean)


def to_bytes(rows: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return rows of shape (lines, dimensions) as bytes, and what one unit of each column is."""
    step = np.maximum(np.abs(rows).max(axis=0), 1e-12) / 127
    return np.round(rows / step).astype(np.int8), step.astype(np.float32)


def fit_own(
    own: NDArray[np.float32], other: NDArray[np.float32]
) -> tuple[NDArray[np.float64], float]:
    """Return the direction that tells a brand's own copy from other copy, both in the basis.

    The mean of two: logistic regression, and the difference of the means whitened by the other
    copy's covariance (Fisher 1936, The use of multiple measurements in taxonomic problems), which
    holds up better where own lines are few. Each is scaled to a spread of 1 over the other copy.
    """
    fit = fit_weighted(
        np.concatenate([own, other]), np.arange(len(own) + len(other)) < len(own), STRENGTH
    )
    covariance = np.cov(other.T)
    ridge = SHRINKAGE * np.trace(covariance) / len(covariance)
    fisher = np.linalg.solve(
        covariance + ridge * np.eye(len(covariance)), own.mean(axis=0) - other.mean(axis=0)
    )
    joined = fit.weights / np.std(other @ fit.weights) + fisher / np.std(other @ fisher)
    middle = (own.mean(axis=0) + other.mean(axis=0)) / 2
    return joined, -float(joined @ middle)


def held_out_logits(
    both: NDArray[np.float32],
    on: NDArray[np.bool_],
    folds: Sequence[Fold],
    trusted: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return what directions that were fitted on the other folds say of lines, shape (lines,).

    Args:
        both: own lines and others in the basis, shape (lines, dimensions).
        on: which of them are own ones, shape (lines,).
        folds: (train, held-out) index pairs.
        trusted: the lines to fit on, shape (lines,); None for all.
    """
    logits = np.zeros(len(both))
    for train, held in folds:
        rows = train if trusted is None else train[trusted[train]]
        weights, bias = fit_own(both[rows][on[rows]], both[rows][~on[rows]])
        logits[held] = both[held] @ weights + bias
    return logits


def load_background(encoder: Encoder) -> Background | None:
    """Return the background of an encoder; None where it has none."""
    from safetensors import safe_open

    path = _FOLDER / f"background-{encoder.fingerprint[:12]}.safetensors"
    if not path.is_file():
        return None
    with safe_open(path, framework="numpy") as file:
        about = file.metadata()
        tensors = {name: file.get_tensor(name) for name in ("mean", "basis", "rows", "row_step")}
    if about["fingerprint"] != encoder.fingerprint:
        return None
    return Background(encoder.fingerprint, step=float(about["step"]), **tensors)


def save_background(background: Background, folder: Path = _FOLDER) -> Path:
    """Write a background where `load_background` finds it, and return the file."""
    from safetensors.numpy import save

    from onbrand.files import write_atomic

    path = folder / f"background-{background.fingerprint[:12]}.safetensors"
    names = ("mean", "basis", "rows", "row_step")
    tensors = {name: getattr(background, name) for name in names}
    about = {"fingerprint": background.fingerprint, "step": repr(background.step)}
    write_atomic(path, save(tensors, about))
    return path
