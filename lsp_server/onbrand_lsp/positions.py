"""Positions and edits of the protocol, on texts that are counted in code points."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from lsprotocol import types

from onbrand.document.positions import Encoding, LineIndex, Span


def to_range(span: Span, lines: LineIndex, encoding: Encoding) -> types.Range:
    """Return where a span of code points stands for the client."""
    start, end = (types.Position(*lines.position(at, encoding)) for at in span)
    return types.Range(start, end)


def to_span(range: types.Range, lines: LineIndex, encoding: Encoding) -> Span:  # noqa: A002
    """Return the code points that the client's range covers; any range is made to fit the text."""
    start, end = sorted(
        lines.offset(place.line, place.character, encoding) for place in (range.start, range.end)
    )
    return Span(start, end)


_BREAK = re.compile(r"[\r\n]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


class Edit(NamedTuple):
    """One stretch of a text replaced by another; code points."""

    start: int
    old_end: int
    """Where the stretch ended in the text before."""
    new_end: int
    """Where what stands there now ends."""

    def after(self, span: Span) -> Span:
        """Return where a span of the text before stands now."""
        return self._moved(span, self.old_end, self.new_end)

    def before(self, span: Span) -> Span:
        """Return where a span of the text after the edit stood, what was replaced included."""
        return self._moved(span, self.new_end, self.old_end)

    def _moved(self, span: Span, here: int, there: int) -> Span:
        start, end = span
        if start > self.start:
            start = max(self.start, start + there - here if start >= here else self.start)
        if end > self.start:
            end = there if end <= here else end + there - here
        return Span(start, max(start, end))


def edit_between(old: str, new: str) -> Edit:
    """Return the one edit that makes a text into another; several in one count as what spans them.

    It costs some comparisons of memory, whatever the length.
    """
    shorter = min(len(old), len(new))
    start = _agreement(shorter, lambda n: old[:n] == new[:n])
    rest = shorter - start
    same = _agreement(rest, lambda n: old[len(old) - n :] == new[len(new) - n :])
    return Edit(start, len(old) - same, len(new) - same)


def _agreement(most: int, agree: Callable[[int], bool]) -> int:
    """Return the largest number of characters, at most ``most``, for which two texts agree."""
    return bisect_left(range(1, most + 1), x=True, key=lambda n: not agree(n))


def apply_changes(
    text: str,
    lines: LineIndex,
    changes: Sequence[types.TextDocumentContentChangeEvent],
    encoding: Encoding,
) -> str:
    """Return ``text`` after the changes of one notification, each made on what the last one left.

    An edit costs no more than the lines that it touches, in whatever order edits come: editors
    send one for every cursor. Positions out of the text are clamped, reversed ranges turned round.

    Args:
        text: the document before the changes.
        lines: its index.
        changes: what the editor sent.
        encoding: unit of the columns.
    """
    lines_of_text = _split(text, lines)
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            _replace(lines_of_text, change.range, change.text, encoding)
        else:
            lines_of_text = _split(change.text, LineIndex(change.text))
    return "".join(lines_of_text)


def _split(text: str, lines: LineIndex) -> list[str]:
    """Return the lines with their breaks; at least one."""
    starts = [lines.line_start(line) for line in range(lines.line_count + 1)]
    return [text[start:end] for start, end in pairwise(starts)]


def _replace(lines: list[str], where: types.Range, new: str, encoding: Encoding) -> None:
    """Make one edit in a list of lines, each with its break, the last one without."""
    start, end = sorted((place.line, place.character) for place in (where.start, where.end))
    first, before, _ = _cut(lines, start, encoding)
    last, _, after = _cut(lines, end, encoding)
    # "\r" and "\n" of different edits are one line break when they meet.
    if first > 0 and not before and lines[first - 1].endswith("\r"):
        first -= 1
        before = lines[first]
    middle = before + new + after
    if encoding == "utf-16" and not middle.isascii():
        middle = _PAIR.sub(_joined, middle)  # such an editor may insert an emoji by halves
    fresh = [middle]
    if before.endswith("\r") or _BREAK.search(new):
        fresh = _split(middle, LineIndex(middle))
        if last + 1 < len(lines):
            fresh.pop()  # the last line's break begins no line of its own: one follows
    lines[first : last + 1] = fresh


def _cut(lines: list[str], place: tuple[int, int], encoding: Encoding) -> tuple[int, str, str]:
    """Return the line that a position is on, and what stands before and after it in there."""
    number, column = place
    if number >= len(lines):
        return len(lines) - 1, lines[-1], ""
    line = lines[number]
    if line.isascii():  # no need to go through a line that may be the whole document
        at = min(column, len(line.rstrip("\r\n")))
        return number, line[:at], line[at:]
    index = LineIndex(line)
    at = index.offset(0, column, encoding)
    _, reached = index.position(at, encoding)
    if encoding == "utf-16" and reached < column and at < index.line_end(0):
        high, low = _halves(line[at])  # it may delete one by halves, too
        return number, line[:at] + high, low + line[at + 1 :]
    return number, line[:at], line[at:]


def _halves(character: str) -> tuple[str, str]:
    point = ord(character) - 0x10000
    return chr(0xD800 + (point >> 10)), chr(0xDC00 + (point & 0x3FF))


def _joined(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le")
