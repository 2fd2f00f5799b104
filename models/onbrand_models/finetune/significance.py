"""Did it help? The same small classifier on both encoders, judged on documents nobody learnt from.

The loss of the run's own classifier only falls; what counts is whether voices trained on the
encoder get better. So a fresh linear model is fitted on the vectors of one half of the held-out
lines and names the brand of the other half, with the encoder as it was and as it is now.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from onbrand.training.logistic import Standardiser
from onbrand.training.weak_labels import STRENGTH
from onbrand_models.finetune.corpus import Batches, Corpus
from onbrand_models.finetune.trainer import BrandClassifier, to_device

ALPHA = 0.1
"""Chance of a gain by luck alone above which a gain counts for nothing."""


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """What the same held-out lines say of the encoder as it was and as it is now."""

    before: float
    """Share of the lines whose brand was named right, 0 to 1."""
    after: float
    lines: int
    gained: int
    """Lines that only the adapted encoder gets right."""
    lost: int
    """Lines that only the base gets right."""

    @property
    def p_value(self) -> float:
        """How likely as good a result is where both are equally good, 0 to 1.

        An exact sign test: each line on which they differ is then a coin's throw.
        """
        discordant_pairs = self.gained + self.lost
        as_many = range(self.gained, discordant_pairs + 1)
        ways = sum(math.comb(discordant_pairs, gained) for gained in as_many)
        return ways / (1 << discordant_pairs)

    def format_p_value(self) -> str:
        """The same for people: "3.2%"."""
        return "less than 0.1%" if self.p_value < 0.001 else f"{self.p_value:.1%}"

    @property
    def helped(self) -> bool:
        """Whether the adapted encoder names more brands right, by more than luck."""
        return self.gained > self.lost and self.p_value <= ALPHA


def compare(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> PairedComparison:
    """Return the evidence of which lines were named right, each of shape (lines,)."""
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
    """Tell of each line whether a linear model that saw the other half names its brand.

    Args:
        model: its vectors are judged, not its own classifier.
        batches: the held-out lines, tokenised.
        corpus: the same lines, with their brands.

    Returns:
        Shape (lines,): those of `Corpus.evaluable_brands`, in their order.
    """
    owners = np.array(corpus.held_out.owners)
    judged = np.isin(owners, corpus.evaluable_brands)
    rows, owners = _vectors(model, batches, len(owners))[judged], owners[judged]
    # A brand's lines stand together, so that each half has some of all brands.
    half = np.arange(len(owners)) % 2 == 0
    right = np.zeros(len(owners), bool)
    for fit, judge in ((half, ~half), (~half, half)):
        standardise = Standardiser.fit(rows[fit])
        classifier = LogisticRegression(C=STRENGTH, max_iter=200, class_weight="balanced")
        classifier.fit(standardise(rows[fit]), owners[fit])
        right[judge] = classifier.predict(standardise(rows[judge])) == owners[judge]
    return right


def _vectors(model: BrandClassifier, batches: Batches, count: int) -> NDArray[np.float32]:
    """Return the vectors of all ``count`` lines in their order, (count, dim)."""
    device = next(model.parameters()).device
    model.eval()
    rows = np.zeros((count, model.head.in_features * len(model.layers)), np.float32)
    with torch.inference_mode():
        for chosen, batch in batches.in_order():
            rows[np.array(chosen)] = model.vectors(to_device(batch, device)).cpu().numpy()
    return rows
