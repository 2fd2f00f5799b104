"""The shortcut in a message's menu."""

from __future__ import annotations

from slack_sdk import WebClient

from onbrand_slack.drafts import message
from onbrand_slack.intake.guard import Sent
from onbrand_slack.intake.payloads import MessageShortcut
from onbrand_slack.listeners.desk import Desk
from onbrand_slack.model import Check, Draft, Files, Reply, Source, ToUser, ToView
from onbrand_slack.render import details
from onbrand_slack.store.jobs import Receipt


def check_message(sent: Sent[MessageShortcut], desk: Desk) -> None:
    """Check a message: the modal opens at once, and its answer comes when it is there."""
    shortcut = sent.payload
    user = shortcut.user.id
    draft = _draft_of(shortcut, sent.installed.bot_user_id)

    def check(reply: Reply) -> Receipt:
        return desk.put(
            sent,
            Check(
                user=user,
                source=Source.SHORTCUT,
                draft=draft,
                reply=reply,
                channel=shortcut.channel.id,
            ),
        )

    def in_modal(client: WebClient, view: str) -> None:
        if refused := desk.refusal(check(ToView(view, user))):
            client.views_update(view_id=view, view=details.trouble(refused["text"]))

    def in_channel() -> None:
        check(ToUser(shortcut.channel.id, user, response_url=shortcut.response_url))

    desk.open(sent, details.waiting, then=in_modal, otherwise=in_channel)


def _draft_of(shortcut: MessageShortcut, bot_user: str | None) -> Draft:
    """Return what a message holds. It came with the request: the app may not be in the channel."""
    text = message.draft_of(shortcut.raw["message"], bot_user)
    files = tuple(file.id for file in shortcut.message.files)
    return Files(files) if files and not text else message.pasted(text)
