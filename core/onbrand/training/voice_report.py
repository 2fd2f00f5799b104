"""The quality report of a voice, from held-out lines and from pages in wrong voices.

Accuracy on labels shows how well the labels are separated, which may be easy for the wrong reason
(another subject, one kind of off-brand line). So the report also tests what a voice is for: how
many of its own pages go forward, and how many unseen pages in wrong voices are stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import msgspec
import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import SentenceEncoder
from onbrand.labels.files import LabelLine
from onbrand.scorer import why_not_judged
from onbrand.training.background import load_probes
from onbrand.training.calibration import calibrate_drafts
from onbrand.training.crossval import Fold
from onbrand.training.ensemble import LEXICAL_C
from onbrand.training.logistic import fit_logistic
from onbrand.voice.lexical import words_of
from onbrand.voice.model import (
    DoubtfulLine,
    Manifest,
    Share,
    Voice,
    VoiceBank,
    probability,
    sigmoid,
)
from onbrand.voice.registers import load_registers, read_as

MIN_PAGE_LINES = 4
"""Minimum number of held-out lines of a document that counts as a page."""
MADE_PAGE_LINES = 8
"""Lines of a page that is put together, if too few documents are pages."""
MIN_PAGES = 5
CALIBRATION_FOLDS = 4
"""Folds of pages: a page is scored by a draft calibration fitted without it."""
MAX_DOUBTFUL = 20
MAX_SOURCES = 12
MIN_SURE_LABELS = 80
"""Lines of a label below which the report warns of uncertain figures."""
MIN_SURE_PUBLISHED = 200
ONE_KIND = 0.8
"""Share of off-brand lines from one source or register above which the report warns."""
SUBJECT_ACCURACY = 0.65
"""Accuracy of content words alone, by its lower bound, that leads to a warning if …"""
SUBJECT_GAP = 0.1
"""… it exceeds that of function words by this. 11 of 12 open voices against random others led to a
warning, and none of them against the lines nearest in subject."""
MIN_STOPPED_SHARE = 0.9
"""Share of stopped pages below which the report asks for lines in that wrong voice."""


@dataclass(frozen=True, slots=True)
class TrainingLines:
    """The data of a report, one row per training line."""

    labels: Sequence[LabelLine]
    """The lines with a text; further rows are the background, which is off-brand."""
    on: NDArray[np.bool_]
    """Shape (rows,)."""
    vectors: NDArray[np.float32]
    """Vectors of the lines with a text, shape (lines, dim)."""
    logits: NDArray[np.float64]
    """The voice's held-out logits, shape (rows,)."""
    doubt: NDArray[np.float64]
    """Held-out logits by which doubtful labels are ranked, shape (lines,)."""
    folds: Sequence[Fold] = ()
    """Folds of the labelled lines; empty without labels."""
    heads: NDArray[np.float64] | None = None
    """The head's held-out logits, shape (rows,); by default `logits`."""
    registers: NDArray[np.float64] | None = None
    """The registers' held-out logits of the brand's own rows, shape (own rows,)."""

    @property
    def docs(self) -> list[str | None]:
        """The document of each row, where known."""
        return [line.doc for line in self.labels] + [None] * (len(self.on) - len(self.labels))


def with_report(
    voice: Voice, encoder: SentenceEncoder, lines: TrainingLines, *, keep_texts: bool = True
) -> Voice:
    """Return the voice with its report completed.

    Args:
        voice: a voice whose report has the figures of cross-validation.
        encoder: the encoder it was trained on.
        lines: the lines it was trained on.
        keep_texts: store the text of doubtful lines.
    """
    manifest = voice.manifest
    pages, page_lines = own_pages(lines, manifest.gate)
    probes = stopped_probes(voice, encoder)
    right = (lines.logits >= 0) == lines.on
    report = msgspec.structs.replace(
        manifest.report,
        pages=pages,
        page_lines=page_lines,
        probes=probes,
        stopped=_total(probes),
        right=share(int(right.sum()), len(right)),
        sources=_by_source(lines, right),
        warnings=(*manifest.report.warnings, *_warnings(manifest, encoder, lines)),
        collect=what_to_collect(probes),
        doubtful=most_doubtful(lines, keep_texts=keep_texts),
    )
    return replace(voice, manifest=msgspec.structs.replace(manifest, report=report))


def share(count: int, of: int) -> Share:
    """Return a proportion with its Wilson interval (1927), valid for small numbers and for 100 %.

    Args:
        count: the numerator.
        of: the denominator, at least 1.
    """
    from scipy.stats import binomtest

    interval = binomtest(count, of).proportion_ci(method="wilson")
    return Share(count, of, round(float(interval.low), 4), round(float(interval.high), 4))


