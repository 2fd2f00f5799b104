"""Explanations, and the choice of the words in them that are shown as reasons.

The shares of an `Explanation` are exact. Text, JSON, hovers, panels and Slack show only a few of
them, and all choose them here:

- A word counts with the sum of its occurrences, whatever the case, with or without "'s". Words that
  are joined by hyphens and the like ("best-in-class", "and/or") are one word.
- Punctuation marks, symbols and U+FFFC, which stands for code, are no words: writers can do little
  about them. Exclamation marks and emoji are reported as habits.
- The brand's own name is never a reason.
- Function words ("the", "of", "we"), figures ("15-30") and initials are shown only if no other word
  has a share, and words whose share is below `MIN_WORD_SHARE` only if all are below.

Habits are chosen when the sentence is explained (`onbrand.voice.profile.style_deviations`), the
strongest deviation first. A message names the first one alone (`worst_habit`): one thing to do is
done, a list is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from onbrand.document.positions import Span

MAX_WORDS = 3
"""Words that a message names and the sentence highlights."""
MAX_WORDS_PER_SIDE = 5
"""Words per side, where those for and those against are shown."""
MAX_TABLE_WORDS = 8
"""Rows of a table of word shares."""
MAX_HABITS = 4
MIN_WORD_SHARE = 0.15
"""Absolute log-odds below which a word's share is negligible."""


class WordShare(NamedTuple):
    """One word's share of the log-odds of its sentence (negative: off-brand)."""

    span: Span
    """The span of the word: in the source for a checked draft, else in the sentence."""
    text: str
    share: float
    """Natural-log odds."""


@dataclass(frozen=True, slots=True)
class Habit:
    """A habit of the brand that this sentence breaks, and that its writer can keep."""

    name: str
    """Key of the measure, say ``words_per_sentence``."""
    message: str
    """A clause for writers, say "34 words; Acme rarely writes more than 18"."""
    value: float
    usual: tuple[float, float]
    """The 10th and 90th percentile of the brand's own lines (or a rate twice)."""


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled line of the brand that is like the sentence."""

    text: str
    similarity: float
    """Cosine in the head's own space, -1 to 1."""
    label: Literal["on", "off"]
    source: str | None = None
    """``path`` or document name it came from, where known."""


@dataclass(frozen=True, slots=True)
class WordReason:
    """A word that is shown as a reason, with all its occurrences in the sentence."""

    text: str
    """The word as its first occurrence spells it."""
    places: tuple[tuple[WordShare, ...], ...]
    """Its shares per occurrence, in reading order."""

    @property
    def share(self) -> float:
        """The sum of its shares, natural-log odds."""
        return sum(part.share for parts in self.places for part in parts)

    @property
    def spans(self) -> tuple[Span, ...]:
        """The span of each occurrence."""
        return tuple(Span(parts[0].span.start, parts[-1].span.end) for parts in self.places)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a sentence got its probability. ``base + sum(word.share) == logit``."""

    logit: float
    base: float
    """The part that belongs to no word: the intercept and the encoder's special tokens."""
    words: tuple[WordShare, ...]
    """Every word and mark, in reading order."""
    habits: tuple[Habit, ...] = ()
    nearest_on: Example | None = None
    nearest_off: Example | None = None
    centroid_similarity: float | None = None
    """Cosine to the mean of the brand's on-brand lines."""
    register: str | None = None
    """The register that decided, the one in which the sentence lies furthest outside the brand's
    range; None if the brand's own head decided."""
    brand: str = ""
    """The brand whose voice judged; its name is never a reason."""

    def worst_words(self, limit: int = MAX_WORDS) -> tuple[WordReason, ...]:
        """Return up to ``limit`` words to show with the most negative shares, worst first."""
        against = [word for word in _merged(self) if word.share < 0]
        return tuple(sorted(_speaking(against), key=lambda word: word.share)[:limit])


def worst_words(why: Explanation | None) -> tuple[WordReason, ...]:
    """Return the words with the most negative shares that a message names, worst first."""
    return why.worst_words() if why else ()


def worst_habit(why: Explanation | None) -> str | None:
    """Return the habit that a message names, without a full stop; None if none is broken."""
    return why.habits[0].message.rstrip(".") if why and why.habits else None


