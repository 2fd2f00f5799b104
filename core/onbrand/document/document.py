"""A source file to the sentences that are judged: the front door of the text pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from onbrand.document import directives, formats
from onbrand.document.blocks import Block
from onbrand.document.masking import mask
from onbrand.document.positions import LineIndex, OffsetMap, Span
from onbrand.document.sentences import split_sentences


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence to judge."""

    span: Span
    """From its first to its last real character in the source, markup at both ends left out."""
    text: str
    """Markup removed, entities decoded, white space collapsed. Code, URLs and template variables
    are one U+FFFC each, which the encoder reads as an unknown word."""
    offsets: OffsetMap = field(repr=False, compare=False)
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
            at = self.offsets.start(self.at + start)
            return Span(at, at)
        return self.offsets.span(self.at + start, self.at + end)

    def source_spans(self, spans: Sequence[Span]) -> list[Span]:
        """Return where stretches of ``text``, none of them empty, stand in the source."""
        shift = self.offsets.shift(self.at, self.at + len(self.text))
        if shift is None:
            return [self.source_span(start, end) for start, end in spans]
        shift += self.at
        return [Span(start + shift, end + shift) for start, end in spans]


@dataclass(frozen=True, slots=True)
class Document:
    """A document and the sentences of it that are judged."""

    source: str
    format: str
    """The name of one of `onbrand.document.formats.FORMATS`."""
    sentences: tuple[Sentence, ...]
    """Sorted and disjoint."""
    brand: str | None
    """The brand that the front matter names, if any."""
    lines: LineIndex = field(repr=False, compare=False)
    suppressed: int = 0
    """How many sentences comments left out."""
    warnings: tuple[str, ...] = ()
    """What the writer should know: misspelt directives, broken front matter; one line each."""


def parse(source: str, format: str = "markdown", *, quotes: bool = False) -> Document:  # noqa: A002
    """Split a document into the sentences to judge.

    Never among them: code, front matter, URLs, tags, template tags, comments, formulas, figures,
    block quotes (unless asked for), and what the document's comments switch off. Any string is
    accepted, lone surrogates and all; time and memory grow with its length and no faster.

    Args:
        source: the text of the file, line ends as they are.
        format: how to read it: the name of one of `onbrand.document.formats.FORMATS`.
        quotes: judge block quotes too.

    Raises:
        OnbrandError: there is no such format.
    """
    lines = LineIndex(source)
    matter = directives.read_front_matter(source)
    body = mask(source[: matter.end], " ") + source[matter.end :]
    blocks, comments, problems = formats.get(format).extract(body, quotes)
    sentences = [
        _sentence(block, index, start, end)
        for index, block in enumerate(blocks)
        for start, end in split_sentences(block.text, block.links)
    ]
    switches, misspelt = directives.read_directives(comments, lines)
    kept = sentences
    if switches:
        spans = [sentence.span for sentence in sentences]
        verdicts = directives.apply_directives(switches, spans, source, lines)
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


def parse_named(
    source: str, path: str, *, read_as: str | None = None, quotes: bool = False
) -> Document:
    """Do as `parse` for a text that has a name; where that says no format, a warning says so.

    Args:
        source: the text of the file.
        path: its name, the ending of which says the format.
        read_as: the format, whatever the name.
        quotes: judge block quotes too.
    """
    known = formats.get(read_as) if read_as else formats.of_path(path)
    document = parse(source, known.name if known else "text", quotes=quotes)
    if known:
        return document
    warning = "its name does not say its format, so it was read as plain text"
    return replace(document, warnings=(*document.warnings, warning))


def _sentence(block: Block, index: int, start: int, end: int) -> Sentence:
    return Sentence(
        span=block.offsets.span(start, end),
        text=block.text[start:end].replace("\n", " "),
        offsets=block.offsets,
        at=start,
        block=index,
        kind=block.kind,
    )