def own_pages(lines: TrainingLines, gate: float) -> tuple[Share | None, int]:
    """Return how many of the brand's own pages go forward, and the lines of a made-up page.

    The logits of a page's lines come from models fitted without its document (if folds keep
    documents together), and the page is scored by a calibration fitted without it. The second value
    is 0 if pages are documents.
    """
    pages, made = _pages(lines)
    if not pages:
        return None, 0
    docs, forwarded = lines.docs, 0
    heads = lines.logits if lines.heads is None else lines.heads
    registers = np.full(len(lines.on), np.inf)
    if lines.registers is not None:
        registers[lines.on] = lines.registers
    parts = min(CALIBRATION_FOLDS, len(pages))
    for part in range(parts):
        held = pages[part::parts]
        kept = np.setdiff1d(np.arange(len(lines.on)), np.concatenate(held))
        own = registers[kept][lines.on[kept]] if lines.registers is not None else None
        calibration = calibrate_drafts(
            heads[kept], lines.on[kept], [docs[i] for i in kept], gate, own
        )
        logits = [calibration.logit(heads[page], registers[page]) for page in held]
        forwarded += sum(probability(logit) >= gate for logit in logits)
    return share(forwarded, len(pages)), made


def _pages(lines: TrainingLines) -> tuple[list[NDArray[np.intp]], int]:
    """Return the rows of each of the brand's own pages, and the lines of a made-up page."""
    own = np.flatnonzero(lines.on)
    docs = lines.docs
    order = {doc: rank for rank, doc in enumerate(dict.fromkeys(docs[i] for i in own))}
    together = np.array(sorted(own, key=lambda i: order[docs[i]]), np.intp)
    documents = [np.array([i for i in together if docs[i] == doc], np.intp) for doc in order if doc]
    whole = [page for page in documents if len(page) >= MIN_PAGE_LINES]
    if len(whole) >= MIN_PAGES:
        return whole, 0
    count = len(together) // MADE_PAGE_LINES
    if count < 2:
        return [], 0
    return list(np.array_split(together[: count * MADE_PAGE_LINES], count)), MADE_PAGE_LINES


def stopped_probes(voice: Voice, encoder: SentenceEncoder) -> dict[str, Share]:
    """Return how many pages in each wrong voice are stopped; empty if there are no probes.

    As in a check, a page is stopped unless it goes forward, also if no sentence of it is judged.
    """
    probes = load_probes(encoder)
    if probes is None:
        return {}
    bank, manifest = VoiceBank([voice]), voice.manifest
    _, heads, registers = (answer[:, 0] for answer in bank.answers(probes.vectors, probes.texts))
    familiar = bank.familiarity(probes.vectors)[:, 0].tolist()
    pages: dict[tuple[str, str], list[int]] = {}
    for row, (name, piece, text) in enumerate(
        zip(probes.voices, probes.pieces, probes.texts, strict=True)
    ):
        page = pages.setdefault((name, piece), [])
        words = len(words_of(text))
        if not why_not_judged({voice.brand: voice}, voice.brand, text, words, familiar[row]):
            page.append(row)
    stopped: Counter[str] = Counter()
    for (name, _), page in pages.items():
        p = probability(manifest.draft.logit(heads[page], registers[page])) if page else 0.0
        stopped[name] += p < manifest.gate
    return {name: share(stopped[name], of) for name, of in Counter(n for n, _ in pages).items()}


def _total(probes: dict[str, Share]) -> Share | None:
    found = probes.values()
    return share(sum(p.count for p in found), sum(p.of for p in found)) if probes else None


def most_doubtful(lines: TrainingLines, *, keep_texts: bool = True) -> tuple[DoubtfulLine, ...]:
    """Return the lines whose label is most likely wrong, the worst first.

    Lines are ranked by their held-out logit for their own label (self-confidence in Northcutt,
    Jiang and Chuang 2021, Confident learning); only those that it contradicts are returned.
    """
    on = lines.on[: len(lines.labels)]
    trust = np.where(on, lines.doubt, -lines.doubt)
    ranked = np.argsort(trust, kind="stable")[:MAX_DOUBTFUL].tolist()
    worst = [i for i in ranked if trust[i] < 0]
    p = sigmoid(lines.doubt)
    return tuple(
        DoubtfulLine(
            place=f"{lines.labels[i].path}:{lines.labels[i].line}",
            label="on" if on[i] else "off",
            p=round(float(p[i]), 4),
            text=lines.labels[i].text if keep_texts else "",
        )
        for i in worst
    )


