"""The fixed lines of calibration and those of parity, and odd texts that must do no harm."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def _lines() -> tuple[str, ...]:
    text = resources.files("onbrand_models").joinpath("sentences.txt").read_text("utf-8")
    return tuple(line for line in text.split("\n") if line)


LONGEST = 1024
"""Words of the longest odd text: attention in full takes memory by their square."""


def calibration_sentences() -> list[str]:
    """Return every second line, and all of them in one piece, so that late positions are seen."""
    lines = _lines()[::2]
    return [*lines, " ".join(lines)]


def parity_sentences() -> list[str]:
    """Return the other lines, which calibration has not seen."""
    return list(_lines()[1::2])


def odd_texts(max_tokens: int) -> list[str]:
    """Return what people paste: nothing, other scripts, emoji, debris, a text of full length."""
    return [
        "",
        ".",
        "\N{ROCKET}\N{ZERO WIDTH JOINER}\N{ROCKET}",
        "Ünïcödé, ελληνικά, 日本語, العربية",
        "x" * 5000,
        "word " * min(max_tokens, LONGEST),
    ]
