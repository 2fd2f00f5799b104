"""Spans to ranges and back, in the client's units."""

from __future__ import annotations

import pytest
from lsprotocol import types

from onbrand.document.positions import LineIndex, Span
from onbrand_lsp.positions import to_range, to_span

TEXT = "é😀\u2028b\r\ncd"
LINES = LineIndex(TEXT)


def between(*places: int) -> types.Range:
    start_line, start, end_line, end = places
    return types.Range(types.Position(start_line, start), types.Position(end_line, end))


@pytest.mark.parametrize(
    ("encoding", "first", "second"),
    [("utf-8", 2, 9), ("utf-16", 1, 4), ("utf-32", 1, 3)],
)
def test_there_and_back(encoding: str, first: int, second: int) -> None:
    span = Span(TEXT.index("😀"), TEXT.index("b"))
    where = to_range(span, LINES, encoding)
    assert where == between(0, first, 0, second)
    assert to_span(where, LINES, encoding) == span
    both_lines = to_range(Span(0, len(TEXT)), LINES, encoding)
    assert both_lines == between(0, 0, 1, 2)
    assert to_span(both_lines, LINES, encoding) == Span(0, len(TEXT))


def test_ranges_are_made_to_fit() -> None:
    assert to_span(between(1, 1, 0, 1), LINES, "utf-32") == Span(1, 7)
    assert to_span(between(0, 99, 9, 9), LINES, "utf-16") == Span(4, len(TEXT))
    assert to_span(between(0, 2, 0, 2), LINES, "utf-16") == Span(1, 1)  # within the emoji
