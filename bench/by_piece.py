"""Figures of single sentences, with intervals that come from drawing whole pieces anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 500
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, and the same of every draw of pieces."""

    value: float
    draws: NDArray[np.float64]

    @property
    def interval(self) -> tuple[float, float]:
        """The interval in which 95 % of the draws lie."""
        low, high = np.nanquantile(self.draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return float(low), float(high)

    def to_dict(self) -> dict[str, float | tuple[float, float]]:
        """Return the figure and its interval, rounded for a file."""
        low, high = self.interval
        return {"value": round(self.value, 4), "interval": (round(low, 4), round(high, 4))}

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.interval[0]:.3f} to {self.interval[1]:.3f})"


class Pieces:
    """Draws of pieces with replacement, the same ones for every figure."""

    def __init__(self, pieces: NDArray[np.str_]) -> None:
        self.names, self.of_line = np.unique(pieces, return_inverse=True)
        random = np.random.default_rng(0)
        even = np.full(len(self.names), 1 / len(self.names))
        drawn = random.multinomial(len(self.names), even, DRAWS)
        self.weights = np.concatenate([np.ones((1, len(self.names))), drawn])
        """Shape (1 + draws, pieces): how often each piece is in it; the first has all of them."""

    def auroc(
        self, score: NDArray[np.floating], high: NDArray[np.bool_], low: NDArray[np.bool_]
    ) -> Figure:
        """Return the chance that a line of one group scores higher than one of the other.

        Args:
            score: of all lines, shape (lines,).
            high: which lines are to score higher.
            low: which ones are to score lower.
        """
        count = len(self.names)
        above, owner = score[high], self.of_line[high]
        wins = np.zeros((count, count))
        for piece in range(count):
            below = np.sort(score[low & (self.of_line == piece)])
            beaten = np.searchsorted(below, above) + np.searchsorted(below, above, "right")
            wins[:, piece] = np.bincount(owner, beaten / 2, count)
        lines = [np.bincount(self.of_line[group], minlength=count) for group in (high, low)]
        won = np.einsum("dp,pq,dq->d", self.weights, wins, self.weights, optimize=True)
        with np.errstate(invalid="ignore"):
            return _figure(won / ((self.weights @ lines[0]) * (self.weights @ lines[1])))

    def share(self, hit: NDArray[np.bool_], among: NDArray[np.bool_]) -> Figure:
        """Return the share of hits among some lines."""
        count = len(self.names)
        hits = np.bincount(self.of_line[hit & among], minlength=count)
        lines = np.bincount(self.of_line[among], minlength=count)
        with np.errstate(invalid="ignore"):
            return _figure((self.weights @ hits) / (self.weights @ lines))


def mean_of(figures: Sequence[Figure]) -> Figure:
    """Return the mean of figures."""
    return Figure(
        float(np.mean([each.value for each in figures])),
        np.mean([each.draws for each in figures], axis=0),
    )


def least_of(figures: Sequence[Figure]) -> Figure:
    """Return the least of figures."""
    return Figure(
        min(each.value for each in figures), np.min([each.draws for each in figures], axis=0)
    )


def _figure(values: NDArray[np.float64]) -> Figure:
    return Figure(float(values[0]), values[1:])
