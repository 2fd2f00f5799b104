"""What is shown of a check, an App Home, a review or a digest: all that the renderers get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from onbrand.results import Report, Verdict
from onbrand_slack.model import Source

Decision = Literal["approve", "reject", "changes", "reopen"]
Status = Literal["open", "approved", "rejected", "changes"]


@dataclass(frozen=True, slots=True)
class Change:
    """A re-check against the version before."""

    before: float | None
    """P(on-brand) of the version before."""
    verdict: Verdict
    """Of the version before."""
    mended: int
    """Sentences that were flagged before and are gone or fine now."""
    still: int
    """Sentences that are flagged in both."""
    new: int
    """Sentences that are flagged now and were not before."""


@dataclass(frozen=True, slots=True)
class Votes:
    """What people say of a sentence, the last word of each."""

    on: tuple[str, ...] = ()
    """User ids."""
    off: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One checked draft, as one user is to see it."""

    ticket: str
    report: Report
    user: str
    """Who asked."""
    source: Source
    title: str = ""
    """The name of a file, if it was one."""
    link: str | None = None
    """To the message that was checked."""
    brand_reason: str = ""
    """Where the brand came from, as a clause: "this channel's brand"; empty where it was named."""
    change: Change | None = None
    votes: Mapping[int, Votes] = field(default_factory=dict)
    """By index of the sentence."""
    again: bool = False
    """onbrand was stopped while it answered: this may be a repetition."""
    review_channel: str | None = None
    """Where the draft can be sent to; None where its brand has no review channel."""
    review: Status | None = None
    """How the draft's review stands, if it was sent."""
    can_label: bool = True
    can_recheck: bool = True


@dataclass(frozen=True, slots=True)
class ThreadLine:
    """One message of a thread summary."""

    user: str | None
    link: str | None
    probability: float | None
    verdict: Verdict
    flagged: int
    judged: int
    worst: str | None
    """Its worst sentence, if one is flagged."""
    mend: int = 0
    """Sentences to mend first, if it goes forward."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One entry of a review's history."""

    user: str
    decision: Decision
    time: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """A draft in the review queue."""

    id: str
    brand: str
    author: str
    status: Status
    probability: float | None
    opened: datetime
    check: str
    """Id of the check (not its ticket)."""
    channel: str | None = None
    """The review channel and the message there, once it is posted."""
    ts: str | None = None
    history: tuple[Decided, ...] = ()
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class PastCheck:
    """A check in a list: scores, never text."""

    id: str
    brand: str
    user: str
    source: Source
    probability: float | None
    verdict: Verdict
    gate: float
    flagged: int
    judged: int
    time: datetime
    channel: str | None = None
    ts: str | None = None
    """The message that was checked, if it was one."""
    ticket: str | None = None
    """Opens it, where the workspace keeps drafts."""


@dataclass(frozen=True, slots=True)
class BrandSettings:
    """How one brand is handled."""

    brand: str
    review_channel: str | None = None
    gate: float | None = None
    """P at which drafts go forward; None: the voice's own."""
    labellers: tuple[str, ...] = ()
    """Who may label; empty: everyone of the workspace."""
    reviewers: tuple[str, ...] = ()
    """Who may decide; empty: everyone of the workspace."""
    own_drafts: bool = False
    """Whether reviewers may decide on their own drafts."""
    digest_channel: str | None = None
    """None: no digest."""
    digest_day: int = 0
    """0 is Monday."""
    digest_hour: int = 9
    """UTC."""


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """How a workspace is handled."""

    retention_days: int = 0
    """How long drafts are kept; 0: not at all, beyond a sealed working copy."""
    admins: tuple[str, ...] = ()
    """Who may change settings, besides the workspace's own admins and owners."""


@dataclass(frozen=True, slots=True)
class HomePage:
    """What a user's App Home shows."""

    user: str
    brands: Sequence[BrandSettings]
    default_brand: str | None
    recent: Sequence[PastCheck]
    reviews: Sequence[Review]
    """Open ones that the user may decide on, oldest first."""
    own_reviews: Sequence[Review]
    """The user's drafts in review, newest first."""
    is_admin: bool
    settings: WorkspaceSettings
    problem: str | None = None
    """One line, where the workspace has no voices or they cannot be read."""
    voice_gates: Mapping[str, float] = field(default_factory=dict)
    """By brand, what counts where the settings have no gate."""
    avoided: str | None = None
    """What judges where nothing names a brand, see `Scoring.avoided`."""


@dataclass(frozen=True, slots=True)
class DigestFigures:
    """One brand's week, from our own store, beside the week before."""

    brand: str
    week: str
    """ISO week."""
    checks: int
    checks_before: int
    writers: int
    forward: int
    """Checks whose verdict was "forward"."""
    forward_before: int
    mean_probability: float | None
    mean_probability_before: float | None
    reviews_opened: int
    reviews_decided: Mapping[str, int]
    """By decision."""
    reviews_waiting: int
    labels_on: int
    labels_off: int
    disputed: int
    """Sentences on which people disagree now."""
    habits: Sequence[tuple[str, int]] = ()
    """The habits broken most often (see `Habit.name`), with counts."""
