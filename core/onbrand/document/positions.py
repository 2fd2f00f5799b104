"""Spans, offsets, lines and columns, and the conversions between them."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Literal, NamedTuple


class Span(NamedTuple):
    """A half-open range of source text, ``start <= end``, in Unicode code points.

    `LineIndex` alone converts it to lines and columns, and to other units.
    """

    start: int
    end: int

    def slice(self, text: str) -> str:
        """Return the text that the span covers."""
        return text[self.start : self.end]


Encoding = Literal["utf-8", "utf-16", "utf-32"]
"""Unit of a column: bytes, UTF-16 code units, or code points, as in the LSP."""

# Not str.splitlines(): editors, git and the Language Server Protocol know only these three.
LINE_BREAK = re.compile(r"\r\n|\n|\r")
_WIDE = {"utf-8": re.compile(r"[^\x00-\x7f]"), "utf-16": re.compile(r"[\U00010000-\U0010ffff]")}


class LineIndex:
    """Converts between offsets in a text and lines and columns, which count from 0.

    What is outside of the text counts as its nearest end. Building takes one pass over the text,
    and a lookup is a binary search in any unit.
    """

    __slots__ = ("_starts", "_surplus", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(found.end() for found in LINE_BREAK.finditer(text))]
        self._surplus: dict[str, tuple[Sequence[int], Sequence[int]]] = {}

    @property
    def line_count(self) -> int:
        """Number of lines; a text that ends with a line break has an empty last one."""
        return len(self._starts)

    def line_start(self, line: int) -> int:
        """Return the offset of the first character of a line (the text's end if past it)."""
        if line >= len(self._starts):
            return len(self._text)
        return self._starts[max(line, 0)]

    def line_end(self, line: int) -> int:
        """Return the offset just after the last character of a line, before its line break."""
        end = self.line_start(line + 1)
        start = self.line_start(line)
        if line + 1 < len(self._starts) and end > start:
            end -= 2 if self._text[max(start, end - 2) : end] == "\r\n" else 1
        return end

    def line_text(self, line: int) -> str:
        """Return a line without its line break; an empty string for a line past the end."""
        return self._text[self.line_start(line) : self.line_end(line)]

    def line_of(self, offset: int) -> int:
        """Return the line that holds an offset."""
        return max(0, bisect_right(self._starts, offset) - 1)

    def position(self, offset: int, encoding: Encoding = "utf-32") -> tuple[int, int]:
        """Return the line and column of an offset.

        Args:
            offset: code points from the start of the text.
            encoding: unit of the column.
        """
        line = self.line_of(offset)
        start = self._starts[line]
        return line, self._column(start, max(start, min(offset, self.line_end(line))), encoding)

    def offset(self, line: int, column: int, encoding: Encoding = "utf-32") -> int:
        """Return the offset of a position, the inverse of `position`.

        A column past the line's end gives the line's end; one inside a character its start.

        Args:
            line: counted from 0.
            column: in units of ``encoding``, counted from 0.
            encoding: unit of the column.
        """
        if line < 0:
            return 0
        start, end = self.line_start(line), self.line_end(line)
        if encoding == "utf-32":
            return min(start + max(column, 0), end)
        reach = range(start, end + 1)
        after = bisect_right(
            reach, max(column, 0), key=lambda at: self._column(start, at, encoding)
        )
        return start + after - 1

    def _column(self, start: int, offset: int, encoding: Encoding) -> int:
        if encoding == "utf-32" or self._text.isascii():
            return offset - start
        places, totals = self._surplus_units(encoding)
        surplus = totals[bisect_left(places, offset)] - totals[bisect_left(places, start)]
        return offset - start + surplus

    def _surplus_units(self, encoding: Encoding) -> tuple[Sequence[int], Sequence[int]]:
        """Return the offsets of characters of more than one unit, and the sums of extra units."""
        if encoding not in self._surplus:
            places, totals = array("I"), array("I", [0])
            for found in _WIDE[encoding].finditer(self._text):
                point = ord(found[0])
                width = 1 if encoding == "utf-16" else 1 + (point > 0x7FF) + (point > 0xFFFF)
                places.append(found.start())
                totals.append(totals[-1] + width)
            self._surplus[encoding] = places, totals
        return self._surplus[encoding]


class OffsetMap:
    """Maps each character of a block's text to the source that it stands for.

    Most text is copied from the source unchanged, so whole runs of characters are stored. A lookup
    is a binary search over the runs.
    """

    __slots__ = ("_ats", "_copied", "_ends", "_length", "_starts")

    def __init__(self) -> None:
        self._ats: list[int] = []
        """Offset in the text at which each run begins; the other lists have its source."""
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._copied: list[bool] = []
        self._length = 0

    def add(self, length: int, start: int, end: int, *, copied: bool = False) -> None:
        """Append characters that stand for the source between two offsets.

        Args:
            length: how many characters.
            start: where the source begins.
            end: where it ends.
            copied: each character stands for one character of the source, not for all of them.
        """
        copied = copied or length == end - start == 1
        if copied and self._copied and self._copied[-1] and self._ends[-1] == start:
            self._ends[-1] = end  # as at the ends of lines
        else:
            self._ats.append(self._length)
            self._starts.append(start)
            self._ends.append(end)
            self._copied.append(copied)
        self._length += length

    def take(self, other: OffsetMap, first: int, last: int) -> None:
        """Append characters ``first`` to ``last`` (exclusive) of another map's text."""
        run = other._run(first)
        while first < last:
            following = other._ats[run + 1] if run + 1 < len(other._ats) else other._length
            stop = min(last, following)
            start, end = other.start(first), other.end(stop - 1)
            self.add(stop - first, start, end, copied=other._copied[run])
            first, run = stop, run + 1

    def through(self, outer: OffsetMap) -> OffsetMap:
        """Return the map of the same text to the source of its own source, which ``outer`` maps."""
        found = OffsetMap()
        for run, at in enumerate(self._ats):
            start, end = self._starts[run], self._ends[run]
            if self._copied[run]:
                found.take(outer, start, end)
            else:
                following = self._ats[run + 1] if run + 1 < len(self._ats) else self._length
                found.add(following - at, outer.start(start), outer.end(max(start, end - 1)))
        return found

    def start(self, index: int) -> int:
        """Return where the source of a character begins."""
        run = self._run(index)
        return self._starts[run] + (index - self._ats[run] if self._copied[run] else 0)

    def end(self, index: int) -> int:
        """Return where the source of a character ends; that of an entity is longer than one."""
        run = self._run(index)
        if self._copied[run]:
            return self._starts[run] + index - self._ats[run] + 1
        return self._ends[run]

    def span(self, first: int, last: int) -> Span:
        """Return the source of characters ``first`` to ``last`` (exclusive), at least one."""
        shift = self.shift(first, last)
        if shift is None:
            return Span(self.start(first), self.end(last - 1))
        return Span(first + shift, last + shift)

    def shift(self, first: int, last: int) -> int | None:
        """Return the difference between source and text offsets of ``first`` to ``last``.

        None: it is not the same for all of these characters.
        """
        run = self._run(first)
        following = self._ats[run + 1] if run + 1 < len(self._ats) else self._length
        if self._copied[run] and last <= following:
            return self._starts[run] - self._ats[run]
        return None

    def _run(self, index: int) -> int:
        return bisect_right(self._ats, index) - 1
