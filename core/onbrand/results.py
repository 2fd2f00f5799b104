"""What onbrand says of a draft: the data that reports, editors and chat messages are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from onbrand.document.positions import Span
from onbrand.voice.reasons import Example, Explanation, Habit, WordShare

__all__ = [
    "AVOID",
    "MIN_FOREIGN_TO_MEND",
    "Evidence",
    "Example",
    "Explanation",
    "Habit",
    "Report",
    "SentenceVerdict",
    "Verdict",
    "WordShare",
    "is_brand",
]

Verdict = Literal["forward", "review", "not judged"]
AVOID = "avoid: "
"""How the ``brand`` of a verdict begins where no brand's voice judged, but registers alone; what
follows are their names. No brand's name has a colon in it."""


MIN_FOREIGN_TO_MEND = 0.5
"""P of being of another voice above which a flagged sentence is to be mended."""


def is_brand(name: str) -> bool:
    """Tell whether the ``brand`` of a verdict is one, and not what registers are to be avoided."""
    return not name.startswith(AVOID)


class Evidence(NamedTuple):
    """What the voice's two answers say of a sentence, natural-log odds: drafts are judged by it."""

    head: float
    registers: float
    """Infinite where the voice has no registers."""


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
    """What was judged: the sentence without markup, white space collapsed."""
    brand: str
    probability: float | None
    """Calibrated P(on-brand); None when the sentence was not judged."""
    flagged: bool
    threshold: float
    """Below it the sentence is flagged."""
    not_judged: str | None = None
    """Why it was not judged ("too short", "unfamiliar text", …)."""
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

        It is then to be mended even where the draft as a whole goes forward.
        """
        return self.flagged and (self.foreign or 0.0) > MIN_FOREIGN_TO_MEND


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
    """Things the writer should know, one line each (truncated sentences, …)."""

    @property
    def flagged(self) -> tuple[SentenceVerdict, ...]:
        """The sentences that do not sound like the brand, in reading order."""
        return tuple(s for s in self.sentences if s.flagged)

    @property
    def mend(self) -> tuple[int, ...]:
        """Indexes of the sentences to mend, the worst first; see `SentenceVerdict.to_mend`."""
        chosen = (i for i, sentence in enumerate(self.sentences) if sentence.to_mend)
        return tuple(sorted(chosen, key=lambda i: self.sentences[i].probability or 0.0))
