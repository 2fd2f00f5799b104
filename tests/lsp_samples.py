"""Documents judged by hand, as the language server's features get them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from onbrand.config import Settings
from onbrand.document.document import parse
from onbrand.document.positions import LineIndex, Span
from onbrand.results import (
    Evidence,
    Example,
    Explanation,
    Habit,
    Report,
    SentenceVerdict,
    WordShare,
)
from onbrand.scorer import Scorer, draft_probability, with_foreign
from onbrand.voice.lexical import Vocabulary
from onbrand.voice.model import (
    DraftCalibration,
    EncoderReference,
    Examples,
    LabelCounts,
    LinearHead,
    Manifest,
    Metrics,
    OutOfDomainDetector,
    ShortCalibration,
    TrainingReport,
    Voice,
    log_odds,
)
from onbrand.voice.profile import PercentileRange, Profile
from onbrand_lsp.analysis import Analysis
from onbrand_lsp.documents import Snapshot
from onbrand_lsp.rpc.capabilities import ClientSupport

GOLDEN = Path(__file__).parent / "golden" / "lsp"
THRESHOLD = 0.31
GATE = 0.7
BRANDS = ("acme", "borealis", "c_corp")
ABLE = ClientSupport(
    code_description=True,
    related_information=True,
    code_action_literals=True,
    document_changes=True,
    markdown_hover=True,
)
LANGUAGES = {"markdown": "markdown", "mdx": "mdx", "html": "html", "text": "plaintext"}


def voice(brand: str, folder: Path | None = None) -> Voice:
    """A voice that can be asked about, but not judge."""
    quality = Metrics(0.843, 0.92, 0.36, 0.031, 0.6)
    nothing = np.zeros(2, np.float32)
    manifest = Manifest(
        format=1,
        brand=brand,
        created="2026-11-22T10:00:00Z",
        encoder=EncoderReference("tiny", "f" * 64, 2),
        threshold=THRESHOLD,
        gate=GATE,
        draft=DraftCalibration(slope=1.0, exponent=0.5),
        short=ShortCalibration(1.0, 0.0),
        familiarity=OutOfDomainDetector(-1.0, -1.0, ()),
        labels=LabelCounts(82, 80, "0" * 64),
        profile=Profile(
            90,
            {
                "words_per_sentence": PercentileRange(8.0, 12.0, 18.0),
                "letters_per_word": PercentileRange(3.1, 4, 4.9),
            },
            {"contraction": 0.314, "semicolon": 0.0, "mark of a later version": 0.5},
        ),
        report=TrainingReport(quality, Metrics(0.741, 0.8, 0.5, 0.1, 0.3), {"dense": 1.0}, 5, True),
        files={},
    )
    head = LinearHead(nothing, 0.0, nothing, Vocabulary((), nothing[:0]), nothing[:0])
    lines = Examples(np.zeros((0, 2), np.int8), np.zeros(0, bool), (), (), nothing)
    return Voice(manifest, head, lines, folder)


class HandScorer(Scorer):
    """Knows its voices; what it would say of a sentence is written down elsewhere."""

    def __init__(self, folder: Path | None = None) -> None:
        self._voices = {brand: voice(brand, folder and folder / brand) for brand in BRANDS}

    @property
    def brands(self) -> tuple[str, ...]:
        return BRANDS

    def voice(self, brand: str) -> Voice:
        return self._voices[brand]


def check(
    source: str,
    figures: Mapping[str, float] | None = None,
    *,
    format: str = "markdown",  # noqa: A002
    why: Mapping[str, Explanation] | None = None,
    uri: str = "file:///project/draft.md",
    settings: Settings | None = None,
    voices: Path | None = None,
    warnings: tuple[str, ...] = (),
) -> Analysis:
    """Judge a document: sentences that begin with a key get its figure, the others 0.8."""
    settings = settings or Settings()
    document = parse(source, format, quotes=settings.quotes)
    scorer = HandScorer(voices)
    brand = document.brand or "acme"
    verdicts = []
    for sentence in document.sentences:
        p = next((p for key, p in (figures or {}).items() if sentence.text.startswith(key)), 0.8)
        reason = "too short" if len(sentence.text.split()) < 3 else None
        if (sentence.brand or brand) not in BRANDS:
            reason = f"no voice for brand {sentence.brand!r}"
        line, column = document.lines.position(sentence.span.start)
        found = next((e for key, e in (why or {}).items() if sentence.text.startswith(key)), None)
        verdicts.append(
            SentenceVerdict(
                span=sentence.span,
                line=line + 1,
                column=column + 1,
                text=sentence.text,
                brand=sentence.brand or brand,
                probability=None if reason else p,
                flagged=not reason and p < THRESHOLD,
                threshold=THRESHOLD,
                not_judged=reason,
                evidence=None if reason else Evidence(log_odds(p), math.inf),
                explanation=found,
            )
        )
    p = draft_probability(scorer.voice(brand), verdicts) if brand in BRANDS else None
    verdicts = with_foreign(verdicts)
    verdict = "not judged" if p is None else "forward" if p >= GATE else "review"
    notes = document.warnings + warnings
    report = Report(uri, brand, p, verdict, GATE, tuple(verdicts), notes)
    snapshot = Snapshot(uri, 3, LANGUAGES.get(format, format), source, LineIndex(source))
    return Analysis(snapshot, document, settings, report, scorer, brand, None, "an id")


def unjudged(analysis: Analysis, problem: str | None) -> Analysis:
    """The same document where there is nothing to judge it by, or something is wrong."""
    return replace(analysis, report=None, brand=None, problem=problem)


def explanation(
    shares: Mapping[str, float],
    habits: tuple[Habit, ...] = (),
    nearest_on: Example | None = None,
    nearest_off: Example | None = None,
) -> Explanation:
    words = tuple(WordShare(Span(0, len(word)), word, share) for word, share in shares.items())
    return Explanation(-1.0, -0.2, words, habits, nearest_on, nearest_off, 0.2)


SYNERGY = explanation(
    {"We": 0.42, "leverage": -1.4, "`synergies`": -0.9, "daily": 0.01, "for": -0.06},
    (Habit("words_per_sentence", "34 words; acme rarely writes more than 18", 34, (8, 18)),),
    Example("We ship *it* on Tuesday | really.", 0.71, "on", "site_copy.md"),
    Example("Unlock <b>value</b> at scale.", 0.83, "off"),
)
OTHERS = {"acme": 0.12, "borealis": 0.641, "c_corp": 0.003}
DRAFT = (GOLDEN / "draft.md").read_bytes().decode() if GOLDEN.is_dir() else ""
FIGURES = {"We leverage": 0.12, "Going forward": 0.004, "It froths": 0.2, "Hm, maybe": 0.4}
