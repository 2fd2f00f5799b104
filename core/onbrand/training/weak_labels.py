"""Weak labels: who published a line says what its brand sounds like.

A multinomial model over the brands learns from lines that nobody labelled; its logit for one brand,
against the mean of the others, joins that brand's head as one more member.

Guest posts, quotations and boilerplate come with a brand's pages. They hardly move the head, but
they lie where other copy lies, and a threshold that spares them spares that, too. So lines which
the rest of the copy says are not the brand's, `find_misfits`, are left out first.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder
from onbrand.errors import OnbrandError
from onbrand.labels.files import LabelLine
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand.training.background import fit_own, held_out_logits, load_background
from onbrand.training.crossval import make_folds
from onbrand.training.logistic import Standardiser, need_sklearn

STRENGTH = 1e-3
"""scikit-learn's C, the same as the middle one of the labelled models."""
PARTS = 4
"""Cross-fitting: lines of a document are judged by a model that did not see that document."""
MIN_LINES = 20
"""Published lines that a brand needs to take part."""
MAX_COPY = 400
"""Lines of a brand that its range is measured on, beside the labelled ones."""


@dataclass(frozen=True, slots=True)
class LinearModel:
    """One linear model per brand, on raw encoder features."""

    weights: NDArray[np.float64]
    """Shape (dim, brands)."""
    bias: NDArray[np.float64]
    """Shape (brands,)."""

    def logits(self, vectors: NDArray[np.float32], column: int) -> NDArray[np.float64]:
        """Return log-odds of one brand against the mean of the others, shape (lines,)."""
        return np.asarray(vectors @ self.weights[:, column] + self.bias[column])


@dataclass(frozen=True, slots=True)
class OwnCopy:
    """Published lines of one brand, those of one document side by side."""

    texts: list[str]
    """White space collapsed."""
    docs: list[str | None]
    vectors: NDArray[np.float32]
    """Shape (lines, dim)."""

    def without(self, texts: Iterable[str], docs: Iterable[str | None]) -> OwnCopy:
        """Return the lines of which neither the text nor the document is among those given."""
        known, seen = set(texts), set(docs) - {None}
        return self._select(
            i
            for i, (text, doc) in enumerate(zip(self.texts, self.docs, strict=True))
            if text not in known and doc not in seen
        )

    def without_misfits(self, encoder: Encoder) -> OwnCopy:
        """Return the lines without those that seem not to be the brand's own (`find_misfits`).

        Args:
            encoder: the one of the vectors; where it has no background, all lines stay.
        """
        background = load_background(encoder)
        if background is None:
            return self
        own = background.project(self.vectors)
        misfits = find_misfits(own, background.lines(), self.docs)
        return self._select(np.flatnonzero(~misfits).tolist())

    def _select(self, rows: Iterable[int]) -> OwnCopy:
        kept = list(rows)
        return OwnCopy(
            [self.texts[i] for i in kept], [self.docs[i] for i in kept], self.vectors[kept]
        )


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """What the published lines of several brands teach of each."""

    brands: tuple[str, ...]
    lines: dict[str, int]
    """Published lines of each brand."""
    whole: LinearModel
    """Fitted on all lines."""
    parts: tuple[LinearModel, ...]
    """Part ``k`` was fitted without the documents of part ``k``."""
    copy: dict[str, OwnCopy] = field(default_factory=dict)
    """Of each brand some of its lines."""

    def held_out(
        self,
        brand: str,
        vectors: NDArray[np.float32],
        docs: Sequence[str | None],
        texts: Sequence[str],
    ) -> NDArray[np.float64]:
        """Return log-odds of labelled lines from models that did not see their documents.

        A line without a document is one of its own.
        """
        column = self.brands.index(brand)
        part = np.array([_part(doc or text) for doc, text in zip(docs, texts, strict=True)])
        logits = np.zeros(len(vectors))
        for k, model in enumerate(self.parts):
            logits[part == k] = model.logits(vectors[part == k], column)
        return logits


