"""A source file to the sentences that are judged: the front door of the text pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Literal

from onbrand.text import frontmatter, html, markdown, mdx, plain, segment, suppress
from onbrand.text.block import Block, Comment
from onbrand.text.lines import LineIndex
from onbrand.text.mask import cover, cover_templates
from onbrand.text.places import Places
from onbrand.text.span import Span

Format = Literal["markdown", "mdx", "html", "text"]

_FORMATS: dict[str, Format] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".mkd": "markdown",
    ".mdx": "mdx",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
}


def format_of(path: str) -> Format:
    """Return the format that a path's extension names; plain text for any other."""
    return _FORMATS.get(PurePath(path).suffix.lower(), "text")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence to judge."""

    span: Span
    """From its first to its last real character in the source, markup at both ends left out."""
    text: str
    """Markup removed, entities decoded, white space collapsed. Code, URLs and template variables
    are one U+FFFC each, which the encoder reads as an unknown word."""
    places: Places = field(repr=False, compare=False)
    """Which source each character of the block's text stands for."""
    at: int = field(compare=False)
    """Where ``text`` begins in the block's."""
    block: int
    """Index of the block that it belongs to."""
    kind: str
    """What that block is: "paragraph", "heading", "list item" or "table cell"."""
    brand: str | None = None
    """The brand that a comment put in force here, if any."""

    def source_span(self, start: int, end: int) -> Span:
        """Return where ``text[start:end]`` stands in the source."""
        if start >= len(self.text):
            return Span(self.span.end, self.span.end)
        if start >= end:
            at = self.places.start(self.at + start)
            return Span(at, at)
        return self.places.span(self.at + start, self.at + end)

    def source_spans(self, spans: Sequence[Span]) -> list[Span]:
        """Return where stretches of ``text``, none of them empty, stand in the source."""
        shift = self.places.shift(self.at, self.at + len(self.text))
        if shift is None:
            return [self.source_span(start, end) for start, end in spans]
        shift += self.at
        return [Span(start + shift, end + shift) for start, end in spans]


@dataclass(frozen=True, slots=True)
class Document:
    """A document and the sentences of it that are judged."""

    source: str
    format: Format
    sentences: tuple[Sentence, ...]
    """Sorted and disjoint."""
    brand: str | None
    """The brand that the front matter names, if any."""
    lines: LineIndex = field(repr=False, compare=False)
    suppressed: int = 0
    """How many sentences comments left out."""
    warnings: tuple[str, ...] = ()
    """What the writer should know: misspelt directives, broken front matter; one line each."""


def parse(source: str, format: Format = "markdown", *, quotes: bool = False) -> Document:  # noqa: A002
    """Split a document into the sentences to judge.

    Never among them: code, front matter, URLs, tags, template tags, comments, formulas, figures,
    block quotes (unless asked for), and what the document's comments switch off. Any string is
    accepted, lone surrogates and all; time and memory grow with its length and no faster.

    Args:
        source: the text of the file, line ends as they are.
        format: how to read it, see `format_of`.
        quotes: judge block quotes too.
    """
    lines = LineIndex(source)
    matter = frontmatter.read(source)
    body = cover(source[: matter.end], " ") + source[matter.end :]
    blocks, comments, problems = _extract(body, format, quotes)
    sentences = [
        _sentence(block, index, start, end)
        for index, block in enumerate(blocks)
        for start, end in segment.split(block.text, block.links)
    ]
    directives, misspelt = suppress.read(comments, lines)
    kept = sentences
    if directives:
        spans = [sentence.span for sentence in sentences]
        verdicts = suppress.apply(directives, spans, source, lines)
        kept = [
            replace(sentence, brand=brand) if brand else sentence
            for sentence, off, brand in zip(sentences, *verdicts, strict=True)
            if not off
        ]
    return Document(
        source=source,
        format=format,
        sentences=tuple(kept),
        brand=matter.brand,
        lines=lines,
        suppressed=len(sentences) - len(kept),
        warnings=tuple(filter(None, [matter.warning, *problems, *misspelt])),
    )


def _extract(
    body: str,
    format: Format,  # noqa: A002
    quotes: bool,
) -> tuple[list[Block], list[Comment], list[str]]:
    if format == "html":
        return *html.extract(cover_templates(body), quotes=quotes), []
    if format == "text":
        return *plain.extract(cover_templates(body)), []
    comments: list[Comment] = []
    if format == "mdx":
        body, comments = mdx.to_markdown(body)
    else:
        body = cover_templates(body)
    try:
        blocks, more = markdown.extract(body, quotes=quotes)
    except markdown.ParserFailed:
        blocks, more = plain.extract(body)
        problem = "the Markdown parser failed on this document; it was read as plain text"
        return blocks, sorted(comments + more), [problem]
    return blocks, sorted(comments + more), []


def _sentence(block: Block, index: int, start: int, end: int) -> Sentence:
    return Sentence(
        span=block.places.span(start, end),
        text=block.text[start:end].replace("\n", " "),
        places=block.places,
        at=start,
        block=index,
        kind=block.kind,
    )
