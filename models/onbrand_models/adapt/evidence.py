"""Did it help? The same small classifier on both encoders, judged on documents nobody learnt from.

The loss of the run's own classifier only falls; what counts is whether voices trained on the
encoder get better. So a fresh linear model is fitted on the vectors of one half of the held-out
lines and names the brand of the other half, with the encoder as it was and as it is now.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from onbrand.training.crossval import Standardiser
from onbrand.training.published import STRENGTH
from onbrand_models.adapt.batches import Batches
from onbrand_models.adapt.copy import Lines
from onbrand_models.adapt.device import move
from onbrand_models.adapt.objective import BrandClassifier

MIN_LINES = 10
"""Held-out lines of a brand, on average, without which nothing can be said."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Shares of held-out lines whose brand was named right, 0 to 1."""

    before: float
    after: float
    lines: int

    @property
    def helped(self) -> bool:
        """Whether the adapted encoder names more brands right."""
        return self.after > self.before


def named_right(model: BrandClassifier, batches: Batches, lines: Lines) -> float:
    """Return the share of lines whose brand a linear model names that saw the other half.

    Args:
        model: its vectors are judged, not its own classifier.
        batches: the lines, tokenised.
        lines: the same, with their owners.
    """
    rows = _vectors(model, batches, len(lines.texts))
    owners = np.array(lines.owners)
    half = np.arange(len(owners)) % 2 == 0
    right = 0
    for fit, judge in ((half, ~half), (~half, half)):
        standardise = Standardiser.fit(rows[fit])
        classifier = LogisticRegression(C=STRENGTH, max_iter=200, class_weight="balanced")
        classifier.fit(standardise(rows[fit]), owners[fit])
        right += int((classifier.predict(standardise(rows[judge])) == owners[judge]).sum())
    return right / len(owners)


def _vectors(model: BrandClassifier, batches: Batches, count: int) -> NDArray[np.float32]:
    """Return the vectors of all ``count`` lines in their order, (count, dim)."""
    device = next(model.parameters()).device
    model.eval()
    rows = np.zeros((count, model.head.in_features * len(model.layers)), np.float32)
    with torch.inference_mode():
        for chosen, batch in batches.in_order():
            rows[np.array(chosen)] = model.vectors(move(batch, device)).cpu().numpy()
    return rows
