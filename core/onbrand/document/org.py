"""Org documents (of Emacs) to blocks: line by line, inline markup by one pattern."""

from __future__ import annotations

import re
from collections import Counter

from onbrand.document.blocks import BlockBuilder, Comment, Extracted
from onbrand.document.inline_markup import InlineReader, Label
from onbrand.document.masking import LINE_SEPARATOR, PLACEHOLDER
from onbrand.document.positions import LineIndex, Span

_HEADING = re.compile(
    r"(?P<stars>\*+)[ \t]+(?:(?P<todo>[A-Z]{3,12}(?:-[A-Z]+)?)[ \t]+)?(?:\[#\w\][ \t]*)?"
    r"(?P<title>.*?)[ \t]*(?P<tags>:[\w@#%:]+:)?[ \t]*"
)
_TODO = frozenset(
    [
        "TODO",
        "DONE",
        "NEXT",
        "WAITING",
        "WAIT",
        "HOLD",
        "CANCELLED",
        "CANCELED",
        "STARTED",
        "DOING",
        "SOMEDAY",
        "FIXME",
        "COMMENT",
    ]
)
_KEYWORD = re.compile(
    r"[ \t]*#\+(?P<name>[\w-]+)(?:\[[^\]]*\])?:[ \t]*(?P<value>.*)", re.IGNORECASE
)
_SHOWN_KEYWORDS = {"title": "heading", "subtitle": "paragraph", "description": "paragraph"}
_SHOWN_KEYWORDS["caption"] = "paragraph"
_BEGIN = re.compile(r"[ \t]*#\+begin_(?P<name>[\w-]+)(?:[ \t].*)?", re.IGNORECASE)
_END = re.compile(r"[ \t]*#\+end_(?P<name>[\w-]+)[ \t]*", re.IGNORECASE)
_BEGIN_LATEX = re.compile(r"[ \t]*\\begin\{([\w*]+)\}.*")
_COMMENT = re.compile(r"[ \t]*#(?:[ \t]+(?P<body>.*)|)")
_DRAWER = re.compile(r"[ \t]*:[\w-]+:[ \t]*")
_END_DRAWER = re.compile(r"[ \t]*:end:[ \t]*", re.IGNORECASE)
_FIXED = re.compile(r"[ \t]*:(?:[ \t].*|)")
_PLANNING = re.compile(r"[ \t]*(?:SCHEDULED|DEADLINE|CLOSED|CLOCK):.*")
_ROW = re.compile(r"[ \t]*\|.*")
_BORDER = re.compile(r"[ \t]*\|[-+|:]*[ \t]*")
_RULE = re.compile(r"[ \t]*-{5,}[ \t]*")
_ITEM = re.compile(
    r"(?:[ \t]*(?:[-+]|\d{1,4}[.)]|[a-zA-Z][.)])|[ \t]+\*)[ \t]+(?:\[@\w+\][ \t]+)?"
    r"(?:\[[ xX-]\][ \t]*)?"
)
_FOOTNOTE = re.compile(r"\[fn:[\w-]+\][ \t]*")
_CODE_BLOCKS = frozenset({"src", "example", "export", "comment", "ascii", "html", "latex", "ditaa"})
_QUOTE_BLOCKS = frozenset({"quote", "verse"})

