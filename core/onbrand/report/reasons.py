"""What is shown as a reason, in every face: the words, and the voice that a sentence reads like.

Habits are chosen with the explanation (`onbrand.voice.profile.unusual_habits`); faces that have
little room show the first ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from onbrand.verdict import AVOID, Explanation, Report, WordShare, is_brand

REASONS = 3
"""Wrong voices that the verdict on a draft names, the most frequent ones."""
SIDE_WORDS = 5
"""Words that are named on either side, where both are."""
STRONGEST_WORDS = 8
"""Words that a table of shares has."""
FELT = 0.15
"""Log-odds below which a word's share is no news to anybody."""
_TELLING = re.compile(r"[^\W_]|[!?…]")
"""Commas and full stops have shares too, but there is little that a writer can do about them."""


class WordTotal(NamedTuple):
    """What a word adds to the log-odds of its sentence, wherever it stands in it."""

    share: float
    text: str


def worst_words(why: Explanation | None) -> tuple[WordShare, ...]:
    """Return the words that are named for speaking most against the brand, worst first."""
    return why.worst_words() if why else ()


def marked_words(why: Explanation | None, limit: int) -> tuple[WordShare, ...]:
    """Return the words to mark in their sentence: where most words would be, few are."""
    return why.worst_words(min(limit, 1 + len(why.words) // 3)) if why else ()


def strongest_words(why: Explanation) -> tuple[WordShare, ...]:
    """Return the words that say most for or against the brand, the strongest first."""
    return tuple(sorted(why.words, key=lambda word: -abs(word.share))[:STRONGEST_WORDS])


def both_sides(words: Sequence[WordShare]) -> tuple[list[WordTotal], list[WordTotal]]:
    """Return what speaks against the brand and for it; a word that stands twice counts twice."""
    shares: dict[str, float] = {}
    for word in words:
        if _TELLING.search(word.text):
            shares[word.text] = shares.get(word.text, 0.0) + word.share
    felt = sorted(WordTotal(share, word) for word, share in shares.items() if abs(share) >= FELT)
    against = [one for one in felt if one.share < 0]
    in_favour = [one for one in reversed(felt) if one.share > 0]
    return against[:SIDE_WORDS], in_favour[:SIDE_WORDS]


def finding(brand: str, why: Explanation | None) -> str:
    """Return what is wrong with a flagged sentence, say "Sounds off-brand for acme".

    Args:
        brand: of the sentence.
        why: its explanation; without one nobody knows what it reads like.
    """
    like = reads_like(why)
    if not is_brand(brand):
        return f"Reads like {like or 'a voice to avoid'}"
    return (
        f"Reads like {like}, more than {brand}’s own copy does"
        if like
        else f"Sounds off-brand for {brand}"
    )


def reads_like(why: Explanation | None) -> str | None:
    """Return what a sentence reads like, say "corporate-speak", if a register decided."""
    if why is None or why.register is None:
        return None
    return _read_as(why.register)


def reads_most_like(report: Report) -> tuple[str, ...]:
    """Return what flagged sentences of a draft read like, what most of them do first.

    Those whose brand's own head decided read like nothing that has a name.
    """
    named = (reads_like(sentence.explanation) for sentence in report.flagged)
    return tuple(like for like, _ in Counter(filter(None, named)).most_common())


def to_avoid(brand: str) -> str:
    """Return what a draft must not read like where no brand judged, say "hype, a chatbot".

    Args:
        brand: of a verdict; see `is_brand`.
    """
    return ", ".join(_read_as(name) for name in brand.removeprefix(AVOID).split(", "))


def _read_as(register: str) -> str:
    # With numpy: only where registers are at work, and so an engine is loaded.
    from onbrand.voice.registers import read_as

    return read_as(register)


def fault(brand: str) -> str:
    """Return what flagged sentences are: "off-brand", or "in a voice to avoid"."""
    return "off-brand" if is_brand(brand) else "in a voice to avoid"


def draft_reasons(report: Report) -> str:
    """Return what flagged sentences read like, say "8 read like corporate-speak, 2 like hype".

    Empty where no register decided, or where not all of them were explained.
    """
    if any(sentence.explanation is None for sentence in report.flagged):
        return ""
    likes = Counter(like for s in report.flagged if (like := reads_like(s.explanation)))
    found = [f"{count:,} like {like}" for like, count in likes.most_common(REASONS)]
    if not found:
        return ""
    count, _, rest = found[0].partition(" ")
    found[0] = f"{count} {'reads' if count == '1' else 'read'} {rest}"
    return ", ".join(found)
