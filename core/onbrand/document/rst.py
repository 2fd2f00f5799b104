"""reStructuredText to blocks.

docutils tells the line of what it finds but not the column, so the source is read here: blocks by
their indentation, as the specification defines them, and inline markup by one pattern.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from onbrand.document.blocks import BlockBuilder, Comment, Extracted
from onbrand.document.inline_markup import InlineReader, Label
from onbrand.document.masking import PLACEHOLDER
from onbrand.document.positions import LineIndex, Span

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1{2,}[ \t]*")
_UNDERLINE = re.compile(r"([!-/:-@\[-`{-~])\1*[ \t]*")
_MARKER = re.compile(
    r"(?:[-*+•‣⁃]|\(?(?:\d{1,4}|#|[a-zA-Z]|[ivxlcdmIVXLCDM]{1,6})[.)])(?:[ \t]+(?=\S)|[ \t]*\Z)"
)
_DIRECTIVE = re.compile(r"\.\.[ \t]+(?:\|[^|]*\|[ \t]+)?(?P<name>[\w:.+-]+?)[ \t]?::(?:[ \t]+|\Z)")
_NOTE = re.compile(r"\.\.[ \t]+\[(?:\d+|#[\w.-]*|\*|[\w.-]+)\][ \t]*")
_TARGET = re.compile(r"\.\.[ \t]+(?:_|\|)|__(?:[ \t]|\Z)")
_EXPLICIT = re.compile(r"\.\.(?:[ \t]+|\Z)")
_FIELD = re.compile(r":(?![: \t])((?:[^:\\]|\\.|:(?![ \t]|\Z))+):(?:[ \t]+|\Z)")
_OPTION = re.compile(
    r"(?:-[\w-]++|/\w++)(?:[ =][^\s,]++)?(?:, (?:-[\w-]++|/\w++)(?:[ =][^\s,]++)?)*+(?:  +|\Z)"
)
_NO_PROSE_FIELD = re.compile(r"(?:r?type|vartype|meta|canonical|module)\b")
_MAX_OPEN = 60
"""Lists in lists on one line that are told apart."""
_GRID_BORDER = re.compile(r"\+(?:[-=]+\+)+[ \t]*")
_SIMPLE_BORDER = re.compile(r"=+(?:[ \t]+=+)+[ \t]*")
_COLUMN = re.compile(r"=+")
_LITERAL = re.compile(r"::[ \t]*\Z")
_CLASSIFIER = re.compile(r"[ \t]+:[ \t]")

_ADMONITIONS = """
attention caution danger error hint important note tip warning admonition seealso topic sidebar
rubric centered compound card dropdown tab tab-item grid-item-card details collapse
versionadded versionchanged deprecated deprecated-removed versionremoved soft-deprecated
grid-item grid tab-set tabs group-tab table list-table glossary impl-detail availability
"""
_TITLED = frozenset(_ADMONITIONS.split())
"""Directives whose argument is prose, and their content, too."""
_CONTAINER_NAMES = """
container class only ifconfig figure hlist rst-class cssclass div option describe object confval
setting envvar cmdoption django-admin-option autoclass autofunction automethod automodule
autoattribute autodata autoexception program module function method class attribute data exception
decorator
staticmethod classmethod property django-admin templatetag templatefilter fieldlookup opcode
pdbcommand macro type member var enum struct concept namespace
"""
_CONTAINERS = frozenset(_CONTAINER_NAMES.split())
"""Directives whose content is prose, but not their argument; so are the descriptions of domains."""
_QUOTES = frozenset({"epigraph", "highlights", "pull-quote"})
_VERSIONS = frozenset(
    [
        "versionadded",
        "versionchanged",
        "deprecated",
        "deprecated-removed",
        "versionremoved",
        "soft-deprecated",
    ]
)
_CODE_NAMES = """
code code-block sourcecode console parsed-literal literalinclude doctest testcode testoutput
testsetup testcleanup prompt ipython math raw csv-table graphviz digraph graph mermaid uml plot
image
productionlist highlight index toctree contents include meta role default-role bibliography
"""
_CODE = frozenset(_CODE_NAMES.split())
"""Directives without prose."""
_NO_CONTENT = frozenset(
    [
        "currentmodule",
        "module",
        "program",
        "highlight",
        "default-role",
        "role",
        "index",
        "contents",
        "toctree",
    ]
)

_INLINE = re.compile(
    r"\\(?:(?P<gone>\s)|(?P<escaped>.))"
    r"|(?P<literal>``(?=\S)(?:[^`]|`(?!`))+``)"
    r"|(?::(?P<role>[\w.+-]{1,40}+(?::[\w.+-]{1,40}+){0,2}+):)?`(?P<text>(?:[^`\\]|\\.)+)`"
    r"(?::(?P<after>[\w.+-]{1,40}+):|(?P<reference>__?)(?!\w))?"
    r"|(?P<substitution>\|(?=[^\s|])[^|\r\n]*(?<=\S)\|)(?:__?(?!\w))?"
    r"|[ \t]?(?P<note>\[(?:\d+|#[\w.-]*|\*|[A-Za-z][\w.-]*)\]_)(?!\w)"
    r"|(?P<inline_target>_(?=`))"
    r"|(?<=\w)(?P<simple>__?)(?!\w)"
    r"|(?<![\w*])\*{1,2}(?=[^\s*])|(?<=[^\s*])\*{1,2}(?!\w)",
    re.DOTALL,
)
_TITLE_AND_TARGET = re.compile(r"(?P<title>[^<]*\S)\s*<[^<>]*>\s*\Z")
_TITLE_ROLES = frozenset(
    [
        "ref",
        "doc",
        "numref",
        "any",
        "download",
        "keyword",
        "eq",
        "external",
        "intersphinx",
        "pep",
        "rfc",
    ]
)
"""Roles whose text is shown only where it is a title; else it is a target."""
_TEXT_ROLES = frozenset(
    [
        "term",
        "abbr",
        "acronym",
        "emphasis",
        "strong",
        "sub",
        "sup",
        "subscript",
        "superscript",
        "title",
        "title-reference",
        "t",
        "guilabel",
        "menuselection",
        "dfn",
        "index",
        "bdg-ref",
        "u",
    ]
)
_ABBREVIATION = re.compile(r"([^(]*\S)\s*\([^()]*\)\Z")
_WORDS = re.compile(r"[^\W\d_][\w'’,-]*(?: [\w'’,-]+)+")


def extract(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks and comments of a reStructuredText document.

    Args:
        text: the document.
        quotes: whether block quotes are judged.
    """
    reader = _Reader(text, quotes)
    reader.run()
    return Extracted(reader.builder.blocks, reader.comments, skipped=dict(reader.skipped))


