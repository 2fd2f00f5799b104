"""Do the vectors behave: finite, the same in every batch, the sum of their tokens?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from onbrand.encoder import Encoder
from onbrand.errors import OnbrandError
from onbrand_models.quiet import no_stderr
from onbrand_models.sentences import odd_texts, parity_sentences
from onbrand_models.verify.budgets import Check

MAX_GAP = 1e-4
"""What rounding may change in a component of a vector of length 1."""


def check_vectors(encoder: Encoder) -> Iterator[Check]:
    """Check the vectors of the built-in sentences and of odd texts.

    Args:
        encoder: the bundle, without a cache, which would hide what a batch changes.
    """
    texts = parity_sentences()
    try:
        with no_stderr():
            odd = encoder.encode(odd_texts(encoder.max_tokens))
            together = encoder.encode(texts)
    except OnbrandError as error:
        yield Check("vectors", False, error.message)
        return
    every = np.concatenate([odd, together])
    lengths = np.linalg.norm(every.reshape(len(every), len(encoder.layers), encoder.hidden), axis=2)
    gap = float(np.abs(lengths - 1).max())
    yield Check(
        "vectors",
        gap < MAX_GAP,
        f"finite, of length 1 in each layer within {gap:.1e} (at most {MAX_GAP:.0e})",
        figures={"finite": True, "length_gap": gap},
    )
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    yield _gap("batches", float(np.abs(together - alone).max()), "a vector changes with its batch")
    sums = np.stack([parts.parts.sum(axis=0) for parts in encoder.encode_tokens(texts)])
    yield _gap("tokens", float(np.abs(together - sums).max()), "token parts miss the vector")


def _gap(name: str, gap: float, what: str) -> Check:
    passed = gap < MAX_GAP  # false for NaN
    return Check(
        name, passed, f"{what} by {gap:.1e} at most (budget {MAX_GAP:.0e})", figures={"gap": gap}
    )
