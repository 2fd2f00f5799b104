"""The verdict above the text: on the draft, and on each of its sections that wants review."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from lsprotocol import types

from onbrand.document import directives, formats
from onbrand.document.document import Document
from onbrand.document.positions import Encoding, Span
from onbrand.report.message import decision, fault, format_probability, plural, tally
from onbrand.results import Report, SentenceVerdict, Verdict, is_brand
from onbrand.scorer import draft_probability
from onbrand_lsp.showing import places
from onbrand_lsp.sync.convert import to_range

if TYPE_CHECKING:
    from onbrand_lsp.checking.judging import Checked

LEAST = 3
"""Judged sentences that it takes for a verdict on a section."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what follows up to the next one of its level or above."""

    title: str
    span: Span
    """Of the heading."""
    probability: float
    """P(on-brand) of the section."""
    verdict: Verdict
    sentences: tuple[SentenceVerdict, ...]


def lenses(checked: Checked, encoding: Encoding) -> list[types.CodeLens]:
    """Return a lens for the draft, above its first line of content, and for sections to review."""
    if checked.report is None:
        return []
    lines = checked.snapshot.lines
    marked = [(_top(checked), draft_title(checked.report))]
    for section in sections(checked):
        if section.verdict != "review":
            continue
        p, judged = format_probability(section.probability, checked.report.gate), section.sentences
        marked.append(
            (section.span, f"P {p}, {section.verdict} - {_count(judged, checked.report.brand)}")
        )
    arguments = [{"uri": checked.snapshot.uri}]
    return [
        types.CodeLens(
            to_range(span, lines, encoding),
            types.Command(title, "onbrand.showVerdict", arguments=arguments),
        )
        for span, title in marked
    ]


def draft_title(report: Report) -> str:
    """Return the verdict on a draft as short as it goes."""
    head = f"{report.brand}: " if is_brand(report.brand) else ""
    if report.probability is None:
        return f"{head}not judged - {tally(report)}"
    p = format_probability(report.probability, report.gate)
    return f"{head}P {p}, {decision(report)} - {_count(report.sentences, report.brand)}"


def _count(sentences: Sequence[SentenceVerdict], brand: str) -> str:
    flagged = sum(sentence.flagged for sentence in sentences)
    judged = sum(sentence.probability is not None for sentence in sentences)
    return f"{flagged} of {plural(judged, 'sentence')} {fault(brand)}"


def sections(checked: Checked) -> list[Section]:
    """Return the sections with enough in them to judge, in reading order.

    One that holds all the draft's judged sentences is the draft over again and left out.
    """
    report, scorer = checked.report, checked.scorer
    if report is None or scorer is None:
        return []
    voice = scorer.voice(report.brand)
    whole = sum(sentence.probability is not None for sentence in report.sentences)
    found = []
    for title, first, end in _headings(checked.document):
        sentences = report.sentences[first:end]
        judged = sum(sentence.probability is not None for sentence in sentences)
        if judged < LEAST or judged == whole:
            continue
        p = draft_probability(voice, sentences)
        if p is not None:
            verdict: Verdict = "forward" if p >= report.gate else "review"
            found.append(Section(title, sentences[0].span, p, verdict, sentences))
    return found


def _headings(document: Document) -> Iterator[tuple[str, int, int]]:
    """Yield each heading's text, its first sentence's index and where its section ends."""
    sentences = document.sentences
    starts = [
        n
        for n, sentence in enumerate(sentences)
        if sentence.kind == "heading" and (n == 0 or sentences[n - 1].block != sentence.block)
    ]
    find_level = formats.get(document.format).heading_level or (lambda *_: 1)
    levels = [find_level(document.source, document.lines, sentences[n].span) for n in starts]
    for at, start in enumerate(starts):
        following = zip(starts[at + 1 :], levels[at + 1 :], strict=True)
        end = next((n for n, level in following if level <= levels[at]), len(sentences))
        yield _title(document, start), start, end


def _title(document: Document, start: int) -> str:
    """Return the text of the heading that begins with a sentence; it may have more of them."""
    block = document.sentences[start].block
    rest = islice(document.sentences, start, None)
    heading = takewhile(lambda sentence: sentence.block == block, rest)
    return " ".join(places.shown(sentence, document.source) for sentence in heading)


def _top(checked: Checked) -> Span:
    """Return the first line of content, or the first line where there is none."""
    source, lines = checked.document.source, checked.snapshot.lines
    after = directives.read_front_matter(source).end
    rest = source[after:]
    at = after + len(rest) - len(rest.lstrip())
    line = 0 if at == len(source) else lines.line_of(at)
    return places.line_span(line, lines)
