"""Verdicts as text: one module for each format that ``onbrand check --format`` knows.

`onbrand.report.text` prints for people; the others return a document for programs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, get_args

from onbrand.results import Report

Format = Literal["text", "json", "sarif", "github", "junit"]
FORMATS: tuple[Format, ...] = get_args(Format)


def render(
    format_: Format,
    reports: Sequence[Report],
    sources: Mapping[str, str],
    left_out: Mapping[str, int] = MappingProxyType({}),
) -> str:
    """Return the reports as a document for programs, which can be written as UTF-8.

    Args:
        format_: any format but "text".
        reports: the verdicts.
        sources: the checked text by the report's path.
        left_out: how many files were in no known format, by the endings of their names.
    """
    # Imported when asked for: a check loads one format.
    match format_:
        case "json":
            from onbrand.report import json

            return json.render(reports, left_out)
        case "sarif":
            from onbrand.report import sarif

            return sarif.render(reports, sources)
        case "github":
            from onbrand.report import github

            return github.render(reports, sources)
        case "junit":
            from onbrand.report import junit

            return junit.render(reports)
        case _:
            raise ValueError(f"{format_!r} is not a format for programs")
