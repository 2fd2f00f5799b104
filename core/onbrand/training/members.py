"""Members of a voice: each answers in its own way whether a line is the brand's, as one class.

Whatever a member learns from, its answer is linear in a sentence's vector or in its n-grams. So the
members fold into one head, at no cost when a sentence is judged, and each word's share is exact.
A new member is one class: it is tried as one of `train_voice`'s ``extra_members``, and stays in the
list that stands there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from onbrand.training.lexical import TermMatrix
from onbrand.training.linear import LinearFit, Standardiser, fit_logistic
from onbrand.training.published import PublishedModel
from onbrand.voice.model import Head
from onbrand.voice.ngrams import Vocabulary

DENSE_STRENGTHS = (3e-4, 1e-3, 3e-3)
"""Candidates of C for the encoder's features, standardised."""
LEXICAL_STRENGTH = 10.0
"""C for n-grams; anything from 3 to 30 does as well."""
LEXICAL_GAIN = 0.002
"""Log loss, in nats, that n-grams must save to be worth their place in the voice."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The training lines of one brand in every form that the members need."""

    texts: list[str]
    on: NDArray[np.bool_]
    docs: list[str | None]
    vectors: NDArray[np.float32]
    """Shape (lines, dim)."""
    short_vectors: NDArray[np.float32]
    """Shape (lines, dim), of the lines cut to their first words."""
    terms: TermMatrix
    """Of the lines, then of the lines cut to their first words."""


class HeadSum:
    """The head that the members' answers add up to."""

    def __init__(self, dim: int, intercept: float) -> None:
        self._vector = LinearFit(np.zeros(dim), intercept)
        self._vocabulary = Vocabulary((), np.zeros(0, np.float32))
        self._terms = LinearFit(np.zeros(0), 0.0)

    def add(
        self,
        weights: NDArray[np.float64],
        bias: float,
        mean: NDArray[np.floating] | None = None,
    ) -> None:
        """Add ``weights . (vector - mean) + bias``; weights and mean of shape (dim,)."""
        self._vector.weights = self._vector.weights + weights
        self._vector.bias += bias
        if mean is not None:
            self._vector.bias -= float(weights @ mean)

    def add_terms(self, vocabulary: Vocabulary, weights: NDArray[np.float64], bias: float) -> None:
        """Add ``weights . tfidf + bias``, weights of shape (terms,).

        Raises:
            ValueError: another member has its n-grams there; a head has one vocabulary.
        """
        if self._vocabulary.terms:
            raise ValueError("only one member of a voice can weigh n-grams")
        self._vocabulary, self._terms = vocabulary, LinearFit(weights, bias)

    def head(self, mean: NDArray[np.float32]) -> Head:
        """Return the head; its own space is centred on ``mean``, shape (dim,)."""
        return Head(
            weights=self._vector.weights.astype(np.float32),
            bias=self._vector.bias + self._terms.bias,
            mean=mean,
            vocabulary=self._vocabulary,
            term_weights=self._terms.weights.astype(np.float32),
        )


