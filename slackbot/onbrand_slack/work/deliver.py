"""One call to Slack: made, and its outcome named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from slack_sdk import WebClient

from onbrand_slack.model import Tenant
from onbrand_slack.work.calls import RESPOND, UPLOAD, Call, Payload
from onbrand_slack.work.errors import Kind, NotInstalledError, Outcome, classify

AGAIN = "Again: Slack did not confirm this message at first, so it may be a repetition."
_MOST_BLOCKS = 50


class Sender(Protocol):
    """What of `Clients` a delivery needs."""

    def once(self, tenant: Tenant, /) -> WebClient:
        """Return a client that tries a call once."""

    def respond(self, url: str, body: Payload, /) -> Payload:
        """Send a message to a response_url."""


def deliver(clients: Sender, tenant: Tenant, call: Call) -> Outcome:
    """Make one call, once.

    Raises:
        OnbrandError: the workspace's token cannot be read just now; nothing was sent.
    """
    arguments = call.arguments
    if call.method == RESPOND:
        try:
            answer = clients.respond(arguments["url"], arguments["body"])
        except Exception as error:
            return classify(error)
        return Outcome(Kind.DELIVERED, "ok", answer=answer)
    try:
        client = clients.once(tenant)
    except NotInstalledError as error:
        return classify(error)
    # Any exception: slack_sdk chokes in many ways on answers that are none.
    try:
        answer = _ask(client, call.method, arguments)
    except Exception as error:
        return classify(error)
    return Outcome(Kind.DELIVERED, "ok", answer=answer)


def again(call: Call) -> Call:
    """Return a call that may have been carried out before, so that one can see it.

    Only new messages need it: a view or a message that is updated twice looks the same.
    """
    arguments = dict(call.arguments)
    if call.method == RESPOND:
        body = arguments["body"]
        if body.get("replace_original") or body.get("delete_original"):
            return call
        arguments["body"] = _marked(body)
    elif call.method == UPLOAD:
        comment = arguments.get("initial_comment") or ""
        arguments["initial_comment"] = f"{AGAIN}\n{comment}".strip()
    elif call.method in ("chat.postMessage", "chat.postEphemeral"):
        arguments = _marked(arguments)
    else:
        return call
    return replace(call, arguments=arguments)


def _ask(client: WebClient, name: str, arguments: Mapping[str, Any]) -> Payload:
    """Call a method as slack_sdk has it: it knows which ones take JSON and which do not."""
    method = "files_upload_v2" if name == UPLOAD else name.replace(".", "_")
    known = getattr(client, method, None)
    given = {key: value for key, value in arguments.items() if value is not None}
    response = known(**given) if known else client.api_call(name, json=given)
    data = response.data
    return data if isinstance(data, dict) else {}


def _marked(message: Mapping[str, Any]) -> Payload:
    """Return a message with a line on top that says what it is."""
    blocks = message.get("blocks") or []
    note = {"type": "context", "elements": [{"type": "plain_text", "text": AGAIN}]}
    room = 0 < len(blocks) < _MOST_BLOCKS
    return {
        **message,
        "text": f"{AGAIN}\n{message.get('text') or ''}".strip(),
        **({"blocks": [note, *blocks]} if room else {}),
    }
