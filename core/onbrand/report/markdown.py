"""``--format markdown``: a summary for a pull request: the verdicts, the worst sentences, why.

It begins with `MARKER`, by which whoever posts it finds the comment to replace. Text of drafts is
shown as text: it makes no markup, and mentions nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from onbrand.report.message import (
    capitalised,
    decision,
    format_probability,
    plural,
    sentence_message,
    tally,
)
from onbrand.report.snippet import sanitize
from onbrand.repository import repository_path
from onbrand.results import FileError, Report, SentenceVerdict

if TYPE_CHECKING:
    from onbrand.results import CheckResults

MARKER = "<!-- onbrand: summary of a check -->"
"""The first line. Comments of HTML are not shown."""
MAX_DRAFTS = 40
MAX_SENTENCES = 20
MAX_ERRORS = 20
MAX_TEXT = 300
"""Characters of a path, a sentence or a reason that are shown. All in all a summary stays below the
65,536 characters of a comment on GitHub."""

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~$&])")
_REFERENCES = re.compile(r"[@#]|\bGH(?=-\d)|\bwww(?=\.)|\b(?:https?|ftp|mailto)(?=:)", re.I)
_JOINER = "\u2060"
"""A word joiner, which nobody sees: what it stands behind is no mention, reference or link."""


def render(results: CheckResults) -> str:
    """Return the summary: the most important drafts and sentences first, up to a limit of each."""
    lines = [MARKER, f"### {_headline(results)}", *_drafts(results.reports)]
    lines += _sentences(results.reports)
    lines += _errors(results.errors)
    if notes := [*_notes(results)]:
        lines += ["", " ".join(notes)]
    return "\n".join(lines) + "\n"


def _headline(results: CheckResults) -> str:
    held = sum(report.verdict == "review" for report in results.reports)
    flagged = sum(len(report.flagged) for report in results.reports)
    drafts = plural(len(results.reports), "draft")
    if not results.reports:
        what = "no draft to judge"
    elif held:
        what = f"{held:,} of {drafts} {'needs' if held == 1 else 'need'} a review"
    else:
        judged = any(report.verdict == "forward" for report in results.reports)
        what = f"{drafts} {'goes' if len(results.reports) == 1 else 'go'} forward"
        what = what if judged else f"{drafts}, no sentence to judge"
    return f"onbrand: {what}" + (f", {plural(flagged, 'sentence')} flagged" if flagged else "")


def _drafts(reports: Sequence[Report]) -> Iterator[str]:
    if not reports:
        return
    yield from ("", "| draft | verdict | P | sentences |", "|---|---|---:|---|")
    ranked = sorted(reports, key=_rank)
    for report in ranked[:MAX_DRAFTS]:
        p = report.probability
        figure = "" if p is None else format_probability(p, report.gate)
        verdict = "**Review**" if report.verdict == "review" else capitalised(decision(report))
        yield f"| {_path(report.path)} | {verdict} | {_text(figure)} | {_text(tally(report))} |"
    if len(ranked) > MAX_DRAFTS:
        yield f"| … and {plural(len(ranked) - MAX_DRAFTS, 'draft')} more | | | |"


def _rank(report: Report) -> tuple[int, float]:
    """Return what sorts drafts: those to review first, then those to mend, then flagged ones."""
    kind = 0 if report.verdict == "review" else 1 if report.mend else 2 if report.flagged else 3
    return kind, 1.0 if report.probability is None else report.probability


def _sentences(reports: Sequence[Report]) -> Iterator[str]:
    found = [(report, sentence) for report in reports for sentence in report.flagged]
    if not found:
        return
    found.sort(key=lambda one: one[1].probability or 0.0)
    yield from ("", "Worst sentences:", "")
    for report, sentence in found[:MAX_SENTENCES]:
        yield from _sentence(report, sentence)
    if len(found) > MAX_SENTENCES:
        yield f"- … and {plural(len(found) - MAX_SENTENCES, 'sentence')} more"


def _sentence(report: Report, sentence: SentenceVerdict) -> Iterator[str]:
    yield f"- {_path(report.path)}, line {sentence.line}: “{_text(sentence.text)}”<br>"
    yield f"  {_text(sentence_message(sentence))}"


def _errors(errors: Sequence[FileError]) -> Iterator[str]:
    if not errors:
        return
    yield from ("", f"{capitalised(plural(len(errors), 'file'))} could not be judged:", "")
    for error in errors[:MAX_ERRORS]:
        line = "" if error.line is None else f", line {error.line}"
        yield f"- {_path(error.path)}{line}: {_text(error.message)}"
    if len(errors) > MAX_ERRORS:
        yield f"- … and {plural(len(errors) - MAX_ERRORS, 'file')} more"


def _notes(results: CheckResults) -> Iterator[str]:
    scope = results.scope
    if scope is not None:
        commit = f"{_text(scope.base)} ({scope.commit[:12]})"
        yield f"Only sentences that differ from {commit} are listed."
        if scope.unchanged:
            yield f"{plural(scope.unchanged, 'draft')} without such sentences not judged."
    if results.suppressed:
        yield f"{plural(results.suppressed, 'known finding')} in the baseline not shown."


def _path(path: str) -> str:
    return f"**{_text(repository_path(path))}**"


def _text(text: str) -> str:
    """Return a text of MAX_TEXT characters or less that is shown as it is."""
    shown = sanitize(text)
    shown = shown if len(shown) <= MAX_TEXT else shown[: MAX_TEXT - 1].rstrip() + "…"
    marked = _REFERENCES.sub(lambda found: found[0] + _JOINER, shown)
    return _MARKUP.sub(r"\\\1", marked)
