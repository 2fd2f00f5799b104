"""From a head to a voice: thresholds, registers, drafts, examples and the report."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder
from onbrand.labels.files import LabelLine
from onbrand.training.drafts import calibrate_drafts
from onbrand.training.familiarity import fit_familiarity
from onbrand.training.folds import Fold
from onbrand.training.metrics import alarm_threshold, measure
from onbrand.training.published import OwnCopy
from onbrand.training.register_range import fit_register_answer
from onbrand.training.report import TrainingLines, with_report
from onbrand.training.shares import HEAD_SHARE, HIGHEST_THRESHOLD, REGISTER_SHARE
from onbrand.voice.model import (
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
from onbrand.voice.ngrams import words_of
from onbrand.voice.profile import build_profile
from onbrand.voice.shortness import LONG_WORDS


@dataclass(frozen=True, slots=True)
class HeldOutCopy:
    """Published lines that the head has not seen: the brand's range is measured on them, too."""

    lines: OwnCopy
    logits: NDArray[np.float64]
    """What the head says of them, calibrated, shape (lines,)."""


@dataclass(frozen=True, slots=True)
class FittedHead:
    """A head, the lines it was fitted on, and what it says of them when they are held out."""

    head: Head
    weights: dict[str, float]
    """Member → its weight in the head."""
    labels: Sequence[LabelLine]
    texts: Sequence[str]
    """Of the lines, white space collapsed."""
    vectors: NDArray[np.float32]
    """Shape (lines, dim)."""
    short_vectors: NDArray[np.float32]
    """Of lines cut to their first words, shape (any, dim)."""
    background: NDArray[np.float32]
    """Off-brand rows without a text, which come after the lines, shape (rows - lines, dim)."""
    on: NDArray[np.bool_]
    """Shape (rows,)."""
    logits: NDArray[np.float64]
    """Calibrated, of held-out rows, shape (rows,)."""
    short: ShortCalibration
    counts: LabelCounts
    fold_count: int
    grouped: bool
    """Whether folds kept the lines of one document together."""
    folds: Sequence[Fold] = ()
    """How labelled lines were held out; none without labels."""
    short_p: NDArray[np.floating] | None = None
    """P of the held-out rows cut to their first words, shape (rows,), if the threshold minds it."""
    doubt: NDArray[np.float64] | None = None
    """Logits to rank wrong labels by, shape (lines,), if not the voice's own."""
    baseline: Metrics | None = None
    """Of a bag of words on the same folds."""
    max_examples: int | None = None
    """Lines to keep to be shown as the nearest ones; None for all."""
    warnings: tuple[str, ...] = ()
    """What the report says of the lines before its own warnings."""
    copy: HeldOutCopy | None = None
    """Published copy beside the lines."""


def assemble_voice(
    brand: str,
    fitted: FittedHead,
    encoder: Encoder,
    *,
    gate: float,
    alarm_budget: float,
    keep_texts: bool,
) -> Voice:
    """Return the voice that a head makes with the registers; see `train_voice` for the options."""
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
        # The background has no texts: its lines are longer than what is short.
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
        familiarity=fit_familiarity(fitted.texts, fitted.vectors, fitted.short_vectors),
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
    """Return the SHA-256 of training lines; their order is no matter."""
    return hashlib.sha256("\n".join(sorted(rows)).encode("utf-8", "surrogatepass")).hexdigest()


def one_blas_thread() -> AbstractContextManager[object]:
    """Keep BLAS to one thread, for small matrices.

    A second one waits more than it works, and on a busy machine the two wait for each other.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)  # type: ignore[no-any-return]


def _no_copy(encoder: Encoder) -> HeldOutCopy:
    return HeldOutCopy(OwnCopy([], [], np.zeros((0, encoder.dim), np.float32)), np.zeros(0))


def _threshold(fitted: FittedHead, copy: HeldOutCopy, budget: float) -> float:
    """Return the P below which at most the budget of on-brand rows lie, short ones too."""
    on = np.concatenate([fitted.on, np.ones(len(copy.logits), np.bool_)])
    p = sigmoid(np.concatenate([fitted.logits, copy.logits]))
    if fitted.short_p is not None:
        on, p = np.concatenate([on, fitted.on]), np.concatenate([p, fitted.short_p])
    return min(HIGHEST_THRESHOLD, alarm_threshold(on, p, budget))


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
