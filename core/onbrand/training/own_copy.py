"""A voice from a brand's own published copy alone: nobody has to label a line.

On the on-brand side are the brand's own lines, on the other a background of open voices, and other
brands' copy where it is given. What a wrong voice is, the registers know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onbrand.discovery import find_drafts, read_draft
from onbrand.document import formats
from onbrand.document.document import parse
from onbrand.document.formats import InputFormat
from onbrand.encoder import Encoder
from onbrand.errors import OnbrandError
from onbrand.files import MAX_TEXT_BYTES
from onbrand.labels.files import SUFFIXES, LabelLine, find_label_files, read_labels
from onbrand.labels.normalization import check_brand, text_key
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand.report.message import plural
from onbrand.training.background import (
    Background,
    fit_own,
    held_out_logits,
    load_background,
)
from onbrand.training.crossval import DEFAULT_ALARM_BUDGET, first_words, make_folds
from onbrand.training.ensemble import HeadSum, Stacker, fit_stacker
from onbrand.training.logistic import need_sklearn
from onbrand.training.train import FittedHead, assemble_voice, digest
from onbrand.training.weak_labels import FOLDS, find_misfits
from onbrand.voice.model import DEFAULT_GATE, Head, LabelCounts, ShortCalibration, Voice

MIN_LINES = 40
"""Different lines of published copy that a voice needs at the least."""
MIN_WORDS = 6
"""Shorter sentences of pages are headings and labels more often than copy."""
MAX_OTHERS = 2000
"""Lines of other brands that join the background."""
MAX_EXAMPLES = 400
"""Lines that are kept to be shown as the nearest ones."""
SHORT_SLOPE = 0.5
"""What is left of the log-odds of a very short sentence: its mean over few tokens scatters."""


def read_published(
    paths: Sequence[Path], brand: str | None = None, *, left_out: set[Path] | None = None
) -> list[LabelLine]:
    """Read published copy: label files, pages as they are, and folders of either.

    Args:
        paths: ``.jsonl``, ``.csv`` or ``.tsv`` files, drafts in any format, folders.
        brand: whose copy pages and lines without a brand are; pages need it.
        left_out: takes the files in folders that are neither.

    Raises:
        OnbrandError: a file cannot be read, or nothing says whose copy it is.
    """
    lines: list[LabelLine] = []
    read: set[Path] = set()
    others = set() if left_out is None else left_out
    for path in paths:
        for file in _files_of(path, others) if path.is_dir() else [path]:
            if file.resolve() in read:  # named, and in a folder that is named too
                continue
            read.add(file.resolve())
            if form := formats.of_path(file):
                lines += _sentences(file, form, brand)
            else:
                lines += _table(file, brand, None if file == path else path)
    return lines


def _table(file: Path, brand: str | None, folder: Path | None) -> list[LabelLine]:
    """Return the copy in a table, without what is labelled as off-brand."""
    try:
        lines = read_labels([file], brand=brand, unlabelled=True)
    except OnbrandError as error:
        if folder is None:
            raise
        hint = f"{error.message} (if it is no published copy, move it out of {folder})"
        raise OnbrandError(hint, path=error.path, line=error.line) from None
    return [line for line in lines if line.label != "off"]


def _files_of(folder: Path, left_out: set[Path]) -> list[Path]:
    tables, pages = find_label_files(folder), find_drafts(folder, left_out)
    left_out.difference_update(tables)
    if not tables and not pages:
        raise OnbrandError(
            f"holds no published copy; expected {', '.join((*SUFFIXES, *formats.suffixes()))}",
            path=folder,
        )
    return [*tables, *pages]


def _sentences(page: Path, form: InputFormat, brand: str | None) -> list[LabelLine]:
    if brand is None:
        raise OnbrandError("whose page is it? Say --brand", path=page)
    document = parse(read_draft(page, form, limit=MAX_TEXT_BYTES), form.name)
    return [
        LabelLine(
            text=sentence.text,
            label=None,
            brand=check_brand(brand),
            doc=str(page),
            author=None,
            source=None,
            time=None,
            path=str(page),
            line=document.lines.line_of(sentence.span.start) + 1,
        )
        for sentence in document.sentences
        if len(sentence.text.split()) >= MIN_WORDS
    ]


@dataclass(frozen=True, slots=True)
class _Judged:
    """Own and other lines, and what models that had not seen them say of them."""

    on: NDArray[np.bool_]
    logits: NDArray[np.float64]
    stacker: Stacker
    folds: int
    grouped: bool


def train_from_copy(
    brand: str,
    published: Sequence[LabelLine],
    encoder: Encoder,
    *,
    gate: float = DEFAULT_GATE,
    alarm_budget: float = DEFAULT_ALARM_BUDGET,
    keep_texts: bool = True,
    progress: Progress = silent,
) -> Voice:
    """Train one brand's voice from published copy. The same lines give the same voice.

    Lines that do not fit (`find_misfits`), up to a fifth of them, are left out.

    Args:
        brand: its name.
        published: copy of the brand, and of others perhaps, which is then what it is not.
        encoder: one that has a background: the default one.
        gate: P of a draft at which it goes forward.
        alarm_budget: share of on-brand sentences that may be underlined, 0 to 1.
        keep_texts: store lines in the voice, so that the nearest one can be shown.
        progress: told how far it is.

    Raises:
        OnbrandError: there are too few lines, the encoder has no background, or scikit-learn is
            not installed.
    """
    need_sklearn()
    background = load_background(encoder)
    if background is None:
        raise OnbrandError(
            f"published copy alone needs the background of encoder {encoder.name}, which onbrand "
            "brings for its default encoder only; give labels, too"
        )
    own = _different(line for line in published if line.brand == brand)
    if len(own) < MIN_LINES:
        raise OnbrandError(
            f'brand "{brand}" has {plural(len(own), "different line")} of published copy; '
            f"{MIN_LINES} are the least, some hundred are better"
        )
    texts = [" ".join(line.text.split()) for line in own]
    vectors = encoder.encode(texts)
    progress(ProgressEvent("encoding", 0.5))
    others = _different(line for line in published if line.brand != brand)
    picked = np.random.default_rng(0).permutation(len(others))[:MAX_OTHERS]
    strange = [background.lines()]
    if len(picked):
        found = encoder.encode([" ".join(others[i].text.split()) for i in sorted(picked)])
        strange.append(background.project(found))
    other = np.concatenate(strange)
    mine = background.project(vectors)
    progress(ProgressEvent("encoding", 0.6))
    fits = ~find_misfits(mine, other, [line.doc for line in own])
    own, texts = list(compress(own, fits)), list(compress(texts, fits))
    vectors, mine = vectors[fits], mine[fits]
    shorts = encoder.encode([first_words(text) for text in texts[:MAX_EXAMPLES]])
    progress(ProgressEvent("fitting", 0.7))
    judged = _cross_fit(mine, other, [line.doc for line in own])
    progress(ProgressEvent("fitting", 0.9))
    fitted = FittedHead(
        _head(mine, other, judged.stacker, background, vectors),
        {"published": 1.0},
        own,
        texts,
        vectors,
        shorts,
        background=background.restore(other),
        on=judged.on,
        logits=judged.logits,
        short=ShortCalibration(SHORT_SLOPE, 0.0),
        counts=_count(own),
        fold_count=judged.folds,
        grouped=judged.grouped,
        max_examples=MAX_EXAMPLES,
        warnings=_left_out(fits),
    )
    voice = assemble_voice(
        brand, fitted, encoder, gate=gate, alarm_budget=alarm_budget, keep_texts=keep_texts
    )
    progress(ProgressEvent("calibrating", 1.0))
    return voice


def _left_out(fits: NDArray[np.bool_]) -> tuple[str, ...]:
    """Return a word on the lines that do not fit, if there are any."""
    if fits.all():
        return ()
    return (
        f"{(~fits).sum()} of {len(fits)} published lines read like other organisations' and were "
        "left out: is all of it the brand's own?",
    )


def _different(lines: Iterable[LabelLine]) -> list[LabelLine]:
    once: dict[str, LabelLine] = {}
    for line in lines:
        once.setdefault(text_key(line.text), line)
    return list(once.values())


def _cross_fit(
    own: NDArray[np.float32], other: NDArray[np.float32], docs: Sequence[str | None]
) -> _Judged:
    both = np.concatenate([own, other])
    on = np.arange(len(both)) < len(own)
    folds, grouped = make_folds(on, [*docs, *[None] * len(other)], most=FOLDS)
    logits = held_out_logits(both, on, folds)
    # As many of either side, so that P 0.5 is where both are as likely.
    fewer = min(len(own), len(other))
    random = np.random.default_rng(0)
    even = np.concatenate([random.permutation(np.flatnonzero(side))[:fewer] for side in (on, ~on)])
    stacker = fit_stacker(logits[even][:, None], on[even])
    return _Judged(on, stacker(logits[:, None]), stacker, len(folds), grouped)


def _head(
    own: NDArray[np.float32],
    other: NDArray[np.float32],
    stacker: Stacker,
    background: Background,
    vectors: NDArray[np.float32],
) -> Head:
    weights, bias = background.lift(*fit_own(own, other))
    slope = float(stacker.weights[0])
    total = HeadSum(len(weights), stacker.intercept)
    total.add(slope * weights, slope * bias)
    return total.head(np.asarray((vectors.mean(axis=0) + background.mean) / 2, np.float32))


def _count(lines: Sequence[LabelLine]) -> LabelCounts:
    sha256 = digest(line.text for line in lines)
    return LabelCounts(on=0, off=0, sha256=sha256, published=len(lines))
