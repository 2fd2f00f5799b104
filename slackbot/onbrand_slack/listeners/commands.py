"""The slash command."""

from __future__ import annotations

from onbrand.errors import OnbrandError
from onbrand.report.message import capitalised
from onbrand_slack.drafts.message import decode
from onbrand_slack.intake.guard import Sent
from onbrand_slack.intake.payloads import Command
from onbrand_slack.listeners.asking import Asked, request_of
from onbrand_slack.listeners.desk import Desk
from onbrand_slack.model import Source, ToUser
from onbrand_slack.render import words
from onbrand_slack.work.calls import Payload


def typed(sent: Sent[Command], desk: Desk) -> Payload | None:
    """Take ``/onbrand …``."""
    command = sent.payload
    asked = Asked(
        user=command.user_id,
        source=Source.COMMAND,
        text=decode(command.text, sent.installed.bot_user_id),
        reply=ToUser(command.channel_id, command.user_id, response_url=command.response_url),
        channel=command.channel_id,
    )
    try:
        request = request_of(asked, desk.brands(sent.tenant))
    except OnbrandError as error:
        return words.notice(capitalised(str(error)))
    return desk.acknowledgement(desk.put(sent, request))
