"""The ensemble of a voice: members are cross-fitted, stacked and merged into one linear head.

Each `Member` is a class that predicts in its own way whether a line is the brand's. Whatever it
learns from, its logit is linear in the sentence's vector or in its n-grams. So all members merge
into one head, cost nothing at inference, and each word's share is exact. A new member is one class:
try it as one of `train_voice`'s ``extra_members``, then add it to the list there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from onbrand.progress import Progress, ProgressEvent, silent
from onbrand.training.crossval import Fold, bag_of_words
from onbrand.training.logistic import LinearFit, Standardiser, TermMatrix, fit_logistic
from onbrand.training.weak_labels import PublishedModel
from onbrand.voice.lexical import Vocabulary
from onbrand.voice.model import LinearHead, sigmoid

DENSE_CS = (3e-4, 1e-3, 3e-3)
"""Candidates of C for the encoder's features, which are standardised."""
LEXICAL_C = 10.0
"""C for n-grams; anything from 3 to 30 works as well."""
LEXICAL_GAIN = 0.002
"""Reduction of log loss, in nats, below which n-grams are dropped from the voice."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The training lines of one brand, in every form that members need."""

    texts: list[str]
    on: NDArray[np.bool_]
    docs: list[str | None]
    vectors: NDArray[np.float32]
    """Shape (lines, dim)."""
    short_vectors: NDArray[np.float32]
    """Vectors of the lines cut to their first words, shape (lines, dim)."""
    terms: TermMatrix
    """Rows of the lines, then rows of the lines cut to their first words."""


class HeadBuilder:
    """Adds up the members' linear functions into one head."""

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
            ValueError: another member has added n-grams; a head has one vocabulary.
        """
        if self._vocabulary.terms:
            raise ValueError("only one member of a voice can weigh n-grams")
        self._vocabulary, self._terms = vocabulary, LinearFit(weights, bias)

    def head(self, mean: NDArray[np.float32]) -> LinearHead:
        """Return the head; its space is centred on ``mean``, shape (dim,)."""
        return LinearHead(
            weights=self._vector.weights.astype(np.float32),
            bias=self._vector.bias + self._terms.bias,
            mean=mean,
            vocabulary=self._vocabulary,
            term_weights=self._terms.weights.astype(np.float32),
        )


class Member(Protocol):
    """A model of whether a line is on-brand, linear in its vector or in its n-grams."""

    @property
    def name(self) -> str:
        """The member's name in the voice's report."""

    @property
    def candidates(self) -> int:
        """Number of candidates, one of which is picked; the most regularised is the first."""

    @property
    def min_gain(self) -> float | None:
        """Reduction of log loss, in nats, below which it is dropped; None to keep it always."""

    def held_out(
        self, lines: Lines, train: NDArray[np.intp], held: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return natural-log odds of the ``held`` lines, shape (held lines, candidates).

        Everything is fitted without these lines, scaling included. The second value is for the same
        lines cut to their first words.
        """

    def fit_into(self, lines: Lines, candidate: int, share: float, into: HeadBuilder) -> None:
        """Fit on all lines, and add ``share`` times the logit to a head."""


