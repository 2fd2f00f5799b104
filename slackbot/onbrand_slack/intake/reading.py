"""Reads a request of Slack's: from bytes to a checked `Payload`, or to the word that it is none.

Bolt could parse, too, but it would lose every command whose draft has the word "payload" in it
(slack_bolt.request.internals.parse_body), fail on JSON of unexpected shape before the signature is
checked, and hand whole payloads to its loggers. So Bolt gets only `Incoming.body`: what it needs to
find the listener, and no word of anybody's.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from slack_bolt.request import BoltRequest

from onbrand_slack.intake import payloads as shapes
from onbrand_slack.intake.payloads import Envelope, Json, Payload

_MOST_FIELDS = 100
_LOGGABLE = re.compile(r"[a-z_.]{1,50}")
# What msgspec and the standard library raise on bytes that are no request of Slack's.
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request, read."""

    kind: str
    """For metrics: "command", "event", "interaction", "options", "other" or "malformed"."""
    type: str
    """Slack's name of it, for logs."""
    payload: Payload | None
    """None for what is not listened to, and for what is malformed."""
    body: Json
    """What Bolt needs to find the listener."""
    digest: str
    """SHA-256 of what was sent."""
    envelope: Envelope | None = None
    """Of an event."""


def from_http(body: bytes, headers: Mapping[str, str]) -> BoltRequest:
    """Return a request as Bolt is to see it; never fails.

    Args:
        body: as it came over HTTP.
        headers: of the request; names in any case.
    """
    text = body.decode("utf-8", "replace")
    lower = {name.lower(): value for name, value in headers.items()}
    incoming = read(text, lower.get("content-type", ""))
    request = _request(incoming, _harmless(lower))
    # From here on it is an HTTP request, so that Bolt checks its signature.
    request.raw_body, request.mode = text, "http"
    return request


def from_socket(payload: object, headers: Mapping[str, str] | None = None) -> BoltRequest:
    """Return an envelope's payload of Socket Mode as Bolt is to see it; never fails."""
    try:
        text = json.dumps(payload, sort_keys=True)
    except _UNREADABLE:
        text = ""
    return _request(read(text, "application/json"), headers or {})


def incoming_of(request: BoltRequest) -> Incoming:
    """Return what `from_http` or `from_socket` read of a request."""
    incoming: Incoming = request.context["incoming"]
    return incoming


def read(text: str, content_type: str) -> Incoming:
    """Read a body; never fails."""
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    try:
        if content_type.startswith("application/json") or text.startswith("{"):
            return _json(_decoded(text), digest)
        fields = dict(parse_qsl(text, max_num_fields=_MOST_FIELDS))
        if "payload" in fields:
            return _json(_decoded(fields["payload"]), digest)
        return _command(fields, digest)
    except _UNREADABLE:
        return Incoming("malformed", "malformed", None, {}, digest)


def _request(incoming: Incoming, headers: Mapping[str, str]) -> BoltRequest:
    return BoltRequest(
        body=incoming.body,
        headers=dict(headers),
        context={"incoming": incoming},
        mode="socket_mode",
    )


def _harmless(headers: dict[str, str]) -> dict[str, str]:
    """Drop what makes the check of signatures raise instead of refuse."""
    if not headers.get("x-slack-signature", "").isascii():
        del headers["x-slack-signature"]
    timestamp = headers.get("x-slack-request-timestamp", "0")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 20):
        del headers["x-slack-request-timestamp"]
    return headers


def _decoded(text: str) -> Json:
    return msgspec.json.decode(text, type=dict[str, Any])


def _json(body: Json, digest: str) -> Incoming:
    kind = body.get("type")
    if "command" in body:  # Socket Mode sends slash commands as JSON
        return _command(body, digest)
    if kind == "event_callback":
        return _event(body, digest)
    if kind == "url_verification":
        challenge = _shape(body, shapes.Challenge)
        routing = {"type": kind, "challenge": challenge.challenge}
        return Incoming("other", kind, challenge, routing, digest)
    if kind == "app_rate_limited":
        return Incoming("event", kind, _shape(body, shapes.RateLimited), {"type": kind}, digest)
    if isinstance(kind, str) and kind in shapes.INTERACTIONS:
        payload = _shape({**body, "raw": body}, shapes.INTERACTIONS[kind])
        kind_of = "options" if kind == "block_suggestion" else "interaction"
        return Incoming(kind_of, kind, payload, {"type": kind, **_routing(payload)}, digest)
    return Incoming("other", loggable(kind), None, {}, digest)


def _command(fields: Mapping[str, Any], digest: str) -> Incoming:
    # An empty field is one that Slack has nothing to say of.
    payload = _shape({name: value for name, value in fields.items() if value}, shapes.Command)
    return Incoming("command", "command", payload, {"command": payload.command}, digest)


def _event(body: Json, digest: str) -> Incoming:
    envelope = _shape(body, Envelope)
    kind = envelope.event.get("type")
    if not isinstance(kind, str) or kind not in shapes.EVENTS:
        return Incoming("event", loggable(kind), None, {}, digest, envelope)
    payload = _shape({**envelope.event, "raw": envelope.event}, shapes.EVENTS[kind])
    routing: Json = {"type": kind}
    if isinstance(payload, shapes.FunctionExecuted):
        routing["function"] = {"callback_id": payload.function.callback_id}
        routing["function_execution_id"] = payload.function_execution_id
    return Incoming(
        "event", kind, payload, {"type": "event_callback", "event": routing}, digest, envelope
    )


def _routing(payload: shapes.Interaction) -> Json:
    match payload:
        case shapes.Actions(pressed=pressed):
            return {"actions": [{"action_id": pressed.action_id, "block_id": pressed.block_id}]}
        case shapes.Submission(view=view):
            return {"view": {"type": view.type, "callback_id": view.callback_id}}
        case shapes.Suggestion(action_id=action_id):
            return {"action_id": action_id}
        case shapes.GlobalShortcut(callback_id=name) | shapes.MessageShortcut(callback_id=name):
            return {"callback_id": name}
    return {}


def _shape(value: Mapping[str, Any], shape: type[_T]) -> _T:
    return msgspec.convert(value, shape)


def loggable(kind: object) -> str:
    """Return a type's name for a log; "unnamed" where it might be anything else."""
    return kind if isinstance(kind, str) and _LOGGABLE.fullmatch(kind) else "unnamed"