def marked_words(why: Explanation | None, limit: int) -> tuple[WordReason, ...]:
    """Return the words to highlight: at most ``limit``, and about a third of the sentence."""
    return why.worst_words(min(limit, 1 + len(why.words) // 3)) if why else ()


def strongest_words(why: Explanation) -> tuple[WordReason, ...]:
    """Return the words with the largest shares, for or against the brand, strongest first."""
    strongest = sorted(_speaking(_merged(why)), key=lambda word: -abs(word.share))
    return tuple(strongest[:MAX_TABLE_WORDS])


def both_sides(why: Explanation) -> tuple[tuple[WordReason, ...], tuple[WordReason, ...]]:
    """Return the words against the brand and those for it, the strongest of each first.

    Of those for it, negligible shares and function words beside others are left out.
    """
    against = why.worst_words(MAX_WORDS_PER_SIDE)
    speaking = _speaking(_merged(why))
    in_favour = sorted((w for w in speaking if w.share > 0), key=lambda word: -word.share)
    return against, tuple(in_favour[:MAX_WORDS_PER_SIDE])


def _speaking(words: Sequence[WordReason]) -> Sequence[WordReason]:
    """Return the words worth showing: with a large share, or else any, those of content first."""
    felt = [word for word in words if abs(word.share) >= MIN_WORD_SHARE]
    for some in (felt, words):
        if telling := [word for word in some if has_content(word.text)]:
            return telling
    return felt or words


def _merged(why: Explanation) -> list[WordReason]:
    """Return each word once, in the order of the first occurrences."""
    places: dict[str, list[tuple[WordShare, ...]]] = {}
    for parts in _compounds(why.words, _own_name(why)):
        places.setdefault(_base(_text(parts)), []).append(parts)
    return [WordReason(_text(found[0]), tuple(found)) for found in places.values()]


def _text(parts: Sequence[WordShare]) -> str:
    return "".join(part.text for part in parts)


def _compounds(
    words: Sequence[WordShare], left_out: frozenset[int]
) -> Iterator[tuple[WordShare, ...]]:
    """Yield words, joined ones together; marks that join nothing are dropped."""

    def is_word(index: int) -> bool:
        return index not in left_out and any(map(str.isalnum, words[index].text))

    def joins(mark: int) -> bool:
        before, between, after = words[mark - 1 : mark + 2]
        touch = before.span.end == between.span.start and between.span.end == after.span.start
        thousands = between.text == "," and before.text.isdigit() and after.text.isdigit()
        return touch and (between.text in _JOINERS or thousands)

    start = 0
    while start < len(words):
        end = start + 1
        if is_word(start):
            while end + 1 < len(words) and is_word(end + 1) and joins(end):
                end += 2
            yield tuple(words[start:end])
        start = end


def _own_name(why: Explanation) -> frozenset[int]:
    """Return the indexes of the words that name the brand, written as one word or as several.

    Of a name in parts ("varnholt-pumps") the first part with a capital ("Varnholt") does, too.
    """
    name, first_part = _letters(why.brand), _letters(re.split(r"[\W_]", why.brand, maxsplit=1)[0])
    spelt = [(index, word.text) for index, word in enumerate(why.words) if _letters(word.text)]
    found = {at for at, text in spelt if text[0].isupper() and _letters(_base(text)) == first_part}
    for first in range(len(spelt)) if name else ():
        rest = name
        for last in range(first, len(spelt)):
            text = spelt[last][1]
            if rest in (_letters(text), _letters(_base(text))):
                found.update(index for index, _ in spelt[first : last + 1])
            if not rest.startswith(_letters(text)):
                break
            rest = rest.removeprefix(_letters(text))
    return frozenset(found)


def _key(text: str) -> str:
    return text.casefold().replace("’", "'")


def _base(text: str) -> str:
    return _key(text).removesuffix("'s")


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())


def has_content(word: str) -> bool:
    """Tell whether a word is more than function words, figures and single letters."""
    parts = re.split(r"[^\w']", _key(word))
    return not all(part in _FUNCTION_WORDS or _is_bare(part) for part in parts if part)


def _is_bare(part: str) -> bool:
    return not any(map(str.isalpha, part)) or (len(part) == 1 and part.isascii())


_JOINERS = frozenset("-‐‑–./&@+'’")
_PRONOUNS = """
    i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his
    himself she her hers herself it its itself they them their theirs themselves one oneself
    who whom whose which what that this these those
"""
_VERBS = """
    am is are was were be been being have has had having do does did doing done will would shall
    should can could may might must ought cannot
"""
_CONTRACTIONS = """
    s t d ll re ve m ain't aren't can't couldn't didn't doesn't don't hadn't hasn't haven't isn't
    mightn't mustn't needn't shan't shouldn't wasn't weren't won't wouldn't i'm i've i'll i'd we're
    we've we'll we'd you're you've you'll you'd he's he'll he'd she's she'll she'd it's it'll it'd
    they're they've they'll they'd that's that'll that'd there's there'll here's what's who's who'll
    where's how's let's one's
"""
_OTHERS = """
    a an the some any each every either neither both all no none such another other others same own
    and but or nor if because as until while so than though although unless whether since once
    about above across after against along among around at before behind below beneath beside
    besides between beyond by despite down during except for from in inside into like near of off
    on onto out outside over past per through throughout to toward towards under up upon via with
    within without when where why how there here then now not too also again further only just very
    more most few less least much many several ever even still yet e g etc
"""
_FUNCTION_WORDS = frozenset((_PRONOUNS + _VERBS + _CONTRACTIONS + _OTHERS).split())
"""English function words, which carry grammar rather than content."""
