"""Where a finding stands, in the terms of continuous-integration systems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from onbrand.text.lines import LineIndex
from onbrand.verdict import Report, SentenceVerdict


class Region(NamedTuple):
    """Lines and columns counted from 1, columns in code points; the end is past the last one."""

    line: int
    column: int
    end_line: int
    end_column: int


def flagged_regions(report: Report, source: str) -> Iterator[tuple[SentenceVerdict, Region]]:
    """Yield the flagged sentences of a report with the region of each in its source."""
    if not report.flagged:
        return
    index = LineIndex(source)
    for sentence in report.flagged:
        end_line, end_column = index.position(sentence.span.end)
        yield sentence, Region(sentence.line, sentence.column, end_line + 1, end_column + 1)


def project_path(path: str) -> str:
    """Return a path with slashes, relative when it is inside the working folder.

    Code hosts match annotations to files by the path from the project's root, which is where
    continuous integration runs.
    """
    place = Path(path)
    if place.is_absolute() and place.is_relative_to(Path.cwd()):
        place = place.relative_to(Path.cwd())
    return place.as_posix()