def fit_published(
    lines: Sequence[LabelLine],
    encoder: Encoder,
    *,
    progress: Progress = silent,
) -> PublishedModel:
    """Fit the multinomial model on published lines, whose brand is known and nothing else.

    Args:
        lines: published lines of at least two brands; labels they may have are ignored.
        encoder: the shared encoder.
        progress: told how far it is.

    Raises:
        OnbrandError: fewer than two brands have enough lines, or scikit-learn is not installed.
    """
    need_sklearn()
    counts = dict.fromkeys(sorted({line.brand for line in lines}), 0)
    for line in lines:
        counts[line.brand] += 1
    brands = tuple(brand for brand, count in counts.items() if count >= MIN_LINES)
    if len(brands) < 2:
        raise OnbrandError(
            f"published copy teaches by comparing brands: give at least two brands of "
            f"{MIN_LINES} lines or more (found {_listed(counts)})"
        )
    kept = [line for line in lines if line.brand in brands]
    vectors = encoder.encode([" ".join(line.text.split()) for line in kept])
    progress(ProgressEvent("fitting", 0.5))
    owners = np.array([brands.index(line.brand) for line in kept])
    part = np.array([_part_of(line) for line in kept])
    models = []
    for k in range(PARTS):
        others = part != k
        if len(np.unique(owners[others])) < 2:  # all copy is of one document or two
            others[:] = True
        models.append(_fit(vectors[others], owners[others], len(brands)))
        progress(ProgressEvent("fitting", 0.5 + 0.5 * (k + 1) / (PARTS + 1)))
    whole = _fit(vectors, owners, len(brands))
    copy = {
        brand: _own_copy([kept[i] for i in rows], vectors[rows])
        for brand in brands
        if (rows := [i for i, line in enumerate(kept) if line.brand == brand])
    }
    progress(ProgressEvent("fitting", 1.0))
    return PublishedModel(brands, {b: counts[b] for b in brands}, whole, tuple(models), copy)


def learn_from_copy(
    lines: Sequence[LabelLine],
    encoder: Encoder,
    *,
    progress: Progress = silent,
) -> dict[str, PublishedModel]:
    """Return what published copy teaches of each brand that has enough of it.

    Several brands are compared with each other (`fit_published`), a single one with the background
    of open voices that the default encoder has.

    Args:
        lines: published lines; labels they may have are ignored.
        encoder: the shared encoder.
        progress: told how far it is.

    Raises:
        OnbrandError: there is one brand alone and it has too few lines, or the encoder has no
            background; see also `fit_published`.
    """
    brands = {line.brand for line in lines}
    background = load_background(encoder)
    if len(brands) > 1 or background is None:
        model = fit_published(lines, encoder, progress=progress)
        return dict.fromkeys(model.brands, model)
    (brand,) = brands
    if len(lines) < MIN_LINES:
        raise OnbrandError(
            f"published copy of {brand!r}: {len(lines)} lines, {MIN_LINES} are the least"
        )
    raw = encoder.encode([" ".join(line.text.split()) for line in lines])
    vectors = background.project(raw)
    progress(ProgressEvent("fitting", 0.5))
    part = np.array([_part_of(line) for line in lines])
    other = background.lines()

    def fit(rows: NDArray[np.bool_]) -> LinearModel:
        weights, bias = background.lift(*fit_own(vectors[rows if rows.any() else ~rows], other))
        return LinearModel(weights[:, None], np.array([bias]))

    whole = fit(np.ones(len(lines), np.bool_))
    parts = tuple(fit(part != k) for k in range(PARTS))
    progress(ProgressEvent("fitting", 1.0))
    copy = {brand: _own_copy(lines, raw)}
    return {brand: PublishedModel((brand,), {brand: len(lines)}, whole, parts, copy)}


