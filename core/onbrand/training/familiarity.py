"""How far from the training lines a sentence may lie and still be judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from onbrand.voice.model import Familiarity
from onbrand.voice.ngrams import words_of
from onbrand.voice.shortness import LONG_WORDS

STRANGEST = 0.01
"""Share of the training lines that may count as strange …"""
ROOM = 0.03
"""… and how much further out, in cosine, the border is drawn."""
EVERYDAY = 0.03
"""Share of the training lines that a word must stand in to count as an everyday word …"""
FEWEST_LINES = 3
"""… and how many lines that is at the least."""


def fit_familiarity(
    texts: Sequence[str], vectors: NDArray[np.float32], shorts: NDArray[np.float32]
) -> Familiarity:
    """Return where the familiar ends, for short and for long sentences.

    Short ones have a border of their own, so that taglines are not taken for foreign text only
    because a mean over five tokens scatters.

    Args:
        texts: the training lines, on and off.
        vectors: theirs, shape (lines, dim).
        shorts: of lines cut to their first words, shape (any, dim).
    """
    centroid = vectors.mean(axis=0)
    long = [i for i, text in enumerate(texts) if len(text.split()) >= LONG_WORDS]
    whole = vectors[long] if len(long) >= len(texts) // 4 else vectors
    return Familiarity(
        short=_border(shorts, centroid),
        long=_border(whole, centroid),
        everyday=_everyday(texts),
    )


def _everyday(texts: Sequence[str]) -> tuple[str, ...]:
    lines_with = Counter(word for text in texts for word in set(words_of(text)))
    enough = max(FEWEST_LINES, EVERYDAY * len(texts))
    return tuple(sorted(word for word, count in lines_with.items() if count >= enough))


def _border(vectors: NDArray[np.float32], centroid: NDArray[np.float32]) -> float:
    norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(centroid)
    return float(np.quantile(vectors @ centroid / norms, STRANGEST)) - ROOM
