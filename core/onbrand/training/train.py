"""Training of a voice: head, thresholds, examples and report, from labels and published copy."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder, SentenceEncoder
from onbrand.labels.files import LabelLine
from onbrand.progress import Progress, ProgressEvent, scaled, silent
from onbrand.training.calibration import calibrate_drafts, fit_out_of_domain
from onbrand.training.crossval import (
    DEFAULT_ALARM_BUDGET,
    HEAD_SHARE,
    MAX_THRESHOLD,
    REGISTER_SHARE,
    Fold,
    alarm_threshold,
    first_words,
    make_folds,
    measure,
    remove_contrast_pairs,
)
from onbrand.training.ensemble import (
    DenseMember,
    Ensemble,
    LexicalMember,
    Lines,
    Member,
    PublishedMember,
    cross_validate,
    fit_ensemble,
    fit_stacker,
)
from onbrand.training.logistic import TermMatrix, need_sklearn
from onbrand.training.registers import fit_register_answer
from onbrand.training.voice_report import TrainingLines, with_report
from onbrand.training.weak_labels import OwnCopy, PublishedModel, learn_from_copy
from onbrand.voice.lexical import LONG_WORDS, words_of
from onbrand.voice.model import (
    DEFAULT_GATE,
    FORMAT_VERSION,
    EncoderReference,
    Examples,
    Head,
    LabelCounts,
    Manifest,
    Metrics,
    ShortCalibration,
    TrainingReport,
    Voice,
    quantise_rows,
    sigmoid,
    unit,
)
from onbrand.voice.profile import build_profile
from onbrand.voice.storage import check_output_folder, save_voice

MIN_LABELS_ALONE = 160
"""Number of on-brand labels from which the range is measured on them alone."""
MIN_UNSEEN_COPY = 40
"""Number of published lines from unlabelled documents that suffice to measure it."""


def train_voices(
    brands: Mapping[str, Sequence[LabelLine]],
    output: Path,
    *,
    encoder: Path | None = None,
    gate: float = DEFAULT_GATE,
    alarm_budget: float = DEFAULT_ALARM_BUDGET,
    keep_texts: bool = True,
    published: Sequence[LabelLine] = (),
    progress: Progress = silent,
) -> list[Voice]:
    """Train and save a voice for each brand; each is written whole or not at all.

    Args:
        brands: each brand's labelled lines (`onbrand.labels.files.group_by_brand`).
        output: where the voices go, each into a folder of its brand's name.
        encoder: the folder of the encoder; by default the one inside onbrand.
        gate: P of a draft at which it goes forward.
        alarm_budget: share of on-brand sentences that may be underlined, 0 to 1.
        keep_texts: store the lines in the voices, so that the nearest one can be shown.
        published: published copy of some of the brands.
        progress: told the brand at hand, and how much of all work is done.

    Raises:
        OnbrandError: a folder holds something else than a voice or cannot be written, or see
            `train_voice` and `learn_from_copy`.
    """
    for name in brands:
        check_output_folder(output / name)
    loaded = Encoder.load(encoder)
    first = int(bool(published))
    total = first + len(brands)
    models = {}
    if published:
        copy_progress = scaled(progress, "published copy", start=0, size=1, total=total)
        models = learn_from_copy(published, loaded, progress=copy_progress)
    voices = []
    for i, (name, lines) in enumerate(sorted(brands.items()), first):
        voice = train_voice(
            name,
            lines,
            loaded,
            gate=gate,
            alarm_budget=alarm_budget,
            keep_texts=keep_texts,
            published=models.get(name),
            progress=scaled(progress, name, start=i, size=1, total=total),
        )
        voices.append(save_voice(voice, output / name))
    return voices


def train_voice(
    brand: str,
    labels: Sequence[LabelLine],
    encoder: SentenceEncoder,
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
        labels: at least ten lines of each class (`onbrand.labels.files.group_by_brand`).
        encoder: the shared encoder.
        gate: P of a draft at which it goes forward.
        alarm_budget: share of on-brand sentences that may be underlined, 0 to 1.
        keep_texts: store the lines in the voice, so that the nearest one can be shown.
        published: model of published copy; it is used if it knows the brand.
        extra_members: further members of the ensemble; cross-validation weighs them.
        progress: called with how much is done.

    Raises:
        OnbrandError: scikit-learn is not installed.
    """
    need_sklearn()
    if published is not None and brand not in published.brands:
        published = None
    lines = _prepare(labels, encoder)
    progress(ProgressEvent("encoding", 0.2))
    folds, grouped = make_folds(lines.on, lines.docs)
    folds = remove_contrast_pairs(folds, lines.on, lines.vectors[:, -encoder.hidden :])
    members: list[Member] = [DenseMember(), LexicalMember()]
    if published is not None:
        members.append(PublishedMember(published, brand))
    members += extra_members
    with one_blas_thread():
        fold_progress = scaled(progress, start=0.2, size=0.7)
        held_out = cross_validate(lines, folds, members, progress=fold_progress)
    ensemble = fit_ensemble(members, held_out, lines.on)
    # Of the dense member, which is the first: it follows single labels, right or wrong, the least.
    most_regularised = held_out.whole[0][:, :1]
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
        short=ShortCalibration(
            float(ensemble.short_calibration.weights[0]), ensemble.short_calibration.intercept
        ),
        counts=_label_counts(labels, published.lines[brand] if published else 0),
        fold_count=len(folds),
        grouped=grouped,
        folds=folds,
        short_p=ensemble.short_p,
        doubt=fit_stacker(most_regularised, lines.on)(most_regularised),
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


