"""What passes between the parts of the app: who asks, what is to be done, where answers go.

Requests are `msgspec` structs because they wait as JSON in the table of jobs. They hold ids and, as
long as they wait, the draft that was sent with a command; nothing of them is ever logged.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Tenant(msgspec.Struct, frozen=True):
    """Whose data: one Slack workspace, or an organisation where an event names no workspace."""

    workspace: str
    """The team's id, else the organisation's; the key of all that is stored."""
    enterprise: str | None = None
    """The organisation of Enterprise Grid, to find an installation for all of its workspaces."""


class Source(StrEnum):
    """How a draft came in."""

    COMMAND = "command"
    MENTION = "mention"
    MESSAGE = "message"
    """A direct message."""
    SHORTCUT = "shortcut"
    MODAL = "modal"
    WORKFLOW = "workflow"


# --- drafts -----------------------------------------------------------------------------------


class Pasted(msgspec.Struct, frozen=True, tag="pasted"):
    """A draft that came with the request."""

    text: str
    format: str = "text"


class Files(msgspec.Struct, frozen=True, tag="files"):
    """Uploaded files, by their ids; each is a draft of its own."""

    ids: tuple[str, ...]


class MessageAt(msgspec.Struct, frozen=True, tag="message"):
    """A message, read when the job runs (and again for a re-check): its text, else its files."""

    channel: str
    ts: str
    thread: str | None = None
    """The thread's first message, where the message is a reply in one."""


class ThreadAt(msgspec.Struct, frozen=True, tag="thread"):
    """Every message of a thread, for a summary."""

    channel: str
    ts: str


class Sealed(msgspec.Struct, frozen=True, tag="sealed"):
    """A draft that waited for its brand."""

    ticket: str


Draft = Pasted | Files | MessageAt | ThreadAt | Sealed

# --- where an answer goes ---------------------------------------------------------------------


class ToUser(msgspec.Struct, frozen=True, tag="user"):
    """Seen by one user only, in the channel where it was asked."""

    channel: str
    user: str
    thread: str | None = None
    response_url: str | None = None
    """Lives for 30 minutes and 5 answers, and reaches where the bot is no member."""


class ToConversation(msgspec.Struct, frozen=True, tag="conversation"):
    """A direct message: a conversation that only the user and the app see."""

    channel: str
    thread: str | None = None


class ToView(msgspec.Struct, frozen=True, tag="view"):
    """A modal that is open and says "checking…"."""

    view: str
    user: str


class ToWorkflow(msgspec.Struct, frozen=True, tag="workflow"):
    """A step of a workflow, whose outputs the answer is."""

    execution: str
    report_to: str | None = None
    """Channel or user that gets the report; the link to it is an output."""


Reply = ToUser | ToConversation | ToView | ToWorkflow

# --- jobs -------------------------------------------------------------------------------------


class Check(msgspec.Struct, frozen=True, tag="check"):
    """Judge a draft and answer."""

    user: str
    source: Source
    draft: Draft
    reply: Reply
    channel: str | None = None
    """Where it was asked; decides the brand where none is named."""
    brand: str | None = None
    previous: str | None = None
    """Ticket of the version before, for a re-check."""


class Label(msgspec.Struct, frozen=True, tag="label"):
    """One person's word on one sentence."""

    user: str
    sentence: str
    """`SentenceRef` as text."""
    label: str
    """"on" or "off"."""
    reply: Reply
    page: int | None = None
    """Of the details modal in which it was pressed."""
    message: str | None = None
    """The ``ts`` of the message on which it was pressed, where others see that message too."""


class Share(msgspec.Struct, frozen=True, tag="share"):
    """Show a private answer to the channel."""

    user: str
    ticket: str
    channel: str
    thread: str | None = None
    reply: Reply | None = None


class SendReport(msgspec.Struct, frozen=True, tag="report"):
    """Upload the whole report as a file to the user."""

    user: str
    ticket: str
    reply: Reply


class SendToReview(msgspec.Struct, frozen=True, tag="review"):
    """Post a draft to its brand's review channel."""

    user: str
    ticket: str
    reply: Reply


class Decide(msgspec.Struct, frozen=True, tag="decide"):
    """A reviewer's decision."""

    user: str
    review: str
    decision: str
    """"approve", "reject", "changes" or "reopen"."""
    reason: str = ""
    reply: Reply | None = None
    ticket: str | None = None
    """The check's, where the message on which it was pressed holds it."""


class Home(msgspec.Struct, frozen=True, tag="home"):
    """Publish a user's App Home."""

    user: str


class Prompts(msgspec.Struct, frozen=True, tag="prompts"):
    """Offer the agent view's suggested prompts in a direct message."""

    channel: str
    user: str


class Say(msgspec.Struct, frozen=True, tag="say"):
    """Answer with words that need no draft: help, the brands, "use BRAND", the settings."""

    user: str
    topic: str
    """"help", "brands", "use" or "settings"."""
    reply: Reply
    channel: str | None = None
    brand: str | None = None


class Configure(msgspec.Struct, frozen=True, tag="configure"):
    """Store what a settings modal or App Home says."""

    user: str
    values: dict[str, str | int | float | bool | list[str] | None]
    brand: str | None = None
    """Whose settings; None for the workspace's own, or the user's."""
    channel: str | None = None
    """The channel whose brand is set."""
    personal: bool = False
    """The user's own default brand."""


class Digest(msgspec.Struct, frozen=True, tag="digest"):
    """Post a brand's weekly digest."""

    brand: str
    week: str
    """ISO week, say "2026-W47"."""


class ForgetUser(msgspec.Struct, frozen=True, tag="forget"):
    """Delete what is stored of a user."""

    user: str


class Audit(msgspec.Struct, frozen=True, tag="audit"):
    """Send an administrator everything that was decided and changed, as a file."""

    user: str


class Uninstalled(msgspec.Struct, frozen=True, tag="uninstalled"):
    """The app was removed from a workspace, or its token revoked: drop what needs it."""


Request = (
    Check
    | Label
    | Share
    | SendReport
    | SendToReview
    | Decide
    | Home
    | Prompts
    | Say
    | Configure
    | Digest
    | ForgetUser
    | Audit
    | Uninstalled
)
"""What a job can be."""


class SentenceRef(msgspec.Struct, frozen=True):
    """One sentence of a check, as the value of a button: ids, never text."""

    ticket: str
    index: int

    def __str__(self) -> str:
        """Return it as a button's value, e.g. ``c0123.KEY#4``."""
        return f"{self.ticket}#{self.index}"

    @classmethod
    def parse(cls, value: str) -> SentenceRef:
        """Read a button's value.

        Raises:
            ValueError: it is none.
        """
        ticket, _, index = value.rpartition("#")
        if not ticket or not index.isdecimal() or len(index) > 6:
            raise ValueError("no reference to a sentence")
        return cls(ticket, int(index))
