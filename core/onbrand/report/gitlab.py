"""``--format gitlab``: GitLab's Code Quality report, for merge requests.

GitLab tells new findings from old ones by their fingerprints, which are those of a baseline: they
stay when lines move.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from onbrand.baseline import fingerprint
from onbrand.report.message import draft_message, printable, sentence_message, severity
from onbrand.report.snippet import flagged_regions, sanitize
from onbrand.repository import repository_path
from onbrand.results import FileError, Report

_SEVERITIES = {"warning": "minor", "note": "info"}


def render(
    reports: Sequence[Report], sources: Mapping[str, str], errors: Sequence[FileError] = ()
) -> str:
    """Return a list with an issue for each flagged sentence, draft below its gate, and error.

    Args:
        reports: the verdicts.
        sources: the checked text by the report's path.
        errors: the drafts that could not be judged.
    """
    issues = [issue for report in reports for issue in _issues(report, sources[report.path])]
    for error in errors:
        place, line = repository_path(error.path), error.line or 1
        message = sanitize(error.message)
        issues.append(_issue("not-judged", place, line, line, "critical", message, "error"))
    return printable(json.dumps(issues, ensure_ascii=False, indent=2)) + "\n"


def _issues(report: Report, source: str) -> Iterator[dict[str, Any]]:
    path, seen = repository_path(report.path), Counter[str]()
    for sentence, region in flagged_regions(report, source):
        key = fingerprint(sentence)
        seen[key] += 1
        level, message = _SEVERITIES[severity(sentence)], sentence_message(sentence)
        lines = region.line, region.end_line
        yield _issue("off-brand-sentence", path, *lines, level, message, f"{key}:{seen[key]}")
    if report.verdict == "review":
        message, key = draft_message(report), f"draft:{report.brand}"
        yield _issue("draft-below-gate", path, 1, 1, "major", message, key)


def _issue(
    check: str, path: str, line: int, end: int, level: str, message: str, key: str
) -> dict[str, Any]:
    identity = f"{path}\0{check}\0{key}".encode("utf-8", "surrogatepass")
    return {
        "description": message,
        "check_name": f"onbrand/{check}",
        "fingerprint": hashlib.sha256(identity).hexdigest()[:32],
        "severity": level,
        "location": {"path": path, "lines": {"begin": line, "end": end}},
    }
