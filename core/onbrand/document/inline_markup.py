"""Inline markup of a format, found by one regular expression, to a `BlockBuilder`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from onbrand.document.blocks import BlockBuilder

MAX_DEPTH = 8
"""How deep labels may stand in labels; deeper ones are copied as they are."""


class Label(NamedTuple):
    """The part of a match that readers see, itself with markup in it."""

    start: int
    end: int
    is_link: bool = False


class InlineReader:
    """Feeds source text to a builder, its markup resolved.

    Args:
        builder: takes the text.
        markup: matches everything that is not plain text.
        resolve: returns what a match stands for: text in its place (empty for nothing, a line
            separator for a line break), or the label in it.
    """

    def __init__(
        self,
        builder: BlockBuilder,
        markup: re.Pattern[str],
        resolve: Callable[[re.Match[str]], str | Label],
    ) -> None:
        self._builder = builder
        self._markup = markup
        self._resolve = resolve

    def add(self, start: int, end: int, depth: int = 0) -> None:
        """Add the source between two offsets."""
        builder, at = self._builder, start
        if depth < MAX_DEPTH:
            for found in self._markup.finditer(builder.source, start, end):
                builder.copy(at, found.start())
                at = found.end()
                shown = self._resolve(found)
                if isinstance(shown, Label):
                    self.add(shown.start, shown.end, depth + 1)
                    if shown.is_link:
                        builder.link(found.start(), at)
                elif shown:
                    builder.add(shown, found.start(), at)
        builder.copy(at, end)