# As Org has it: before and after emphasis stand blanks, dashes, quotes and punctuation.
_PRE, _POST = r"(?<![^\s({'\"—–-])", r"(?![^\s.,:;!?'\")}\[\\—–-])"
_INLINE = re.compile(
    rf"(?P<code>{_PRE}=(?=\S)[^=\r\n]+(?<=\S)={_POST}|{_PRE}~(?=\S)[^~\r\n]+(?<=\S)~{_POST}"
    r"|\{\{\{[^{}]*\}\}\}|(?:src|call)_[\w-]{1,40}(?:\[[^\]\r\n]*\])?[({][^{}()\r\n]*[)}]"
    r"|\\\((?:[^\\]|\\(?!\)))*\\\)|\\\[(?:[^\\]|\\(?!\]))*\\\]|\$\$[^$]+\$\$"
    r"|(?<![\w$])\$(?=[^\s\d])[^$\r\n]{0,200}?(?<=\S)\$(?!\w)"
    r"|<\d{4}-\d\d-\d\d[^<>\r\n]*>|\[\d{4}-\d\d-\d\d[^\[\]\r\n]*\])"
    r"|\[\[(?P<target>[^\[\]]*)\](?:\[(?P<label>(?:[^\[\]]|\[(?!\[))*?)\])?\]"
    r"|(?P<gone>[ \t]?\[fn:[^\[\]]*\]|[ \t]?\[cite[^\[\]]*\]|<<<?[^<>\r\n]*>>>?|@@[\w-]+:[^@]*@@)"
    r"|(?P<break>\\\\[ \t]*(?=[\r\n]))|(?P<angle><[a-z]+:[^<>\s]*>)"
    r"|\\(?P<entity>[a-zA-Z]{2,20})(?:\{\})?(?![a-zA-Z])"
    rf"|{_PRE}[*/_+](?=[^\s*/_+])|(?<=[^\s*/_+])[*/_+]{_POST}"
)
_ENTITIES = {"nbsp": " ", "ndash": "–", "mdash": "—", "dots": "…", "hellip": "…", "amp": "&"}
_ENTITIES |= {"rarr": "→", "larr": "←", "copy": "©", "reg": "®", "trade": "™", "euro": "€"}
_PICTURE = re.compile(r"(?:file:)?\S+\.(?:png|jpe?g|gif|svg|webp)\Z", re.IGNORECASE)


