"""What a job wants of Slack, as data: handlers make calls, the poster carries them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Payload = dict[str, Any]
"""A JSON object of Slack's."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to Slack."""

    method: str
    """Of the Web API, say ``chat.postMessage``; `RESPOND` or `UPLOAD` for what is none."""
    arguments: Mapping[str, Any]
    instead: tuple[Call, ...] = ()
    """Tried in this order where Slack refuses the call for good (`work.errors` says when)."""
    then: Callable[[Payload], tuple[Call, ...] | None] | None = field(default=None, compare=False)
    """Gets Slack's answer; may return calls that are carried out next."""
    optional: bool = False
    """A nicety: a refusal is counted and otherwise ignored."""

    @property
    def channel(self) -> str | None:
        """The conversation whose order and pace the call must keep."""
        return self.arguments.get("channel") or self.arguments.get("channel_id")


RESPOND = "response_url"
"""``arguments``: ``url`` and ``body``, a message for Slack's response_url."""
UPLOAD = "files.upload"
"""``arguments``: ``channel``, ``thread_ts``, ``filename``, ``content``, ``initial_comment``."""
