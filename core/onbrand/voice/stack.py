"""All voices on one encoder as one matrix: one product judges a sentence for every brand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onbrand.errors import OnbrandError
from onbrand.voice.model import Voice, shortness
from onbrand.voice.ngrams import BLOCKS, sublinear, term_counts, words_of

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _TermTable:
    """The n-gram heads of all brands side by side, one row a term."""

    index: dict[str, int]
    weights: NDArray[np.float32]
    """Shape (terms, brands): inverse document frequency times weight."""
    squares: NDArray[np.float32]
    """Shape (terms, brands): squared inverse document frequency, for the L2 norms."""

    @classmethod
    def build(cls, voices: Sequence[Voice]) -> _TermTable:
        terms = sorted({term for voice in voices for term in voice.head.vocabulary.terms})
        index = {term: row for row, term in enumerate(terms)}
        weights = np.zeros((len(terms), len(voices)), np.float32)
        squares = np.zeros_like(weights)
        for column, voice in enumerate(voices):
            head = voice.head
            rows = [index[term] for term in head.vocabulary.terms]
            weights[rows, column] = head.vocabulary.idf * head.term_weights
            squares[rows, column] = head.vocabulary.idf**2
        return cls(index, weights, squares)

    def logits(self, counts: Counter[str]) -> Logits:
        """Return what the n-grams of one sentence add for each brand, shape (brands,)."""
        total = np.zeros(self.weights.shape[1], np.float32)
        for block in BLOCKS:
            known = [
                (self.index[t], n) for t, n in counts.items() if t[0] == block and t in self.index
            ]
            if not known:
                continue
            rows = [row for row, _ in known]
            damped = np.array([sublinear(n) for _, n in known], np.float32)
            norms = np.sqrt(damped**2 @ self.squares[rows])
            total += damped @ self.weights[rows] / np.maximum(norms, 1e-12)
        return total


class VoiceStack:
    """Scores sentences against every loaded brand at once."""

    def __init__(self, voices: Sequence[Voice]) -> None:
        """Stack the voices.

        Raises:
            OnbrandError: there are none, two have one name, or they need different encoders.
        """
        _check_one_encoder(voices)
        self.voices = tuple(voices)
        self.brands = tuple(voice.brand for voice in voices)
        self._weights = np.stack([voice.head.weights for voice in voices], axis=1)
        self._bias = np.array([voice.head.bias for voice in voices], np.float32)
        centres = np.stack([voice.head.mean for voice in voices], axis=1)
        self._centres = centres / np.maximum(np.linalg.norm(centres, axis=0), 1e-12)
        self._terms = _TermTable.build(voices)
        shorts = [voice.manifest.short for voice in voices]
        self._short_slopes = np.array([short.slope for short in shorts], np.float32)
        self._short_bias = np.array([short.intercept for short in shorts], np.float32)

    def logits(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> Logits:
        """Return calibrated natural-log odds of on-brand, shape (sentences, brands).

        Args:
            vectors: the encoder's vectors, shape (sentences, dim).
            texts: the sentences themselves, for the n-grams.
        """
        logits = vectors @ self._weights + self._bias
        for row, text in enumerate(texts):
            if self._terms.index:
                logits[row] += self._terms.logits(term_counts(text))
            rest = shortness(len(words_of(text)))
            if rest:
                logits[row] += rest * ((self._short_slopes - 1.0) * logits[row] + self._short_bias)
        return np.asarray(logits, np.float32)

    def familiarity(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return each sentence's cosine to each brand's training lines, (sentences, brands)."""
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors @ self._centres / np.maximum(norms, 1e-12), np.float32)


def _check_one_encoder(voices: Sequence[Voice]) -> None:
    if not voices:
        raise OnbrandError("no voices; train one with onbrand train")
    names = Counter(voice.brand for voice in voices)
    twice = [name for name, n in names.items() if n > 1]
    if twice:
        raise OnbrandError(f"two voices are named {twice[0]!r}; keep one of them")
    first = voices[0].manifest.encoder
    for voice in voices:
        if voice.manifest.encoder.fingerprint != first.fingerprint:
            raise OnbrandError(
                f"voice {voice.brand!r} needs encoder {voice.manifest.encoder.name} "
                f"({voice.manifest.encoder.fingerprint[:12]}), {voices[0].brand!r} needs "
                f"{first.name} ({first.fingerprint[:12]}); train them on one encoder"
            )
