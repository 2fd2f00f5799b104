"""``--format rdjson``: the Diagnostic Format of reviewdog, which comments on changes of any host.

Columns count the bytes of UTF-8, and the end is past the last one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from onbrand.document.positions import LineIndex
from onbrand.report.message import draft_message, printable, sentence_message, severity
from onbrand.report.snippet import sanitize
from onbrand.repository import repository_path
from onbrand.results import FileError, Report

_SEVERITIES = {"warning": "WARNING", "note": "INFO"}


def render(
    reports: Sequence[Report], sources: Mapping[str, str], errors: Sequence[FileError] = ()
) -> str:
    """Return one ``DiagnosticResult`` with a diagnostic for each flagged sentence.

    A draft below its gate, and one that could not be judged, is a diagnostic of its first line.

    Args:
        reports: the verdicts.
        sources: the checked text by the report's path.
        errors: the drafts that could not be judged.
    """
    found = [one for report in reports for one in _diagnostics(report, sources[report.path])]
    found += [
        _diagnostic(error.path, sanitize(error.message), "ERROR", "not-judged", (error.line or 1,))
        for error in errors
    ]
    document = {"source": {"name": "onbrand"}, "diagnostics": found}
    return printable(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def _diagnostics(report: Report, source: str) -> list[dict[str, Any]]:
    index = LineIndex(source) if report.flagged else None
    made = []
    for sentence in report.flagged:
        assert index is not None  # noqa: S101 - there is one where there are flagged sentences
        ends = [index.position(offset, "utf-8") for offset in sentence.span]
        (line, column), (end_line, end_column) = ends
        level, place = _SEVERITIES[severity(sentence)], (line + 1, column + 1)
        end = (end_line + 1, end_column + 1)
        message = sentence_message(sentence)
        made.append(_diagnostic(report.path, message, level, "off-brand-sentence", place, end))
    if report.verdict == "review":
        message = draft_message(report)
        made.append(_diagnostic(report.path, message, "INFO", "draft-below-gate", (1,)))
    return made


def _diagnostic(
    path: str,
    message: str,
    level: str,
    code: str,
    start: tuple[int, ...],
    end: tuple[int, ...] | None = None,
) -> dict[str, Any]:
    reach = {"start": _position(start)} | ({"end": _position(end)} if end else {})
    return {
        "message": message,
        "location": {"path": repository_path(path), "range": reach},
        "severity": level,
        "code": {"value": f"onbrand/{code}"},
    }


def _position(place: tuple[int, ...]) -> dict[str, int]:
    return dict(zip(("line", "column"), place, strict=False))
