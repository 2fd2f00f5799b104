"""Lexical features: TF-IDF of word and character n-grams, without scikit-learn.

N-grams separate voices that differ in wording and spelling rather than in content better than a
sentence encoder does. Two blocks, each L2-normalised on its own, share one vocabulary: words and
punctuation marks (orders 1-2) and characters (orders 2-4, case kept: capitals are a habit too).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from onbrand.document.positions import Span

WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
WORD_ORDERS = (1, 2)
CHARACTER_ORDERS = (2, 3, 4)
BLOCKS = ("w", "c")
"""First letter of a term: the block it belongs to."""


def word_spans(text: str) -> list[Span]:
    """Return the spans of the words and punctuation marks of a sentence, in reading order."""
    return [Span(*match.span()) for match in WORD.finditer(text)]


def words_of(text: str) -> list[str]:
    """Return the words of a sentence in lower case, without punctuation marks."""
    return [word.lower() for word in WORD.findall(text) if word[0].isalnum()]


def term_spans(text: str) -> Iterator[tuple[str, Span]]:
    """Yield every n-gram of a sentence with the characters that it covers.

    A term is its block's letter, a colon and the n-gram: ``w:our team``, ``c:ing``.
    """
    words = word_spans(text)
    lowered = [span.slice(text).lower() for span in words]
    for order in WORD_ORDERS:
        for i in range(len(words) - order + 1):
            term = "w:" + " ".join(lowered[i : i + order])
            yield term, Span(words[i].start, words[i + order - 1].end)
    for order in CHARACTER_ORDERS:
        for i in range(len(text) - order + 1):
            yield "c:" + text[i : i + order], Span(i, i + order)


def terms_of(text: str) -> list[str]:
    """Return every n-gram of a sentence (`term_spans` without the spans; faster)."""
    lowered = [word.lower() for word in WORD.findall(text)]
    terms = ["w:" + word for word in lowered]
    terms += ["w:" + a + " " + b for a, b in pairwise(lowered)]
    for order in CHARACTER_ORDERS:
        terms += ["c:" + text[i : i + order] for i in range(len(text) - order + 1)]
    return terms


@dataclass(frozen=True)
class Vocabulary:
    """The n-grams that a head knows, with their inverse document frequencies."""

    terms: tuple[str, ...]
    idf: NDArray[np.float32]
    """Shape (terms,), smoothed: ``1 + ln((1 + lines) / (1 + lines with the term))``."""

    @cached_property
    def index(self) -> dict[str, int]:
        """The index of each term in ``terms``."""
        return {term: row for row, term in enumerate(self.terms)}


def sublinear(count: int) -> float:
    """Return the damped term frequency ``1 + ln(count)``."""
    return 1.0 + math.log(count)


SHORT_WORDS = 4
LONG_WORDS = 12


def shortness(words: int) -> float:
    """Return 1 up to `SHORT_WORDS` words, 0 from `LONG_WORDS` on, in between linear in 1/words.

    The variance of a mean over tokens is proportional to 1/tokens.
    """
    if words >= LONG_WORDS:
        return 0.0
    return (1 / max(words, SHORT_WORDS) - 1 / LONG_WORDS) / (1 / SHORT_WORDS - 1 / LONG_WORDS)
