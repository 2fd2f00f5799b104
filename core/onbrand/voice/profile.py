"""A brand's style as plain counts, and the habits in which a sentence deviates from it.

The profile is for people and takes no part in the probability. Of its measures only those are
habits that a writer can act on: a long sentence can be divided, an exclamation mark taken out; a
reading grade or a figure that has to be named cannot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np

from onbrand.voice.reasons import MAX_HABITS, Habit

_LETTERS = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_VOWELS = re.compile(r"[aeiouy]+", re.IGNORECASE)
MAX_RARE_RATE = 0.05
"""A marker in a smaller share of the brand's sentences than this is reported."""
HARDLY_EVER = 0.02
"""A marker in a smaller share of the brand's sentences than this is "hardly ever" used."""
MIN_NEVER = 100
"""Sentences without a marker from which the brand is said never to use it."""
MARGIN = 1.15
"""Multiple of the usual range's upper end above which a figure is reported."""


def _words(sentence: str) -> list[str]:
    return _LETTERS.findall(sentence)


def _word_count(sentence: str) -> float:
    return len(_words(sentence))


def _letters_per_word(sentence: str) -> float:
    words = _words(sentence)
    return sum(map(len, words)) / len(words) if words else 0.0


def _syllables(word: str) -> int:
    groups = len(_VOWELS.findall(word))
    silent = word.lower().endswith("e") and not word.lower().endswith(("le", "ee")) and groups > 1
    return max(1, groups - silent)


def reading_grade(sentence: str) -> float:
    """Return the US school grade of one sentence, never below 0.

    Kincaid et al. (1975), Derivation of new readability formulas for Navy enlisted personnel;
    syllables are counted as groups of vowels, which is right for about nine English words in ten.
    """
    words = _words(sentence)
    if not words:
        return 0.0
    return max(0.0, 0.39 * len(words) + 11.8 * sum(map(_syllables, words)) / len(words) - 15.59)


class PercentileRange(msgspec.Struct, frozen=True):
    """The usual range of a statistic: 10th, 50th and 90th percentile of on-brand sentences."""

    low: float
    middle: float
    high: float


class Profile(msgspec.Struct, frozen=True):
    """A brand's style, counted over its on-brand sentences."""

    sentences: int
    ranges: dict[str, PercentileRange]
    """By key of `STYLE_STATS`."""
    rates: dict[str, float]
    """By key of `STYLE_MARKERS`: the share of sentences with the marker, 0 to 1."""


@dataclass(frozen=True, slots=True)
class StyleStat:
    """A statistic of a sentence, and how to print it."""

    measure: Callable[[str], float]
    before: str = ""
    after: str = ""
    digits: int = 0
    excess: str = ""
    """What the brand rarely does, with ``{high}``, the upper end of its range; "": no habit."""

    def format(self, *values: float) -> str:
        """Return "8-18 words" for two values, "34 words" for one."""
        return self.before + self.format_values(*values) + self.after

    def format_values(self, *values: float) -> str:
        """Return "8-18" for two values, "34" for one."""
        return "-".join(f"{value:.{self.digits}f}" for value in values)


STYLE_STATS: dict[str, StyleStat] = {
    "words_per_sentence": StyleStat(
        _word_count, after=" words", excess="rarely writes more than {high}"
    ),
    "letters_per_word": StyleStat(_letters_per_word, after=" letters a word", digits=1),
    "reading_grade": StyleStat(reading_grade, before="reading grade "),
}

_BE = r"(?:am|is|are|was|were|be|been|being)"
_IRREGULAR = (
    r"(?:made|done|given|taken|seen|found|kept|held|built|sent|known|shown|written|\w{3,}ed)"
)


class StyleMarker(NamedTuple):
    """Something that a sentence has or has not."""

    name: str
    """As in "with an exclamation mark"."""
    pattern: re.Pattern[str]
    """Finds it."""
    verb: str = ""
    """What a brand without it never does, say "uses one"; "": it is no habit."""


