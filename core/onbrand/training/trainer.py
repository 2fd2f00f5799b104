"""From labelled lines to a voice: fit, cross-validate, stack, calibrate."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder
from onbrand.labels.files import LabelLine
from onbrand.training.crossval import cross_validate
from onbrand.training.drafts import calibrate_drafts
from onbrand.training.ensemble import Ensemble, fit_ensemble, fit_stacker
from onbrand.training.familiarity import fit_familiarity
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
from onbrand.training.metrics import alarm_threshold, measure
from onbrand.training.published import PublishedModel
from onbrand.training.register_range import fit_register_answer
from onbrand.training.report import TrainingLines, with_report
from onbrand.training.shares import (
    DEFAULT_ALARM_BUDGET,
    HEAD_SHARE,
    HIGHEST_THRESHOLD,
    REGISTER_SHARE,
)
from onbrand.training.short import first_words
from onbrand.voice.model import (
    DEFAULT_GATE,
    FORMAT_VERSION,
    EncoderReference,
    Examples,
    Head,
    LabelCounts,
    Manifest,
    ShortCalibration,
    TrainingReport,
    Voice,
    quantise_rows,
    sigmoid,
    unit,
)
from onbrand.voice.ngrams import words_of
from onbrand.voice.profile import build_profile


def train_voice(
    brand: str,
    labels: Sequence[LabelLine],
    encoder: Encoder,
    *,
    gate: float = DEFAULT_GATE,
    alarm_budget: float = DEFAULT_ALARM_BUDGET,
    keep_texts: bool = True,
    published: PublishedModel | None = None,
    progress: Callable[[float], None] = lambda _share: None,
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
        progress: told the share of the work that is done, 0 to 1.

    Raises:
        OnbrandError: scikit-learn is not installed.
    """
    need_sklearn()
    if published is not None and brand not in published.brands:
        published = None
    lines = _prepare(labels, encoder)
    progress(0.2)
    folds, grouped = make_folds(lines.on, lines.docs)
    folds = without_twins(folds, lines.on, lines.vectors[:, -encoder.hidden :])
    done = 0

    def fold_done() -> None:
        nonlocal done
        done += 1
        progress(0.2 + 0.7 * done / len(folds))

    members: list[Member] = [DenseMember(), LexicalMember()]
    if published is not None:
        members.append(PublishedMember(published, brand))
    with _one_blas_thread():
        held_out = cross_validate(lines, folds, members, progress=fold_done)
    joint = fit_ensemble(members, held_out, lines.on)
    head = joint.head(lines)
    threshold = _threshold(lines.on, joint, HEAD_SHARE * alarm_budget)
    on_texts = [text for text, on in zip(lines.texts, lines.on, strict=True) if on]
    words = np.array([len(words_of(text)) for text in lines.texts])
    registers = fit_register_answer(
        encoder,
        lines.vectors[lines.on],
        words[lines.on].tolist(),
        joint.logits[lines.on],
        threshold,
        REGISTER_SHARE * alarm_budget,
    )
    logits = joint.logits.copy()
    if registers is not None:
        off = ~lines.on
        logits[lines.on] = registers.own(logits[lines.on])
        logits[off] = registers.other(lines.vectors[off], words[off].tolist(), logits[off])
    manifest = Manifest(
        format=FORMAT_VERSION,
        brand=brand,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        encoder=EncoderReference(encoder.name, encoder.fingerprint, encoder.dim),
        threshold=threshold,
        gate=gate,
        draft=calibrate_drafts(
            joint.logits, lines.on, lines.docs, gate, None if registers is None else registers.alone
        ),
        short=ShortCalibration(float(joint.temper.weights[0]), joint.temper.intercept),
        familiarity=fit_familiarity(lines.texts, lines.vectors, lines.short_vectors),
        labels=_count(labels, published.lines[brand] if published else 0),
        profile=build_profile(on_texts),
        report=TrainingReport(
            held_out=measure(lines.on, sigmoid(logits)),
            baseline=measure(lines.on, held_out.baseline),
            weights=joint.weights,
            folds=len(folds),
            grouped=grouped,
        ),
        files={},
        registers=None if registers is None else registers.answer,
    )
    voice = Voice(manifest, head, _examples(labels, lines, head, keep_texts=keep_texts))
    # The most regularised model follows single labels least, wrong ones included.
    firm = held_out.whole[0][:, :1]
    doubt = fit_stacker(firm, lines.on)(firm)
    evidence = TrainingLines(
        labels,
        lines.on,
        lines.vectors,
        logits,
        doubt,
        folds,
        heads=joint.logits,
        registers=None if registers is None else registers.alone,
    )
    with _one_blas_thread():
        voice = with_report(voice, encoder, evidence, keep_texts=keep_texts)
    progress(1.0)
    return voice


def _one_blas_thread() -> AbstractContextManager[object]:
    # The matrices are small: a second BLAS thread waits more than it works, and on a busy machine
    # the two wait for each other.
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)  # type: ignore[no-any-return]


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


def _threshold(on: NDArray[np.bool_], joint: Ensemble, budget: float) -> float:
    """Return the P below which at most the budget of on-brand sentences lie, short ones too."""
    both = np.concatenate([joint.p, joint.short_p])
    return min(HIGHEST_THRESHOLD, alarm_threshold(np.concatenate([on, on]), both, budget))


def _examples(
    labels: Sequence[LabelLine], lines: Lines, head: Head, *, keep_texts: bool
) -> Examples:
    vectors = unit(lines.vectors - head.mean)
    return Examples(
        vectors=quantise_rows(vectors),
        on=lines.on,
        texts=tuple(lines.texts) if keep_texts else (),
        sources=tuple(line.doc for line in labels) if keep_texts else (),
        centroid=unit(vectors[lines.on].mean(axis=0)),
    )


def _count(labels: Sequence[LabelLine], published: int) -> LabelCounts:
    rows = sorted(f"{line.label}\t{line.text}" for line in labels)
    digest = hashlib.sha256("\n".join(rows).encode("utf-8", "surrogatepass")).hexdigest()
    on = sum(line.label == "on" for line in labels)
    return LabelCounts(on=on, off=len(labels) - on, sha256=digest, published=published)
