"""Jupyter notebooks to blocks: their Markdown cells, with places in the notebook's JSON."""

from __future__ import annotations

from onbrand.document import json_strings, markdown
from onbrand.document.blocks import Extracted
from onbrand.document.embedded import EmbeddedText, join


def extract(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks and comments of a notebook's Markdown cells.

    Code, outputs and raw cells are left out.

    Args:
        text: the notebook, as JSON.
        quotes: whether block quotes are judged.
    """
    try:
        containers, strings = json_strings.read(text)
    except ValueError as error:
        return Extracted([], [], (f"is no Jupyter notebook ({error}); nothing in it is judged",))
    types: dict[int, str] = {}
    sources: dict[int, list[tuple[int, int]]] = {}
    for container, key, start, end in strings:
        cell = container
        if container >= 0 and containers[container].key == "source":  # lines in an array
            cell, key = containers[container].parent, "source"
        inside = containers[cell].parent if cell >= 0 else -1
        if inside < 0 or containers[inside].key != "cells":
            continue
        if key == "cell_type":
            types[cell] = text[start:end]
        elif key == "source":
            sources.setdefault(cell, []).append((start, end))
    prose = {cell: None for cell in sources if types.get(cell) == "markdown"}
    left_out = sum(
        end - start for cell in sources if cell not in prose for start, end in sources[cell]
    )
    found = join(_cell(text, sources[cell], quotes) for cell in prose)
    return found._replace(
        skipped={**found.skipped, "code": found.skipped.get("code", 0) + left_out}
    )


def _cell(source: str, strings: list[tuple[int, int]], quotes: bool) -> Extracted:
    cell = EmbeddedText(source)
    for start, end in strings:
        cell.unescape(start, end)
    return cell.read(markdown.extract, quotes)
