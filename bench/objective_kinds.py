"""Ways to learn from lines whose brand is known, to compare with the one in use.

Each is the encoder with another loss. ``onbrand_models.finetune.trainer`` has the one in use.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from onbrand_models.finetune.corpus import Batch
from onbrand_models.finetune.trainer import LOGIT_SCALE, BrandClassifier

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_CONTRAST = 0.1
"""Temperature (Khosla et al., 2020, arXiv:2004.11362)."""
_SIMCSE = 0.05
"""Temperature (Gao et al., 2021, arXiv:2104.08821)."""


class SideBySide(BrandClassifier):
    """The brand, from all layers side by side."""

    def __init__(self, encoder: PreTrainedModel, layers: Sequence[int], brands: int) -> None:
        """Read all layers at once."""
        super().__init__(encoder, layers, brands)
        self.head = nn.Linear(encoder.config.hidden_size * len(layers), brands)

    def forward(self, batch: Batch) -> Tensor:
        """Return the logits of the brands."""
        result: Tensor = self.head(LOGIT_SCALE * self.vectors(batch))
        return result


class EachLayer(BrandClassifier):
    """The brand, from each layer by a classifier of its own."""

    def __init__(self, encoder: PreTrainedModel, layers: Sequence[int], brands: int) -> None:
        """Read each layer alone."""
        super().__init__(encoder, layers, brands)
        self.head = nn.ModuleList(nn.Linear(encoder.config.hidden_size, brands) for _ in layers)

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean cross-entropy over lines and layers."""
        pooled = self._pooled(batch, self.layers)
        logits = [head(LOGIT_SCALE * rows) for head, rows in zip(self.head, pooled, strict=True)]
        losses = [functional.cross_entropy(each, batch.owners) for each in logits]
        return torch.stack(losses).mean()


class Contrast(BrandClassifier):
    """Lines of one brand nearer to each other than to those of others."""

    def loss(self, batch: Batch) -> Tensor:
        """Return the supervised contrast of the last layer's vectors."""
        return supervised_contrast(self._pooled(batch, self.layers[-1:])[0], batch.owners)


class ContrastAndBase(BrandClassifier):
    """The brand, from the last layer, and one or both of two other wishes."""

    contrast = 1.0
    """Weight of the contrast."""
    keep = 1.0
    """Weight of staying near to the base's vectors, of all layers."""

    def __init__(self, encoder: PreTrainedModel, layers: Sequence[int], brands: int) -> None:
        """Remember the base."""
        super().__init__(encoder, layers, brands)
        base = BrandClassifier(copy.deepcopy(encoder), layers, brands)
        self._base = (base.eval().requires_grad_(False),)  # so that it is not among the weights

    def loss(self, batch: Batch) -> Tensor:
        """Return the cross-entropy, the contrast, and 1 less the mean cosine to the base."""
        rows = self._pooled(batch, self.layers)
        loss = functional.cross_entropy(self.head(LOGIT_SCALE * rows[-1]), batch.owners)
        if self.contrast:
            loss = loss + self.contrast * supervised_contrast(rows[-1], batch.owners)
        if self.keep:
            with torch.no_grad():
                before = self._base[0]._pooled(batch, self.layers)
            cosines = [(now * then).sum(dim=-1) for now, then in zip(rows, before, strict=True)]
            loss = loss + self.keep * (1 - torch.stack(cosines)).mean()
        return loss


class ContrastAndBrand(ContrastAndBase):
    """The brand and the contrast."""

    keep = 0.0


class NearBase(ContrastAndBase):
    """The brand, staying near to the base."""

    contrast = 0.0


class NearerBase(NearBase):
    """The same, three times as near."""

    keep = 3.0


class TwoViews(BrandClassifier):
    """The brand, alike under two dropouts (R-Drop, Liang et al., 2021, arXiv:2106.14448)."""

    def loss(self, batch: Batch) -> Tensor:
        """Return cross-entropy, and how far the two answers are apart."""
        first, second = (functional.log_softmax(self(batch), dim=-1) for _ in range(2))
        named = functional.nll_loss(first, batch.owners) + functional.nll_loss(second, batch.owners)
        there, back = (
            functional.kl_div(one, other, reduction="batchmean", log_target=True)
            for one, other in ((first, second), (second, first))
        )
        return (named + there + back) / 2


class SimCse(BrandClassifier):
    """A line nearer to itself under another dropout than to other lines; no brands."""

    def loss(self, batch: Batch) -> Tensor:
        """Return the cross-entropy of finding each line again."""
        first, second = (self._pooled(batch, self.layers[-1:])[0] for _ in range(2))
        same = torch.arange(len(first), device=first.device)
        return functional.cross_entropy(first @ second.T / _SIMCSE, same)


def supervised_contrast(rows: Tensor, owners: Tensor) -> Tensor:
    """Return how far lines of one brand are from each other, seen among all lines, in nats.

    The mean negative log share that a line's fellows have of its nearness to all lines of the batch
    (SupCon, Khosla et al., 2020, arXiv:2004.11362); 0 where no two lines are of one brand.

    Args:
        rows: unit vectors, (lines, hidden).
        owners: whose the lines are, (lines,).
    """
    own = torch.eye(len(rows), dtype=torch.bool, device=rows.device)
    nearness = (rows @ rows.T).float() / _CONTRAST
    shares = functional.log_softmax(nearness.masked_fill(own, -1e9), dim=-1)
    fellows = (owners[:, None] == owners[None, :]) & ~own
    counts = fellows.sum(dim=-1)
    told = counts > 0
    return -((shares * fellows).sum(dim=-1)[told] / counts[told]).sum() / told.sum().clamp(min=1)
