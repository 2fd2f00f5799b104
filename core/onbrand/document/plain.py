"""Plain text to blocks: blank lines separate paragraphs, markers separate list items."""

from __future__ import annotations

import re

from onbrand.document.blocks import BlockBuilder, Comment, Extracted
from onbrand.document.masking import mask_templates
from onbrand.document.positions import LineIndex, Span

_ITEM = re.compile(r"\s*(?:[-*+•–—·▪◦]|\(?\d{1,3}[.)])\s+(?=\S)")
_COMMENT = re.compile(r"\s*<!--((?:[^-]|-(?!->))*+)-->\s*")
_WORD = re.compile(r"\S*")


def extract(text: str, quotes: bool = False, *, wrapped: bool = True) -> Extracted:  # noqa: ARG001
    """Return the blocks of a plain text, and the comments that stand on lines of their own.

    Args:
        text: the document.
        quotes: plain text has none.
        wrapped: whether paragraphs may go on on the next line.
    """
    text = mask_templates(text)
    builder = BlockBuilder(text)
    comments: list[Comment] = []
    lines = LineIndex(text)
    paragraph: list[Span] = []

    def end_paragraph() -> None:
        _add_lines(builder, paragraph)
        builder.flush()
        paragraph.clear()
        builder.kind = "paragraph"

    for number in range(lines.line_count):
        start, end = lines.line_start(number), lines.line_end(number)
        line = text[start:end]
        if comment := _COMMENT.fullmatch(line):
            end_paragraph()
            comments.append(Comment(start, end, comment[1]))
        elif not line.strip():
            end_paragraph()
        else:
            if item := _ITEM.match(line):
                end_paragraph()
                builder.kind = "list item"
            paragraph.append(Span(start + (item.end() if item else 0), end))
            if not wrapped:
                end_paragraph()
    end_paragraph()
    return Extracted(builder.blocks, comments)


def _add_lines(builder: BlockBuilder, lines: list[Span]) -> None:
    """Join wrapped lines; a break stays where the next word would have fitted before it."""
    width = max((end - start for start, end in lines), default=0)
    for index, this in enumerate(lines):
        builder.copy(this.start, this.end)
        if index + 1 == len(lines):
            return
        following = lines[index + 1]
        word = _WORD.match(builder.source, following.start, following.end)
        assert word is not None  # noqa: S101 - the pattern matches an empty string too
        if this.end - this.start + 1 + len(word[0]) <= width:
            builder.line_break(this.end, following.start)
        else:
            builder.add(" ", this.end, following.start)
