"""Do the vectors behave: finite, the same in every batch, the sum of their tokens?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from onbrand.encoder import Encoder
from onbrand_models.sentences import parity_sentences
from onbrand_models.verify.budgets import Check

MAX_GAP = 1e-4
"""What rounding may change in a component of a vector of length 1."""
LONGEST = 1024
"""Words of the longest text that is tried: attention in full takes memory by their square."""


def check_vectors(encoder: Encoder) -> Iterator[Check]:
    """Check the vectors of the built-in sentences and of odd texts.

    Args:
        encoder: the bundle, without a cache, which would hide what a batch changes.
    """
    texts = parity_sentences()
    try:
        odd = encoder.encode(_odd_texts(encoder.max_tokens))
        together = encoder.encode(texts)
    except Exception as error:  # onnxruntime's errors have no common base
        reason = str(error).strip().splitlines()[0][:200]
        yield Check("vectors", False, f"the graph cannot be run ({reason})")
        return
    every = np.concatenate([odd, together])
    lengths = np.linalg.norm(every.reshape(len(every), len(encoder.layers), encoder.hidden), axis=2)
    finite = bool(np.isfinite(every).all())
    gap = float(np.abs(lengths - 1).max()) if finite else None
    yield Check(
        "vectors",
        gap is not None and gap < MAX_GAP,
        f"finite, of length 1 in each layer within {gap:.1e} (at most {MAX_GAP:.0e})"
        if gap is not None
        else "not all are finite numbers",
        figures={"finite": finite, "length_gap": gap},
    )
    if not finite:
        return
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    yield _gap("batches", float(np.abs(together - alone).max()), "a vector changes with its batch")
    sums = np.stack([parts.parts.sum(axis=0) for parts in encoder.encode_tokens(texts)])
    yield _gap("tokens", float(np.abs(together - sums).max()), "token parts miss the vector")


def _gap(name: str, gap: float, what: str) -> Check:
    passed = gap < MAX_GAP  # false for NaN
    return Check(
        name, passed, f"{what} by {gap:.1e} at most (budget {MAX_GAP:.0e})", figures={"gap": gap}
    )


def _odd_texts(max_tokens: int) -> list[str]:
    """Return what people paste: other scripts, emoji, debris, and a text of full length."""
    return [
        ".",
        "\N{ROCKET}\N{ZERO WIDTH JOINER}\N{ROCKET}",
        "Ünïcödé, ελληνικά, 日本語, العربية",
        "x" * 5000,
        "word " * min(max_tokens, LONGEST),
    ]
