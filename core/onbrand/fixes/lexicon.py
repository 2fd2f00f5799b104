"""The lexicon of plain words: what stands in ``data/plain_words.toml``, found in a sentence."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from onbrand.fixes.grammar import (
    FORMS,
    FUNCTION_WORDS,
    OBJECTS,
    PEOPLE,
    POSSESSIVES,
    Token,
    inflect,
    pluralise,
)

FILE = Path(__file__).parents[1] / "data" / "plain_words.toml"
MAX_GROUP = 5
"""Maximum number of words that stay inside a pattern."""
_GROUPS = ("{}", "{who}")


class Entry(NamedTuple):
    """A wording that may be replaced, in one of its inflected forms."""

    source: tuple[str, ...]
    """Tokens in lower case; "{}" stands for some words that stay, "{who}" for people."""
    targets: tuple[str, ...]
    """What may stand there instead, the best first, not inflected; "" to leave it out."""
    kind: str
    """ "verb", "noun", "phrase", "contraction", "opener", "tail" or "deleted"."""
    form: str = "base"
    """Of a verb one of `FORMS`, of a noun "base" or "plural"."""
    is_noun_too: bool = False
    """Whether the verb's plain form is a noun as well."""


class Match(NamedTuple):
    """An entry and the tokens that it covers."""

    entry: Entry
    start: int
    end: int
    """After the last token."""
    group: str = ""
    """The words that stay, as the sentence spells them."""


class Lexicon:
    """All entries, by their first word.

    Args:
        content: of the file, as parsed.
    """

    def __init__(self, content: dict[str, dict[str, str]]) -> None:
        replace, delete = content["replace"], content["delete"]
        self._entries: dict[str, list[Entry]] = {}
        self.adverbs = frozenset(delete["adverbs"].split())
        self.adjectives = frozenset(delete["adjectives"].split())
        self.sentences = frozenset(delete["sentences"].strip().split("\n"))
        self.expansions: dict[str, str] = {}
        for source, targets in _rows(replace["verbs"]):
            self._add_verb(source, targets)
        for source, targets in _rows(replace["nouns"]):
            self._add(source, targets, "noun")
            self._add(pluralise(source), targets, "noun", "plural")
        for source, targets in _rows(replace["phrases"]):
            self._add(source, targets, "phrase")
        for source, (contraction,) in _rows(replace["contractions"]):
            self._add(source, (contraction,), "contraction")
            self._add(contraction.lower(), (source,), "contraction")
        for kind, section in (("opener", "openers"), ("tail", "tails"), ("deleted", "phrases")):
            for source in delete[section].strip().split("\n"):
                self._add(source, ("",), kind)

    def matches(self, tokens: Sequence[Token]) -> Iterator[Match]:
        """Yield every entry that stands in a sentence, in reading order, none on what is kept."""
        lows = [token.low for token in tokens]
        for start, low in enumerate(lows):
            for entry in self._entries.get(low, ()):
                found = _match(entry, tokens, lows, start)
                if found is not None and not any(
                    token.protected for token in tokens[found.start : found.end]
                ):
                    yield found

    def _add_verb(self, source: str, targets: tuple[str, ...]) -> None:
        verb, _, rest = source.partition(" ")
        is_noun_too, verb = verb.endswith("*"), verb.rstrip("*")
        for form in FORMS[:2] + FORMS[2:3] + FORMS[4:]:
            made = inflect(f"{verb} {rest}".strip(), form)
            self._add(made, targets, "verb", form, is_noun_too)

    def _add(
        self,
        source: str,
        targets: tuple[str, ...],
        kind: str,
        form: str = "base",
        is_noun_too: bool = False,
    ) -> None:
        spellings = {source.lower(), re.sub(r"(?<=\w\w)iz(?=e|ing|ation)", "is", source.lower())}
        for spelling in sorted(spellings):
            tokens = tuple(spelling.split())
            entry = Entry(tokens, targets, kind, form, is_noun_too)
            self._entries.setdefault(tokens[0], []).append(entry)


@lru_cache(1)
def load_lexicon() -> Lexicon:
    """Return the lexicon that ships with onbrand."""
    return Lexicon(tomllib.loads(FILE.read_text("utf-8")))


def _rows(section: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for line in section.strip().split("\n"):
        source, _, targets = line.partition(" -> ")
        yield source, tuple(target.strip() for target in targets.split(" | "))


def _match(entry: Entry, tokens: Sequence[Token], lows: list[str], start: int) -> Match | None:
    end, group = start, ""
    for number, part in enumerate(entry.source):
        if part not in _GROUPS:
            if end >= len(lows) or lows[end] != part:
                return None
            end += 1
            continue
        length = _group_length(entry.source[number + 1], part, tokens, lows, end)
        if not length:
            return None
        spans = tokens[end].span, tokens[end + length - 1].span
        group = f"{spans[0].start}:{spans[1].end}"
        end += length
    return Match(entry, start, end, group)


def _group_length(
    after: str, kind: str, tokens: Sequence[Token], lows: list[str], start: int
) -> int:
    """Return how many words stand before the pattern goes on; 0 if they do not fit."""
    for length in range(1, MAX_GROUP + 1):
        if start + length >= len(lows) or not tokens[start + length - 1].is_word:
            return 0
        if lows[start + length] == after:
            words = lows[start : start + length]
            return length if kind == "{}" or _are_people(words) else 0
    return 0


def _are_people(words: Sequence[str]) -> bool:
    *before, noun = words
    if not before:
        return noun in OBJECTS or noun in PEOPLE
    whose = before[0] in POSSESSIVES or before[0] in ("the", "all", "both")
    rest = before[1:] if whose else before
    return noun in PEOPLE and not any(word in FUNCTION_WORDS for word in rest)
