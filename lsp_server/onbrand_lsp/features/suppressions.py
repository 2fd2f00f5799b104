"""Comments that switch onbrand off for one sentence, put where they change nothing else.

Markup decides where a comment may stand: not before a row of a table, not inside a paragraph, not
where it would part a list. Rather than to know every such rule, the likely places are tried in
turn, and the first is taken at which the document, read again, has lost just that sentence and is
rendered as before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from onbrand.document import formats
from onbrand.document.document import Document, parse
from onbrand.document.formats import CommentSyntax
from onbrand.document.positions import LINE_BREAK

_INDENT = re.compile(r"[ \t]*")
_QUOTED = re.compile(r"[ \t>]*")
_MARKER = re.compile(r"(?:[-*+]|\d{1,9}[.)])[ \t]+")


class Insertion(NamedTuple):
    """Text to put at an offset of the source."""

    at: int
    text: str


class SuppressionEdit(NamedTuple):
    """How to switch onbrand off for a sentence."""

    insertions: tuple[Insertion, ...]
    """In the order of the source."""
    silenced: frozenset[int]
    """The sentences that are left out then, by their place in ``document.sentences``."""

    @property
    def exact(self) -> bool:
        """Whether no other sentence is left out."""
        return len(self.silenced) == 1


def ignore_edits(document: Document, index: int, *, quotes: bool = False) -> list[SuppressionEdit]:
    """Return a comment for one sentence, and one for the others on its line as well.

    A sentence with a line of its own has no use for the second; where no place works there is
    none. Takes as long as reading the document twice or so.

    Args:
        document: as it was parsed.
        index: of the sentence in ``document.sentences``.
        quotes: whether block quotes are judged, as when the document was parsed.
    """
    syntax = formats.get(document.format).comment
    if syntax is None:
        return []
    found: dict[bool, SuppressionEdit] = {}
    for edit in _InsertionPoints(document, index, syntax).candidates():
        if edit.exact not in found and _is_valid(document, edit, quotes, syntax):
            found[edit.exact] = edit
            if edit.exact:
                break
    return [found[exact] for exact in (True, False) if exact in found]


def apply(source: str, insertions: tuple[Insertion, ...]) -> str:
    """Return the source with the insertions made."""
    for at, text in reversed(insertions):
        source = source[:at] + text + source[at:]
    return source


class _InsertionPoints:
    """Where a comment on one sentence might stand."""

    def __init__(self, document: Document, index: int, syntax: CommentSyntax) -> None:
        self._document, self._index, self._syntax = document, index, syntax
        self._lines = document.lines
        self._span = document.sentences[index].span
        self._first = self._lines.line_of(self._span.start)
        self._last = self._lines.line_of(self._span.end - 1)

    def candidates(self) -> Iterator[SuppressionEdit]:
        """Yield candidate edits, the tidiest first."""
        for above in self._own_lines("disable-next-line"):
            yield SuppressionEdit((above,), self._starting_on(self._first))
        if not self._syntax.inline:
            return
        for line in dict.fromkeys((self._last, self._first)):
            for at in dict.fromkeys((self._line_end(line), self._span.end)):
                if self._lines.line_of(at) == line:
                    comment = Insertion(at, " " + self._comment("disable-line"))
                    yield SuppressionEdit((comment,), self._touching(line))
        closer = Insertion(self._span.end, self._comment("enable"))
        for opener in self._openers():
            yield SuppressionEdit((opener, closer), frozenset([self._index]))

    def _openers(self) -> Iterator[Insertion]:
        before = self._source[self._lines.line_start(self._first) : self._span.start]
        if before.strip():
            yield Insertion(self._span.start, self._comment("disable"))
        # A line that begins with a comment is HTML to Markdown, all of it.
        yield from self._own_lines("disable")
        if self._first:
            at = self._line_end(self._first - 1)
            yield Insertion(at, " " + self._comment("disable"))

    def _own_lines(self, name: str) -> Iterator[Insertion]:
        """Yield the comment on a line of its own, inside the list item above or beside it."""
        text = self._lines.line_text(self._first)
        match = (_QUOTED if self._syntax.nests else _INDENT).match(text)
        prefix = match[0] if match else ""
        marker = _MARKER.match(text, len(prefix)) if self._syntax.nests else None
        at = self._lines.line_start(self._first)
        at += self._source.startswith("\ufeff", at)
        inside = " " * len(marker[0]) if marker else ""
        for indent in dict.fromkeys(("", inside)):
            comment = self._comment(name)
            gap = self._line_break() * (2 if self._syntax.parted else 1)
            yield Insertion(at, f"{prefix}{indent}{comment}{gap}")

    @property
    def _source(self) -> str:
        return self._document.source

    def _comment(self, name: str) -> str:
        return self._syntax.template.format(f"onbrand-{name}")

    def _line_break(self) -> str:
        found = LINE_BREAK.search(self._source, self._lines.line_end(self._first))
        found = found or LINE_BREAK.search(self._source)
        return found[0] if found else "\n"

    def _line_end(self, line: int) -> int:
        return self._lines.line_start(line) + len(self._lines.line_text(line).rstrip())

    def _starting_on(self, line: int) -> frozenset[int]:
        sentences = enumerate(self._document.sentences)
        return frozenset(n for n, s in sentences if self._lines.line_of(s.span.start) == line)

    def _touching(self, line: int) -> frozenset[int]:
        start, end = self._lines.line_start(line), self._lines.line_start(line + 1)
        sentences = enumerate(self._document.sentences)
        return frozenset(n for n, s in sentences if s.span.start < end and s.span.end > start)


def _is_valid(
    document: Document, edit: SuppressionEdit, quotes: bool, syntax: CommentSyntax
) -> bool:
    """Return whether the edit changes nothing but the sentences that are ignored."""
    source = apply(document.source, edit.insertions)
    after = parse(
        source,
        document.format,
        quotes=quotes,
        dialect=document.dialect,
        front_keys=document.front_keys,
    )
    kept = [s for n, s in enumerate(document.sentences) if n not in edit.silenced]
    return (
        [(s.text, s.kind, s.brand) for s in after.sentences]
        == [(s.text, s.kind, s.brand) for s in kept]
        and after.suppressed == document.suppressed + len(edit.silenced)
        and len(after.warnings) == len(document.warnings)
        and (syntax.rendered is None or syntax.rendered(source) == syntax.rendered(document.source))
    )
