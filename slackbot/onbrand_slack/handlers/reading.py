"""A draft, wherever it is: in the request, in a file, in a message, in an earlier check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError

from onbrand.errors import OnbrandError
from onbrand.report.message import plural
from onbrand_slack.drafts import DraftProblem, command, files, message
from onbrand_slack.model import Check, Files, MessageAt, Pasted, Sealed, Source, Tenant, ThreadAt
from onbrand_slack.render.text import listed_endings
from onbrand_slack.render.words import EXPIRED
from onbrand_slack.services import Services
from onbrand_slack.work.calls import Payload
from onbrand_slack.work.errors import Kind, classify

MOST_FILES = 5
"""That are checked at a time."""
MOST_REPLIES = 50
"""Of a thread: one page of Slack's, never more."""

_NO_TEXT = "There is no text to check: write or paste some, or attach a {} file."
_GONE = "That message is no longer there; paste its text instead."
_NOT_READABLE = (
    "I cannot read messages there ({}). Invite me to the channel (/invite @onbrand), "
    "or paste the text."
)


@dataclass(frozen=True, slots=True)
class Found:
    """A draft to judge."""

    draft: Pasted
    title: str = ""
    """The name of the file, if it is one."""
    at: MessageAt | None = None
    """The message, if it is one."""
    brand: str | None = None
    """The brand that the message itself names."""
    source: Source | None = None
    """How it came in at first, if that was earlier."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A draft that cannot be read."""

    problem: str
    """What to tell its author."""
    title: str = ""


def read(tenant: Tenant, request: Check, services: Services) -> list[Found | Unread]:
    """Return the drafts of a request, or why one of them cannot be read.

    Raises:
        OnbrandError: there is none at all.
        SlackApiError: Slack does not answer now; it may later.
    """
    match request.draft:
        case Pasted() as draft:
            found: list[Found | Unread] = [Found(draft)]
        case Sealed(ticket):
            found = [_sealed(tenant, ticket, services)]
        case Files(ids):
            found = [*_files(tenant, [{"id": each} for each in ids], services)]
        case MessageAt() as at:
            found = [*_message(tenant, at, services)]
        case ThreadAt():
            raise AssertionError("a thread is not one draft")
    if not any(isinstance(one, Unread) or one.draft.text.strip() for one in found):
        raise OnbrandError(_NO_TEXT.format(listed_endings("or")))
    return found


def thread(tenant: Tenant, at: ThreadAt, services: Services) -> tuple[list[Payload], bool]:
    """Return the messages of a thread, oldest first, and whether there are more.

    Raises:
        OnbrandError: they cannot be read.
        SlackApiError: Slack does not answer now; it may later.
    """
    client = services.clients.of(tenant)
    try:
        answer = client.conversations_replies(channel=at.channel, ts=at.ts, limit=MOST_REPLIES)
    except SlackApiError as error:
        raise _unreadable(error) from None
    said = _messages(answer.get("messages"))
    return said[:MOST_REPLIES], bool(answer.get("has_more")) or len(said) > MOST_REPLIES


def said_in(tenant: Tenant, said: Payload, services: Services) -> tuple[str, str | None]:
    """Return the draft that a message holds, and the brand that stands before it, if any.

    The draft is empty where the message is ours, or holds nothing but a word to us.
    """
    installed = services.store.installations.find(tenant.enterprise, tenant.workspace)
    us = None if installed is None else installed.bot_user_id
    text = message.draft_of(said, us)
    if us is None or said.get("user") == us:
        return "" if us else text, None
    if f"<@{us}>" not in str(said.get("text")):
        return text, None
    try:
        order = command.parse(text, services.scoring.brands(tenant), in_thread=True)
    except OnbrandError:  # "use" of a brand that is none
        return "", None
    return (order.text, order.brand) if order.kind == "check" else ("", None)


def _sealed(tenant: Tenant, ticket: str, services: Services) -> Found:
    held = services.store.checks.held(tenant, ticket)
    if held is None:
        raise OnbrandError(EXPIRED)
    return Found(held.draft, held.title, held.at, source=held.source)


def _message(tenant: Tenant, at: MessageAt, services: Services) -> Iterator[Found | Unread]:
    said = _message_at(tenant, at, services)
    text, brand = said_in(tenant, said, services)
    attached = _messages(said.get("files"))
    if text or not attached:
        yield Found(message.pasted(text), at=at, brand=brand)
    else:
        yield from _files(tenant, attached, services)


def _message_at(tenant: Tenant, at: MessageAt, services: Services) -> Payload:
    """Return one message; Slack's history has no method for it but a page of one."""
    client = services.clients.of(tenant)
    try:
        if at.thread and at.thread != at.ts:
            # The first message of the thread comes along.
            answer = client.conversations_replies(
                channel=at.channel,
                ts=at.thread,
                latest=at.ts,
                oldest=at.ts,
                inclusive=True,
                limit=2,
            )
        else:
            answer = client.conversations_history(
                channel=at.channel, latest=at.ts, oldest=at.ts, inclusive=True, limit=1
            )
    except SlackApiError as error:
        raise _unreadable(error) from None
    for said in _messages(answer.get("messages")):
        if said.get("ts") == at.ts:
            return said
    raise OnbrandError(_GONE)


def _unreadable(error: SlackApiError) -> Exception:
    outcome = classify(error)
    if outcome.kind in (Kind.LATER, Kind.TOKEN_GONE):
        return error
    gone = outcome.code in ("thread_not_found", "message_not_found")
    return OnbrandError(_GONE if gone else _NOT_READABLE.format(outcome.code))


def _files(
    tenant: Tenant, infos: Sequence[Payload], services: Services
) -> Iterator[Found | Unread]:
    for info in infos[:MOST_FILES]:
        known = info
        try:
            known = _info(tenant, info, services)
            yield _file(tenant, known, services)
        except DraftProblem as problem:
            yield Unread(problem.message, str(known.get("name") or ""))
    if len(infos) > MOST_FILES:
        rest = plural(len(infos) - MOST_FILES, "file")
        yield Unread(f"I check {MOST_FILES} files at a time: please send the other {rest} again.")


def _info(tenant: Tenant, info: Payload, services: Services) -> Payload:
    """Return a file object: events and forms name files by their ids alone."""
    if "url_private" in info:
        return info
    try:
        answer = services.clients.of(tenant).files_info(file=str(info.get("id")))
    except SlackApiError as error:
        outcome = classify(error)
        if outcome.kind in (Kind.LATER, Kind.TOKEN_GONE):
            raise
        raise DraftProblem(
            f"I cannot read that file ({outcome.code}): it was deleted, or is not shared "
            "with me. Upload it again, here or in a direct message to me."
        ) from None
    found = answer.get("file")
    return found if isinstance(found, dict) else {}


def _file(tenant: Tenant, info: Payload, services: Services) -> Found:
    token = str(services.clients.of(tenant).token)
    file = files.fetch(info, token, services.config.api_url)
    return Found(Pasted(file.text, file.format), file.name)


def _messages(value: object) -> list[Payload]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
