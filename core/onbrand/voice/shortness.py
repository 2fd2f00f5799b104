"""How little evidence a short sentence is."""

from __future__ import annotations

SHORT_WORDS = 4
LONG_WORDS = 12


def shortness(words: int) -> float:
    """Return 1 for sentences of up to `SHORT_WORDS`, 0 from `LONG_WORDS` on, straight in 1/words.

    The scatter of a mean over tokens falls with their number.
    """
    if words >= LONG_WORDS:
        return 0.0
    return (1 / max(words, SHORT_WORDS) - 1 / LONG_WORDS) / (1 / SHORT_WORDS - 1 / LONG_WORDS)
