"""Parses a document into the sentences to judge: the entry point of `onbrand.document`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from onbrand.document import directives, formats, front_matter
from onbrand.document.blocks import Block
from onbrand.document.dialects import PLAIN, Dialect
from onbrand.document.masking import mask
from onbrand.document.positions import LineIndex, OffsetMap, Span
from onbrand.document.sentences import split_sentences


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence to judge."""

    span: Span
    """Its place in the source, without markup at either end."""
    text: str
    """Markup removed, entities decoded, white space collapsed. Code, URLs and template variables
    are one U+FFFC each, which the encoder reads as an unknown word."""
    offsets: OffsetMap = field(repr=False, compare=False)
    """The source offsets of the block's text."""
    at: int = field(compare=False)
    """Offset of ``text`` in the block's text."""
    block: int
    """Index of the block that it belongs to."""
    kind: str
    """Kind of the block: "paragraph", "heading", "list item" or "table cell"."""
    brand: str | None = None
    """The brand that a comment before it names, if any."""

    def source_span(self, start: int, end: int) -> Span:
        """Return the source span of ``text[start:end]``."""
        if start >= len(self.text):
            return Span(self.span.end, self.span.end)
        if start >= end:
            at = self.offsets.start(self.at + start)
            return Span(at, at)
        return self.offsets.span(self.at + start, self.at + end)

    def source_spans(self, spans: Sequence[Span]) -> list[Span]:
        """Return the source spans of ranges of ``text``, none of which is empty."""
        shift = self.offsets.shift(self.at, self.at + len(self.text))
        if shift is None:
            return [self.source_span(start, end) for start, end in spans]
        shift += self.at
        return [Span(start + shift, end + shift) for start, end in spans]


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document: its source and the sentences to judge."""

    source: str
    format: str
    """The name of one of `onbrand.document.formats.FORMATS`."""
    sentences: tuple[Sentence, ...]
    """Sorted and disjoint."""
    brand: str | None
    """The brand that the front matter names, if any."""
    lines: LineIndex = field(repr=False, compare=False)
    suppressed: int = 0
    """Number of sentences that comments suppressed."""
    warnings: tuple[str, ...] = ()
    """Misspelt directives, broken front matter and the like, one line each."""
    skipped: dict[str, int] = field(default_factory=dict, compare=False)
    """Characters that are left out, by reason: "code", "quotes", "front matter", and "unknown
    blocks", of which nothing says whether they hold prose."""
    dialect: Dialect = field(default=PLAIN, repr=False, compare=False)
    """How it was read."""
    front_keys: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """The keys of front matter whose values are judged."""


def parse(
    source: str,
    format: str = "markdown",  # noqa: A002
    *,
    quotes: bool = False,
    brand_key: str = directives.BRAND_KEY,
    dialect: Dialect = PLAIN,
    front_keys: Collection[str] = (),
) -> Document:
    """Split a document into the sentences to judge.

    Left out are code, front matter, URLs, tags, template tags, comments, formulas, figures, block
    quotes (unless ``quotes``), and what comments suppress. Any string is accepted, lone surrogates
    included; time and memory are linear in its length.

    Args:
        source: the text of the file, line ends as they are.
        format: how to read it: the name of one of `onbrand.document.formats.FORMATS`.
        quotes: judge block quotes too.
        brand_key: the key of front matter that names the brand.
        dialect: what its site adds to the format, and its language.
        front_keys: keys of front matter whose values are judged, too.

    Raises:
        OnbrandError: there is no such format.
    """
    lines = LineIndex(source)
    form = formats.get(format)
    matter = directives.FrontMatter(0, None, None)
    if form.has_front_matter:
        matter = directives.read_front_matter(source, brand_key)
    body = mask(source[: matter.end], " ") + source[matter.end :]
    found = form.parse(body, quotes, dialect)
    language = matter.language or found.language or dialect.language or "en"
    language = language.lower().replace("_", "-")
    blocks = [*front_matter.extract(source[: matter.end], front_keys).blocks, *found.blocks]
    sentences = [
        _sentence(block, index, start, end)
        for index, block in enumerate(blocks)
        for start, end in split_sentences(block.text, block.links, language)
    ]
    skipped = Counter(found.skipped)
    if matter.end:
        skipped["front matter"] += matter.end
    switches, misspelt = directives.read_directives(found.comments, lines)
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
        warnings=tuple(filter(None, [matter.warning, *found.problems, *misspelt])),
        skipped=dict(skipped),
        dialect=dialect,
        front_keys=tuple(front_keys),
    )


def parse_named(
    source: str,
    path: str,
    *,
    read_as: str | None = None,
    quotes: bool = False,
    brand_key: str = directives.BRAND_KEY,
    dialect: Dialect = PLAIN,
    front_keys: Collection[str] = (),
) -> Document:
    """Parse a document in the format that its name says; a warning says where it says none.

    Args:
        source: the text of the file.
        path: its name; the suffix says the format.
        read_as: the format to use, whatever the name.
        quotes: judge block quotes too.
        brand_key: the key of front matter that names the brand.
        dialect: what its site adds to the format, and its language.
        front_keys: keys of front matter whose values are judged, too.
    """
    known = formats.get(read_as) if read_as else formats.of_path(path)
    name = formats.in_dialect(known.name, source, dialect) if known else "text"
    document = parse(
        source, name, quotes=quotes, brand_key=brand_key, dialect=dialect, front_keys=front_keys
    )
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
