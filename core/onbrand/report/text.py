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

    from onbrand.results import DiffScope

_STYLES = {"warning": "red", "note": "yellow"}
VERDICTS: dict[Verdict, str] = {"forward": "green", "review": "red", "not judged": "yellow"}
"""Verdict → its colour."""


def render(
    reports: Sequence[Report],
    sources: Mapping[str, str],
    console: Console,
    *,
    suppressed: int = 0,
    scope: DiffScope | None = None,
    errors: int = 0,
    quiet: bool = False,
) -> None:
    """Print each flagged sentence underlined in its line, and why, then the verdicts.

    Of several drafts those that go forward without a finding are only counted.

    Args:
        reports: the verdicts.
        sources: the checked text by the report's path.
        console: where to print; it decides on colour and width.
        suppressed: findings that a baseline hides.
        scope: what the check was limited to.
        errors: the number of drafts that could not be judged.
        quiet: print findings alone.
    """
    gap = False
    several = len(reports) != 1
    for report in reports:
        if (several or quiet) and not _is_notable(report, quiet):
            continue
        if gap:
            console.print()
        for line in _report(report, sources[report.path], console.width, quiet):
            line.rstrip()
            console.print(line, soft_wrap=True)
        gap = bool(report.flagged)
    if not quiet and (several or suppressed or scope or errors):
        if gap:
            console.print()
        console.print(_summary(reports, suppressed, scope, errors), soft_wrap=True)


def _is_notable(report: Report, quiet: bool) -> bool:
    """Return whether something is to be said of a draft beside others."""
    if quiet:
        return bool(report.flagged)
    return bool(report.flagged or report.warnings) or report.verdict == "review"


def _report(report: Report, source: str, width: int, quiet: bool) -> Iterator[Text]:
    if report.flagged:
        index = LineIndex(source)
        for sentence in report.flagged:
            yield from _finding(report.path, sentence, source, index, width)
            yield Text()
    if quiet:
        return
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


def gate_lines(reports: Sequence[Report]) -> Iterator[str]:
    """Yield the verdicts on drafts; of several only those that do not simply go forward, and a sum.

    Args:
        reports: the verdicts.
    """
    several = len(reports) > 1
    for report in reports:
        if not several or report.verdict != "forward" or report.mend:
            yield sanitize(f"{report.path}: {draft_message(report)}")
    if several:
        yield f"{plural(len(reports), 'draft')}: {_verdicts(reports)}."


def _verdicts(reports: Sequence[Report]) -> str:
    """Return "2 forward (1 to be mended), 1 review"."""
    verdicts = Counter(report.verdict for report in reports)
    mended = sum(report.verdict == "forward" and bool(report.mend) for report in reports)
    parts = [f"{verdicts[name]} {name}" for name in VERDICTS if verdicts[name]]
    if mended:
        parts[0] += f" ({mended:,} to be mended)"
    return ", ".join(parts)


def _gutter(width: int, number: int | None, text: str, style: str = "") -> Text:
    head = f"{number or '':>{width}} |"
    return Text.assemble((head, "blue"), (f" {text}" if text else "", style))


def _summary(
    reports: Sequence[Report], suppressed: int, scope: DiffScope | None, errors: int
) -> Text:
    flagged = sum(len(report.flagged) for report in reports)
    text = plural(len(reports), "draft") + (f": {_verdicts(reports)}" if reports else "")
    if reports and not any(is_brand(report.brand) for report in reports):
        text += f"; {plural(flagged, 'sentence')} in a voice to avoid"
    else:
        text += f"; {plural(flagged, 'off-brand sentence')}"
    if scope is not None:
        verb = "differs" if flagged == 1 else "differ"
        text += f" that {verb} from {sanitize(scope.base)} ({scope.elsewhere:,} elsewhere)"
    if suppressed:
        text += f", {plural(suppressed, 'known one')} in the baseline not shown"
    if scope is not None and scope.unchanged:
        text += f"; {plural(scope.unchanged, 'draft')} without a change not judged"
    if errors:
        text += f"; {plural(errors, 'file')} could not be judged"
    return Text(text + ".", "bold")