STYLE_MARKERS: dict[str, StyleMarker] = {
    "exclamation": StyleMarker("an exclamation mark", re.compile(r"!"), "uses one"),
    "question": StyleMarker("a question", re.compile(r"\?"), "asks one"),
    "contraction": StyleMarker(
        "a contraction", re.compile(r"\w['’](?:t|re|ve|ll|d|m|s(?=\s+\w+ing))\b", re.I), "uses one"
    ),
    "you": StyleMarker('"you"', re.compile(r"\b(?:you|your|yours|yourself)\b", re.I), "says it"),
    "we": StyleMarker('"we"', re.compile(r"\b(?:we|our|ours|us|ourselves)\b", re.I), "says it"),
    "i": StyleMarker('"I"', re.compile(r"\b(?:I|my|mine|myself)\b"), "says it"),
    "passive": StyleMarker(
        "a passive", re.compile(rf"\b{_BE}\s+(?:\w+ly\s+)?{_IRREGULAR}\b", re.I), "uses one"
    ),
    "please": StyleMarker('"please"', re.compile(r"\bplease\b", re.I), "says it"),
    "number": StyleMarker("a number", re.compile(r"\d")),
    "capitals": StyleMarker("a word in capitals", re.compile(r"\b[A-Z]{4,}\b"), "uses one"),
    "long_word": StyleMarker("a word of 13 letters or more", re.compile(r"\b[^\W\d_]{13,}\b")),
    "adverb": StyleMarker('an adverb in "-ly"', re.compile(r"\b\w{4,}ly\b", re.I), "uses one"),
    "dash": StyleMarker("a dash", re.compile(r"[–—]|\s-\s"), "uses one"),
    "semicolon": StyleMarker("a semicolon", re.compile(r";"), "uses one"),
    "colon": StyleMarker("a colon", re.compile(r":(?=\s)"), "uses one"),
    "parentheses": StyleMarker("parentheses", re.compile(r"\("), "uses them"),
    "ellipsis": StyleMarker("an ellipsis", re.compile(r"…|\.\.\."), "uses one"),
    "emoji": StyleMarker("an emoji", re.compile(r"[\U0001F300-\U0001FAFF☀-➿]"), "uses one"),
}


def build_profile(sentences: Iterable[str]) -> Profile:
    """Return the profile of a brand, counted over its on-brand sentences."""
    lines = list(sentences)
    ranges = {
        key: PercentileRange(
            *np.percentile([stat.measure(s) for s in lines], (10, 50, 90)).round(2).tolist()
        )
        for key, stat in STYLE_STATS.items()
    }
    rates = {
        key: round(sum(bool(mark.pattern.search(s)) for s in lines) / len(lines), 4)
        for key, mark in STYLE_MARKERS.items()
    }
    return Profile(len(lines), ranges, rates)


def style_deviations(
    sentence: str, profile: Profile, brand: str, *, limit: int = MAX_HABITS
) -> tuple[Habit, ...]:
    """Return the habits in which the sentence deviates from the brand, the strongest first."""
    found = [*_outside_range(sentence, profile, brand), *_rare_markers(sentence, profile, brand)]
    found.sort(key=lambda item: -item[0])
    return tuple(habit for _, habit in found[:limit])


def _outside_range(sentence: str, profile: Profile, brand: str) -> Sequence[tuple[float, Habit]]:
    found = []
    for key, stat in STYLE_STATS.items():
        usual, value = profile.ranges.get(key), stat.measure(sentence)
        if not stat.excess or usual is None or value <= usual.high * MARGIN:
            continue
        rarely = stat.excess.format(high=stat.format_values(usual.high))
        strength = value / max(usual.high, 1e-6)
        habit = Habit(
            key, f"{stat.format(value)}; {brand} {rarely}", value, (usual.low, usual.high)
        )
        found.append((strength, habit))
    return found


def _rare_markers(sentence: str, profile: Profile, brand: str) -> Sequence[tuple[float, Habit]]:
    found = []
    for key, mark in STYLE_MARKERS.items():
        rate = profile.rates.get(key, 1.0)
        if not mark.verb or rate >= MAX_RARE_RATE or not mark.pattern.search(sentence):
            continue
        message = f"{mark.name}; {brand} {_how_often(rate, profile.sentences)} {mark.verb}"
        strength = 2.0 - rate / MAX_RARE_RATE
        found.append((strength, Habit(key, message, 1.0, (rate, rate))))
    return found


def _how_often(rate: float, sentences: int) -> str:
    """Return a rare rate, 0 to 1, in words, as seen in a number of sentences."""
    if rate == 0 and sentences >= MIN_NEVER:
        return "never"
    return "hardly ever" if rate < HARDLY_EVER else "rarely"
