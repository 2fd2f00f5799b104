"""A team's own rewriters: callables of the entry point group ``onbrand.rewriters``.

A rewriter takes a sentence, the brand and the reasons why it is flagged, and returns other
wordings. Nobody's rewriter runs unless the user asks for it. What it returns counts as little as
onbrand's own candidates: it is scored, and must keep names, figures, quotations, links and code.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from onbrand.document.positions import Span
from onbrand.fixes import Edit, Fix, score_fixes
from onbrand.voice.reasons import Explanation, worst_words

if TYPE_CHECKING:
    from onbrand.results import SentenceVerdict
    from onbrand.scorer import Scorer

GROUP = "onbrand.rewriters"
TIMEOUT = 5.0
"""Seconds that a rewriter has for a sentence; one that is still at it is asked nothing more."""
MAX_SUGGESTIONS = 5
"""Suggestions of one rewriter that are looked at."""

Rewriter = Callable[[str, str, Sequence[str]], Sequence[str]]
"""Takes text, brand and reasons (words and habits, say "leverage"); returns texts."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Loaded:
    name: str
    rewriter: Rewriter
    busy: bool = False


class Rewriters:
    """The rewriters that are installed. Safe to use from several threads.

    Args:
        rewriters: by name; those of the entry point group by default. One that cannot be imported
            is left out, with a line in the log.
    """

    def __init__(self, rewriters: dict[str, Rewriter] | None = None) -> None:
        found = _installed() if rewriters is None else rewriters
        self._loaded = [_Loaded(name, rewriter) for name, rewriter in found.items()]

    def find_fixes(
        self, scorer: Scorer, sentence: SentenceVerdict, *, timeout: float = TIMEOUT
    ) -> tuple[Fix, ...]:
        """Return the suggestions that lift a flagged sentence over its threshold, the best first.

        Args:
            scorer: what judged the sentence.
            sentence: the verdict on it.
            timeout: seconds that each rewriter has.
        """
        why = scorer.explain(sentence.text, sentence.brand) if self._loaded else None
        fixes: dict[str, Fix] = {}
        for loaded in self._loaded:
            texts = _ask(loaded, sentence, reasons_of(why), timeout)
            edits = [(_edit(sentence.text, text),) for text in texts if text != sentence.text]
            for fix in score_fixes(scorer, sentence, edits):
                if fix is not None and fix.probability >= sentence.threshold:
                    fixes.setdefault(fix.text, replace(fix, source=loaded.name))
        return tuple(sorted(fixes.values(), key=lambda fix: -fix.probability))


def reasons_of(why: Explanation | None) -> list[str]:
    """Return what a rewriter is told: the words that speak against the brand, then the habits."""
    if why is None:
        return []
    return [word.text for word in worst_words(why)] + [habit.message for habit in why.habits]


def _installed() -> dict[str, Rewriter]:
    found: dict[str, Rewriter] = {}
    for point in entry_points(group=GROUP):
        try:
            found[point.name] = point.load()
        except Exception as error:
            _log.warning("rewriter %s cannot be loaded: %s", point.name, type(error).__name__)
    return found


def _ask(
    loaded: _Loaded, sentence: SentenceVerdict, reasons: Sequence[str], timeout: float
) -> Sequence[str]:
    """Return what a rewriter suggests; nothing, and a line in the log, where it fails."""
    if loaded.busy:
        return ()
    answer: list[str] = []
    failure: list[str] = []

    def ask() -> None:
        try:
            suggested = loaded.rewriter(sentence.text, sentence.brand, tuple(reasons))
            answer.extend(_clean(text) for text in list(suggested)[:MAX_SUGGESTIONS])
        except Exception as error:
            failure.append(type(error).__name__)  # its message may hold the writer's text
        finally:
            loaded.busy = False

    loaded.busy = True
    thread = threading.Thread(target=ask, name=f"onbrand-rewriter-{loaded.name}", daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        failure = [f"took longer than {timeout:g} seconds"]
    if failure:
        _log.warning("rewriter %s failed: %s", loaded.name, failure[0])
        return ()
    return answer


def _clean(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError
    return " ".join(text.split())


def _edit(before: str, after: str) -> Edit:
    """Return the one edit that makes a text of another: what lies between the words they share."""
    start, shortest = 0, min(len(before), len(after))
    while start < shortest and before[start] == after[start]:
        start += 1
    end = 0
    while end < shortest - start and before[-1 - end] == after[-1 - end]:
        end += 1
    while start and _joins(before, start) | _joins(after, start):
        start -= 1
    while end and _joins(before, len(before) - end) | _joins(after, len(after) - end):
        end -= 1
    return Edit(Span(start, len(before) - end), after[start : len(after) - end])


def _joins(text: str, at: int) -> bool:
    """Return whether an offset lies inside a word."""
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()
