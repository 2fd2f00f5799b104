"""Buttons and selects whose press is a request by itself."""

from __future__ import annotations

from collections.abc import Callable

from onbrand_slack.intake.guard import Sent
from onbrand_slack.intake.payloads import Actions
from onbrand_slack.listeners.desk import Desk
from onbrand_slack.model import (
    Audit,
    Check,
    Configure,
    Decide,
    ForgetUser,
    Label,
    Reply,
    Request,
    Sealed,
    SendReport,
    SendToReview,
    SentenceRef,
    Share,
    Source,
    ToConversation,
    ToUser,
    ToView,
)
from onbrand_slack.names import Action, View
from onbrand_slack.render import details
from onbrand_slack.render.inputs import Value, brand_or_none


def reply_of(sent: Sent[Actions]) -> ToUser | ToView:
    """Return where the answer to a press goes: to where it was pressed."""
    pressed = sent.payload
    if pressed.view is not None:
        return ToView(pressed.view.id, pressed.user.id)
    return ToUser(
        channel_of(pressed) or pressed.user.id,
        pressed.user.id,
        thread=pressed.container.thread_ts,
        response_url=pressed.response_url,
    )


def channel_of(pressed: Actions) -> str | None:
    """Return the channel in which something was pressed; None in an App Home or modal."""
    return pressed.channel.id if pressed.channel else pressed.container.channel_id


# --- on an answer ----------------------------------------------------------------------------


def share(sent: Sent[Actions], desk: Desk) -> None:
    """Show an answer to the channel in which it was given, or to the one chosen in a modal."""
    pressed, chosen = sent.payload, sent.payload.pressed.selected_conversation
    if pressed.view is not None:
        ticket, channel, thread = pressed.view.private_metadata, chosen, None
    else:
        ticket, channel = pressed.pressed.chosen, channel_of(pressed)
        thread = pressed.container.thread_ts
    if ticket and channel:
        desk.put(sent, Share(pressed.user.id, ticket, channel, thread, reply_of(sent)))


def send_to_review(sent: Sent[Actions], desk: Desk) -> None:
    """Send a draft to its brand's reviewers."""
    _with_value(sent, desk, lambda user, value, reply: SendToReview(user, value, reply))


def report(sent: Sent[Actions], desk: Desk) -> None:
    """Upload the whole report."""
    _with_value(sent, desk, lambda user, value, reply: SendReport(user, value, reply))


def pick_brand(sent: Sent[Actions], desk: Desk) -> None:
    """Check the draft that waits for a brand."""
    pressed, user, channel = sent.payload, sent.payload.user.id, channel_of(sent.payload)
    brand, ticket = pressed.pressed.chosen, pressed.pressed.block_id
    if not brand or not ticket:
        return
    told: ToUser | ToConversation = ToConversation(user)
    reply: Reply = reply_of(sent)
    if channel is not None and channel.startswith("D"):
        reply = told = ToConversation(channel, pressed.container.thread_ts)
    elif isinstance(reply, ToUser):
        told = reply
    request = Check(
        user=user,
        source=Source.COMMAND,
        draft=Sealed(ticket),
        reply=reply,
        channel=channel,
        brand=brand,
    )
    if full := desk.refusal(desk.put(sent, request)):
        desk.say(sent, told, full)


# --- on a sentence ---------------------------------------------------------------------------


def label_on(sent: Sent[Actions], desk: Desk) -> None:
    """Take somebody's word that a sentence is on-brand."""
    _label(sent, desk, "on")


def label_off(sent: Sent[Actions], desk: Desk) -> None:
    """Take somebody's word that a sentence is off-brand."""
    _label(sent, desk, "off")


def _label(sent: Sent[Actions], desk: Desk, label: str) -> None:
    pressed = sent.payload
    try:
        sentence = str(SentenceRef.parse(pressed.pressed.chosen))
        page = _page(pressed)
    except ValueError:
        return
    container = pressed.container
    public = container.message_ts if not container.is_ephemeral else None
    desk.put(sent, Label(pressed.user.id, sentence, label, reply_of(sent), page, public))


def _page(pressed: Actions) -> int | None:
    view = pressed.view
    if view is None or view.callback_id != View.DETAILS:
        return None
    return details.read_metadata(view.private_metadata)[1]


# --- on a review -----------------------------------------------------------------------------


def approve(sent: Sent[Actions], desk: Desk) -> None:
    """Approve a draft."""
    _decide(sent, desk, "approve")


def reopen(sent: Sent[Actions], desk: Desk) -> None:
    """Take up a decided review again."""
    _decide(sent, desk, "reopen")


def _decide(sent: Sent[Actions], desk: Desk, decision: str) -> None:
    _with_value(
        sent,
        desk,
        lambda user, review, reply: Decide(
            user, review, decision, reply=reply, ticket=ticket_on(sent)
        ),
    )


def ticket_on(sent: Sent[Actions]) -> str | None:
    """Return the ticket of the check that a review's message is about: its "Details" has it."""
    message = sent.payload.raw.get("message")
    blocks = message.get("blocks") if isinstance(message, dict) else None
    for block in blocks if isinstance(blocks, list) else ():
        elements = block.get("elements") if isinstance(block, dict) else None
        for element in elements if isinstance(elements, list) else ():
            if isinstance(element, dict) and element.get("action_id") == Action.DETAILS:
                ticket = element.get("value")
                return ticket if isinstance(ticket, str) else None
    return None


# --- on the App Home -------------------------------------------------------------------------


def own_brand(sent: Sent[Actions], desk: Desk) -> None:
    """Store a user's own default brand."""
    values: dict[str, Value] = {str(Action.BRAND): brand_or_none(sent.payload.pressed.chosen)}
    desk.put(sent, Configure(sent.payload.user.id, values, personal=True))


def forget_me(sent: Sent[Actions], desk: Desk) -> None:
    """Delete what is stored of a user."""
    desk.put(sent, ForgetUser(sent.payload.user.id))


def audit(sent: Sent[Actions], desk: Desk) -> None:
    """Send an administrator the record of decisions and changes."""
    desk.put(sent, Audit(sent.payload.user.id))


def entered(sent: Sent[Actions], desk: Desk) -> None:
    """Take note of an input, which counts when its modal is submitted."""


def _with_value(
    sent: Sent[Actions], desk: Desk, request: Callable[[str, str, ToUser | ToView], Request]
) -> None:
    """Queue what a button asks for whose value says for what; none of ours is without one."""
    if value := sent.payload.pressed.chosen:
        desk.put(sent, request(sent.payload.user.id, value, reply_of(sent)))
