"""Logistic regressions on sentence vectors and on TF-IDF matrices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from onbrand.errors import missing_extra
from onbrand.voice.lexical import BLOCKS, Vocabulary, sublinear, terms_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


Features: TypeAlias = "NDArray[np.floating] | csr_matrix"

GRAM_MAX_ROWS = 1500
"""Maximum number of lines that are fitted by their Gram matrix."""
JITTER = 1e-9
"""Keeps the Gram matrix positive definite where lines repeat."""


def need_sklearn() -> None:
    """Check that the training extra is installed.

    Raises:
        OnbrandError: it is not installed; the message says how to install it.
    """
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise missing_extra("training", "train") from None


@dataclass(frozen=True, slots=True)
class Standardiser:
    """Centres features, and scales them all by one figure, to a mean variance of 1.

    A scale per feature, as usual, was no better in cross-validation, and amplifies features that
    hardly vary, with the quantisation noise in them.
    """

    mean: NDArray[np.floating]
    """Shape (dim,)."""
    scale: float

    @classmethod
    def fit(cls, vectors: NDArray[np.floating]) -> Standardiser:
        """Take mean and scale from vectors of shape (lines, dim)."""
        return cls(vectors.mean(axis=0), float(np.sqrt(vectors.var(axis=0).mean())) + 1e-12)

    def __call__(self, vectors: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the standardised vectors."""
        return (vectors - self.mean) / self.scale


class LinearFit:
    """Weights and bias of one fit, in the space of the features that were passed in."""

    def __init__(self, weights: NDArray[np.float64], bias: float) -> None:
        self.weights = weights
        self.bias = bias

    def logits(self, features: Features) -> NDArray[np.float64]:
        """Return log-odds, shape (lines,)."""
        return np.asarray(features @ self.weights).ravel() + self.bias


def fit_logistic(features: Features, on: NDArray[np.bool_], cs: Sequence[float]) -> list[LinearFit]:
    """Fit one model per inverse regularisation strength ``C``.

    With fewer lines than features the solution lies in the span of the lines (the representer
    theorem, Kimeldorf and Wahba 1971), so an exact fit needs only the Gram matrix: the rows of its
    Cholesky factor have the same inner products as the lines, in ``lines`` columns instead of
    thousands, and one factor serves every C.

    Args:
        features: dense or sparse, shape (lines, features).
        on: True for on-brand lines, shape (lines,); both classes must be present.
        cs: values of scikit-learn's ``C``.
    """
    from scipy.linalg import solve_triangular
    from sklearn.linear_model import LogisticRegression

    lines = features.shape[0]
    if lines > min(GRAM_MAX_ROWS, features.shape[1]):
        fits = []
        for c in cs:
            model = LogisticRegression(C=c, max_iter=300).fit(features, on)
            fits.append(LinearFit(model.coef_[0].astype(np.float64), float(model.intercept_[0])))
        return fits

    gram = features @ features.T
    gram = np.asarray(gram.toarray() if hasattr(gram, "toarray") else gram, dtype=np.float64)
    gram[np.diag_indices(lines)] += JITTER * np.trace(gram) / lines + 1e-12
    factor = np.linalg.cholesky(gram)
    fits = []
    for c in cs:
        model = LogisticRegression(C=c, solver="newton-cholesky", max_iter=100)
        model.fit(factor, on)
        duals = solve_triangular(factor, model.coef_[0], lower=True, trans="T")
        weights = np.asarray(features.T @ duals).ravel()
        fits.append(LinearFit(weights, float(model.intercept_[0])))
    return fits


def fit_weighted(features: NDArray[np.floating], on: NDArray[np.bool_], c: float) -> LinearFit:
    """Fit one model in which both classes weigh the same, on features of any scale.

    The features are centred and divided by one figure, to a mean variance of 1; weights and bias
    are those of the features as they were passed in.

    Args:
        features: shape (lines, features).
        on: shape (lines,); both classes must be present.
        c: scikit-learn's ``C``.
    """
    from sklearn.linear_model import LogisticRegression

    standardise = Standardiser.fit(features)
    model = LogisticRegression(C=c, max_iter=300, tol=1e-3, class_weight="balanced")
    model.fit(standardise(features), on)
    weights = model.coef_[0].astype(np.float64) / standardise.scale
    return LinearFit(weights, float(model.intercept_[0]) - float(weights @ standardise.mean))


MIN_LINES = 2
"""Minimum number of lines with an n-gram: one of a single line would only memorise that line."""


@dataclass(frozen=True, slots=True)
class TermMatrix:
    """The sublinear n-gram frequencies of all lines, counted once for all folds."""

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
