"""Choosing which models make up a voice, and joining them into one calibrated logit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onbrand.training.crossval import DENSE_STRENGTHS, MemberLogits, OutOfFold
from onbrand.training.stacker import Stacker, fit_stacker, stacked_loss
from onbrand.voice.model import sigmoid

LEXICAL_GAIN = 0.002
"""Log loss, in nats, that n-grams must save to be worth their place in the voice."""


@dataclass(frozen=True, slots=True)
class Joint:
    """The models that cross-validation chose, joined and calibrated on held-out lines."""

    strength: float
    """C of the dense model."""
    weights: dict[str, float]
    """Of "dense", "lexical" and "published" in the joint logit; those left out have none."""
    intercept: float
    temper: Stacker
    """Calibrates the joint logit of short sentences."""
    logits: NDArray[np.float64]
    """Joint out-of-fold logits, shape (lines,)."""
    short_logits: NDArray[np.float64]
    """The same of the lines cut to their first words, tempered."""

    @property
    def p(self) -> NDArray[np.floating]:
        """P(on-brand) of the held-out lines, shape (lines,)."""
        return sigmoid(self.logits)

    @property
    def short_p(self) -> NDArray[np.floating]:
        """P(on-brand) of the held-out lines cut to their first words, shape (lines,)."""
        return sigmoid(self.short_logits)


def join(held_out: OutOfFold, on: NDArray[np.bool_]) -> Joint:
    """Choose the dense strength and the members by log loss, and fit the stacker.

    Args:
        held_out: logits of lines that the models had not seen.
        on: labels, shape (lines,).
    """
    names = ["dense", "lexical"]
    if held_out.whole.published is not None:
        names.append("published")
    losses = [
        stacked_loss(_columns(held_out.whole, names, i), on) for i in range(len(DENSE_STRENGTHS))
    ]
    best = int(np.argmin(losses))
    without = [name for name in names if name != "lexical"]
    if stacked_loss(_columns(held_out.whole, without, best), on) - losses[best] <= LEXICAL_GAIN:
        names = without
    members = _columns(held_out.whole, names, best)
    stacker = fit_stacker(members, on)
    short = stacker(_columns(held_out.short, names, best))[:, None]
    temper = fit_stacker(short, on)
    return Joint(
        strength=DENSE_STRENGTHS[best],
        weights=dict(zip(names, stacker.weights.tolist(), strict=True)),
        intercept=stacker.intercept,
        temper=temper,
        logits=stacker(members),
        short_logits=temper(short),
    )


def _columns(logits: MemberLogits, names: list[str], strength: int) -> NDArray[np.float64]:
    """Return the named members side by side, shape (lines, members)."""
    columns = {"dense": logits.dense[:, strength], "lexical": logits.lexical}
    if logits.published is not None:
        columns["published"] = logits.published
    return np.stack([columns[name] for name in names], axis=1)
