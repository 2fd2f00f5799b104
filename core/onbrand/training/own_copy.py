"""Training a voice from published copy alone, without labels.

The brand's own lines are on-brand; off-brand are a background of open voices and, if given, other
brands' copy. Wrong voices are detected by the registers.
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
from onbrand.document.dialects import find_dialect
from onbrand.document.document import parse_named
from onbrand.document.formats import InputFormat
from onbrand.encoder import Encoder, SentenceEncoder
from onbrand.errors import OnbrandError
from onbrand.files import MAX_TEXT_BYTES
from onbrand.labels.files import SUFFIXES, LabelLine, find_label_files, read_labels
from onbrand.labels.normalization import check_brand, text_key
from onbrand.progress import Progress, ProgressEvent, scaled, silent
from onbrand.report.message import plural
from onbrand.training.background import (
    Background,
    fit_own,
    held_out_logits,
    load_background,
)
from onbrand.training.crossval import DEFAULT_ALARM_BUDGET, first_words, make_folds
from onbrand.training.ensemble import HeadBuilder, Stacker, fit_stacker
from onbrand.training.logistic import need_sklearn
from onbrand.training.train import FittedHead, assemble_voice, digest
from onbrand.training.weak_labels import FOLDS, find_misfits
from onbrand.voice.model import DEFAULT_GATE, LabelCounts, LinearHead, ShortCalibration, Voice
from onbrand.voice.storage import check_output_folder, save_voice

MIN_LINES = 40
"""Minimum number of distinct lines of published copy."""
MIN_WORDS = 6
"""Minimum number of words of a sentence of a page: shorter ones are mostly headings and labels."""
MAX_OTHERS = 2000
"""Maximum number of other brands' lines that join the background."""
MAX_EXAMPLES = 400
"""Maximum number of lines that are kept to be shown as nearest examples."""
SHORT_SLOPE = 0.5
"""Factor of the log-odds of a very short sentence, whose mean over few tokens scatters."""


def read_published(
    paths: Sequence[Path], brand: str | None = None, *, left_out: set[Path] | None = None
) -> list[LabelLine]:
    """Read published copy from label files, pages, and folders of either.

    Args:
        paths: ``.jsonl``, ``.csv`` or ``.tsv`` files, drafts in any format, folders.
        brand: the brand of pages and of lines that name none; pages need it.
        left_out: collects files in folders that are neither.

    Raises:
        OnbrandError: a file cannot be read, or its brand is not known.
    """
    lines: list[LabelLine] = []
    read: set[Path] = set()
    others = set() if left_out is None else left_out
    for path in paths:
        for file in _files_of(path, others) if path.is_dir() else [path]:
            if file.resolve() in read:  # given, and in a folder that is given, too
                continue
            read.add(file.resolve())
            if form := formats.of_path(file):
                lines += _sentences(file, form, brand)
            else:
                lines += _table(file, brand, None if file == path else path)
    return lines


def _table(file: Path, brand: str | None, folder: Path | None) -> list[LabelLine]:
    """Return the lines of a table that are not labelled off-brand."""
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
    document = parse_named(
        read_draft(page, form, limit=MAX_TEXT_BYTES),
        str(page),
        read_as=form.name,
        dialect=find_dialect(page),
    )
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
class _CrossFit:
    """Out-of-fold logits of own and other lines."""

    on: NDArray[np.bool_]
    logits: NDArray[np.float64]
    stacker: Stacker
    folds: int
    grouped: bool


def train_voices_from_copy(
    published: Sequence[LabelLine],
    output: Path,
    *,
    brand: str | None = None,
    encoder: Path | None = None,
    gate: float = DEFAULT_GATE,
    alarm_budget: float = DEFAULT_ALARM_BUDGET,
    keep_texts: bool = True,
    progress: Progress = silent,
) -> list[Voice]:
    """Train and save voices from published copy; each is written whole or not at all.

    Args:
        published: copy of one or several brands.
        output: where the voices go, each into a folder of its brand's name.
        brand: the only brand to train; by default all that have published copy.
        encoder: the folder of the encoder; by default the one inside onbrand.
        gate: P of a draft at which it goes forward.
        alarm_budget: share of on-brand sentences that may be underlined, 0 to 1.
        keep_texts: store lines in the voices, so that the nearest one can be shown.
        progress: told the brand at hand, and how much of all work is done.

    Raises:
        OnbrandError: a folder holds something else than a voice or cannot be written, or see
            `train_from_copy`.
    """
    names = sorted({line.brand for line in published}) if brand is None else [brand]
    for name in names:
        check_output_folder(output / name)
    loaded = Encoder.load(encoder, cache_size=len(published) + 1)
    voices = []
    for i, name in enumerate(names):
        voice = train_from_copy(
            name,
            published,
            loaded,
            gate=gate,
            alarm_budget=alarm_budget,
            keep_texts=keep_texts,
            progress=scaled(progress, name, start=i, size=1, total=len(names)),
        )
        voices.append(save_voice(voice, output / name))
    return voices


