"""Fixes: edits of a flagged sentence that lift it over its threshold.

An edit replaces or deletes words by a lexicon of plain ones (`onbrand.fixes.edits`), at most two at
once; text is never generated. Every candidate is scored as the sentence was, by the same voice and
threshold, before it is offered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np

from onbrand.fixes.edits import Brand, Change, Edit, apply_edits, is_good, propose
from onbrand.voice.lexical import words_of
from onbrand.voice.model import Voice, log_odds

if TYPE_CHECKING:
    from onbrand.results import SentenceVerdict
    from onbrand.scorer import Scorer

__all__ = ["Edit", "Fix", "apply_edits", "find_fixes", "score_fixes"]

MAX_FIXES = 3
"""Fixes that are offered for a sentence."""
MAX_SINGLE = 32
"""Edits that are tried alone, those of the words that speak most against the brand first …"""
MAX_PAIRS = 64
"""… and pairs of them: those that promise most, by what each adds alone."""
REACH = 2.5
"""Log-odds by which the sum of two edits may miss the threshold and the pair still be tried."""
USUAL, RARE = 0.15, 0.05
"""Shares of a brand's sentences with a habit from and below which it is known to have it or not."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One or two edits of a sentence, after which it is no longer flagged."""

    edits: tuple[Edit, ...]
    """Of one or two changes; sorted and disjoint, offsets into the sentence."""
    text: str
    """The sentence after them."""
    probability: float
    """P(on-brand) of ``text``."""
    source: str = ""
    """The rewriter that suggested it; empty if onbrand did."""


def find_fixes(
    scorer: Scorer, sentence: SentenceVerdict, *, limit: int = MAX_FIXES
) -> tuple[Fix, ...]:
    """Return fixes for a flagged sentence, the smallest change first; often there are none.

    Args:
        scorer: what judged the sentence.
        sentence: the verdict on it.
        limit: maximum number of fixes.
    """
    if not sentence.flagged or sentence.truncated:
        return ()
    voice = scorer.voice(sentence.brand)
    changes = _most_promising(scorer, sentence, propose(sentence.text, brand_of(voice)))
    tried = score_fixes(scorer, sentence, changes)
    lifts = [fix for fix in tried if fix is not None and fix.probability >= sentence.threshold]
    found = _best(lifts)
    if len(found) < limit:
        rest = [fix for fix in tried if fix is not None and fix not in lifts]
        fixes = score_fixes(scorer, sentence, _pairs(sentence, rest))
        found += _best(
            fix for fix in fixes if fix is not None and fix.probability >= sentence.threshold
        )
    return tuple(found[:limit])


def score_fixes(
    scorer: Scorer, sentence: SentenceVerdict, candidates: Sequence[Change]
) -> list[Fix | None]:
    """Return what each candidate makes of a sentence; None where that is not to be offered.

    Not offered is what loses a name, figure, quotation, link or code, is not whole, or is not
    judged any more.

    Args:
        scorer: what judged the sentence.
        sentence: the verdict on it.
        candidates: edits of its text, each sorted and disjoint.
    """
    texts = [apply_edits(sentence.text, edits) for edits in candidates]
    good = [n for n, text in enumerate(texts) if is_good(sentence.text, text)]
    known = scorer.judge([texts[n] for n in good], sentence.brand)
    fixes: list[Fix | None] = [None] * len(candidates)
    for n, p in zip(good, known, strict=True):
        if p is not None:
            fixes[n] = Fix(candidates[n], texts[n], p)
    return fixes


def brand_of(voice: Voice) -> Brand:
    """Return what a voice says of the wordings that its brand uses."""
    examples, head = voice.examples, voice.head
    if examples.texts:
        lines = (text for text, on in zip(examples.texts, examples.on, strict=True) if on)
        words = {word for line in lines for word in words_of(line)}
    else:
        words = {
            term[2:]
            for term, weight in zip(head.vocabulary.terms, head.term_weights, strict=True)
            if term.startswith("w:") and weight > 0
        }
    rates = voice.manifest.profile.rates
    contracts = rates.get("contraction", 0.1)
    return Brand(
        knows=words.__contains__,
        contracts=True if contracts >= USUAL else False if contracts < RARE else None,
        exclaims=rates.get("exclamation", 0.0) >= RARE,
        emojis=rates.get("emoji", 0.0) >= RARE,
        dashes=rates.get("dash", 0.0) >= RARE,
    )


def _most_promising(
    scorer: Scorer, sentence: SentenceVerdict, changes: Sequence[Change]
) -> Sequence[Change]:
    """Return the changes whose words speak most against the brand, if there are too many."""
    if len(changes) <= MAX_SINGLE:
        return changes
    why = scorer.explain(sentence.text, sentence.brand)

    def share(change: Change) -> float:
        return sum(
            word.share
            for (start, end), _ in change
            for word in why.words
            if word.span.start < end and start < word.span.end
        )

    return sorted(changes, key=share)[:MAX_SINGLE]


def _pairs(sentence: SentenceVerdict, singles: Sequence[Fix]) -> list[Change]:
    """Return pairs of changes that may be enough together, the most promising first."""
    if sentence.probability is None:
        return []
    own, goal = _odds(sentence.probability), _odds(sentence.threshold)
    ranked = []
    for one, two in combinations(singles, 2):
        both = tuple(sorted(one.edits + two.edits))
        together = _odds(one.probability) + _odds(two.probability) - own
        if together + REACH >= goal and all(
            _apart(sentence.text, *pair) for pair in pairwise(both)
        ):
            ranked.append((-together, both))
    return [both for _, both in sorted(ranked)[:MAX_PAIRS]]


def _apart(text: str, one: Edit, two: Edit) -> bool:
    """Return whether a word stands between two edits, so that neither undoes the other's mending.

    What ends the sentence may be changed together with the word before it.
    """
    between = text[one.span.end : two.span.start]
    return one.span.end <= two.span.start and (
        any(map(str.isalnum, between)) or two.text in (".", "")
    )


def _odds(p: float) -> float:
    return log_odds(float(np.clip(p, 1e-6, 1 - 1e-6)))


def _best(fixes: Iterable[Fix]) -> list[Fix]:
    """Return the best fix for each choice of places, the best first."""
    found: dict[tuple[int, ...], Fix] = {}
    for fix in sorted(fixes, key=lambda fix: -fix.probability):
        found.setdefault(tuple(edit.span.start for edit in fix.edits), fix)
    return [*found.values()]
