"""Blocks of prose: text without markup, with the source offsets of every character."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from onbrand.document.masking import LINE_SEPARATOR, PLACEHOLDER, REMOVED
from onbrand.document.positions import OffsetMap, Span


class Comment(NamedTuple):
    """A comment in the document's markup; it may be a directive to onbrand."""

    start: int
    end: int
    body: str


class Extracted(NamedTuple):
    """What a format's parser finds in a document."""

    blocks: list[Block]
    comments: list[Comment]
    """In the order of the source."""
    problems: tuple[str, ...] = ()
    """Warnings for the writer, one line each."""
    skipped: Mapping[str, int] = {}
    """Characters that are left out, by reason (see `onbrand.document.masking.Skipped`)."""
    language: str | None = None
    """The language that the document names, as in ``de`` or ``pt-BR``."""


@dataclass(slots=True)
class Block:
    """A paragraph, heading, list item or table cell."""

    kind: str
    text: str
    """White space collapsed; a newline is a line break that the writer asked for."""
    offsets: OffsetMap
    """The source offsets of ``text``."""
    links: list[Span] = field(default_factory=list)
    """Ranges of ``text`` that are link labels."""


# Removed from text: controls, soft hyphens, zero-width spaces and byte order marks.
_NOTHING = rf"\x00-\x08\x0e-\x1b\x7f\xad\u200b\u2060\ufeff{REMOVED}"
_NOT_NORMALISED = re.compile(
    # A hyphen before a removed character is a masked component (see `mdx`) inside an HTML block.
    rf"(?:[\s{_NOTHING}]|-(?= {REMOVED})){{2,}}|[{_NOTHING}]|[^\S ]|{PLACEHOLDER}{{2,}}"
    r"|[\ud800-\udfff]"
)
_BREAKS = re.compile("[\v\f\x85\u2028\u2029]")
_TRAILING = r".,;:!?'\")\]}*_~…’"
_ADDRESS = re.compile(
    r"(?:(?<!\w)(?:https?://|www\.|mailto:)"
    r"|(?<![\w@/.-])[\w-]++(?:\.[\w-]++)*+"
    r"(?:(?<=\.com|\.org|\.net|\.gov|\.edu|\.app|\.dev)|(?<=\.io|\.co|\.uk|\.eu|\.de|\.ai))/)"
    rf"(?:[^\s<>\"“”]*[^\s<>\"“”{_TRAILING}])?"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]++(?:\.[\w-]++)++"
)
# Markup that the Markdown parser left as text: unclosed emphasis, markup inside HTML blocks.
_MARKDOWN_MARKS = ("*", "_", "`", "\\", "](")
_MARKDOWN = re.compile(
    r"(?P<code>(?<!`)(`{1,3})(?!`)[^`]+\2(?!`))"
    r"|!\[[^\[\]]*\]\([^()]*\)|\[(?=[^\[\]]*\]\()|\]\([^()\s]*(?: \"[^\"]*\")?\)"
    r"|\*{2,}|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)"
    r"|(?<!\w)_{1,2}(?=\w)|(?<=[\w.,!?])_{1,2}(?!\w)"
    r"|\\(?=[!-/:-@\[-`{-~])"
)
_FIGURES_WORD = re.compile(r"[^\W\d_]{2,}")


class _Fragment(NamedTuple):
    start: int
    end: int
    text: str | None
    """Text in place of the source between the two offsets; None: the source itself."""