def _own_copy(lines: Sequence[LabelLine], vectors: NDArray[np.float32]) -> OwnCopy:
    """Return some of one brand's lines, of whole documents drawn by chance."""
    docs = [line.doc or f"line {i}" for i, line in enumerate(lines)]
    names = sorted(set(docs))
    order = dict(zip(names, np.random.default_rng(0).permutation(len(names)), strict=True))
    rows = sorted(range(len(lines)), key=lambda i: order[docs[i]])[:MAX_COPY]
    return OwnCopy(
        [" ".join(lines[i].text.split()) for i in rows],
        [lines[i].doc for i in rows],
        vectors[rows],
    )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{brand}: {count}" for brand, count in counts.items()) or "none"


def _part_of(line: LabelLine) -> int:
    return _part(line.doc or " ".join(line.text.split()))


def _part(doc: str) -> int:
    # Not hash(): it differs from process to process.
    return zlib.crc32(doc.encode("utf-8", "surrogatepass")) % PARTS


def _fit(vectors: NDArray[np.float32], owners: NDArray[np.intp], brands: int) -> LinearModel:
    from sklearn.linear_model import LogisticRegression

    standardise = Standardiser.fit(vectors)
    # Balanced: a brand that published more is not therefore more likely.
    model = LogisticRegression(C=STRENGTH, max_iter=1000, class_weight="balanced")
    model.fit(standardise(vectors), owners)
    weights, bias = np.zeros((brands, vectors.shape[1])), np.zeros(brands)
    if brands == 2:
        weights[:] = [-model.coef_[0] / 2, model.coef_[0] / 2]
        bias[:] = [-model.intercept_[0] / 2, model.intercept_[0] / 2]
    else:
        weights[model.classes_] = model.coef_
        bias[model.classes_] = model.intercept_
    # A softmax is blind to what all brands share, so the mean of the others can be taken off:
    # z_b - mean(z_others) = (z_b - mean(z)) * n / (n - 1).
    spread = brands / (brands - 1)
    weights = (weights - weights.mean(axis=0)) * spread / standardise.scale
    bias = (bias - bias.mean()) * spread - weights @ standardise.mean
    return LinearModel(weights.T, bias)


MAX_SHARE = 0.2
"""Share of the lines that may be left out."""
ROUNDS = 2
FOLDS = 4
PURE = 0.02
"""Copy that seems to have no more misfits than this at first sight is taken as it is."""
MARGIN = 0.03
"""A brand writes lines like other copy, too: that much is never taken for misfits."""


def find_misfits(
    own: NDArray[np.float32], other: NDArray[np.float32], docs: Sequence[str | None]
) -> NDArray[np.bool_]:
    """Return which lines seem not to be the brand's, shape (lines,); none where copy is pure.

    The head is fitted without those that are least like the brand when held out, which no longer
    speak for themselves then. What of the copy lies among the lower half of other copy, as a share
    of that, bounds the share of lines that are other copy (Garg et al. 2021, Mixture proportion
    estimation and PU learning: a modern approach).

    Args:
        own: published lines in the background's basis, shape (lines, dimensions).
        other: lines of others in the same basis.
        docs: the document of each own line, where known; documents are held out together.
    """
    on = np.arange(len(own) + len(other)) < len(own)
    folds, _ = make_folds(on, [*docs, *[None] * len(other)], most=FOLDS)
    both = np.concatenate([own, other])
    logits = held_out_logits(both, on, folds)
    if _share(logits, on) <= PURE:
        return np.zeros(len(own), np.bool_)
    for _ in range(ROUNDS):
        trusted = ~on
        trusted[: len(own)] = ~_lowest(logits[on], MAX_SHARE)
        logits = held_out_logits(both, on, folds, trusted)
    return _lowest(logits[on], min(MAX_SHARE, _share(logits, on) - MARGIN))


def _share(logits: NDArray[np.float64], on: NDArray[np.bool_]) -> float:
    return 2 * float((logits[on] < np.median(logits[~on])).mean())


def _lowest(logits: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    lowest = np.zeros(len(logits), np.bool_)
    lowest[np.argsort(logits)[: max(0, round(share * len(logits)))]] = True
    return lowest
