"""Short sentences made of training lines, to learn how much less they are worth."""

from __future__ import annotations

from onbrand.voice.shortness import SHORT_WORDS


def first_words(text: str) -> str:
    """Return a short sentence made of the first words of a line and its closing mark."""
    words = text.split()
    start = " ".join(words[:SHORT_WORDS]).rstrip(",;:")
    closing = text[-1:] if text[-1:] in ".!?" and len(words) > SHORT_WORDS else ""
    return start + closing
