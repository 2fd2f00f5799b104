"""Batches of tokens: lines of like length together, in an order that only the seed decides."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from onbrand_models.adapt.copy import Lines

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

_NEIGHBOURS = 16
"""Batches' worth of lines that are sorted by length, so that little of a batch is padding."""


class Batch(NamedTuple):
    """Some lines, ready for the model."""

    ids: Tensor
    """(lines, tokens) of int64."""
    mask: Tensor
    """(lines, tokens) of int64, 0 where there is padding."""
    owners: Tensor
    """(lines,) of int64."""


class Batches:
    """The lines of a set, cut into batches anew for each epoch."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, lines: Lines, *, size: int, max_tokens: int
    ) -> None:
        """Tokenise the lines.

        Args:
            tokenizer: the model's.
            lines: texts and owners.
            size: lines in a batch.
            max_tokens: longer lines are cut.
        """
        self._ids: list[list[int]] = (
            tokenizer(list(lines.texts), truncation=True, max_length=max_tokens)["input_ids"]
            if lines.texts
            else []
        )
        self._owners = lines.owners
        self._size = size
        self._padding = tokenizer.pad_token_id or 0

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return -(-len(self._ids) // self._size)

    def epoch(self, seed: int) -> Iterator[Batch]:
        """Yield every line once; the same seed gives the same batches."""
        rng = random.Random(seed)  # noqa: S311 - an order, not a secret
        order = list(range(len(self._ids)))
        rng.shuffle(order)
        stretch = self._size * _NEIGHBOURS
        chunks = []
        for start in range(0, len(order), stretch):
            near = sorted(order[start : start + stretch], key=lambda i: len(self._ids[i]))
            chunks += [near[i : i + self._size] for i in range(0, len(near), self._size)]
        rng.shuffle(chunks)
        return map(self._batch, chunks)

    def in_order(self) -> Iterator[tuple[Sequence[int], Batch]]:
        """Yield every line once, the longest first, each batch with the numbers of its lines."""
        order = sorted(range(len(self._ids)), key=lambda i: -len(self._ids[i]))
        for start in range(0, len(order), self._size):
            chosen = order[start : start + self._size]
            yield chosen, self._batch(chosen)

    def _batch(self, chosen: Sequence[int]) -> Batch:
        import torch

        longest = max(len(self._ids[i]) for i in chosen)
        ids = torch.full((len(chosen), longest), self._padding)
        mask = torch.zeros_like(ids)
        for row, i in enumerate(chosen):
            ids[row, : len(self._ids[i])] = torch.tensor(self._ids[i])
            mask[row, : len(self._ids[i])] = 1
        return Batch(ids, mask, torch.tensor([self._owners[i] for i in chosen]))
