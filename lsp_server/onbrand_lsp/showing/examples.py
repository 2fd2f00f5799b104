"""The on-brand lines nearest to a sentence, as text."""

from __future__ import annotations

from collections.abc import Sequence

from onbrand.document.masking import PLACEHOLDER
from onbrand.report.message import printable
from onbrand.results import Example


def nearest(brand: str, examples: Sequence[Example]) -> str:
    """Return lines to show to a writer, one below the other, the most alike first."""
    if not examples:
        return f"The voice of {brand} keeps no example lines; train it again with texts."
    lines = [f"{n}. {_line(example)}" for n, example in enumerate(examples, start=1)]
    return "\n".join([f"{brand} would sound more like this:", *lines])


def _line(example: Example) -> str:
    text = " ".join(printable(example.text).replace(PLACEHOLDER, "…").split())
    return f"“{text}” ({example.source})" if example.source else f"“{text}”"
