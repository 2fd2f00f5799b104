"""Out-of-fold logits: what the models say of lines that they were not fitted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onbrand.training.baseline import bag_of_words
from onbrand.training.folds import Fold
from onbrand.training.lexical import TermMatrix
from onbrand.training.linear import LinearFit, fit_logistic
from onbrand.voice.ngrams import Vocabulary

DENSE_STRENGTHS = (3e-4, 1e-3, 3e-3)
"""Candidates of C for the encoder's features, standardised."""
LEXICAL_STRENGTH = 10.0
"""C for n-grams; anything from 3 to 30 does as well."""

PublishedLogits = Callable[[NDArray[np.float32]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Lines:
    """The training lines of one brand in every form that the models need."""

    texts: list[str]
    on: NDArray[np.bool_]
    docs: list[str | None]
    vectors: NDArray[np.float32]
    """Shape (lines, dim)."""
    short_vectors: NDArray[np.float32]
    """Shape (lines, dim), of the lines cut to their first words."""
    terms: TermMatrix
    """Of the lines, then of the lines cut to their first words."""


@dataclass(frozen=True, slots=True)
class Standardiser:
    """Centres features, and scales them all by one figure, to a mean variance of 1.

    One scale each, the usual way, was no better in cross-validation, and it blows up the features
    that hardly vary together with the quantisation noise in them.
    """

    mean: NDArray[np.float32]
    """Shape (dim,)."""
    scale: float

    @classmethod
    def fit(cls, vectors: NDArray[np.float32]) -> Standardiser:
        """Take mean and scale from vectors of shape (lines, dim)."""
        return cls(vectors.mean(axis=0), float(np.sqrt(vectors.var(axis=0).mean())) + 1e-12)

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the standardised vectors."""
        return (vectors - self.mean) / self.scale


@dataclass(frozen=True, slots=True)
class MemberLogits:
    """What each model says of every line, as natural-log odds."""

    dense: NDArray[np.float64]
    """Shape (lines, strengths)."""
    lexical: NDArray[np.float64]
    """Shape (lines,)."""
    published: NDArray[np.float64] | None
    """Shape (lines,); None without published copy."""


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """What models say of lines that they had not seen."""

    whole: MemberLogits
    short: MemberLogits
    """Of the lines cut to their first words."""
    baseline: NDArray[np.float64]
    """Shape (lines,), probabilities of the bag of words."""


def fit_dense(
    vectors: NDArray[np.float32], on: NDArray[np.bool_], strengths: Sequence[float]
) -> tuple[Standardiser, list[LinearFit]]:
    """Fit the dense models, one per strength, on standardised features."""
    standardise = Standardiser.fit(vectors)
    return standardise, fit_logistic(standardise(vectors).astype(np.float64), on, strengths)


def fit_lexical(
    terms: TermMatrix, on: NDArray[np.bool_], train: NDArray[np.intp]
) -> tuple[Vocabulary, NDArray[np.intp], LinearFit]:
    """Fit the n-gram model on the ``train`` lines; also return its columns in ``terms``."""
    vocabulary, columns = terms.fit(train)
    features = terms.tfidf(train, vocabulary, columns)
    return vocabulary, columns, fit_logistic(features, on[train], [LEXICAL_STRENGTH])[0]


def cross_validate(
    lines: Lines,
    folds: Sequence[Fold],
    published: PublishedLogits | None = None,
    *,
    progress: Callable[[], None] = lambda: None,
) -> OutOfFold:
    """Return out-of-fold logits; everything learnt, scaling included, is learnt inside the fold.

    Args:
        lines: the training lines.
        folds: (train, held-out) index pairs.
        published: gives the published model's logits of vectors of the lines, held out by document.
        progress: called after each fold.
    """
    count = len(lines.texts)
    dense, short_dense = np.zeros((2, count, len(DENSE_STRENGTHS)))
    lexical, short_lexical, baseline = np.zeros((3, count))
    for train, held in folds:
        on = lines.on[train]
        standardise, fits = fit_dense(lines.vectors[train], on, DENSE_STRENGTHS)
        for vectors, logits in ((lines.vectors, dense), (lines.short_vectors, short_dense)):
            unseen = standardise(vectors[held])
            logits[held] = np.stack([fit.logits(unseen) for fit in fits], axis=1)
        vocabulary, columns, fit = fit_lexical(lines.terms, lines.on, train)
        lexical[held] = fit.logits(lines.terms.tfidf(held, vocabulary, columns))
        short_lexical[held] = fit.logits(lines.terms.tfidf(held + count, vocabulary, columns))
        texts = [lines.texts[i] for i in train], [lines.texts[i] for i in held]
        baseline[held] = bag_of_words(texts[0], on, texts[1])
        progress()
    return OutOfFold(
        MemberLogits(dense, lexical, published and published(lines.vectors)),
        MemberLogits(short_dense, short_lexical, published and published(lines.short_vectors)),
        baseline,
    )
