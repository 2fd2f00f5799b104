"""Text that stands encoded in its source: strings of JSON, values of catalogues, parts of mails.

A parser reads the decoded text; what it finds is then given the places that it has in the source.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

from onbrand.document.blocks import Block, Comment, Extracted
from onbrand.document.positions import OffsetMap

_ESCAPE = re.compile(
    r"\\(?:u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})|x(?P<x>[0-9a-fA-F]{2})"
    r"|(?P<joined>[ \t]*(?:\r\n|\n|\r)[ \t]*)|(?P<one>.)|\Z)",
    re.DOTALL,
)
_CHARACTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "a": "\a", "v": "\v"}
_CHARACTERS |= {"0": "\0", "e": "\x1b", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029"}
_MAX_POINT = 0x10FFFF


class EmbeddedText:
    """A decoded text that knows where in the source each of its characters stands.

    Args:
        source: the document.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.offsets = OffsetMap()
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        """The decoded text."""
        return "".join(self._parts)

    def copy(self, start: int, end: int) -> None:
        """Append source text as it stands."""
        if start < end:
            self._parts.append(self.source[start:end])
            self.offsets.add(end - start, start, end, copied=True)

    def add(self, text: str, start: int, end: int) -> None:
        """Append text that stands for the source between two offsets, which are not the same."""
        if text:
            self._parts.append(text)
            self.offsets.add(len(text), start, end)

    def unescape(self, start: int, end: int) -> None:
        r"""Append source text, escapes such as ``\n`` and ``\u00e9`` decoded."""
        at = start
        for found in _ESCAPE.finditer(self.source, start, end):
            self.copy(at, found.start())
            at = found.end()
            self.add(_character(found), found.start(), at)
        self.copy(at, end)

    def read(self, extract: Callable[[str, bool], Extracted], quotes: bool) -> Extracted:
        """Return what a format's parser finds in the text, with its places in the source."""
        found = extract(self.text, quotes)
        return found._replace(
            blocks=[
                Block(one.kind, one.text, one.offsets.through(self.offsets), one.links)
                for one in found.blocks
            ],
            comments=[
                Comment(self.offsets.start(start), self.offsets.end(end - 1), body)
                for start, end, body in found.comments
            ],
        )


def join(parts: Iterable[Extracted]) -> Extracted:
    """Return what was found in the parts of one document, in the order of the source."""
    blocks: list[Block] = []
    comments: list[Comment] = []
    problems: list[str] = []
    skipped: Counter[str] = Counter()
    for part in parts:
        blocks += part.blocks
        comments += part.comments
        problems += part.problems
        skipped.update(part.skipped)
    return Extracted(blocks, sorted(comments), tuple(dict.fromkeys(problems)), dict(skipped))


def _character(escape: re.Match[str]) -> str:
    if escape["high"]:
        high, low = int(escape["high"], 16), int(escape["low"], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    if escape["joined"]:
        return ""
    if escape["one"]:
        return _CHARACTERS.get(escape["one"], escape["one"])
    point = int(escape["u"] or escape["U"] or escape["x"] or "5c", 16)
    return chr(point) if point <= _MAX_POINT else "\ufffd"
