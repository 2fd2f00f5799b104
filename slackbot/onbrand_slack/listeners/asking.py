"""From words to a request: what somebody asks for who types a command, mentions us or writes."""

from __future__ import annotations

from dataclasses import dataclass

from onbrand_slack.drafts import command, message
from onbrand_slack.model import (
    Check,
    Draft,
    Files,
    MessageAt,
    Reply,
    Request,
    Say,
    Source,
    ThreadAt,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was said, by whom, and where the answer goes."""

    user: str
    source: Source
    text: str
    """As it was typed, see `drafts.message`."""
    reply: Reply
    channel: str | None = None
    files: tuple[str, ...] = ()
    thread: MessageAt | None = None
    """The first message of the thread in which it was said."""


def request_of(asked: Asked, brands: tuple[str, ...]) -> Request:
    """Return what is to be done.

    Raises:
        OnbrandError: it cannot be understood; the message says how to put it.
    """
    wanted = command.parse(asked.text, brands, in_thread=asked.thread is not None)
    if asked.files:
        # Words beside a file are a comment, or the brand.
        return _check(asked, Files(asked.files), wanted.brand if wanted.kind == "check" else None)
    if wanted.kind == "thread" and asked.thread is not None:
        whole = ThreadAt(asked.thread.channel, asked.thread.ts)
        return _check(asked, whole, wanted.brand)
    if wanted.kind != "check":
        return _say(asked, wanted.kind, wanted.brand)
    if wanted.text:
        return _check(asked, message.pasted(wanted.text), wanted.brand)
    if asked.thread is not None:
        return _check(asked, asked.thread, wanted.brand)
    return _say(asked, "help")


def _check(asked: Asked, draft: Draft, brand: str | None) -> Check:
    return Check(
        user=asked.user,
        source=asked.source,
        draft=draft,
        reply=asked.reply,
        channel=asked.channel,
        brand=brand,
    )


def _say(asked: Asked, topic: str, brand: str | None = None) -> Say:
    return Say(user=asked.user, topic=topic, reply=asked.reply, channel=asked.channel, brand=brand)
