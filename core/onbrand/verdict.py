"""What onbrand says of a draft: the data that reports, editors and chat messages are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from onbrand.text.span import Span

Verdict = Literal["forward", "review", "not judged"]
AVOID = "avoid: "
"""How the ``brand`` of a verdict begins where no brand's voice judged, but registers alone; what
follows are their names. No brand's name has a colon in it."""


CLEARLY = 0.5
"""P of being of another voice above which a flagged sentence is to be mended."""


def is_brand(name: str) -> bool:
    """Tell whether the ``brand`` of a verdict is one, and not what registers are to be avoided."""
    return not name.startswith(AVOID)


class WordShare(NamedTuple):
    """What one word adds to the log-odds of its sentence (negative: off-brand)."""

    span: Span
    """Where the word stands: in the source for a checked draft, else in the sentence."""
    text: str
    share: float
    """Natural-log odds."""


@dataclass(frozen=True, slots=True)
class Habit:
    """A habit of the brand that this sentence breaks, with both figures."""

    name: str
    """Key of the measure, say ``words_per_sentence``."""
    message: str
    """A clause for writers, say "34 words; Acme usually writes 8-18"."""
    value: float
    usual: tuple[float, float]
    """The 10th and 90th percentile of the brand's own lines (or a rate twice)."""


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled line of the brand near to the sentence."""

    text: str
    similarity: float
    """Cosine in the head's own space, -1 to 1."""
    label: Literal["on", "off"]
    source: str | None = None
    """``path`` or document name it came from, where known."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a sentence got its probability. ``base + sum(word.share) == logit``."""

    logit: float
    base: float
    """What is not any word's: the intercept and the encoder's special tokens."""
    words: tuple[WordShare, ...]
    """In reading order."""
    habits: tuple[Habit, ...] = ()
    nearest_on: Example | None = None
    nearest_off: Example | None = None
    centroid_similarity: float | None = None
    """Cosine to the mean of the brand's on-brand lines."""
    register: str | None = None
    """The register that decided, of those that this sentence lies outside of the brand's range in;
    None where the brand's own head decided."""

    def worst_words(self, limit: int = 3) -> tuple[WordShare, ...]:
        """Return up to ``limit`` words that speak most against the brand, worst first."""
        against = sorted((w for w in self.words if w.share < 0), key=lambda w: w.share)
        return tuple(against[:limit])


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
        return self.flagged and (self.foreign or 0.0) > CLEARLY


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
