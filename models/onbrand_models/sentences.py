"""The fixed lines that quantisation is calibrated on, and those that parity is measured on."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def _lines() -> tuple[str, ...]:
    text = resources.files("onbrand_models").joinpath("sentences.txt").read_text("utf-8")
    return tuple(line for line in text.split("\n") if line)


def calibration_sentences() -> list[str]:
    """Return every second line, and all of them in one piece, so that late positions are seen."""
    lines = _lines()[::2]
    return [*lines, " ".join(lines)]


def parity_sentences() -> list[str]:
    """Return the other lines, which calibration has not seen."""
    return list(_lines()[1::2])
