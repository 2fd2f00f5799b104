"""From labelled lines to a voice: fit, cross-validate, stack, calibrate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onbrand.encoder import Encoder
from onbrand.labels.files import LabelLine
from onbrand.progress import Progress, ProgressEvent, scaled, silent
from onbrand.training.assemble import (
    FittedHead,
    HeldOutCopy,
    assemble_voice,
    digest,
    one_blas_thread,
)
from onbrand.training.crossval import cross_validate
from onbrand.training.ensemble import Ensemble, fit_ensemble, fit_stacker
from onbrand.training.folds import make_folds, without_twins
from onbrand.training.lexical import TermMatrix
from onbrand.training.linear import need_sklearn
from onbrand.training.members import (
    DenseMember,
    LexicalMember,
    Lines,
    Member,
    PublishedMember,
)
from onbrand.training.metrics import measure
from onbrand.training.published import OwnCopy, PublishedModel
from onbrand.training.shares import DEFAULT_ALARM_BUDGET
from onbrand.training.short import first_words
from onbrand.voice.model import DEFAULT_GATE, LabelCounts, ShortCalibration, Voice

ENOUGH_LABELS = 160
"""On-brand labels from which the range is measured on them alone, without published lines."""
MIN_UNSEEN = 40
"""Published lines of documents without labels that are enough for that."""


def train_voice(
    brand: str,
    labels: Sequence[LabelLine],
    encoder: Encoder,
    *,
    gate: float = DEFAULT_GATE,
    alarm_budget: float = DEFAULT_ALARM_BUDGET,
    keep_texts: bool = True,
    published: PublishedModel | None = None,
    extra_members: Sequence[Member] = (),
    progress: Progress = silent,
) -> Voice:
    """Train one brand's voice. The same labels and encoder give the same voice.

    Args:
        brand: its name.
        labels: at least ten lines of each class (`onbrand.labels.grouping.group_by_brand`).
        encoder: the shared encoder.
        gate: P of a draft at which it goes forward.
        alarm_budget: share of on-brand sentences that may be underlined, 0 to 1.
        keep_texts: store the lines in the voice, so that the nearest one can be shown.
        published: what published copy teaches of the brand, if it is among its brands.
        extra_members: what else may answer; it joins the voice as far as cross-validation finds.
        progress: told how far it is.

    Raises:
        OnbrandError: scikit-learn is not installed.
    """
    need_sklearn()
    if published is not None and brand not in published.brands:
        published = None
    lines = _prepare(labels, encoder)
    progress(ProgressEvent("encoding", 0.2))
    folds, grouped = make_folds(lines.on, lines.docs)
    folds = without_twins(folds, lines.on, lines.vectors[:, -encoder.hidden :])
    members: list[Member] = [DenseMember(), LexicalMember()]
    if published is not None:
        members.append(PublishedMember(published, brand))
    members += extra_members
    with one_blas_thread():
        told = scaled(progress, start=0.2, size=0.7)
        held_out = cross_validate(lines, folds, members, progress=told)
    ensemble = fit_ensemble(members, held_out, lines.on)
    # The most regularised model follows single labels least, wrong ones included.
    firm = held_out.whole[0][:, :1]
    fitted = FittedHead(
        ensemble.head(lines),
        ensemble.weights,
        labels,
        lines.texts,
        lines.vectors,
        lines.short_vectors,
        background=lines.vectors[:0],
        on=lines.on,
        logits=ensemble.logits,
        short=ShortCalibration(float(ensemble.temper.weights[0]), ensemble.temper.intercept),
        counts=_count(labels, published.lines[brand] if published else 0),
        fold_count=len(folds),
        grouped=grouped,
        folds=folds,
        short_p=ensemble.short_p,
        doubt=fit_stacker(firm, lines.on)(firm),
        baseline=measure(lines.on, held_out.baseline),
        copy=_hold_out_copy(ensemble, lines, published.copy.get(brand), encoder)
        if published
        else None,
    )
    voice = assemble_voice(
        brand, fitted, encoder, gate=gate, alarm_budget=alarm_budget, keep_texts=keep_texts
    )
    progress(ProgressEvent("calibrating", 1.0))
    return voice


def _prepare(labels: Sequence[LabelLine], encoder: Encoder) -> Lines:
    texts = [" ".join(line.text.split()) for line in labels]
    shorts = [first_words(text) for text in texts]
    return Lines(
        texts=texts,
        on=np.array([line.label == "on" for line in labels]),
        docs=[line.doc for line in labels],
        vectors=encoder.encode(texts),
        short_vectors=encoder.encode(shorts),
        terms=TermMatrix.count(texts + shorts),
    )


def _hold_out_copy(
    ensemble: Ensemble, lines: Lines, copy: OwnCopy | None, encoder: Encoder
) -> HeldOutCopy | None:
    """Return what the head says of published lines, of documents without labels if it can be."""
    if copy is None or lines.on.sum() >= ENOUGH_LABELS:
        return None
    copy = copy.without_misfits(encoder)
    unseen = copy.without(lines.texts, lines.docs)
    copy = unseen if len(unseen.texts) >= MIN_UNSEEN else copy.without(lines.texts, ())
    if not copy.texts:
        return None
    labelled = np.arange(len(lines.texts))
    held = len(labelled) + np.arange(len(copy.texts))
    texts = lines.texts + copy.texts
    both = Lines(
        texts=texts,
        on=np.concatenate([lines.on, np.ones(len(held), np.bool_)]),
        docs=lines.docs + copy.docs,
        vectors=np.concatenate([lines.vectors, copy.vectors]),
        short_vectors=np.concatenate([lines.short_vectors, copy.vectors]),
        terms=TermMatrix.count(texts + texts),
    )
    with one_blas_thread():
        return HeldOutCopy(copy, ensemble.held_out(both, labelled, held))


def _count(labels: Sequence[LabelLine], published: int) -> LabelCounts:
    sha256 = digest(f"{line.label}\t{line.text}" for line in labels)
    on = sum(line.label == "on" for line in labels)
    return LabelCounts(on=on, off=len(labels) - on, sha256=sha256, published=published)
