"""What is learnt: to tell which brand published a line, from the last pooled layer.

Voices read all pooled layers, but a classifier that reads them all as well is content with what the
lower ones know from the start. Made to answer from the last one, the encoder carries that knowledge
up and adds to it. ``bench/objectives.py`` compares this and thirteen other ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from onbrand_models.adapt.batches import Batch

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SCALE = 10.0
"""Unit vectors are longer by this for the classifier, whose weights would have to grow instead."""


class BrandClassifier(nn.Module):  # type: ignore[misc]
    """The encoder with a linear layer that names the brand and is thrown away later."""

    def __init__(self, encoder: PreTrainedModel, layers: Sequence[int], brands: int) -> None:
        """Put a fresh linear layer on an encoder.

        Args:
            encoder: a transformer with a last layer of at least ``max(layers)``.
            layers: hidden states to pool; 0 is the embedding output.
            brands: how many to tell apart.
        """
        super().__init__()
        self.encoder = encoder
        self.layers = list(layers)
        self.head = nn.Linear(encoder.config.hidden_size, brands)

    def forward(self, batch: Batch) -> Tensor:
        """Return the logits of the brands, (lines, brands)."""
        result: Tensor = self.head(SCALE * self._pooled(batch, self.layers[-1:])[0])
        return result

    def vectors(self, batch: Batch) -> Tensor:
        """Return what the voices read, (lines, hidden · layers) in 32-bit floats."""
        return torch.cat(self._pooled(batch, self.layers), dim=-1)

    def _pooled(self, batch: Batch, layers: Sequence[int]) -> list[Tensor]:
        states = self.encoder(
            input_ids=batch.ids, attention_mask=batch.mask, output_hidden_states=True
        ).hidden_states
        mask = batch.mask.unsqueeze(-1).float()
        # Division by the number of tokens is undone by the normalisation.
        sums = [(states[layer].float() * mask).sum(dim=1) for layer in layers]
        return [functional.normalize(total, dim=-1) for total in sums]

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean cross-entropy of a batch, in nats."""
        return functional.cross_entropy(self(batch), batch.owners)
