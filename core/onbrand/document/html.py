"""HTML to blocks, whole pages and the HTML inside Markdown alike.

The tokenizer is a regular expression rather than `html.parser`, whose versions before mid-2025
take minutes over a hundred kilobytes of unclosed tags and which tells no plain offsets.
"""

from __future__ import annotations

import re
from html import unescape

from onbrand.document.blocks import BlockBuilder, Comment, Extracted
from onbrand.document.dialects import PLAIN, Dialect
from onbrand.document.masking import PLACEHOLDER, Skipped, mask_templates, to_ascii_like
from onbrand.document.positions import LineIndex, Span

_TOKEN = re.compile(
    r"(?P<comment><!--)"
    r"|<(?P<slash>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:-]*+)"
    r"(?:[^<>=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+')|=)*+>"
    r"|<[!?/][^<>]*+>"
    r"|(?P<entity>&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});)"
)
_BLOCK_NAMES = """
address article aside blockquote body button caption center dd details dialog dir div dl dt
fieldset figcaption figure footer form head header hgroup hr html legend li main nav
optgroup option p section summary table tbody td tfoot th thead tr
"""
_HIDDEN_NAMES = """
audio canvas datalist iframe noscript object pre select template video
"""
_RAW = frozenset({"script", "style", "textarea"})
_INLINE_CODE = frozenset({"code", "kbd", "samp", "var", "math", "tt"})
_HIDDEN_BLOCKS = _RAW | frozenset(_HIDDEN_NAMES.split())
HIDDEN = _HIDDEN_BLOCKS | _INLINE_CODE | {"svg"}
"""Elements whose content is not prose."""
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "title"})
_LISTS = frozenset({"ul", "ol", "menu"})
BLOCKS = frozenset(_BLOCK_NAMES.split()) | _HEADINGS | _LISTS | _HIDDEN_BLOCKS
"""Elements that begin a new block."""
_HEADING = re.compile(r"<h([1-6])\b", re.IGNORECASE)
_MAX_HEADING_REACH = 500
"""Characters before a heading's text in which its tag is looked for."""
_LANGUAGE = re.compile(
    r"<html\b[^<>]*?\slang\s*=\s*[\"']?(?P<language>[a-zA-Z]{2,3}(?:[-_][a-zA-Z]{2,4})?)\b", re.I
)
_MAX_HEAD = 2000
"""Characters in which the page's language is looked for."""
_TITLE = re.compile(r"<title.*?(?:</title|\Z)", re.IGNORECASE | re.DOTALL)


def extract(text: str, quotes: bool = False, dialect: Dialect = PLAIN) -> Extracted:
    """Return the blocks and comments of an HTML page.

    Args:
        text: the page.
        quotes: whether block quotes are judged.
        dialect: names the tags of templates whose content is code or prose.
    """
    skipped = Skipped()
    text = mask_templates(text, code_names=dialect.code, prose_names=dialect.prose, skipped=skipped)
    builder = BlockBuilder(text)
    reader = HtmlReader(builder, quotes=quotes, skipped=skipped)
    reader.feed(text, 0, len(text))
    builder.flush(reader.kind)
    language = _LANGUAGE.search(text[:_MAX_HEAD])
    return Extracted(
        builder.blocks,
        reader.comments,
        skipped=skipped,
        language=language and language["language"],
    )


def heading_level(source: str, lines: LineIndex, span: Span) -> int:  # noqa: ARG001
    """Return the level of a heading by the tag before its text; 1 where there is none."""
    tags = _HEADING.findall(source[max(0, span.start - _MAX_HEADING_REACH) : span.start])
    return int(tags[-1]) if tags else 1


def titles(source: str) -> str:
    """Return the titles of a page, in which a comment would be shown."""
    return "".join(_TITLE.findall(source))


