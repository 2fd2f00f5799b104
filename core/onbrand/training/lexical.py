"""TF-IDF matrices for training; inference computes the same numbers without scipy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from onbrand.voice.ngrams import BLOCKS, Vocabulary, sublinear, terms_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MIN_LINES = 2
"""An n-gram of one line alone teaches the head nothing but that line."""


@dataclass(frozen=True, slots=True)
class TermMatrix:
    """The damped n-gram frequencies of all lines, counted once for all folds."""

    terms: tuple[str, ...]
    """Sorted, so that each block is a run of columns."""
    frequencies: csr_matrix
    """Shape (lines, terms)."""

    @classmethod
    def count(cls, texts: Sequence[str]) -> TermMatrix:
        """Count the n-grams of the lines."""
        from scipy.sparse import csr_matrix

        lines = [Counter(terms_of(text)) for text in texts]
        terms = tuple(sorted(set[str]().union(*lines)))
        index = {term: column for column, term in enumerate(terms)}
        damped = {n: sublinear(n) for n in set().union(*(line.values() for line in lines))}
        columns = [index[term] for line in lines for term in line]
        values = [damped[n] for line in lines for n in line.values()]
        ends = np.cumsum([0, *map(len, lines)])
        return cls(terms, csr_matrix((values, columns, ends), shape=(len(lines), len(terms))))

    def fit(self, train: NDArray[np.intp]) -> tuple[Vocabulary, NDArray[np.intp]]:
        """Return the vocabulary of the training lines, and its columns."""
        lines_with = np.bincount(self.frequencies[train].indices, minlength=len(self.terms))
        columns = np.flatnonzero(lines_with >= MIN_LINES)
        idf = 1.0 + np.log((1 + len(train)) / (1 + lines_with[columns]))
        terms = tuple(self.terms[i] for i in columns)
        return Vocabulary(terms, idf.astype(np.float32)), columns

    def tfidf(
        self, rows: NDArray[np.intp], vocabulary: Vocabulary, columns: NDArray[np.intp]
    ) -> csr_matrix:
        """Return shape (rows, vocabulary), each block of n-grams L2-normalised."""
        from scipy.sparse import diags, hstack

        weighted = self.frequencies[rows][:, columns] @ diags(vocabulary.idf.astype(np.float64))
        letters = np.array([term[0] for term in vocabulary.terms])
        parts = []
        for block in sorted(BLOCKS):
            part = weighted.tocsc()[:, letters == block].tocsr()
            norms = np.sqrt(np.asarray(part.multiply(part).sum(axis=1)).ravel())
            parts.append(diags(1.0 / np.maximum(norms, 1e-12)) @ part)
        return hstack(parts).tocsr()
