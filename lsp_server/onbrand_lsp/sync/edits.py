"""Content changes on a text: the one place where a document can get out of step with its editor."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from lsprotocol import types

from onbrand.document.positions import Encoding, LineIndex

_BREAK = re.compile(r"[\r\n]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


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
