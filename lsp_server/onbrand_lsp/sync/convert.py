"""Spans to the protocol's ranges and back, in the encoding agreed on with the client."""

from __future__ import annotations

from lsprotocol import types

from onbrand.document.positions import Encoding, LineIndex, Span


def to_range(span: Span, lines: LineIndex, encoding: Encoding) -> types.Range:
    """Return where a span of code points stands for the client."""
    start, end = (types.Position(*lines.position(at, encoding)) for at in span)
    return types.Range(start, end)


def to_span(range: types.Range, lines: LineIndex, encoding: Encoding) -> Span:  # noqa: A002
    """Return the code points that the client's range covers; any range is made to fit the text."""
    start, end = sorted(
        lines.offset(place.line, place.character, encoding) for place in (range.start, range.end)
    )
    return Span(start, end)
