"""Markdown to blocks, by the pulldown-cmark parser."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from onbrand.document import html, plain
from onbrand.document.blocks import BlockBuilder, Extracted
from onbrand.document.masking import PLACEHOLDER, REMOVED, mask, mask_templates, to_ascii_like
from onbrand.document.positions import LineIndex, Span

# Docusaurus and Pandoc fences, tables of contents: lines of markup that CommonMark has no name for.
_MARKUP_LINE = re.compile(
    r"(?<![^\r\n])[ ]{0,3}(?::{3,}[^\r\n]*|\[\[?_?toc_?\]\]?)(?![^\r\n])", re.I
)
_LONE_CR = re.compile(r"\r(?!\n)")
_OURS = re.compile(r"<!-- onbrand-[\w-]+ -->|\s+")
_ATX = re.compile(r"[ \t>]*(#{1,6})(?!#)")
_UNDERLINE = re.compile(r"[ \t>]*(?:(=+)|-+)[ \t]*")
_MONEY = re.compile(r"\$(?=\d)")
_INLINE = frozenset({"Emphasis", "Strong", "Strikethrough", "Superscript", "Subscript"})
_NOT_PROSE = frozenset({"CodeBlock", "MetadataBlock"})
_Node = str | Mapping[str, Any]
"""A name, or a mapping of one name to its data."""
_KINDS = {"Heading": "heading", "TableCell": "table cell"}


class _ParserError(Exception):
    """The Markdown parser, a native library, crashed on a document."""


def extract(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks and HTML comments of a Markdown document.

    Args:
        text: the document.
        quotes: whether block quotes are judged; alerts (``> [!NOTE]``) always are.
    """
    return extract_masked(mask_templates(text), quotes)


def extract_masked(text: str, quotes: bool) -> Extracted:
    """Return the blocks and comments of a text in which all that is not Markdown is masked."""
    try:
        return _extract(text, quotes)
    except _ParserError:
        blocks, comments, *_ = plain.extract(text)
        problem = "the Markdown parser failed on this document; it was read as plain text"
        return Extracted(blocks, comments, (problem,))


def _extract(text: str, quotes: bool) -> Extracted:
    if ":::" in text or "toc]" in text.lower():
        text = _MARKUP_LINE.sub(lambda found: mask(found[0], " "), text)
    reader = _Reader(text, quotes)
    for event, start, end in _events(reader.shadow):
        reader.read(event, start, end)
    reader.builder.flush()
    return Extracted(reader.builder.blocks, sorted(reader.html.comments))


def heading_level(source: str, lines: LineIndex, span: Span) -> int:
    """Return the level of a heading, in Markdown's syntax or HTML's."""
    line = lines.line_of(span.start)
    if atx := _ATX.match(lines.line_text(line)):
        return len(atx[1])
    underline = _UNDERLINE.fullmatch(lines.line_text(lines.line_of(span.end) + 1))
    if underline:
        return 1 if underline[1] else 2
    return html.heading_level(source, lines, span)


def rendered(source: str) -> str:
    """Return a document as HTML without white space and the comments that switch onbrand off."""
    import pyromark

    shadow = _LONE_CR.sub("\n", to_ascii_like(source))
    options = (
        pyromark.Options.ENABLE_TABLES
        | pyromark.Options.ENABLE_FOOTNOTES
        | pyromark.Options.ENABLE_TASKLISTS
        | pyromark.Options.ENABLE_GFM
        | pyromark.Options.ENABLE_YAML_STYLE_METADATA_BLOCKS
        | pyromark.Options.ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS
    )
    try:
        return _OURS.sub("", pyromark.html(shadow, options=options))
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:  # a panic of the Rust parser, which `extract` survives too
        return ""


def _events(shadow: str) -> Iterator[tuple[_Node, int, int]]:
    import pyromark

    options = (
        pyromark.Options.ENABLE_TABLES
        | pyromark.Options.ENABLE_FOOTNOTES
        | pyromark.Options.ENABLE_STRIKETHROUGH
        | pyromark.Options.ENABLE_TASKLISTS
        | pyromark.Options.ENABLE_HEADING_ATTRIBUTES
        | pyromark.Options.ENABLE_MATH
        | pyromark.Options.ENABLE_GFM
    )
    events = pyromark.events_with_range(shadow, options=options)
    while True:
        try:
            event, where = next(events)
        except StopIteration:
            return
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException:  # a panic in the Rust parser is not an Exception
            raise _ParserError from None
        yield event, where["start"], where["end"]