def _prepare(labels: Sequence[LabelLine], encoder: SentenceEncoder) -> Lines:
    texts = [line.one_line for line in labels]
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
    ensemble: Ensemble, lines: Lines, copy: OwnCopy | None, encoder: SentenceEncoder
) -> HeldOutCopy | None:
    """Return held-out logits of published lines, of unlabelled documents if there are enough."""
    if copy is None or lines.on.sum() >= MIN_LABELS_ALONE:
        return None
    copy = copy.without_misfits(encoder)
    unseen = copy.without(lines.texts, lines.docs)
    copy = unseen if len(unseen.texts) >= MIN_UNSEEN_COPY else copy.without(lines.texts, ())
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


def _label_counts(labels: Sequence[LabelLine], published: int) -> LabelCounts:
    sha256 = digest(f"{line.label}\t{line.text}" for line in labels)
    on = sum(line.label == "on" for line in labels)
    return LabelCounts(on=on, off=len(labels) - on, sha256=sha256, published=published)


@dataclass(frozen=True, slots=True)
class HeldOutCopy:
    """Published lines that the head has not seen; the brand's range is measured on them, too."""

    lines: OwnCopy
    logits: NDArray[np.float64]
    """The head's calibrated logits of them, shape (lines,)."""


@dataclass(frozen=True, slots=True)
class FittedHead:
    """A head with the lines it was fitted on, and their held-out logits."""

    head: Head
    weights: dict[str, float]
    """Member → its weight in the head."""
    labels: Sequence[LabelLine]
    texts: Sequence[str]
    """The lines, white space collapsed."""
    vectors: NDArray[np.float32]
    """Shape (lines, dim)."""
    short_vectors: NDArray[np.float32]
    """Vectors of lines cut to their first words, shape (any, dim)."""
    background: NDArray[np.float32]
    """Off-brand rows without a text; they follow the lines, shape (rows - lines, dim)."""
    on: NDArray[np.bool_]
    """Shape (rows,)."""
    logits: NDArray[np.float64]
    """Calibrated logits of held-out rows, shape (rows,)."""
    short: ShortCalibration
    counts: LabelCounts
    fold_count: int
    grouped: bool
    """Whether folds kept the lines of one document together."""
    folds: Sequence[Fold] = ()
    """Folds of the labelled lines; empty without labels."""
    short_p: NDArray[np.floating] | None = None
    """P of held-out rows cut to their first words, shape (rows,); the threshold considers them."""
    doubt: NDArray[np.float64] | None = None
    """Logits by which doubtful labels are ranked, shape (lines,); by default the voice's own."""
    baseline: Metrics | None = None
    """Figures of a bag of words on the same folds."""
    max_examples: int | None = None
    """Maximum number of lines to keep as examples; None for all."""
    warnings: tuple[str, ...] = ()
    """Warnings that come first in the report."""
    copy: HeldOutCopy | None = None
    """Held-out published copy, used beside the lines."""


