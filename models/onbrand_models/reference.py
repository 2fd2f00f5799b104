"""The sentence vectors in 32-bit floats, from PyTorch: what parity is measured against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from onbrand_models.source import SourceModel


def reference_vectors(
    source: SourceModel, texts: Sequence[str], layers: Sequence[int], max_tokens: int
) -> NDArray[np.float32]:
    """Return the concatenated mean-pooled, L2-normalised hidden states: (len(texts), dim)."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(source.folder, local_files_only=True)
    model = AutoModel.from_pretrained(source.folder, local_files_only=True).eval()
    rows = []
    with torch.inference_mode():
        for text in texts:
            inputs = tokenizer(text, truncation=True, max_length=max_tokens, return_tensors="pt")
            states = model(**inputs, output_hidden_states=True).hidden_states
            pooled = [torch.nn.functional.normalize(states[i].mean(dim=1), dim=-1) for i in layers]
            rows.append(torch.cat(pooled, dim=-1)[0].numpy())
    return np.stack(rows)


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine of each row of ``a`` to the same row of ``b``."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    result: NDArray[np.float32] = (a * b).sum(axis=1) / norms
    return result