class _Reader:
    """Builds blocks from the parser's events; offsets of ends take the place of a stack."""

    def __init__(self, text: str, quotes: bool) -> None:
        self.text = text
        # The parser takes a lone CR for no line break, and "US$5 or CA$6" for a formula.
        self.shadow = _MONEY.sub(",", _LONE_CR.sub("\n", to_ascii_like(text)))
        self.builder = BlockBuilder(text, markdown=True)
        self.html = html.HtmlReader(self.builder, quotes=quotes)
        self._quotes = quotes
        self._skip_to = 0
        self._list_to = 0
        self._block_end = 0
        self._html_block: list[tuple[int, int]] = []

    def read(self, event: _Node, start: int, end: int) -> None:
        """Handle one event of the parser."""
        if isinstance(event, str):
            if start >= self._skip_to:
                self._break(event, start, end)
            return
        ((name, data),) = event.items()
        if start < self._skip_to and (name != "End" or end <= self._skip_to):
            return
        if name == "Start":
            self._start(data, start, end)
        elif name == "End":
            self._end(_name(data), end)
        elif name == "Html":
            self._html_block.append((start, end))
        elif name == "InlineHtml":
            self.html.feed(self.text[start:end], start, self._block_end)
        elif not self.html.hidden:
            self._inline(name, data, start, end)

    def _break(self, event: str, start: int, end: int) -> None:
        if event == "Rule":
            self.builder.flush()
        elif self.html.hidden:
            return
        elif event == "HardBreak":
            self.builder.line_break(start, end)
        else:
            self.builder.add(" ", start, end)

    def _inline(self, name: str, data: str, start: int, end: int) -> None:
        if name in ("Code", "InlineMath", "DisplayMath"):
            self.builder.add(PLACEHOLDER, start, end)
        elif name == "Text" and self.shadow[start] == "&" and data != self.shadow[start:end]:
            self.builder.add(data, start, end)
        elif name == "Text":
            self.builder.copy(start, end)

    def _start(self, data: _Node, start: int, end: int) -> None:
        tag = _name(data)
        if tag in _INLINE:
            return
        if tag == "Image":
            self._skip_to = end
        elif tag == "Link":
            self._link(data, start, end)
        else:
            self._block(tag, data, start, end)

    def _link(self, data: _Node, start: int, end: int) -> None:
        if _data(data)["link_type"] in ("Autolink", "Email"):
            self._skip_to = end
            if not self.html.hidden:
                self.builder.add(PLACEHOLDER, start, end)
        else:
            self.builder.link(start, end)

    def _block(self, tag: str, data: _Node, start: int, end: int) -> None:
        self.builder.flush()
        self._block_end = end
        quote = tag == "BlockQuote" and _data(data) is None and not self._quotes
        if tag in _NOT_PROSE or quote:
            self._skip_to = end
        elif tag == "Item" and self.text[start + 2 : start + 3] != REMOVED:  # that is a component
            self._list_to = max(self._list_to, end)
        in_list = start < self._list_to
        self.builder.kind = _KINDS.get(tag, "list item" if in_list else "paragraph")

    def _end(self, tag: str, end: int) -> None:
        if tag in _INLINE or tag == "Link":
            return
        if tag == "HtmlBlock":
            self._read_html_block()
        self.builder.flush()
        self.html.leave(end)

    def _read_html_block(self) -> None:
        """Read an HTML block without the quote markers before its lines."""
        if not self._html_block:
            return
        base = at = self._html_block[0][0]
        parts: list[str] = []
        for start, end in self._html_block:
            parts += " " * (start - at), self.text[start:end]
            at = end
        self._html_block = []
        self.html.feed("".join(parts), base, len(self.text))
        self.builder.flush(self.html.kind)


def _name(node: _Node) -> str:
    return node if isinstance(node, str) else next(iter(node))


def _data(node: _Node) -> Any:  # noqa: ANN401 - the parser's data has a shape per name
    return None if isinstance(node, str) else next(iter(node.values()))
