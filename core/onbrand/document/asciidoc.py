"""AsciiDoc to blocks: the lines by the rules of Asciidoctor, inline markup by one pattern."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape

from onbrand.document.blocks import BlockBuilder, Comment, Extracted
from onbrand.document.inline_markup import InlineReader, Label
from onbrand.document.masking import LINE_SEPARATOR, PLACEHOLDER
from onbrand.document.positions import LineIndex, Span

_HEADING = re.compile(r"(={1,6}|#{1,6})[ \t]+(?P<title>\S.*?)(?:[ \t]+\1)?[ \t]*")
_DELIMITER = re.compile(
    r"(?P<code>-{4,}|\.{4,}|\+{4,}|`{3,}(?=[\w+-]*))[\w+-]*|(?P<comment>/{4,})|(?P<quote>_{4,}|\"\")"
    r"|(?P<open>={4,}|\*{4,}|--|~{4,})|(?P<table>[|!,:]={3,})"
)
_ATTRIBUTE = re.compile(r":!?[\w][\w-]*!?:(?:[ \t].*)?")
_BLOCK_ATTRIBUTES = re.compile(r"\[(?P<list>[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*)\]|\[\[[^\]]*\]\]")
_BLOCK_MACRO = re.compile(r"[\w-]+::[^\s\[]*\[.*\]")
_BLOCK_TITLE = re.compile(r"\.(?=[^\s.])")
_ITEM = re.compile(
    r"[ \t]*(?:-|\*{1,6}|\.{1,6}|\d{1,4}\.|[a-zA-Z]\.|[ivxIVX]{1,6}\)|<(?:\d{1,3}|\.)>)[ \t]+"
    r"(?:\[[ xX*]\][ \t]+)?(?=\S)"
)
_TERM = re.compile(r"[ \t]*(?P<term>\S(?:[^:;]|:(?!:)|;(?!;))*)(?::{2,4}|;;)(?:[ \t]+|\Z)")
_LABEL = re.compile(r"(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION):[ \t]+")
_RULE = re.compile(r"'{3,}|<{3,}|-{3}|\*{3}|\* \* \*|- - -")
_CELL = re.compile(
    r"(?<!\\)(?:(?<!\S)(?:\d+(?:\.\d+)?[+*]|\.\d+\+)?(?:[<^>](?:\.[<^>])?|\.[<^>])?[a-z]?)?\|"
)
_HARD_BREAK = re.compile(r"[ \t]\+[ \t]*\Z")

_CODE_STYLES = frozenset(
    [
        "source",
        "listing",
        "literal",
        "verse",
        "pass",
        "stem",
        "latexmath",
        "asciimath",
        "plantuml",
        "mermaid",
        "graphviz",
        "ditaa",
        "comment",
        "blockdiag",
        "bytefield",
        "c4plantuml",
        "vega",
        "wavedrom",
        "svgbob",
        "tikz",
    ]
)
_INLINE = re.compile(
    r"\\(?P<escaped>[*_`#^~+{\[<:\\])"
    r"|(?P<code>``(?:[^`]|`(?!`))+``|(?<![\"'`\w])`(?=\S)[^`]+`|\+{3}[^+]+\+{3}|\+\+[^+]+\+\+"
    r"|(?<!\w)\+(?=\S)[^+\r\n]+(?<=\S)\+(?!\w)|\$\$[^$]+\$\$"
    r"|\b(?:pass|stem|latexmath|asciimath|kbd):[\w,]*\[[^\[\]]*+\])"
    r"|\b(?:(?:link|xref|mailto):[^\s\[\]]{1,2000}+|(?:https?|ftp|irc)://[^\s\[\]<>]{1,2000}+)"
    r"\[(?P<label>[^\[\]]*+)\]"
    r"|\b(?P<gone>image|icon|footnote|footnoteref|indexterm|anchor|counter2?|bibitem|audio|video):"
    r"[^\s\[\]:]{0,500}+\[(?:[^\[\]]++|\[[^\[\]]*+\])*+\]"
    r"|\b(?:btn|indexterm2|menu):[^\s\[\]]{0,200}+\[(?P<shown>[^\[\]]*+)\]"
    r"|(?P<macro>\b[a-z][\w-]{1,30}:[^\s\[\]:]{0,300}+\[[^\[\]]*+\])"
    r"|<<(?:[^<>,\r\n]*,(?P<xref>[^<>]*)|(?P<bare>[^<>\r\n]*))>>"
    r"|\(\(\((?P<index>[^()]*)\)\)\)|\(\((?P<term>[^()]*)\)\)"
    r"|\[\[[^\[\]\r\n]*+\]\]|<(?:\d{1,3}|\.)>"
    r"|\{(?P<attribute>[\w-]{1,60}(?::[^{}\r\n]{0,100})?)\}"
    r"|\"`(?P<double>(?:[^`\"]|`(?!\")|\"(?!`))*+)`\"|'`(?P<single>(?:[^`']|`(?!')|'(?!`))*+)`'"
    r"|\[[^\[\]\r\n]{0,100}\](?=[#*_`]{1,2}\S)"
    r"|(?P<break>[ \t]\+[ \t]*(?=[\r\n]))"
    r"|(?P<entity>&(?:\#\d{1,7}|\#x[\da-fA-F]{1,6}|[a-zA-Z][a-zA-Z\d]{1,31});)"
    r"|(?P<mark>\*\*|__|\#\#|(?<![\w*])\*(?=[^\s*])|(?<=[^\s*])\*(?![\w*])"
    r"|(?<![\w_])_(?=[^\s_])|(?<=[^\s_])_(?![\w_])|(?<![\w#&])\#(?=[^\s#\d])|(?<=[^\s#&])\#(?!\w)"
    r"|(?<=\w)\^(?=\S)|(?<=\S)\^(?!\w)|(?<=\w)~(?=\S)|(?<=\S)~(?!\w))",
)
_LABEL_END = re.compile(r"(?:\^|,\s*(?:role|window|opts|title|id|rel|target)=.*)\Z", re.DOTALL)
_CHARACTERS = {"nbsp": " ", "sp": " ", "empty": "", "zwsp": "", "wj": "", "apos": "'", "amp": "&"}
_CHARACTERS |= {"quot": '"', "lsquo": "‘", "rsquo": "’", "ldquo": "“", "rdquo": "”", "deg": "°"}
_CHARACTERS |= {"plus": "+", "lt": "<", "gt": ">", "startsb": "[", "endsb": "]", "blank": ""}


def extract(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks and comments of an AsciiDoc document.

    Args:
        text: the document.
        quotes: whether block quotes are judged.
    """
    reader = _Reader(text, quotes)
    reader.run()
    return Extracted(reader.builder.blocks, reader.comments, skipped=dict(reader.skipped))


