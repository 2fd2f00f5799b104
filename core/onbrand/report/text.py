"""``--format text``: for people at a terminal, in the style of compilers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from onbrand.document.positions import LineIndex
from onbrand.report.message import (
    draft_message,
    finding,
    format_probability,
    plural,
    quoted,
    severity,
)
from onbrand.report.snippet import render_source_excerpt, sanitize, truncate
from onbrand.results import Report, SentenceVerdict, Verdict, is_brand
from onbrand.voice.reasons import worst_habit, worst_words

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {"warning": "red", "note": "yellow"}
VERDICTS: dict[Verdict, str] = {"forward": "green", "review": "red", "not judged": "yellow"}
"""Verdict → its colour."""


def render(
    reports: Sequence[Report],
    sources: Mapping[str, str],
    console: Console,
    *,
    suppressed: int = 0,
) -> None:
    """Print each flagged sentence underlined in its line, and why, then the verdicts.

    Args:
        reports: the verdicts.
        sources: the checked text by the report's path.
        console: where to print; it decides on colour and width.
        suppressed: findings that a baseline hides.
    """
    gap = False
    for report in reports:
        if gap:
            console.print()
        for line in _report(report, sources[report.path], console.width):
            line.rstrip()
            console.print(line, soft_wrap=True)
        gap = bool(report.flagged)
    if len(reports) != 1 or suppressed:
        if gap:
            console.print()
        console.print(_summary(reports, suppressed), soft_wrap=True)


def _report(report: Report, source: str, width: int) -> Iterator[Text]:
    if report.flagged:
        index = LineIndex(source)
        for sentence in report.flagged:
            yield from _finding(report.path, sentence, source, index, width)
            yield Text()
    verdict, _, rest = draft_message(report).partition(": ")
    style = "yellow" if report.verdict == "forward" and report.mend else VERDICTS[report.verdict]
    yield Text.assemble(
        (sanitize(report.path), "bold"), ": ", (verdict, f"bold {style}"), ": " + sanitize(rest)
    )
    for warning in report.warnings:
        yield Text.assemble(("  warning: ", "yellow"), sanitize(warning))


def _finding(
    path: str, sentence: SentenceVerdict, source: str, index: LineIndex, width: int
) -> Iterator[Text]:
    style = _STYLES[severity(sentence)]
    place = f"{sanitize(path)}:{sentence.line}:{sentence.column}"
    what = finding(sentence.brand, sentence.explanation)
    p = format_probability(sentence.probability or 0.0, sentence.threshold)
    yield Text.assemble(
        (place, "bold"),
        ": ",
        (sanitize(what[:1].lower() + what[1:]), f"bold {style}"),
        f" (P {p})",
    )
    why = sentence.explanation
    worst = worst_words(why)
    gutter = len(str(index.line_of(sentence.span.end) + 1)) + 1
    accents = [span for word in worst for span in word.spans]
    for row in render_source_excerpt(source, index, sentence.span, accents, width - gutter - 3):
        yield _gutter(gutter, row.number, row.text)
        if row.marks:
            yield _gutter(gutter, None, row.marks, style)
    notes = {
        "words": quoted(worst),
        "habit": worst_habit(why),
        "nearest on-brand line": why and why.nearest_on and f"“{why.nearest_on.text}”",
    }
    for name, note in notes.items():
        if note:
            head = f"{' ' * gutter} = {name}: "
            yield Text.assemble((head, "blue"), truncate(note, max(width - len(head), 40)))


def _gutter(width: int, number: int | None, text: str, style: str = "") -> Text:
    head = f"{number or '':>{width}} |"
    return Text.assemble((head, "blue"), (f" {text}" if text else "", style))


def _summary(reports: Sequence[Report], suppressed: int) -> Text:
    verdicts = Counter(report.verdict for report in reports)
    mended = sum(report.verdict == "forward" and bool(report.mend) for report in reports)
    parts = [f"{verdicts[name]} {name}" for name in VERDICTS if verdicts[name]]
    if mended:
        parts[0] += f" ({mended:,} to be mended)"
    flagged = sum(len(report.flagged) for report in reports)
    text = plural(len(reports), "draft") + (": " + ", ".join(parts) if parts else "")
    if reports and not any(is_brand(report.brand) for report in reports):
        text += f"; {plural(flagged, 'sentence')} in a voice to avoid"
    else:
        text += f"; {plural(flagged, 'off-brand sentence')}"
    if suppressed:
        text += f", {plural(suppressed, 'known one')} in the baseline not shown"
    return Text(text + ".", "bold")
