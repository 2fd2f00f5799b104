"""``--format vale``: what ``vale --output=JSON`` prints, for the plug-ins that read it.

Plug-ins look their file up by the name that they gave, so paths are as they were named. An alert
has one line, and columns in it from the first to the last character, counted from 1: of a sentence
over several lines they reach to the end of its first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from onbrand.document.positions import LineIndex
from onbrand.report.message import draft_message, printable, sentence_message, severity
from onbrand.report.snippet import sanitize
from onbrand.results import FileError, Report

_SEVERITIES = {"warning": "warning", "note": "suggestion"}


def render(
    reports: Sequence[Report], sources: Mapping[str, str], errors: Sequence[FileError] = ()
) -> str:
    """Return the alerts by file: one for each flagged sentence, draft below its gate, and error.

    Args:
        reports: the verdicts.
        sources: the checked text by the report's path.
        errors: the drafts that could not be judged.
    """
    alerts = {report.path: _alerts(report, sources[report.path]) for report in reports}
    for error in errors:
        line, message = error.line or 1, sanitize(error.message)
        alerts[error.path] = [_alert("NotJudged", "error", message, line, (1, 1), "")]
    document = {path: found for path, found in alerts.items() if found}
    return printable(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def _alerts(report: Report, source: str) -> list[dict[str, Any]]:
    found = []
    if report.verdict == "review":
        message = draft_message(report)
        found.append(_alert("DraftBelowGate", "suggestion", message, 1, (1, 1), ""))
    index = LineIndex(source) if report.flagged else None
    for sentence in report.flagged:
        assert index is not None  # noqa: S101 - there is one where there are flagged sentences
        end = min(sentence.span.end, index.line_end(sentence.line - 1))
        text = source[sentence.span.start : end]
        reach = (sentence.column, sentence.column + max(len(text), 1) - 1)
        level, message = _SEVERITIES[severity(sentence)], sentence_message(sentence)
        found.append(_alert("OffBrandSentence", level, message, sentence.line, reach, text))
    return found


def _alert(
    check: str, level: str, message: str, line: int, reach: tuple[int, int], text: str
) -> dict[str, Any]:
    return {
        "Action": {"Name": "", "Params": None},
        "Span": list(reach),
        "Check": f"onbrand.{check}",
        "Description": "",
        "Link": "",
        "Message": message,
        "Severity": level,
        "Match": text,
        "Line": line,
    }