def what_to_collect(probes: dict[str, Share]) -> str:
    """Return advice on which off-brand lines would help most, by the share of stopped probes."""
    weak = sorted(probes.items(), key=lambda item: item[1].count / item[1].of)[:2]
    names = [read_as(name) for name, found in weak if found.count < MIN_STOPPED_SHARE * found.of]
    return f"off-brand lines that read like {' or '.join(names)}" if names else ""


def _warnings(manifest: Manifest, encoder: SentenceEncoder, lines: TrainingLines) -> Iterable[str]:
    counts = manifest.labels
    if not lines.folds:
        if counts.published < MIN_SURE_PUBLISHED:
            yield f"{counts.published} published lines are few; some hundred give surer figures"
        return
    for label, count in (("on", counts.on), ("off", counts.off)):
        if count < MIN_SURE_LABELS:
            yield f"{count} {label}-brand lines are few; {MIN_SURE_LABELS} give surer figures"
    if not any(lines.docs):
        yield "no line says which document it is from (doc), so the figures flatter"
    yield from _differ_by_subject(lines)
    yield from _one_kind(encoder, lines)


def _differ_by_subject(lines: TrainingLines) -> Iterable[str]:
    content, function = word_accuracies([line.text for line in lines.labels], lines.on, lines.folds)
    sure = share(round(content * len(lines.on)), len(lines.on)).low
    if sure >= SUBJECT_ACCURACY and content - function >= SUBJECT_GAP:
        yield (
            f"off-brand lines differ by subject: content words alone tell {content:.0%} of the "
            f"lines apart (words like “the” and “we” alone {function:.0%}); add off-brand lines "
            "about the brand's own subjects"
        )


def word_accuracies(
    texts: Sequence[str], on: NDArray[np.bool_], folds: Sequence[Fold]
) -> tuple[float, float]:
    """Return the held-out accuracies of a bag of content words and one of function words.

    Args:
        texts: the lines.
        on: their labels, shape (lines,).
        folds: (train, held-out) index pairs.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

    function = sorted(ENGLISH_STOP_WORDS)
    accuracies = []
    for which in ({"stop_words": function}, {"vocabulary": function}):
        bags = TfidfVectorizer(sublinear_tf=True, **which).fit_transform(texts)
        right = np.zeros(len(on), np.bool_)
        for train, held in folds:
            fit = fit_logistic(bags[train], on[train], [LEXICAL_C])[0]
            right[held] = (fit.logits(bags[held]) >= 0) == on[held]
        accuracies.append(float(right.mean()))
    return accuracies[0], accuracies[1]


def _one_kind(encoder: SentenceEncoder, lines: TrainingLines) -> Iterable[str]:
    off = np.flatnonzero(~lines.on[: len(lines.labels)]).tolist()
    sources = Counter(source_of(lines.labels[i].source) for i in off)
    (source, count), *_ = sources.most_common(1)
    if source and count >= ONE_KIND * len(off):
        yield (
            f"{count} of {len(off)} off-brand lines come from one source ({source}); add lines "
            "from others"
        )
    registers = load_registers(encoder.fingerprint)
    if registers is None:
        return
    words = [len(words_of(lines.labels[i].text)) for i in off]
    excess = registers.excess(lines.vectors[off], words, registers.reference)
    read = np.where(excess.max(axis=1) > 0, excess.argmax(axis=1), len(registers.names))
    register, count = Counter(read.tolist()).most_common(1)[0]
    if count < ONE_KIND * len(off):
        return
    if register == len(registers.names):
        yield (
            f"{count} of {len(off)} off-brand lines read like good copy of somebody else: they "
            "teach whose copy it is, and not what is wrong with a draft; add rejected drafts"
        )
    else:
        yield (
            f"{count} of {len(off)} off-brand lines read like "
            f"{read_as(registers.names[register])}; add lines that are wrong in other ways"
        )


def _by_source(lines: TrainingLines, right: NDArray[np.bool_]) -> dict[str, Share]:
    """Return the share of right off-brand lines per source, the largest sources first.

    Lines without a source are left out.
    """
    found: dict[str, list[bool]] = {}
    for line, on, hit in zip(lines.labels, lines.on.tolist(), right.tolist(), strict=False):
        if not on and line.source:
            found.setdefault(source_of(line.source), []).append(hit)
    most = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    shares = {name: share(sum(hits), len(hits)) for name, hits in most[:MAX_SOURCES]}
    rest = [hit for _, hits in most[MAX_SOURCES:] for hit in hits]
    if rest:
        shares[f"{len(most) - MAX_SOURCES} others"] = share(sum(rest), len(rest))
    return shares


def source_of(source: str | None) -> str:
    """Return the name in the ``source`` of a label line: a site, or the part before a colon."""
    if not source:
        return ""
    site = urlsplit(source).netloc if "://" in source else ""
    return site or source.partition(":")[0].strip() or source
