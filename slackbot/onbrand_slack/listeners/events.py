"""Events: mentions, direct messages, the App Home, steps of workflows, the end."""

from __future__ import annotations

from onbrand.errors import OnbrandError
from onbrand.report.message import capitalised
from onbrand_slack.drafts import message
from onbrand_slack.intake.guard import Sent
from onbrand_slack.intake.payloads import (
    FunctionExecuted,
    HomeOpened,
    Said,
    TokensRevoked,
    Uninstall,
)
from onbrand_slack.listeners.asking import Asked, request_of
from onbrand_slack.listeners.desk import Desk
from onbrand_slack.model import (
    Check,
    Home,
    MessageAt,
    Prompts,
    Source,
    ToConversation,
    ToUser,
    ToWorkflow,
    Uninstalled,
)
from onbrand_slack.render import words


def mentioned(sent: Sent[Said], desk: Desk) -> None:
    """Take a mention in a channel: the draft beside it, else what its thread is about."""
    said = sent.payload
    if _is_direct(said):
        return written(sent, desk)
    user = said.user or ""
    thread = MessageAt(said.channel, said.thread_ts) if said.thread_ts else None
    reply = ToUser(said.channel, user, thread=said.thread_ts)
    _ask(sent, desk, reply, Source.MENTION, channel=said.channel, thread=thread)
    return None


def written(sent: Sent[Said], desk: Desk) -> None:
    """Take a direct message."""
    if _is_direct(sent.payload):
        reply = ToConversation(sent.payload.channel, sent.payload.thread_ts)
        _ask(sent, desk, reply, Source.MESSAGE)


def home_opened(sent: Sent[HomeOpened], desk: Desk) -> None:
    """Fill the App Home, or offer prompts where its messages are looked at."""
    opened = sent.payload
    if opened.tab == "messages":
        desk.put(sent, Prompts(opened.channel, opened.user))
    elif opened.tab == "home":
        desk.put(sent, Home(opened.user))


def step_reached(sent: Sent[FunctionExecuted], desk: Desk) -> None:
    """Take the draft of a workflow."""
    inputs = sent.payload.inputs
    execution = sent.payload.function_execution_id
    request = Check(
        user=sent.installed.bot_user_id or "",
        source=Source.WORKFLOW,
        draft=message.pasted(message.decode(inputs.text or "")),
        reply=ToWorkflow(execution, inputs.report_to or inputs.report_to_user),
        brand=inputs.brand or None,
    )
    if refused := desk.refusal(desk.put(sent, request)):
        desk.call(
            sent,
            lambda client: client.functions_completeError(
                function_execution_id=execution, error=refused["text"]
            ),
        )


def uninstalled(sent: Sent[Uninstall | TokensRevoked], desk: Desk) -> None:
    """Forget a workspace that has removed the app."""
    desk.put(sent, Uninstalled())


def _ask(
    sent: Sent[Said],
    desk: Desk,
    reply: ToUser | ToConversation,
    source: Source,
    *,
    channel: str | None = None,
    thread: MessageAt | None = None,
) -> None:
    asked = Asked(
        user=sent.payload.user or "",
        source=source,
        text=message.draft_of(sent.payload.raw, sent.installed.bot_user_id),
        reply=reply,
        channel=channel,
        files=tuple(file.id for file in sent.payload.files),
        thread=thread,
    )
    try:
        request = request_of(asked, desk.brands(sent.tenant))
    except OnbrandError as error:
        # Nothing is queued, so this is the place that knows of redeliveries.
        if not desk.services.store.jobs.seen(sent.tenant, sent.key):
            desk.say(sent, reply, words.notice(capitalised(str(error))))
        return
    if refused := desk.refusal(desk.put(sent, request)):
        desk.say(sent, reply, refused)


def _is_direct(said: Said) -> bool:
    return said.channel_type == "im" or said.channel.startswith("D")
