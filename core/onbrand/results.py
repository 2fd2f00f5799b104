"""The results of a check: the data that reports, editors and chat messages are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from onbrand.document.positions import Span
from onbrand.voice.reasons import Example, Explanation, Habit, WordShare

__all__ = [
    "AVOID",
    "MIN_FOREIGN_TO_MEND",
    "CheckResults",
    "DiffScope",
    "Evidence",
    "Example",
    "Explanation",
    "FileError",
    "Habit",
    "Report",
    "SentenceVerdict",
    "Verdict",
    "WordShare",
    "is_brand",
]

Verdict = Literal["forward", "review", "not judged"]
AVOID = "avoid: "
"""Prefix of ``brand`` in a verdict by registers alone, followed by their names. No brand's name
contains a colon."""


MIN_FOREIGN_TO_MEND = 0.5
"""P of being of another voice above which a flagged sentence has to be fixed."""


def is_brand(name: str) -> bool:
    """Return whether the ``brand`` of a verdict is a brand, not a list of registers to avoid."""
    return not name.startswith(AVOID)


class Evidence(NamedTuple):
    """The two answers of a voice on a sentence, natural-log odds, by which drafts are judged."""

    head: float
    registers: float
    """Infinite if the voice has no registers."""


@dataclass(frozen=True, slots=True)
class SentenceVerdict:
    """One sentence of a draft."""

    span: Span
    """From its first to its last real character in the source, code points."""
    line: int
    """Counted from 1."""
    column: int
    """Counted from 1, code points."""
    text: str
    """The text that was judged: the sentence without markup, white space collapsed."""
    brand: str
    probability: float | None
    """Calibrated P(on-brand); None when the sentence was not judged."""
    flagged: bool
    threshold: float
    """Below it the sentence is flagged."""
    not_judged: str | None = None
    """The reason why it was not judged ("too short", "unfamiliar text", …)."""
    evidence: Evidence | None = None
    """None when the sentence was not judged."""
    truncated: bool = False
    """The encoder read only the first `max_tokens` tokens."""
    explanation: Explanation | None = None
    foreign: float | None = None
    """P that it is of another voice, given how the rest of its draft reads; None when it was not
    judged."""

    @property
    def to_mend(self) -> bool:
        """Whether it is flagged and clearly of another voice.

        It then has to be fixed even if the draft as a whole goes forward.
        """
        return self.flagged and (self.foreign or 0.0) > MIN_FOREIGN_TO_MEND


class FileError(NamedTuple):
    """Why a draft was not judged, while others were."""

    path: str
    message: str
    """One line, which says what to do."""
    line: int | None = None
    """Counted from 1."""

    def __str__(self) -> str:
        """Return ``path:line: message``."""
        return f"{self.path}{'' if self.line is None else f':{self.line}'}: {self.message}"


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on one draft."""

    path: str
    brand: str
    probability: float | None
    """Calibrated P(on-brand) of the whole draft; None when nothing could be judged."""
    verdict: Verdict
    gate: float
    """At or above it the draft goes forward, below it to human review."""
    sentences: tuple[SentenceVerdict, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    """Warnings for the writer, one line each (truncated sentences, …)."""
    skipped: Mapping[str, int] = field(default_factory=dict, compare=False)
    """Reason → how many characters of the draft are not judged for it, say "code" → 1200."""

    @property
    def flagged(self) -> tuple[SentenceVerdict, ...]:
        """The sentences that do not sound like the brand, in reading order."""
        return tuple(s for s in self.sentences if s.flagged)

    @property
    def mend(self) -> tuple[int, ...]:
        """Indexes of the sentences to fix, the worst first; see `SentenceVerdict.to_mend`."""
        chosen = (i for i, sentence in enumerate(self.sentences) if sentence.to_mend)
        return tuple(sorted(chosen, key=lambda i: self.sentences[i].probability or 0.0))


@dataclass(frozen=True, slots=True)
class DiffScope:
    """What a check was limited to by ``--diff``: the flags of all other sentences are cleared."""

    base: str
    """What the user named."""
    commit: str
    """The commit that the drafts were compared with, in hexadecimal."""
    unchanged: int = 0
    """Drafts in which no sentence differs; they are not judged."""
    elsewhere: int = 0
    """Flagged sentences of the other drafts that do not differ."""


@dataclass(frozen=True, slots=True)
class CheckResults:
    """What an output format may show."""

    reports: Sequence[Report]
    """One per draft, in the order in which they were named."""
    sources: Mapping[str, str]
    """The checked text by the report's path."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many files were in no known format, by the endings of their names."""
    suppressed: int = 0
    """Findings that a baseline hides."""
    errors: Sequence[FileError] = ()
    """The drafts that could not be judged, and why."""
    no_drafts: int = 0
    """How many files were no drafts by their names or content: licences, requirements, keys."""
    marked: frozenset[str] = frozenset()
    """The paths of reports about files that begin with a byte order mark."""
    scope: DiffScope | None = None
    """None: everything was checked."""
    quiet: bool = False
    """Show findings alone: no verdicts of drafts, and no summary."""