class BlockBuilder:
    """Builds blocks from the fragments of source text that a parser finds.

    Args:
        source: the masked text, as long as the original.
        markdown: drop Markdown markup that is left in the text.
    """

    def __init__(self, source: str, *, markdown: bool = False) -> None:
        self.source = source
        self._markdown = markdown
        self.kind = "paragraph"
        self.blocks: list[Block] = []
        self._fragments: list[_Fragment] = []
        self._links: list[Span] = []
        self._after_break = False

    def copy(self, start: int, end: int) -> None:
        """Append source text as it stands."""
        if self._after_break and not self.source[start:end].isspace():
            self._after_break = False
        if (
            self._fragments
            and self._fragments[-1].end == start
            and self._fragments[-1].text is None
        ):
            self._fragments[-1] = _Fragment(self._fragments[-1].start, end, None)
        elif start < end:
            self._fragments.append(_Fragment(start, end, None))

    def add(self, text: str, start: int, end: int) -> None:
        """Append text in place of the source between two offsets: an entity, a soft break."""
        self._after_break = self._after_break and text.isspace()
        self._fragments.append(_Fragment(start, end, text))

    def line_break(self, start: int, end: int) -> None:
        """Append a line break that the writer asked for; two in a row end the block."""
        if self._after_break:
            self.flush()
        self._fragments.append(_Fragment(start, end, LINE_SEPARATOR))
        self._after_break = True

    def link(self, start: int, end: int) -> None:
        """Record that the source between two offsets is a link in the current block."""
        self._links.append(Span(start, end))

    def flush(self, kind: str | None = None) -> None:
        """End the current block, and keep it if it has prose."""
        if self._fragments:
            block = self._block(kind or self.kind)
            if block:
                self.blocks.append(block)
        self._fragments, self._links, self._after_break = [], [], False

    def _block(self, kind: str) -> Block | None:
        text = "".join(
            self.source[start:end] if text is None else text for start, end, text in self._fragments
        )
        if not _has_prose(text, kind):
            return None
        block = Block(kind, text, self._offsets())
        if self._markdown and any(mark in text for mark in _MARKDOWN_MARKS):
            block = _rewrite(block, _MARKDOWN, lambda found: PLACEHOLDER if found["code"] else "")
        if not _is_normalised(block.text):
            block = _rewrite(block, _NOT_NORMALISED, _normalise_whitespace)
        if "/" in text or "@" in text or "www." in text:
            block = _rewrite(block, _ADDRESS, lambda _: PLACEHOLDER)
        for start, end in self._links:
            all_of_it = range(len(block.text))
            first = bisect_left(all_of_it, start, key=block.offsets.start)
            last = bisect_right(all_of_it, end, key=block.offsets.end)
            block.links.append(Span(first, max(first, last)))
        return block

    def _offsets(self) -> OffsetMap:
        offsets = OffsetMap()
        for start, end, text in self._fragments:
            if text is None:
                offsets.add(end - start, start, end, copied=True)
            else:
                offsets.add(len(text), start, end)
        return offsets


def _has_prose(text: str, kind: str) -> bool:
    if kind == "table cell":
        letters = sum(map(str.isalpha, text))
        digits = sum(map(str.isdigit, text))
        return letters > digits and len(_FIGURES_WORD.findall(text)) > 1
    return any(map(str.isalpha, text))


def _is_normalised(text: str) -> bool:
    """Tell fast, for nearly every text, that `_NOT_NORMALISED` matches nothing in it."""
    # No control, surrogate, odd space or invisible character is printable.
    return text.isprintable() and "  " not in text and PLACEHOLDER * 2 not in text


def _normalise_whitespace(found: re.Match[str]) -> str:
    run = found[0]
    if run[0] == PLACEHOLDER:
        return PLACEHOLDER
    if "\ud800" <= run[0] <= "\udfff":
        return "\ufffd"  # half a character: no tokenizer takes it, nor does UTF-8
    if _BREAKS.search(run):
        return "\n"
    return " " if any(map(str.isspace, run)) else ""


def _rewrite(
    block: Block, pattern: re.Pattern[str], replacement: Callable[[re.Match[str]], str]
) -> Block:
    """Replace each match of a pattern by one character or none, in the text and in its offsets."""
    texts: list[str] = []
    offsets = OffsetMap()
    at = 0
    for found in pattern.finditer(block.text):
        new = replacement(found)
        start, end = found.span()
        texts += block.text[at:start], new
        offsets.take(block.offsets, at, start)
        if new:
            offsets.add(len(new), block.offsets.start(start), block.offsets.end(end - 1))
        at = end
    if not at:
        return block
    texts.append(block.text[at:])
    offsets.take(block.offsets, at, len(block.text))
    return Block(block.kind, "".join(texts), offsets)
