"""Code lenses: the verdict on a draft and its sections, or the offer to set onbrand up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from onbrand.document import directives, formats
from onbrand.document.document import Document
from onbrand.document.positions import Encoding, Span
from onbrand.files import CONFIG_FILE
from onbrand.report.message import decision, fault, format_probability, plural, tally
from onbrand.results import Report, SentenceVerdict, Verdict, is_brand
from onbrand.scorer import draft_probability
from onbrand_lsp.features import lookup
from onbrand_lsp.positions import to_range
from onbrand_lsp.settings import UNCONFIGURED

if TYPE_CHECKING:
    from onbrand_lsp.analysis import Analysis


TITLE = "Set up onbrand…"
_COMMAND = "onbrand.showConfiguration"


class SetUpOffer:
    """Picks one document of each workspace folder to offer the set-up above its text."""

    def __init__(self) -> None:
        self._offered: dict[Path | None, str] = {}

    def line(self, uri: str, folder: Path | None) -> str | None:
        """Return what to log about a document that nothing is set up for; None: it was said."""
        if folder in self._offered:
            return None
        self._offered[folder] = uri
        place = folder or "files outside a folder"
        return f"{place}: {UNCONFIGURED}, so nothing is judged; {_COMMAND} says what to do"

    def lenses(self, analysis: Analysis) -> list[types.CodeLens]:
        """Return the lens that offers it, for the document that was picked."""
        uri = analysis.snapshot.uri
        if uri not in self._offered.values():
            return []
        start = types.Position(0, 0)
        command = types.Command(TITLE, _COMMAND, arguments=[{"uri": uri}])
        return [types.CodeLens(types.Range(start, start), command)]


def is_missing(analysis: Analysis) -> bool:
    """Return whether a document is not judged because nothing is set up for it."""
    return analysis.disabled_reason == UNCONFIGURED


def steps(folder: Path | None) -> str:
    """Return what to do, as Markdown."""
    file = f"`{folder / CONFIG_FILE}`" if folder else f"`{CONFIG_FILE}` beside the drafts"
    return (
        "To set onbrand up:\n\n"
        "1. Get the folder `voices` of your team, or train a voice from pages that the brand has "
        "published: `onbrand train --published PAGES --brand NAME -o voices`\n"
        f"2. Write into {file}:\n\n"
        '   ```toml\n   brand = "NAME"\n   voices = ["voices"]\n   ```\n'
    )


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


def lenses(analysis: Analysis, encoding: Encoding) -> list[types.CodeLens]:
    """Return a lens for the draft, above its first line of content, and for sections to review."""
    if analysis.report is None:
        return []
    lines = analysis.snapshot.lines
    marked = [(_top(analysis), draft_title(analysis.report))]
    for section in sections(analysis):
        if section.verdict != "review":
            continue
        p, judged = format_probability(section.probability, analysis.report.gate), section.sentences
        marked.append(
            (section.span, f"P {p}, {section.verdict} - {_count(judged, analysis.report.brand)}")
        )
    arguments = [{"uri": analysis.snapshot.uri}]
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


def sections(analysis: Analysis) -> list[Section]:
    """Return the sections with enough in them to judge, in reading order.

    One that holds all the draft's judged sentences is the draft over again and left out.
    """
    report, scorer = analysis.report, analysis.scorer
    if report is None or scorer is None:
        return []
    voice = scorer.voice(report.brand)
    whole = sum(sentence.probability is not None for sentence in report.sentences)
    found = []
    for title, first, end in _headings(analysis.document):
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
    return " ".join(lookup.shown(sentence, document.source) for sentence in heading)


def _top(analysis: Analysis) -> Span:
    """Return the first line of content, or the first line where there is none."""
    source, lines = analysis.document.source, analysis.snapshot.lines
    after = directives.read_front_matter(source).end
    rest = source[after:]
    at = after + len(rest) - len(rest.lstrip())
    line = 0 if at == len(source) else lines.line_of(at)
    return lookup.line_span(line, lines)