class Member(Protocol):
    """One answer to whether a line is on-brand, linear in its vector or in its n-grams."""

    @property
    def name(self) -> str:
        """What the voice's report calls it."""

    @property
    def candidates(self) -> int:
        """Ways to fit it, of which cross-validation picks one; the most regularised is first."""

    @property
    def min_gain(self) -> float | None:
        """Log loss, in nats, that it must save to keep its place; None where it always does."""

    def held_out(
        self, lines: Lines, train: NDArray[np.intp], held: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return natural-log odds of lines that it has not seen, shape (held lines, candidates).

        Everything learnt, scaling included, is learnt without the ``held`` lines. The second value
        is of the same lines cut to their first words.
        """

    def fold(self, lines: Lines, candidate: int, share: float, into: HeadSum) -> None:
        """Fit on all lines, and add ``share`` times the answer to a head."""


@dataclass(frozen=True, slots=True)
class DenseMember:
    """Logistic regression on the encoder's vectors."""

    strengths: Sequence[float] = DENSE_STRENGTHS
    """Candidates of scikit-learn's C, rising."""
    name: str = "dense"
    min_gain: float | None = None

    @property
    def candidates(self) -> int:
        """One per strength."""
        return len(self.strengths)

    def held_out(
        self, lines: Lines, train: NDArray[np.intp], held: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """See `Member.held_out`."""
        standardise, fits = fit_dense(lines.vectors[train], lines.on[train], self.strengths)

        def logits(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
            unseen = standardise(vectors[held])
            return np.stack([fit.logits(unseen) for fit in fits], axis=1)

        return logits(lines.vectors), logits(lines.short_vectors)

    def fold(self, lines: Lines, candidate: int, share: float, into: HeadSum) -> None:
        """See `Member.fold`."""
        standardise, (fit,) = fit_dense(lines.vectors, lines.on, [self.strengths[candidate]])
        into.add(share * fit.weights / standardise.scale, share * fit.bias, standardise.mean)


@dataclass(frozen=True, slots=True)
class LexicalMember:
    """Logistic regression on n-grams."""

    strengths: Sequence[float] = (LEXICAL_STRENGTH,)
    """Candidates of scikit-learn's C, rising."""
    name: str = "lexical"
    min_gain: float | None = LEXICAL_GAIN

    @property
    def candidates(self) -> int:
        """One per strength."""
        return len(self.strengths)

    def held_out(
        self, lines: Lines, train: NDArray[np.intp], held: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """See `Member.held_out`."""
        vocabulary, columns, fits = _fit_lexical(lines, train, self.strengths)

        def logits(rows: NDArray[np.intp]) -> NDArray[np.float64]:
            unseen = lines.terms.tfidf(rows, vocabulary, columns)
            return np.stack([fit.logits(unseen) for fit in fits], axis=1)

        return logits(held), logits(held + len(lines.texts))

    def fold(self, lines: Lines, candidate: int, share: float, into: HeadSum) -> None:
        """See `Member.fold`."""
        every, strength = np.arange(len(lines.texts)), self.strengths[candidate]
        vocabulary, _, (fit,) = _fit_lexical(lines, every, [strength])
        into.add_terms(vocabulary, share * fit.weights, share * fit.bias)


@dataclass(frozen=True, slots=True)
class PublishedMember:
    """What published copy teaches of the brand; it was fitted before, without the labels."""

    model: PublishedModel
    brand: str
    name: str = "published"
    candidates: int = 1
    min_gain: float | None = None

    def held_out(
        self,
        lines: Lines,
        train: NDArray[np.intp],  # noqa: ARG002 - it never sees the labels
        held: NDArray[np.intp],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """See `Member.held_out`: by parts of the model that did not see the lines' documents."""

        def logits(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
            return self.model.held_out(self.brand, vectors, lines.docs, lines.texts)[held, None]

        return logits(lines.vectors), logits(lines.short_vectors)

    def fold(
        self,
        lines: Lines,  # noqa: ARG002 - fitted before
        candidate: int,  # noqa: ARG002 - the only one
        share: float,
        into: HeadSum,
    ) -> None:
        """See `Member.fold`."""
        whole, column = self.model.whole, self.model.brands.index(self.brand)
        into.add(share * whole.weights[:, column], share * float(whole.bias[column]))


def fit_dense(
    vectors: NDArray[np.float32], on: NDArray[np.bool_], strengths: Sequence[float]
) -> tuple[Standardiser, list[LinearFit]]:
    """Fit the dense models, one per strength, on standardised features."""
    standardise = Standardiser.fit(vectors)
    return standardise, fit_logistic(standardise(vectors).astype(np.float64), on, strengths)


def _fit_lexical(
    lines: Lines, train: NDArray[np.intp], strengths: Sequence[float]
) -> tuple[Vocabulary, NDArray[np.intp], list[LinearFit]]:
    """Fit n-gram models on the ``train`` lines; also return their columns in ``lines.terms``."""
    vocabulary, columns = lines.terms.fit(train)
    features = lines.terms.tfidf(train, vocabulary, columns)
    return vocabulary, columns, fit_logistic(features, lines.on[train], strengths)