def heading_level(source: str, lines: LineIndex, span: Span) -> int:  # noqa: ARG001
    """Return the level of a heading: the number of signs before it."""
    line = lines.line_text(lines.line_of(span.start)).lstrip()
    return min(max(len(line) - len(line.lstrip("=#")), 1), 6)


class _Reader:
    def __init__(self, text: str, quotes: bool) -> None:
        self.builder = BlockBuilder(text)
        self.comments: list[Comment] = []
        self.skipped: Counter[str] = Counter()
        self._quotes = quotes
        self._lines = LineIndex(text)
        self._inline = InlineReader(self.builder, _INLINE, _resolve)
        self._paragraph: list[Span] = []
        self._kind = "paragraph"
        self._in_list = False
        self._table = ""
        self._until = ""  # the delimiter that ends what is hidden
        self._why = "code"
        self._style = ""  # of the block that follows
        self._hide_paragraph = False
        self._in_header = False
        self._in_attribute = False
        self._awaits_text = False  # the definition of a term, in a line of its own
        self._is_attached = False  # to the list item above

    def run(self) -> None:
        """Read all lines."""
        for number in range(self._lines.line_count):
            line = self._lines.line_text(number)
            if not self._is_hidden(line):
                self._line(self._lines.line_start(number), line)
        self._flush()

    def _is_hidden(self, line: str) -> bool:
        """Tell whether a line belongs to what is no prose: code, the header, an attribute."""
        bare = line.rstrip()
        if self._until:
            if bare == self._until:
                self._until = ""
            self.skipped[self._why] += len(line) + 1
            return True
        if self._in_attribute:
            self._in_attribute = bare.endswith("\\")
            return True
        if self._in_header and bare and not line.startswith("//"):
            if not _ATTRIBUTE.fullmatch(bare):
                return True  # the author's line or the revision's
        elif not bare:
            self._in_header = False
        return False

    def _line(self, start: int, line: str) -> None:
        bare = line.rstrip()
        if not bare:
            self._flush()
            self._hide_paragraph = False
            if not self._table:
                self._kind = "list item" if self._in_list else "paragraph"
        elif self._hide_paragraph:
            self.skipped[self._why] += len(line) + 1
        elif line.startswith("//") and not line.startswith("///"):
            self.comments.append(Comment(start, start + len(line), line[2:]))
        elif delimiter := _DELIMITER.fullmatch(bare):
            self._delimiter(delimiter, bare)
        elif self._is_markup(bare):
            self._flush()
        elif self._table:
            self._row(start, line)
        elif not self._paragraph and (heading := _HEADING.fullmatch(line)):
            self._heading(start, heading)
        else:
            self._text(start, line)

    def _is_markup(self, line: str) -> bool:
        """Tell whether a line is markup alone, and remember the style that it gives a block."""
        if _ATTRIBUTE.fullmatch(line) and not self._paragraph:
            self._in_attribute = line.endswith("\\")
            return True
        if attributes := _BLOCK_ATTRIBUTES.fullmatch(line):
            self._flush()
            self._style = (attributes["list"] or "").split(",")[0].split("%")[0].strip().lower()
            self._style = self._style or ("source" if attributes["list"] == ",java" else "")
            return True
        if line == "+" and (self._in_list or self._paragraph):
            self._is_attached = True
            return True
        return bool(_BLOCK_MACRO.fullmatch(line) or _RULE.fullmatch(line))

    def _delimiter(self, delimiter: re.Match[str], line: str) -> None:
        self._flush()
        style, self._style = self._style, ""
        self._kind = "paragraph"
        if delimiter["table"] and style not in _CODE_STYLES:
            csv = line[0] in ",:"
            self._table = "" if self._table == line else line
            self._kind = "table cell" if self._table else "paragraph"
            if csv:
                self._hide(line, "code")
                self._table = ""
        elif delimiter["comment"] or style == "comment":
            self._hide(line, "comments")
        elif delimiter["code"] or style in _CODE_STYLES:
            fence = line.rstrip("+-_0123456789" + _LETTERS) if line[0] == "`" else line
            self._hide(fence, "code")
        elif (delimiter["quote"] or style == "quote") and not self._quotes:
            self._hide(line, "quotes")
        elif delimiter["open"] != "--":
            self._in_list = False

    def _hide(self, until: str, why: str) -> None:
        self._until, self._why = until, why

    def _heading(self, start: int, heading: re.Match[str]) -> None:
        self._in_list = False
        self._style = ""
        self._kind = "heading"
        first = start + heading.start("title")
        self._paragraph = [Span(first, start + heading.end("title"))]
        self._in_header = not self.builder.blocks and len(heading[1]) == 1
        self._flush()

    def _row(self, start: int, line: str) -> None:
        """Read a line of a table, in which each bar begins a cell."""
        at = 0
        sign = self._table[0]
        cells = _CELL.finditer(line) if sign == "|" else re.finditer(r"(?<!\\)!", line)
        for found in cells:
            self._add(start + at, start + found.start())
            self._flush()
            self._kind = "table cell"
            at = found.end()
        item = None if at else _ITEM.match(line)
        if item:
            self._flush()
            at = item.end()
        self._add(start + at, start + len(line.rstrip()))

    def _text(self, start: int, line: str) -> None:
        style, at = "", 0
        if not self._paragraph:
            style, self._style = self._style, ""
            if style in _CODE_STYLES or (style == "quote" and not self._quotes):
                self._hide_paragraph, self._why = True, "quotes" if style == "quote" else "code"
                return
            if line.startswith("> ") and not self._quotes:
                self._hide_paragraph, self._why = True, "quotes"
                return
        item, term = _ITEM.match(line), _TERM.match(line)
        if item:
            self._begin("list item", in_list=True)
            at = item.end()
        elif term:
            self._begin("list item", in_list=True)
            self._add(start + term.start("term"), start + term.end("term"))
            self._begin("list item", in_list=True)
            at = term.end()
            self._awaits_text = at == len(line)
        elif not self._paragraph:
            at = self._first_line(start, line, style)
        self._add(start + at, start + len(line))

    def _first_line(self, start: int, line: str, style: str) -> int:
        """Return where the text begins in the first line of a paragraph; its end: there is none."""
        if title := _BLOCK_TITLE.match(line):
            self._add(start + title.end(), start + len(line))
            self._flush()
            self._style = style
            return len(line)
        if line[0] in " \t":
            if style != "normal" and not self._awaits_text:
                self._hide_paragraph, self._why = True, "code"
                self.skipped["code"] += len(line) + 1
                return len(line)
        elif self._kind != "list item":
            self._in_list = False
        elif self._in_list and not self._awaits_text and not self._is_attached:
            self._in_list, self._kind = False, "paragraph"
        label = _LABEL.match(line)
        return label.end() if label else 0

    def _begin(self, kind: str, *, in_list: bool) -> None:
        self._flush()
        self._kind, self._in_list = kind, in_list

    def _add(self, start: int, end: int) -> None:
        if start < end:
            self._paragraph.append(Span(start, end))
            self._is_attached = False

    def _flush(self) -> None:
        """End the paragraph; its lines are read as one so that markup may go over their ends."""
        if not self._paragraph:
            return
        start, end = self._paragraph[0]
        for span in self._paragraph[1:]:
            if self.builder.source[end : span.start].strip():  # a comment between two lines
                self._inline.add(start, end)
                self.builder.add(" ", end, span.start)
                start = span.start
            end = span.end
        self._inline.add(start, end)
        self.builder.flush(self._kind)
        self._paragraph = []
        self._awaits_text = False


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _resolve(found: re.Match[str]) -> str | Label:
    if found["escaped"]:
        return found["escaped"]
    if found["break"]:
        return LINE_SEPARATOR
    if found["entity"]:
        return unescape(found["entity"])
    if (name := found["attribute"]) is not None:
        return _CHARACTERS.get(name, PLACEHOLDER)
    for quote, signs in (("double", "“”"), ("single", "‘’")):
        if found[quote] is not None:
            return signs[0] + found[quote] + signs[1]
    for name in ("label", "xref", "shown", "term"):
        if found[name] is not None:
            return _label(found, name)
    hidden = found["code"] or found["macro"] or found["bare"]
    return PLACEHOLDER if hidden else ""


def _label(found: re.Match[str], name: str) -> str | Label:
    """Return what readers see of a macro: its text without the attributes after it."""
    if not found[name].strip():
        return PLACEHOLDER
    start, end = found.span(name)
    if name == "label" and (tail := _LABEL_END.search(found[name])):
        end = start + tail.start()
    return Label(start, end, is_link=name in ("label", "xref"))
