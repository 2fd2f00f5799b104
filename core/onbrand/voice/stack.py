"""All voices on one encoder as one matrix: one product judges a sentence for every brand."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onbrand.errors import OnbrandError
from onbrand.voice.model import Voice
from onbrand.voice.ngrams import BLOCKS, terms_of, words_of
from onbrand.voice.registers import Registers, load_registers
from onbrand.voice.shortness import shortness

Logits = NDArray[np.float32]
CHUNK = 32
"""Sentences whose n-grams are looked up at once: what they gather stays in the cache."""


@dataclass(frozen=True, slots=True)
class _TermTable:
    """The n-gram heads of all brands side by side, one row a term."""

    index: dict[str, int]
    """Terms in order, so that each block of n-grams is a run of rows."""
    edge: int
    """The first row of the second block."""
    table: NDArray[np.float32]
    """Shape (terms, 2 * brands): inverse document frequency times weight, then its square for the
    L2 norms; together, because what a lookup costs is the way to memory."""

    @classmethod
    def build(cls, voices: Sequence[Voice]) -> _TermTable:
        terms = sorted({term for voice in voices for term in voice.head.vocabulary.terms})
        index = {term: row for row, term in enumerate(terms)}
        table = np.zeros((len(terms), 2 * len(voices)), np.float32)
        for column, voice in enumerate(voices):
            head = voice.head
            rows = [index[term] for term in head.vocabulary.terms]
            table[rows, column] = head.vocabulary.idf * head.term_weights
            table[rows, len(voices) + column] = head.vocabulary.idf**2
        return cls(index, bisect_left(terms, max(BLOCKS)), table)

    def logits(self, texts: Sequence[str]) -> Logits:
        """Return what the n-grams of each sentence add for each brand, shape (texts, brands)."""
        brands = self.table.shape[1] // 2
        total = np.zeros((len(texts), brands), np.float32)
        found = [Counter(map(self.index.get, terms_of(text))) for text in texts]
        for counts in found:
            counts.pop(None, None)
        rows = np.array([row for counts in found for row in counts], np.intp)
        numbers = np.array([n for counts in found for n in counts.values()])
        owners = np.repeat(np.arange(len(texts)), [len(counts) for counts in found])
        damped = 1.0 + np.log(np.maximum(numbers, 1)).astype(np.float32)
        for block in (rows < self.edge, rows >= self.edge):
            if not block.any():
                continue
            known, starts = np.unique(owners[block], return_index=True)
            values = self.table[rows[block]]
            values *= damped[block, None]
            values[:, brands:] *= damped[block, None]
            sums = np.add.reduceat(values, starts)
            total[known] += sums[:, :brands] / np.maximum(np.sqrt(sums[:, brands:]), 1e-12)
        return total


class Answers(NamedTuple):
    """What voices say of sentences: natural-log odds of on-brand, each (sentences, brands)."""

    logits: Logits
    """The verdict on a sentence: it is on-brand when both answers say so; the lower one counts."""
    heads: Logits
    """Is it the brand's manner, or another organisation's?"""
    registers: Logits
    """Does it read as the brand's own copy does, or like a wrong voice? Infinite where a voice has
    no registers."""


class VoiceStack:
    """Scores sentences against every loaded brand at once."""

    def __init__(self, voices: Sequence[Voice]) -> None:
        """Stack the voices.

        Raises:
            OnbrandError: there are none, two have one name, or they need different encoders.
        """
        check_one_encoder(voices)
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
        self.registers = _registers_of(voices)

    def logits(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> Logits:
        """Return calibrated natural-log odds of on-brand, shape (sentences, brands).

        Args:
            vectors: the encoder's vectors, shape (sentences, dim).
            texts: the sentences themselves, for the n-grams.
        """
        return self.answers(vectors, texts).logits

    def answers(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> Answers:
        """Return what the voices say of sentences.

        Args:
            vectors: the encoder's vectors, shape (sentences, dim).
            texts: the sentences themselves, for the n-grams.
        """
        words = [len(words_of(text)) for text in texts]
        heads = self._heads(vectors, texts, words)
        logits, alone = heads.copy(), np.full_like(heads, np.inf)
        if self.registers is not None:
            raw, allowance = self.registers.raw(vectors), self.registers.allowance(words)
            for column, voice in enumerate(self.voices):
                if (answer := voice.manifest.registers) is not None:
                    reading = self.registers.read(raw, allowance, answer, heads[:, column])
                    logits[:, column] = np.minimum(heads[:, column], reading.odds)
                    alone[:, column] = reading.alone
        return Answers(logits, heads, alone)

    def _heads(
        self, vectors: NDArray[np.float32], texts: Sequence[str], words: Sequence[int]
    ) -> Logits:
        logits = vectors @ self._weights + self._bias
        if self._terms.index:
            for start in range(0, len(texts), CHUNK):
                logits[start : start + CHUNK] += self._terms.logits(texts[start : start + CHUNK])
        for row, count in enumerate(words):
            rest = shortness(count)
            if rest:
                logits[row] += rest * ((self._short_slopes - 1.0) * logits[row] + self._short_bias)
        return np.asarray(logits, np.float32)

    def familiarity(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return each sentence's cosine to each brand's training lines, (sentences, brands)."""
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors @ self._centres / np.maximum(norms, 1e-12), np.float32)


def _registers_of(voices: Sequence[Voice]) -> Registers | None:
    """Return the registers that the voices need, if they need any."""
    asked = [voice for voice in voices if voice.manifest.registers is not None]
    if not asked:
        return None
    encoder = asked[0].manifest.encoder
    registers = load_registers(encoder.fingerprint)
    if registers is None:
        raise OnbrandError(
            f"voice {asked[0].brand!r} needs the registers of encoder {encoder.name} "
            f"({encoder.fingerprint[:12]}), which this onbrand does not have; update onbrand, or "
            "train the voice again"
        )
    return registers


def check_one_encoder(voices: Sequence[Voice]) -> None:
    """Check that there are voices, each of a name of its own, all for one encoder.

    Raises:
        OnbrandError: it is not so.
    """
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
