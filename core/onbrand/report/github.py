"""``--format github``: workflow commands that GitHub Actions turns into annotations.

GitHub shows ten warnings and ten notices per step; SARIF has no such limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onbrand.report.message import draft_message, printable, sentence_message, severity
from onbrand.report.snippet import flagged_regions, sanitize
from onbrand.repository import repository_path
from onbrand.results import FileError, Report, is_brand

_COMMANDS = {"warning": "warning", "note": "notice"}


def render(
    reports: Sequence[Report], sources: Mapping[str, str], errors: Sequence[FileError] = ()
) -> str:
    """Return a command for each flagged sentence, each draft below its gate, and each error.

    Args:
        reports: the verdicts.
        sources: the checked text by the report's path.
        errors: the drafts that could not be judged.
    """
    commands = []
    for report in reports:
        file = repository_path(report.path)
        for sentence, region in flagged_regions(report, sources[report.path]):
            place: dict[str, str | int] = {"file": file, "line": region.line}
            if region.line == region.end_line:  # GitHub takes columns within one line only
                place |= {"col": region.column, "endColumn": region.end_column}
            named = is_brand(sentence.brand)
            title = f"Off-brand for {sentence.brand}" if named else "Voice to avoid"
            place |= {"endLine": region.end_line, "title": title}
            command = _COMMANDS[severity(sentence)]
            commands.append(_command(command, place, sentence_message(sentence)))
        if report.verdict == "review":
            whose = f" of {report.brand}" if is_brand(report.brand) else ""
            place = {"file": file, "line": 1, "title": f"Below the gate{whose}"}
            commands.append(_command("notice", place, draft_message(report)))
    for error in errors:
        place = {
            "file": repository_path(error.path),
            "line": error.line or 1,
            "title": "Not judged",
        }
        commands.append(_command("error", place, sanitize(error.message)))
    return "".join(commands)


def _command(name: str, properties: Mapping[str, str | int], message: str) -> str:
    fields = ",".join(f"{key}={_escape_property(str(v))}" for key, v in properties.items())
    return printable(f"::{name} {fields}::{_escape(message)}\n")


def _escape(text: str) -> str:
    """Escape for the runner; ``%`` comes first, as the other escapes contain it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