@dataclass(frozen=True, slots=True)
class DenseMember:
    """Logistic regression on the encoder's vectors."""

    cs: Sequence[float] = DENSE_CS
    """Candidates of scikit-learn's C, rising."""
    name: str = "dense"
    min_gain: float | None = None

    @property
    def candidates(self) -> int:
        """One per strength."""
        return len(self.cs)

    def held_out(
        self, lines: Lines, train: NDArray[np.intp], held: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """See `Member.held_out`."""
        standardise, fits = fit_dense(lines.vectors[train], lines.on[train], self.cs)

        def logits(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
            unseen = standardise(vectors[held])
            return np.stack([fit.logits(unseen) for fit in fits], axis=1)

        return logits(lines.vectors), logits(lines.short_vectors)

    def fit_into(self, lines: Lines, candidate: int, share: float, into: HeadBuilder) -> None:
        """See `Member.fit_into`."""
        standardise, (fit,) = fit_dense(lines.vectors, lines.on, [self.cs[candidate]])
        into.add(share * fit.weights / standardise.scale, share * fit.bias, standardise.mean)


@dataclass(frozen=True, slots=True)
class LexicalMember:
    """Logistic regression on n-grams."""

    cs: Sequence[float] = (LEXICAL_C,)
    """Candidates of scikit-learn's C, rising."""
    name: str = "lexical"
    min_gain: float | None = LEXICAL_GAIN

    @property
    def candidates(self) -> int:
        """One per strength."""
        return len(self.cs)

    def held_out(
        self, lines: Lines, train: NDArray[np.intp], held: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """See `Member.held_out`."""
        vocabulary, columns, fits = _fit_lexical(lines, train, self.cs)

        def logits(rows: NDArray[np.intp]) -> NDArray[np.float64]:
            unseen = lines.terms.tfidf(rows, vocabulary, columns)
            return np.stack([fit.logits(unseen) for fit in fits], axis=1)

        return logits(held), logits(held + len(lines.texts))

    def fit_into(self, lines: Lines, candidate: int, share: float, into: HeadBuilder) -> None:
        """See `Member.fit_into`."""
        every, c = np.arange(len(lines.texts)), self.cs[candidate]
        vocabulary, _, (fit,) = _fit_lexical(lines, every, [c])
        into.add_terms(vocabulary, share * fit.weights, share * fit.bias)


@dataclass(frozen=True, slots=True)
class PublishedMember:
    """The model of published copy, which is fitted beforehand and without labels."""

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
        """See `Member.held_out`; each line is scored by a model without its document."""

        def logits(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
            return self.model.held_out(self.brand, vectors, lines.docs, lines.texts)[held, None]

        return logits(lines.vectors), logits(lines.short_vectors)

    def fit_into(
        self,
        lines: Lines,  # noqa: ARG002 - fitted before
        candidate: int,  # noqa: ARG002 - the only one
        share: float,
        into: HeadBuilder,
    ) -> None:
        """See `Member.fit_into`."""
        whole, column = self.model.whole, self.model.brands.index(self.brand)
        into.add(share * whole.weights[:, column], share * float(whole.bias[column]))


def fit_dense(
    vectors: NDArray[np.float32], on: NDArray[np.bool_], cs: Sequence[float]
) -> tuple[Standardiser, list[LinearFit]]:
    """Fit the dense models, one per C, on standardised features."""
    standardise = Standardiser.fit(vectors)
    return standardise, fit_logistic(standardise(vectors).astype(np.float64), on, cs)


def _fit_lexical(
    lines: Lines, train: NDArray[np.intp], cs: Sequence[float]
) -> tuple[Vocabulary, NDArray[np.intp], list[LinearFit]]:
    """Fit n-gram models on the ``train`` lines; also return their columns in ``lines.terms``."""
    vocabulary, columns = lines.terms.fit(train)
    features = lines.terms.tfidf(train, vocabulary, columns)
    return vocabulary, columns, fit_logistic(features, lines.on[train], cs)


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """The members' logits of held-out lines."""

    whole: tuple[NDArray[np.float64], ...]
    """Per member, shape (lines, candidates)."""
    short: tuple[NDArray[np.float64], ...]
    """The same for the lines cut to their first words."""
    baseline: NDArray[np.float64]
    """Probabilities by the bag of words, shape (lines,)."""


def cross_validate(
    lines: Lines,
    folds: Sequence[Fold],
    members: Sequence[Member],
    *,
    progress: Progress = silent,
) -> OutOfFold:
    """Return out-of-fold logits of each member.

    Args:
        lines: the training lines.
        folds: (train, held-out) index pairs; each line is held out once.
        members: the members.
        progress: called after each fold.
    """
    count = len(lines.texts)
    whole, short = (tuple(np.zeros((count, m.candidates)) for m in members) for _ in range(2))
    baseline = np.zeros(count)
    for done, (train, held) in enumerate(folds, start=1):
        for i, member in enumerate(members):
            whole[i][held], short[i][held] = member.held_out(lines, train, held)
        texts = [lines.texts[i] for i in train], [lines.texts[i] for i in held]
        baseline[held] = bag_of_words(texts[0], lines.on[train], texts[1])
        progress(ProgressEvent("cross-validation", done, len(folds)))
    return OutOfFold(whole, short, baseline)


SHRINKAGE = 1e-3
"""L2 on the stacker's weights: prevents extreme logits where a tiny set is separated perfectly."""
PRIOR_LINES = 20.0
"""The squared ratio of this to the number of lines is the L2 on the members' relative weights, as
few lines determine them badly: with 40 labels beside published copy it reduces log loss on other
lines of 14 open voices, with 320 it changes next to nothing."""


class ChosenMember(NamedTuple):
    """A member of the ensemble, with its candidate and weight."""

    member: Member
    candidate: int
    weight: float
    """Weight in the ensemble's logit."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The members that cross-validation chose, stacked and calibrated on held-out lines."""

    chosen: tuple[ChosenMember, ...]
    intercept: float
    short_calibration: Stacker
    """Calibrates the ensemble's logit of short sentences."""
    logits: NDArray[np.float64]
    """The ensemble's out-of-fold logits, shape (lines,)."""
    short_logits: NDArray[np.float64]
    """The same for the lines cut to their first words, after short calibration."""

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each member by name; dropped members are missing."""
        return {part.member.name: part.weight for part in self.chosen}

    @property
    def short_p(self) -> NDArray[np.floating]:
        """P(on-brand) of the held-out lines cut to their first words, shape (lines,)."""
        return sigmoid(self.short_logits)

    def held_out(
        self, lines: Lines, train: NDArray[np.intp], held: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Return the ensemble's logits of ``held`` lines by members fitted without them."""
        joint = np.full(len(held), self.intercept)
        for part in self.chosen:
            if part.weight > 0:
                logits, _ = part.member.held_out(lines, train, held)
                joint += part.weight * logits[:, part.candidate]
        return joint

    def head(self, lines: Lines) -> LinearHead:
        """Fit the members on all lines, and merge them into one head."""
        total = HeadBuilder(lines.vectors.shape[1], self.intercept)
        for part in self.chosen:
            if part.weight > 0:
                part.member.fit_into(lines, part.candidate, part.weight, total)
        return total.head(lines.vectors.mean(axis=0))


def fit_ensemble(members: Sequence[Member], held_out: OutOfFold, on: NDArray[np.bool_]) -> Ensemble:
    """Choose members and their candidates by log loss, and fit the stacker.

    Args:
        members: the members to choose from.
        held_out: their logits of held-out lines.
        on: labels, shape (lines,).
    """
    every = range(len(members))
    picks = list(product(*(range(member.candidates) for member in members)))
    losses = [stacked_loss(_columns(held_out.whole, every, pick), on) for pick in picks]
    best = int(np.argmin(losses))
    pick, loss, kept = picks[best], losses[best], list(every)
    for i, member in enumerate(members):
        without = [k for k in kept if k != i]
        if member.min_gain is None or not without:
            continue
        loss_without = stacked_loss(_columns(held_out.whole, without, pick), on)
        if loss_without - loss <= member.min_gain:
            kept, loss = without, loss_without
    whole = _columns(held_out.whole, kept, pick)
    stacker = fit_stacker(whole, on)
    short = stacker(_columns(held_out.short, kept, pick))[:, None]
    short_calibration = fit_stacker(short, on)
    return Ensemble(
        chosen=tuple(
            ChosenMember(members[i], pick[i], weight)
            for i, weight in zip(kept, stacker.weights.tolist(), strict=True)
        ),
        intercept=stacker.intercept,
        short_calibration=short_calibration,
        logits=stacker(whole),
        short_logits=short_calibration(short),
    )


def _columns(
    logits: Sequence[NDArray[np.float64]], members: Sequence[int], pick: Sequence[int]
) -> NDArray[np.float64]:
    """Return the picked candidates of some members side by side, shape (lines, members)."""
    return np.stack([logits[i][:, pick[i]] for i in members], axis=1)


@dataclass(frozen=True, slots=True)
class Stacker:
    """``logit = logits @ weights + intercept``; no weight is negative."""

    weights: NDArray[np.float64]
    intercept: float

    def __call__(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Combine logits of shape (lines, models) into shape (lines,)."""
        return np.asarray(logits @ self.weights + self.intercept)


def fit_stacker(logits: NDArray[np.float64], on: NDArray[np.bool_]) -> Stacker:
    """Fit a stacker on out-of-fold logits, so that its logit is calibrated.

    Stacked generalisation with non-negative weights (Wolpert 1992; Breiman 1996, Stacked
    regressions): the relative weights of the models are fitted first, with an L2 by `PRIOR_LINES`,
    and then their scale and intercept (Platt 1999).

    Args:
        logits: out-of-fold logits, shape (lines, models).
        on: labels, shape (lines,).
    """
    if logits.shape[1] == 1:
        return _minimise(logits, on, SHRINKAGE)
    joint = _minimise(logits, on, max(SHRINKAGE, (PRIOR_LINES / len(on)) ** 2))
    scale = _minimise(joint(logits)[:, None], on, SHRINKAGE)
    slope = float(scale.weights[0])
    return Stacker(joint.weights * slope, joint.intercept * slope + scale.intercept)


def _minimise(logits: NDArray[np.float64], on: NDArray[np.bool_], shrinkage: float) -> Stacker:
    """Minimise log loss plus L2 on the weights, which are not negative."""
    from scipy.optimize import minimize

    sign = np.where(on, 1.0, -1.0)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, intercept = parameters[:-1], parameters[-1]
        margins = sign * (logits @ weights + intercept)
        slope = -sign * 0.5 * (1.0 - np.tanh(0.5 * margins)) / len(on)
        value = np.logaddexp(0.0, -margins).mean() + shrinkage / 2 * weights @ weights
        gradient = np.append(logits.T @ slope + shrinkage * weights, slope.sum())
        return float(value), gradient

    models = logits.shape[1]
    start = np.append(np.full(models, 1.0 / models), 0.0)
    bounds = [(0.0, None)] * models + [(None, None)]
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B")
    return Stacker(found.x[:-1], float(found.x[-1]))


def stacked_loss(logits: NDArray[np.float64], on: NDArray[np.bool_]) -> float:
    """Return the mean log loss of out-of-fold logits after fitting a stacker on them."""
    joint = fit_stacker(logits, on)(logits)
    return float(np.logaddexp(0.0, np.where(on, -joint, joint)).mean())