def heading_level(source: str, lines: LineIndex, span: Span) -> int:
    """Return the level of a heading: the rank of its underline among those of the document."""
    under = lines.line_text(lines.line_of(max(span.start, span.end - 1)) + 1)
    over = lines.line_of(span.start) - 1
    style = _style(under, lines.line_text(over) if over >= 0 else "")
    styles = _styles(source)
    return min(styles.index(style) + 1, 6) if style in styles else 1


def _style(under: str, over: str) -> str:
    sign = under.strip()[:1]
    return sign * 2 if over.strip() and _ADORNMENT.fullmatch(over) and over[:1] == sign else sign


@lru_cache(maxsize=2)
def _styles(source: str) -> tuple[str, ...]:
    reader = _Reader(source, False)
    reader.run()
    return tuple(reader.styles)


class _Container(NamedTuple):
    indent: int
    kind: str


class _Reader:
    """Reads blocks line by line; what is open is a stack of indentations, not of calls."""

    def __init__(self, text: str, quotes: bool) -> None:
        self.builder = BlockBuilder(text)
        self.comments: list[Comment] = []
        self.skipped: Counter[str] = Counter()
        self.styles: dict[str, None] = {}
        self._text = text
        self._quotes = quotes
        self._lines = LineIndex(text)
        self._count = self._lines.line_count
        self._texts = [self._lines.line_text(number) for number in range(self._count)]
        self._indents = [_indent(line) for line in self._texts]
        self._following = self._next_lines()
        self._open = [_Container(0, "paragraph")]
        self._inline = InlineReader(self.builder, _INLINE, self._resolve)
        self._in_head = True

    def _next_lines(self) -> list[int]:
        """Return for each line the first one from it on that is not blank."""
        following, known = self._count, [0] * (self._count + 1)
        known[self._count] = self._count
        for number in range(self._count - 1, -1, -1):
            following = number if self._texts[number].strip() else following
            known[number] = following
        return known

    def run(self) -> None:
        """Read the document."""
        number = self._following[0]
        while number < self._count:
            number = self._following[self._block(number)]

    def _block(self, number: int) -> int:
        """Read the block that begins in a line, and return the line after it."""
        indent = self._indents[number]
        while self._open[-1].indent > indent:
            self._open.pop()
        if indent > self._open[-1].indent:
            if not self._quotes:
                return self._skip_deeper(number - 1, self._open[-1].indent, "quotes")
            self._open.append(_Container(indent, "paragraph"))
        return self._at(number, indent, self._open[-1].kind)

    def _at(self, number: int, column: int, kind: str) -> int:
        """Read what begins in a column of a line: its first one, or that after a marker."""
        line = self._texts[number][column:]
        if column == self._indents[number]:
            section = self._section(number, column)
            if section is not None:
                return section
        head, self._in_head = self._in_head, False
        if _EXPLICIT.match(line) or _TARGET.match(line):
            self._in_head = head
            return self._explicit(number, column)
        if field := _FIELD.match(line):
            self._in_head = head
            return self._field(number, column, field)
        if line[0] in ">+=|" and (after := self._in_columns(number, column, line)):
            return after
        return self._item(number, column, kind)

    def _in_columns(self, number: int, column: int, line: str) -> int:
        """Return the line after what is no running text: a table and the like; 0 if it is none."""
        if line.startswith(">>> "):
            return self._skip_paragraph(number)
        if _GRID_BORDER.fullmatch(line):
            return self._grid(number)
        if _SIMPLE_BORDER.fullmatch(line):
            return self._simple_table(number, column)
        if line.startswith("| ") or line.rstrip() == "|":
            return self._line_block(number)
        return 0

    def _item(self, number: int, column: int, kind: str) -> int:
        """Read a list item, an option of a command, or a paragraph."""
        line = self._texts[number][column:]
        if len(self._open) < _MAX_OPEN and (marker := _MARKER.match(line)):
            if not line[marker.end() :].strip():  # the item begins in the next line, if anywhere
                return self._enter_next(number, column, "list item")
            self._open.append(_Container(column + marker.end(), "list item"))
            return self._at(number, column + marker.end(), "list item")
        if line[0] in "-/" and (option := _OPTION.match(line)):
            if option.end() == len(line):
                return self._enter_next(number, column, "paragraph")
            self._open.append(_Container(column + option.end(), "paragraph"))
            return self._paragraph(number, column + option.end(), "paragraph")
        return self._paragraph(number, column, kind)

    # --- paragraphs and headings --------------------------------------------------------------

    def _section(self, number: int, column: int) -> int | None:
        line = self._texts[number]
        under = self._texts[number + 1] if number + 1 < self._count else ""
        if _ADORNMENT.fullmatch(line):
            last = self._texts[number + 2] if number + 2 < self._count else ""
            if under.strip() and _ADORNMENT.fullmatch(last) and last[0] == line[0]:
                self._heading(number + 1, line[0] * 2)
                return number + 3
            if not under.strip() and len(line.strip()) > 3:
                return number + 1  # a transition
        elif column == 0 and _UNDERLINE.fullmatch(under) and self._is_long_enough(line, under):
            self._heading(number, under[0])
            return number + 2
        return None

    @staticmethod
    def _is_long_enough(title: str, under: str) -> bool:
        return len(under.strip()) >= min(len(title.strip()), 4)

    def _heading(self, number: int, style: str) -> None:
        self.styles[style] = None
        self._emit([self._span(number)], "heading")

    def _paragraph(self, number: int, column: int, kind: str) -> int:
        """Read a paragraph, which may be a term, or end with the "::" that opens code."""
        marked = column > self._indents[number]
        floor = self._floor(column) if marked else self._open[-1].indent
        last = number + 1
        while last < self._count and self._texts[last].strip():
            indent = self._indents[last]
            if indent < floor or (indent > floor and last == number + 1 and not marked):
                break
            last += 1
        spans = [self._span(line) for line in range(number, last)]
        spans[0] = Span(self._lines.line_start(number) + column, spans[0].end)
        tail = spans[-1].slice(self._text)
        literal = _LITERAL.search(tail)
        is_term = last < self._count and self._texts[last].strip() and self._indents[last] > floor
        if literal:
            spans[-1] = Span(spans[-1].start, spans[-1].start + literal.start() + 1)
            if tail.strip() == "::":
                spans.pop()
        elif is_term and (classifier := _CLASSIFIER.search(tail)):
            spans[-1] = Span(spans[-1].start, spans[-1].start + classifier.start())
        if spans:
            self._emit(spans, kind)
        if literal:
            return self._skip_literal(last, min(floor, column))
        if is_term:
            self._open.append(_Container(self._indents[last], kind))
        return last

    def _floor(self, column: int) -> int:
        """Return the indentation from which lines belong to the text of a list item."""
        outer = [one.indent for one in self._open if one.indent < column]
        return outer[-1] + 1 if outer else 0

    def _span(self, number: int) -> Span:
        start = self._lines.line_start(number)
        return Span(start + self._indents[number], start + len(self._texts[number].rstrip()))

    def _emit(self, spans: list[Span], kind: str) -> None:
        """Add a block; its lines are read as one so that markup may go over their ends."""
        self._inline.add(spans[0].start, max(spans[0].start, spans[-1].end))
        self.builder.flush(kind)

    def _line_block(self, number: int) -> int:
        while number < self._count and self._texts[number].lstrip().startswith("|"):
            start = self._span(number).start + 1
            self._inline.add(start, max(start, self._span(number).end))
            end = self._lines.line_end(number)
            number += 1
            if number < self._count:
                self.builder.line_break(end, self._lines.line_start(number))
        self.builder.flush(self._open[-1].kind)
        return number

    # --- what is skipped ----------------------------------------------------------------------

    def _skip_deeper(self, number: int, indent: int, reason: str) -> int:
        """Return the first line after ``number`` that is not indented more than ``indent``."""
        number = first = number + 1
        while number < self._count and (
            not self._texts[number].strip() or self._indents[number] > indent
        ):
            number += 1
        self._count_skipped(first, number, reason)
        return number

    def _count_skipped(self, first: int, last: int, reason: str) -> None:
        size = self._lines.line_start(last) - self._lines.line_start(first)
        if self._text[self._lines.line_start(first) : self._lines.line_start(last)].strip():
            self.skipped[reason] += size

    def _skip_paragraph(self, number: int) -> int:
        first = number
        while number < self._count and self._texts[number].strip():
            number += 1
        self._count_skipped(first, number, "code")
        return number

    def _skip_literal(self, number: int, indent: int) -> int:
        following = self._following[number]
        if following == self._count:
            return following
        if self._indents[following] > indent:
            return self._skip_deeper(following - 1, indent, "code")
        sign = self._texts[following].lstrip()[:1]
        if following == number or sign.isalnum() or not sign.isascii() or sign == ".":
            return number
        first = following
        while following < self._count and self._texts[following].lstrip().startswith(sign):
            following += 1
        self._count_skipped(first, following, "code")
        return following

    # --- explicit markup ----------------------------------------------------------------------

    def _explicit(self, number: int, column: int) -> int:
        line = self._texts[number][column:]
        if directive := _DIRECTIVE.match(line):
            return self._directive(number, column, directive)
        if note := _NOTE.match(line):
            if not line[note.end() :].strip():
                return self._enter_next(number, column, "paragraph")
            self._open.append(_Container(column + note.end(), "paragraph"))
            return self._paragraph(number, column + note.end(), "paragraph")
        if not _TARGET.match(line):
            start = self._lines.line_start(number) + column
            self.comments.append(Comment(start, start + len(line), line[2:].strip()))
            if (
                not line[2:].strip()
                and number + 1 < self._count
                and not self._texts[number + 1].strip()
            ):
                return number + 1  # an empty comment takes nothing with it
        return self._skip_deeper(number, column, "comments")

    def _enter_next(self, number: int, column: int, kind: str) -> int:
        """Open the deeper block that follows a marker, if one does."""
        following = self._following[number + 1]
        if following < self._count and self._indents[following] > column:
            self._open.append(_Container(self._indents[following], kind))
        return number + 1

    def _field(self, number: int, column: int, field: re.Match[str]) -> int:
        """Read a field; those at the head of a document are no prose: its author and the like."""
        if self._in_head or _NO_PROSE_FIELD.match(field[1]):
            return self._skip_deeper(number, column, "metadata")
        line = self._texts[number][column:]
        if field.end() == len(line):
            return self._enter_next(number, column, "paragraph")
        following = self._following[number + 1]
        if following < self._count and self._indents[following] > column:
            self._open.append(_Container(self._indents[following], "paragraph"))
        return self._paragraph(number, column + field.end(), "paragraph")

    def _directive(self, number: int, column: int, directive: re.Match[str]) -> int:
        name = directive["name"].rpartition(":")[2].lower()
        domain = ":" in directive["name"]
        quote = name in _QUOTES and self._quotes
        prose = name in _TITLED or name in _CONTAINERS or domain or quote
        if "|" in directive[0] or not prose or name in _NO_CONTENT:
            reason = "code" if name in _CODE or "|" in directive[0] else "unknown blocks"
            reason = "quotes" if name in _QUOTES else reason
            return self._skip_deeper(number, column, reason)
        start = self._lines.line_start(number) + column + directive.end()
        end = self._lines.line_end(number)
        last = number + 1
        while last < self._count and self._texts[last].strip() and self._indents[last] > column:
            if _FIELD.match(self._texts[last].lstrip()):
                break
            end = self._lines.line_end(last)
            last += 1
        if name in _VERSIONS:
            words = self._text[start:end].split(None, 2 if name == "deprecated-removed" else 1)
            rest = words[-1] if len(words) > 1 else ""
            start = self._text.rfind(rest, start, end) if rest else end
        if name in _TITLED and self._text[start:end].strip():
            self._emit([Span(start, end)], "paragraph")
        while (
            last < self._count
            and _FIELD.match(self._texts[last].lstrip())
            and (self._indents[last] > column)
        ):
            last = self._skip_option(last)
        following = self._following[last]
        if following < self._count and self._indents[following] > column:
            self._open.append(_Container(self._indents[following], "paragraph"))
        return last

    def _skip_option(self, number: int) -> int:
        """Return the line after an option of a directive and its further lines."""
        indent = self._indents[number]
        number += 1
        while (
            number < self._count and self._texts[number].strip() and self._indents[number] > indent
        ):
            number += 1
        return number

    # --- tables -------------------------------------------------------------------------------

    def _grid(self, number: int) -> int:
        """Read a grid table: what stands between two borders, column by column."""
        cells: dict[int, list[Span]] = {}
        edges: list[int] = []
        while number < self._count and self._texts[number].lstrip().startswith(("+", "|")):
            line = self._texts[number].strip()
            start = self._span(number).start
            at = [at for at, sign in enumerate(line) if sign == "|"]
            if line.startswith("+") or at != edges:  # a border, or merged cells
                self._cells(cells)
            if line.startswith("|"):
                edges = at
                for index, (left, right) in enumerate(pairwise(at)):
                    cells.setdefault(index, []).append(Span(start + left + 1, start + right))
            number += 1
        self._cells(cells)
        return number

    def _cells(self, cells: dict[int, list[Span]]) -> None:
        """Add the cells of a row of a table from the pieces of its lines, and forget them."""
        for index in sorted(cells):
            for piece in cells[index]:
                self._inline.add(piece.start, piece.end)
                self.builder.add(" ", piece.end, piece.end + 1)
            self.builder.flush("table cell")
        cells.clear()

    def _simple_table(self, number: int, column: int) -> int:
        """Read a simple table; a line with text in the first column begins a row."""
        columns = [found.start() for found in _COLUMN.finditer(self._texts[number])]
        cells: dict[int, list[Span]] = {}
        number += 1
        while number < self._count and self._indents[number] >= column:
            line = self._texts[number]
            number += 1
            if _SIMPLE_BORDER.fullmatch(line[column:]):
                self._cells(cells)
                if number == self._count or not self._texts[number].strip():
                    break
                continue
            if line[: columns[1]].strip():
                self._cells(cells)
            if set(line) <= {"-", " "}:
                continue
            start = self._lines.line_start(number - 1)
            for index, left in enumerate(columns):
                if left >= len(line):
                    break
                last = index + 1 == len(columns)
                right = len(line) if last else min(columns[index + 1], len(line))
                cells.setdefault(index, []).append(Span(start + left, start + right))
        self._cells(cells)
        return number

    # --- inline markup ------------------------------------------------------------------------

    def _resolve(self, found: re.Match[str]) -> str | Label:
        if found["escaped"]:
            return found["escaped"]
        if found["literal"] or found["substitution"]:
            return PLACEHOLDER
        if found["text"] is None:
            return ""
        start, end = found.span("text")
        titled = _TITLE_AND_TARGET.match(found["text"])
        label = Label(start, start + titled.end("title")) if titled else Label(start, end)
        role = (found["role"] or found["after"] or "").rpartition(":")[2].lower()
        if found["reference"]:
            if not titled and found["text"].startswith("<"):
                return PLACEHOLDER
            return label._replace(is_link=True)
        if role in _TITLE_ROLES:
            return label._replace(is_link=True) if titled else PLACEHOLDER
        if role in ("abbr", "acronym") and (short := _ABBREVIATION.match(found["text"])):
            return Label(start, start + short.end(1))
        if role in _TEXT_ROLES:
            return label
        return label if not role and _WORDS.fullmatch(found["text"]) else PLACEHOLDER


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
