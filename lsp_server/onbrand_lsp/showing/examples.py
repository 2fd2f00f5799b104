"""The on-brand lines nearest to a sentence, as text."""

from __future__ import annotations

from collections.abc import Sequence

from onbrand.document.masking import PLACEHOLDER
from onbrand.report.message import printable
from onbrand.results import Example
from onbrand.scorer import Scorer

NEAR = 0.36
"""Cosine from which a line shows how to say the same: half of the example brands' own lines have
another one that near, and of lines on other subjects only one in twenty does."""


def near(scorer: Scorer, text: str, brand: str) -> list[Example]:
    """Return the on-brand lines that are near a sentence, the nearest first."""
    return [one for one in scorer.nearest(text, brand) if one.similarity >= NEAR]


def nearest(brand: str, examples: Sequence[Example]) -> str:
    """Return lines to show to a writer, one below the other, the most alike first."""
    if not examples:
        return f"The voice of {brand} keeps no line that is near this sentence."
    lines = [f"{n}. {_line(example)}" for n, example in enumerate(examples, start=1)]
    return "\n".join([f"{brand} would sound more like this:", *lines])


def _line(example: Example) -> str:
    text = " ".join(printable(example.text).replace(PLACEHOLDER, "…").split())
    return f"“{text}” ({example.source})" if example.source else f"“{text}”"