def assemble_voice(
    brand: str,
    fitted: FittedHead,
    encoder: SentenceEncoder,
    *,
    gate: float,
    alarm_budget: float,
    keep_texts: bool,
) -> Voice:
    """Make a voice of a head and the registers; see `train_voice` for the options."""
    on, lines = fitted.on, len(fitted.texts)
    own, off = np.flatnonzero(on[:lines]).tolist(), np.flatnonzero(~on[:lines]).tolist()
    copy = fitted.copy or _no_copy(encoder)
    threshold = _threshold(fitted, copy, HEAD_SHARE * alarm_budget)
    words = [len(words_of(text)) for text in fitted.texts]
    heads = np.concatenate([fitted.logits[on], copy.logits])
    registers = fit_register_answer(
        encoder,
        np.concatenate([fitted.vectors[own], copy.lines.vectors]),
        [words[i] for i in own] + [len(words_of(text)) for text in copy.lines.texts],
        heads,
        threshold,
        REGISTER_SHARE * alarm_budget,
    )
    logits, alone = fitted.logits.copy(), None
    if registers is not None:
        alone = registers.alone
        logits[on] = registers.own(heads)[: len(own)]
        # The background has no texts; its lines are long.
        off_words = [words[i] for i in off] + [LONG_WORDS] * len(fitted.background)
        off_vectors = np.concatenate([fitted.vectors[off], fitted.background])
        logits[~on] = registers.other(off_vectors, off_words, logits[~on])
    evidence = TrainingLines(
        fitted.labels,
        on,
        fitted.vectors,
        logits,
        logits[:lines] if fitted.doubt is None else fitted.doubt,
        fitted.folds,
        heads=fitted.logits,
        registers=None if alone is None else alone[: len(own)],
    )
    manifest = Manifest(
        format=FORMAT_VERSION,
        brand=brand,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        encoder=EncoderReference(encoder.name, encoder.fingerprint, encoder.dim),
        threshold=threshold,
        gate=gate,
        draft=calibrate_drafts(
            np.concatenate([fitted.logits, copy.logits]),
            np.concatenate([on, np.ones(len(copy.logits), np.bool_)]),
            [*evidence.docs, *copy.lines.docs],
            gate,
            alone,
        ),
        short=fitted.short,
        familiarity=fit_out_of_domain(fitted.texts, fitted.vectors, fitted.short_vectors),
        labels=fitted.counts,
        profile=build_profile([fitted.texts[i] for i in own]),
        report=TrainingReport(
            held_out=measure(on, sigmoid(logits)),
            baseline=fitted.baseline,
            weights=fitted.weights,
            folds=fitted.fold_count,
            grouped=fitted.grouped,
            warnings=fitted.warnings,
        ),
        files={},
        registers=None if registers is None else registers.answer,
    )
    voice = Voice(manifest, fitted.head, _examples(fitted, keep_texts=keep_texts))
    with one_blas_thread():
        return with_report(voice, encoder, evidence, keep_texts=keep_texts)


def digest(rows: Iterable[str]) -> str:
    """Return the SHA-256 of training lines in any order."""
    return hashlib.sha256("\n".join(sorted(rows)).encode("utf-8", "surrogatepass")).hexdigest()


def one_blas_thread() -> AbstractContextManager[object]:
    """Limit BLAS to one thread: with small matrices a second one only causes waiting."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)  # type: ignore[no-any-return]


def _no_copy(encoder: SentenceEncoder) -> HeldOutCopy:
    return HeldOutCopy(OwnCopy([], [], np.zeros((0, encoder.dim), np.float32)), np.zeros(0))


def _threshold(fitted: FittedHead, copy: HeldOutCopy, budget: float) -> float:
    """Return the P below which at most the budget of on-brand rows lie, short ones included."""
    on = np.concatenate([fitted.on, np.ones(len(copy.logits), np.bool_)])
    p = sigmoid(np.concatenate([fitted.logits, copy.logits]))
    if fitted.short_p is not None:
        on, p = np.concatenate([on, fitted.on]), np.concatenate([p, fitted.short_p])
    return min(MAX_THRESHOLD, alarm_threshold(on, p, budget))


def _examples(fitted: FittedHead, *, keep_texts: bool) -> Examples:
    lines = len(fitted.texts)
    on = fitted.on[:lines]
    vectors = unit(fitted.vectors - fitted.head.mean)
    kept = range(0, lines, max(1, -(-lines // (fitted.max_examples or lines))))
    return Examples(
        vectors=quantise_rows(vectors[kept]),
        on=on[kept],
        texts=tuple(fitted.texts[i] for i in kept) if keep_texts else (),
        sources=tuple(fitted.labels[i].doc for i in kept) if keep_texts else (),
        centroid=unit(vectors[on].mean(axis=0)),
    )