class HtmlReader:
    """Feeds the prose of HTML, a page or one fragment after the other, to a `BlockBuilder`.

    Unclosed elements never hide what follows them: an element hides its content only when its
    end tag stands within reach.
    """

    def __init__(
        self, builder: BlockBuilder, *, quotes: bool = False, skipped: Skipped | None = None
    ) -> None:
        self._skipped = Skipped() if skipped is None else skipped
        self.comments: list[Comment] = []
        self._builder = builder
        self._lower = to_ascii_like(builder.source).lower()
        self._hiding = HIDDEN if quotes else HIDDEN | {"blockquote"}
        self._hidden: list[tuple[str, int]] = []  # element, offset where its reach ends
        self._code_start = self._link_start = 0
        self._depth = {"heading": 0, "table cell": 0, "list item": 0}
        self._last_closer: dict[tuple[str, int], int] = {}

    @property
    def hidden(self) -> bool:
        """Whether what follows is the content of an element that is not prose."""
        return bool(self._hidden)

    @property
    def kind(self) -> str:
        """The kind of block that the open elements imply."""
        return next((kind for kind, depth in self._depth.items() if depth), self._builder.kind)

    @property
    def in_table_or_list(self) -> bool:
        """Whether a table or a list of HTML is open."""
        return bool(self._depth["table cell"] or self._depth["list item"])

    def leave(self, offset: int) -> None:
        """Drop the hiding elements that end at or before an offset."""
        if self._hidden:
            self._hidden = [element for element in self._hidden if element[1] > offset]

    def feed(self, chunk: str, base: int, reach: int) -> None:
        """Read HTML.

        Args:
            chunk: text that is as long as its source.
            base: offset of the chunk in the source.
            reach: offset up to which end tags are looked for.
        """
        at = 0
        while token := _TOKEN.search(chunk, at):
            self._data(base + at, base + token.start())
            at = token.end()
            if token["comment"]:
                at = self._comment(chunk, base, token.start())
            elif token["entity"]:
                if not self._hidden:
                    decoded = unescape(token[0])
                    self._builder.add(decoded, base + token.start(), base + at)
            elif token["slash"]:
                self._end(token["name"].lower(), base + at)
            elif token["name"]:
                at = self._start(chunk, base, token, reach)
        self._data(base + at, base + len(chunk))

    def _data(self, start: int, end: int) -> None:
        if not self._hidden:
            self._builder.copy(start, end)
        elif start < end:
            reason = "quotes" if self._hidden[0][0] == "blockquote" else "code"
            self._skipped[reason] += end - start

    def _comment(self, chunk: str, base: int, start: int) -> int:
        close = chunk.find("-->", start + 2)
        end = len(chunk) if close < 0 else close + 3
        if close >= 0 and not self._hidden:
            self.comments.append(Comment(base + start, base + end, chunk[start + 4 : close]))
        return end

    def _start(self, chunk: str, base: int, token: re.Match[str], reach: int) -> int:
        """Handle a start tag and return where to read on."""
        name, start, end = token["name"].lower(), base + token.start(), base + token.end()
        closed = chunk[token.end() - 2] == "/"
        if name in BLOCKS:
            self._block_edge(name, 1)
        elif name == "br" and not self._hidden:
            self._builder.line_break(start, end)
        elif name == "a":
            self._link_start = start
        if name in _RAW and not closed:
            closer = self._lower.find(f"</{name}", end, base + len(chunk))
            return len(chunk) if closer < 0 else closer - base
        if name in self._hiding and not closed and self._closes(name, end, reach):
            if not self._hidden:
                self._code_start = start
            self._hidden.append((name, reach))
        return token.end()

    def _end(self, name: str, end: int) -> None:
        names = [element[0] for element in self._hidden[-8:]]
        if name in names:
            while self._hidden.pop()[0] != name:
                pass
            if name in _INLINE_CODE and not self._hidden:
                self._builder.add(PLACEHOLDER, self._code_start, end)
        if name in BLOCKS:
            self._block_edge(name, -1)
        elif name == "a":
            self._builder.link(self._link_start, end)

    def _block_edge(self, name: str, step: int) -> None:
        if self._hidden:
            return
        self._builder.flush(self.kind)
        if name in _HEADINGS:
            self._depth["heading"] = max(0, step)
        elif name == "table":
            self._depth["table cell"] = max(0, self._depth["table cell"] + step)
        elif name in _LISTS:
            self._depth["list item"] = max(0, self._depth["list item"] + step)

    def _closes(self, name: str, start: int, reach: int) -> bool:
        key = name, reach
        if key not in self._last_closer:
            self._last_closer[key] = self._lower.rfind(f"</{name}", start, reach)
        return self._last_closer[key] >= start
