"""The one type for a stretch of source text."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """A half-open stretch of source text, ``start <= end``, in Unicode code points.

    Units change in one place only, `onbrand.text.lines.LineIndex`.
    """

    start: int
    end: int

    def slice(self, text: str) -> str:
        """Return the text that the span covers."""
        return text[self.start : self.end]
