"""The sentence vectors in 32-bit floats, from PyTorch: what parity is measured against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from onbrand_models.loading import load_model, load_tokenizer, one_thread
from onbrand_models.source import SourceModel


def reference_vectors(
    source: SourceModel, texts: Sequence[str], layers: Sequence[int], max_tokens: int
) -> NDArray[np.float32]:
    """Return the concatenated mean-pooled, L2-normalised hidden states: (len(texts), dim)."""
    import torch

    model = load_model(source)
    encoded = load_tokenizer(source)(list(texts), truncation=True, max_length=max_tokens)
    ids: list[list[int]] = encoded["input_ids"]
    rows = np.empty((len(texts), source.hidden * len(layers)), np.float32)
    # Texts of one length go together: nothing is padded, so the truth does not hang on a mask.
    for length in sorted(set(map(len, ids))):
        chosen = [i for i, tokens in enumerate(ids) if len(tokens) == length]
        batch = torch.tensor([ids[i] for i in chosen])
        with torch.inference_mode(), one_thread():
            states = model(
                batch,
                attention_mask=torch.ones_like(batch),
                output_hidden_states=True,
                return_dict=True,
            ).hidden_states
        pooled = [torch.nn.functional.normalize(states[i].mean(dim=1), dim=-1) for i in layers]
        rows[chosen] = torch.cat(pooled, dim=-1).numpy()
    return rows


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine of each row of ``a`` to the same row of ``b``; NaN where there is none."""
    with np.errstate(all="ignore"):  # rows of nothing, or of what is no number
        norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        result: NDArray[np.float32] = (a * b).sum(axis=1) / norms
    return result