def train_from_copy(
    brand: str,
    published: Sequence[LabelLine],
    encoder: SentenceEncoder,
    *,
    gate: float = DEFAULT_GATE,
    alarm_budget: float = DEFAULT_ALARM_BUDGET,
    keep_texts: bool = True,
    progress: Progress = silent,
) -> Voice:
    """Train one brand's voice from published copy. The same lines give the same voice.

    Lines that seem to be another's (`find_misfits`), a fifth at most, are left out.

    Args:
        brand: its name.
        published: copy of the brand, and perhaps of others, which is then off-brand.
        encoder: an encoder with a background, such as the default one.
        gate: P of a draft at which it goes forward.
        alarm_budget: share of on-brand sentences that may be underlined, 0 to 1.
        keep_texts: store lines in the voice, so that the nearest one can be shown.
        progress: called with how much is done.

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
    own = _deduplicated(line for line in published if line.brand == brand)
    if len(own) < MIN_LINES:
        raise OnbrandError(
            f'brand "{brand}" has {plural(len(own), "different line")} of published copy; '
            f"{MIN_LINES} are the least, some hundred are better"
        )
    texts = [line.one_line for line in own]
    vectors = encoder.encode(texts)
    progress(ProgressEvent("encoding", 0.5))
    others = _deduplicated(line for line in published if line.brand != brand)
    picked = np.random.default_rng(0).permutation(len(others))[:MAX_OTHERS]
    strange = [background.lines()]
    if len(picked):
        found = encoder.encode([others[i].one_line for i in sorted(picked)])
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
        counts=_label_counts(own),
        fold_count=judged.folds,
        grouped=judged.grouped,
        max_examples=MAX_EXAMPLES,
        warnings=_misfit_warning(fits),
    )
    voice = assemble_voice(
        brand, fitted, encoder, gate=gate, alarm_budget=alarm_budget, keep_texts=keep_texts
    )
    progress(ProgressEvent("calibrating", 1.0))
    return voice


def _misfit_warning(fits: NDArray[np.bool_]) -> tuple[str, ...]:
    """Return a warning about misfits, if there are any."""
    if fits.all():
        return ()
    return (
        f"{(~fits).sum()} of {len(fits)} published lines read like other organisations' and were "
        "left out: is all of it the brand's own?",
    )


def _deduplicated(lines: Iterable[LabelLine]) -> list[LabelLine]:
    once: dict[str, LabelLine] = {}
    for line in lines:
        once.setdefault(text_key(line.text), line)
    return list(once.values())


def _cross_fit(
    own: NDArray[np.float32], other: NDArray[np.float32], docs: Sequence[str | None]
) -> _CrossFit:
    both = np.concatenate([own, other])
    on = np.arange(len(both)) < len(own)
    folds, grouped = make_folds(on, [*docs, *[None] * len(other)], max_folds=FOLDS)
    logits = held_out_logits(both, on, folds)
    # As many of either side, so that P 0.5 means that both are equally likely.
    fewer = min(len(own), len(other))
    random = np.random.default_rng(0)
    even = np.concatenate([random.permutation(np.flatnonzero(side))[:fewer] for side in (on, ~on)])
    stacker = fit_stacker(logits[even][:, None], on[even])
    return _CrossFit(on, stacker(logits[:, None]), stacker, len(folds), grouped)


def _head(
    own: NDArray[np.float32],
    other: NDArray[np.float32],
    stacker: Stacker,
    background: Background,
    vectors: NDArray[np.float32],
) -> LinearHead:
    weights, bias = background.lift(*fit_own(own, other))
    slope = float(stacker.weights[0])
    total = HeadBuilder(len(weights), stacker.intercept)
    total.add(slope * weights, slope * bias)
    return total.head(np.asarray((vectors.mean(axis=0) + background.mean) / 2, np.float32))


def _label_counts(lines: Sequence[LabelLine]) -> LabelCounts:
    sha256 = digest(line.text for line in lines)
    return LabelCounts(on=0, off=0, sha256=sha256, published=len(lines))
