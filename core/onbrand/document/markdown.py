"""Markdown to blocks, by the pulldown-cmark parser."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from onbrand.document import html, plain
from onbrand.document.blocks import BlockBuilder, Extracted
from onbrand.document.containers import mask_containers
from onbrand.document.dialects import PLAIN, Dialect
from onbrand.document.fences import (
    CODE_DIRECTIVES,
    find_code,
    find_fences,
    mask_scripts,
    replace_fences,
)
from onbrand.document.inline import mask_inline, mask_spans
from onbrand.document.masking import (
    CODE_NAMES,
    PLACEHOLDER,
    REMOVED,
    Replacement,
    Skipped,
    apply_replacements,
    blank_masked_lines,
    mask_templates,
    to_ascii_like,
)
from onbrand.document.positions import LineIndex, Span

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
_CALLOUT = re.compile(rf"[ \t]*>[ \t]*(?:# )?{REMOVED}")
_DIRECTIVE = re.compile(r"[`~]{3,}[ \t]*\{([A-Za-z][\w:-]*)\}")
_LANGUAGES = frozenset(
    {"r", "python", "julia", "bash", "sql", "ojs", "dot", "mermaid", "stan", "css"}
)
"""Names in braces that Quarto and R Markdown run."""


class _ParserError(Exception):
    """The Markdown parser, a native library, crashed on a document."""


def extract(text: str, quotes: bool = False, dialect: Dialect = PLAIN) -> Extracted:
    """Return the blocks and HTML comments of a Markdown document.

    Args:
        text: the document.
        quotes: whether block quotes are judged; alerts and callouts (``> [!NOTE]``) always are.
        dialect: what its site adds to Markdown.
    """
    skipped = Skipped()
    masked = mask_templates(
        text,
        code=lambda: find_code(text, find_fences(text, dialect.prose)),
        code_names=dialect.code,
        prose_names=dialect.prose,
        skipped=skipped,
    )
    return extract_masked(masked, quotes, dialect, skipped=skipped)


def extract_masked(
    text: str,
    quotes: bool,
    dialect: Dialect = PLAIN,
    *,
    items: Collection[int] = (),
    skipped: Skipped | None = None,
    mdx: bool = False,
) -> Extracted:
    """Return the blocks and comments of a text in which templates and components are masked.

    Args:
        text: the document.
        quotes: whether block quotes are judged.
        dialect: what its site adds to Markdown.
        items: where an item of a list stands for a component with indented content.
        skipped: what is left out so far.
        mdx: whether no block is code for its indentation.
    """
    skipped = Skipped() if skipped is None else skipped
    text, more = mask_dialect(text, dialect, skipped)
    reader = _Reader(text, quotes, frozenset(items) | more, skipped, mdx=mdx)
    try:
        for event, start, end in _events(reader.shadow):
            reader.read(event, start, end)
    except _ParserError:
        found = plain.extract(text)
        problem = "the Markdown parser failed on this document; it was read as plain text"
        return Extracted(found.blocks, found.comments, (problem,))
    reader.builder.flush()
    comments = sorted(reader.html.comments)
    return Extracted(reader.builder.blocks, comments, skipped=reader.skipped)


def mask_dialect(text: str, dialect: Dialect, skipped: Skipped) -> tuple[str, frozenset[int]]:
    """Mask what dialects add to CommonMark, but for the tags of templates.

    Returns:
        The text, as long as before, and where an item of a list stands for a block with indented
        content.
    """
    fences = find_fences(text, dialect.prose)
    code = find_code(text, fences)
    text, scripts = mask_scripts(text, code)
    if scripts:
        skipped["code"] += scripts
    changes = [*mask_spans(text, code), *replace_fences(fences, text)]
    text = apply_replacements(text, _disjoint(changes))
    text, items = mask_containers(text, code, dialect, skipped)
    return blank_masked_lines(mask_inline(text, dialect)), items


def _disjoint(changes: list[Replacement]) -> Iterator[Replacement]:
    end = 0
    for change in sorted(changes):
        if change.start >= end:
            yield change
            end = change.end


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
        | pyromark.Options.ENABLE_DEFINITION_LIST
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
        | pyromark.Options.ENABLE_DEFINITION_LIST
        | pyromark.Options.ENABLE_WIKILINKS
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

    def __init__(
        self, text: str, quotes: bool, items: Collection[int], skipped: Skipped, *, mdx: bool
    ) -> None:
        self.text = text
        self._mdx = mdx
        self.skipped = skipped
        self._items = items
        # The parser takes a lone CR for no line break, and "US$5 or CA$6" for a formula.
        self.shadow = _MONEY.sub(",", _LONE_CR.sub("\n", to_ascii_like(text)))
        self.builder = BlockBuilder(text, markdown=True)
        self.html = html.HtmlReader(self.builder, quotes=quotes, skipped=skipped)
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
        if tag == "CodeBlock" and _is_indented(data) and self._is_prose(start, end):
            return
        if reason := self._reason(tag, data, start):
            self._skip_to = end
            self.skipped[reason] += end - start
        elif tag == "Item" and self._marker(start) not in self._items:
            self._list_to = max(self._list_to, end)
        in_list = start < self._list_to
        self.builder.kind = _KINDS.get(tag, "list item" if in_list else "paragraph")

    def _marker(self, start: int) -> int:
        """Return where the marker of an item is; the parser may tell what is before it."""
        while self.text[start : start + 1] in (" ", "\t", "\r", "\n"):
            start += 1
        return start

    def _is_prose(self, start: int, end: int) -> bool:
        """Read an indented block that is no code: MDX has none, nor has a table of HTML."""
        if self._mdx:
            self.builder.kind = "list item" if start < self._list_to else "paragraph"
            return True
        if self.html.in_table_or_list:
            self._skip_to = end
            self.html.feed(self.text[start:end], start, end)
            return True
        return False

    def _reason(self, tag: str, data: _Node, start: int) -> str | None:
        """Return why a block is left out."""
        if tag == "BlockQuote":
            ours = _data(data) is not None or _CALLOUT.match(self.text, start)
            return None if ours or self._quotes else "quotes"
        if tag not in _NOT_PROSE:
            return None
        name = _DIRECTIVE.match(self.text, start)
        known = not name or {name[1].lower()} & (CODE_DIRECTIVES | CODE_NAMES | _LANGUAGES)
        return "code" if known else "unknown blocks"

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


def _is_indented(node: _Node) -> bool:
    """Tell whether a block of code is one by its indentation."""
    return bool(_data(node) == "Indented")


def _name(node: _Node) -> str:
    return node if isinstance(node, str) else next(iter(node))


def _data(node: _Node) -> Any:  # noqa: ANN401 - the parser's data has a shape per name
    return None if isinstance(node, str) else next(iter(node.values()))