def extract(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks and comments of an Org document.

    Args:
        text: the document.
        quotes: whether quotes and verses are judged.
    """
    reader = _Reader(text, quotes)
    reader.run()
    return Extracted(reader.builder.blocks, reader.comments, skipped=dict(reader.skipped))


def heading_level(source: str, lines: LineIndex, span: Span) -> int:  # noqa: ARG001
    """Return the level of a heading: the number of its stars, or 1 for the title."""
    line = lines.line_text(lines.line_of(span.start))
    return min(max(len(line) - len(line.lstrip("*")), 1), 6)


class _Reader:
    def __init__(self, text: str, quotes: bool) -> None:
        self.builder = BlockBuilder(text)
        self.comments: list[Comment] = []
        self.skipped: Counter[str] = Counter()
        self._text = text
        self._quotes = quotes
        self._lines = LineIndex(text)
        self._inline = InlineReader(self.builder, _INLINE, _resolve)
        self._paragraph: list[Span] = []
        self._kind = "paragraph"
        self._item_indent = -1
        self._ends = self._find_ends()

    def run(self) -> None:
        """Read all lines."""
        number = 0
        while number < self._lines.line_count:
            number = self._line(number)
        self._flush()

    def _find_ends(self) -> dict[str, list[int]]:
        """Return the lines that end blocks, LaTeX environments and drawers, by what they end."""
        ends: dict[str, list[int]] = {}
        for number in range(self._lines.line_count):
            line = self._lines.line_text(number)
            if end := _END.fullmatch(line):
                ends.setdefault(end["name"].lower(), []).append(number)
            elif _END_DRAWER.fullmatch(line):
                ends.setdefault(":", []).append(number)
            elif "\\end{" in line:
                name = line.partition("\\end{")[2].partition("}")[0]
                ends.setdefault("\\" + name, []).append(number)
        return {name: lines[::-1] for name, lines in ends.items()}

    def _end_of(self, name: str, number: int) -> int | None:
        """Return the line that ends what begins in a line; None: nothing does."""
        ends = self._ends.get(name, [])
        while ends and ends[-1] < number:
            ends.pop()
        return ends[-1] if ends else None

    def _line(self, number: int) -> int:
        """Read a line, and return the next one to read."""
        start, line = self._lines.line_start(number), self._lines.line_text(number)
        bare = line.lstrip(" \t")
        if not bare.strip():
            self._flush()
            return number + 1
        if line[0] == "*" and (heading := _HEADING.fullmatch(line)):
            return self._heading(number, start, heading)
        if bare[0] in "#:\\|-SDC" and (hidden := self._hidden(number, start, line)):
            return hidden
        if _ROW.fullmatch(line):
            return self._row(number, start, line)
        self._prose(start, line, len(line) - len(bare))
        return number + 1

    def _hidden(self, number: int, start: int, line: str) -> int:
        """Return the line after what is no prose, 0 if the line is prose."""
        end: int | None = None
        if begin := _BEGIN.fullmatch(line):
            name = begin["name"].lower()
            self._flush()
            code = name in _CODE_BLOCKS
            if code or (name in _QUOTE_BLOCKS and not self._quotes):
                end = self._end_of(name, number)
            return self._skip(number, end or number, "code" if code else "quotes")
        if environment := _BEGIN_LATEX.fullmatch(line):
            end = self._end_of("\\" + environment[1], number)
            return self._skip(number, end, "formulas") if end else 0
        if _DRAWER.fullmatch(line):
            end = None if _END_DRAWER.fullmatch(line) else self._end_of(":", number)
            return self._skip(number, end or number, "metadata")
        if keyword := _KEYWORD.fullmatch(line):
            self._flush()
            if kind := _SHOWN_KEYWORDS.get(keyword["name"].lower()):
                self._paragraph = [Span(start + keyword.start("value"), start + len(line))]
                self._kind = kind
                self._flush()
            return number + 1
        if comment := _COMMENT.fullmatch(line):
            self._flush()
            self.comments.append(Comment(start, start + len(line), comment["body"] or ""))
            return number + 1
        if any(kind.fullmatch(line) for kind in (_END, _FIXED, _PLANNING, _BORDER, _RULE)):
            return self._skip(number, number, "code")
        return 0

    def _skip(self, number: int, last: int, reason: str) -> int:
        self._flush()
        if last > number:
            first = self._lines.line_start(number)
            self.skipped[reason] += self._lines.line_end(last) - first
        return last + 1

    def _heading(self, number: int, start: int, heading: re.Match[str]) -> int:
        self._flush()
        self._item_indent = -1
        first = heading.start("title")
        todo = heading["todo"] or ""
        if todo and todo not in _TODO:
            first = heading.start("todo")
        if todo == "COMMENT" or ":noexport:" in (heading["tags"] or ""):
            return self._after_subtree(number, len(heading["stars"]))
        self._paragraph = [Span(start + first, start + heading.end("title"))]
        self._kind = "heading"
        self._flush()
        return number + 1

    def _after_subtree(self, number: int, level: int) -> int:
        first = number
        number += 1
        while number < self._lines.line_count:
            line = self._lines.line_text(number)
            stars = len(line) - len(line.lstrip("*"))
            if 0 < stars <= level and line[stars : stars + 1] in (" ", "\t"):
                break
            number += 1
        self.skipped["comments"] += self._lines.line_start(number) - self._lines.line_start(first)
        return number

    def _row(self, number: int, start: int, line: str) -> int:
        self._flush()
        self._kind = "table cell"
        at = line.index("|") + 1
        while at < len(line):
            end = line.find("|", at)
            end = len(line) if end < 0 else end
            self._paragraph = [Span(start + at, start + end)]
            self._flush(keep=True)
            at = end + 1
        self._kind = "paragraph"
        return number + 1

    def _prose(self, start: int, line: str, indent: int) -> None:
        item = _ITEM.match(line)
        if item and item.end() < len(line):
            self._flush()
            self._kind, self._item_indent = "list item", indent
            term, sign, _ = line[item.end() :].partition(" :: ")
            at = item.end()
            if sign:
                self._paragraph = [Span(start + at, start + at + len(term))]
                self._flush(keep=True)
                at += len(term) + len(sign)
        else:
            note = _FOOTNOTE.match(line)
            if note:
                self._flush()
            at = note.end() if note else 0
            if not self._paragraph:
                if indent <= self._item_indent:
                    self._item_indent = -1
                self._kind = "list item" if self._item_indent >= 0 else "paragraph"
        if at < len(line):
            self._paragraph.append(Span(start + at, start + len(line)))

    def _flush(self, *, keep: bool = False) -> None:
        if self._paragraph:
            self._inline.add(self._paragraph[0].start, self._paragraph[-1].end)
            self.builder.flush(self._kind)
            self._paragraph = []
        if not keep:
            self._kind = "paragraph"


def _resolve(found: re.Match[str]) -> str | Label:
    if found["break"]:
        return LINE_SEPARATOR
    if found["label"] is not None:
        if _PICTURE.fullmatch(found["label"]):
            return ""
        return Label(*found.span("label"), is_link=True)
    if found["entity"]:
        return _ENTITIES.get(found["entity"], PLACEHOLDER)
    if found["target"] is not None:
        return "" if _PICTURE.fullmatch(found["target"]) else PLACEHOLDER
    return PLACEHOLDER if found["code"] or found["angle"] else ""
