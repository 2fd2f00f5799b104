"""What a direct message shows while a long draft is read."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError

from onbrand_slack.model import Check, Pasted, Tenant, ToConversation
from onbrand_slack.services import Services
from onbrand_slack.work.errors import NotInstalledError

READING = "is reading your draft…"
SHORT = 20_000
"""Characters that are judged before anyone could read a status."""


def show(tenant: Tenant, request: Check, services: Services) -> None:
    """Say that a draft is being read, where that takes a while; Slack clears it with the answer.

    It is no call of the answer's: it would come when all is over.
    """
    reply, draft = request.reply, request.draft
    quick = isinstance(draft, Pasted) and len(draft.text) < SHORT
    if quick or not isinstance(reply, ToConversation) or reply.thread is None:
        return
    try:
        services.clients.once(tenant).assistant_threads_setStatus(
            channel_id=reply.channel, thread_ts=reply.thread, status=READING
        )
    except (SlackApiError, NotInstalledError, OSError):
        return  # a nicety
