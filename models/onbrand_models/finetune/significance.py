"""Significance of a gain: base and adapted encoder compared on held-out documents.

The loss of the run's own classifier always falls; what counts is whether voices trained on the
encoder get better. So a new linear classifier is fitted on the vectors of one half of the held-out
lines and predicts the brands of the other half, once with each encoder.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from onbrand.training.logistic import Standardiser
from onbrand.training.weak_labels import REGRESSION_C
from onbrand_models.finetune.corpus import Batches, Corpus
from onbrand_models.finetune.trainer import BrandClassifier, to_device

ALPHA = 0.1
"""Significance level: a gain with a larger p-value does not count."""


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Predictions with the base and with the adapted encoder, on the same held-out lines."""

    before: float
    """Accuracy with the base, 0 to 1."""
    after: float
    """Accuracy with the adapted encoder, 0 to 1."""
    lines: int
    gained: int
    """Lines that only the adapted encoder predicts correctly."""
    lost: int
    """Lines that only the base predicts correctly."""

    @property
    def p_value(self) -> float:
        """Probability of at least as many gains if both are equally good: an exact sign test."""
        discordant_pairs = self.gained + self.lost
        as_many = range(self.gained, discordant_pairs + 1)
        ways = sum(math.comb(discordant_pairs, gained) for gained in as_many)
        return ways / (1 << discordant_pairs)

    def format_p_value(self) -> str:
        """Return the p-value in percent, say "3.2%"."""
        return "less than 0.1%" if self.p_value < 0.001 else f"{self.p_value:.1%}"

    @property
    def helped(self) -> bool:
        """Whether the adapted encoder is significantly better."""
        return self.gained > self.lost and self.p_value <= ALPHA


def compare(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> PairedComparison:
    """Compare the correct predictions with the base and with the adapted encoder, each (lines,)."""
    return PairedComparison(
        float(before.mean()),
        float(after.mean()),
        len(before),
        gained=int((after & ~before).sum()),
        lost=int((before & ~after).sum()),
    )


def correct_predictions(
    model: BrandClassifier, batches: Batches, corpus: Corpus
) -> NDArray[np.bool_]:
    """Return for each line whether a classifier fitted on the other half predicts its brand.

    Args:
        model: whose vectors are used, not its own classifier.
        batches: the held-out lines, tokenised.
        corpus: the same lines, with their brands.

    Returns:
        (lines,), in the order of the held-out lines of `Corpus.evaluable_brands`.
    """
    owners = np.array(corpus.held_out.owners)
    judged = np.isin(owners, corpus.evaluable_brands)
    rows, owners = _vectors(model, batches, len(owners))[judged], owners[judged]
    # Every second line: lines are sorted by brand, so that each half has lines of all brands.
    half = np.arange(len(owners)) % 2 == 0
    right = np.zeros(len(owners), bool)
    for fit, judge in ((half, ~half), (~half, half)):
        standardise = Standardiser.fit(rows[fit])
        classifier = LogisticRegression(C=REGRESSION_C, max_iter=200, class_weight="balanced")
        classifier.fit(standardise(rows[fit]), owners[fit])
        right[judge] = classifier.predict(standardise(rows[judge])) == owners[judge]
    return right


def _vectors(model: BrandClassifier, batches: Batches, count: int) -> NDArray[np.float32]:
    """Return the vectors of all ``count`` lines in their original order: (count, dim)."""
    device = next(model.parameters()).device
    model.eval()
    rows = np.zeros((count, model.head.in_features * len(model.layers)), np.float32)
    with torch.inference_mode():
        for chosen, batch in batches.in_order():
            rows[np.array(chosen)] = model.vectors(to_device(batch, device)).cpu().numpy()
    return rows
