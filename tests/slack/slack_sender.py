"""Sends what Slack would send: signed HTTP requests, or envelopes over Socket Mode."""
# ruff: noqa: A002 - arguments are named as Slack names them

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx
from slack_peer import SlackPeer
from slack_sdk.signature import SignatureVerifier
from slack_web_api import APP_ID, BOT_USER, TEAM, USER, Payload

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
CHANNEL = "C000000001"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class Acknowledged(NamedTuple):
    """The app's answer to a request."""

    status: int
    text: str
    seconds: float

    @property
    def json(self) -> Payload:
        """The body as JSON; empty where there is none."""
        return json.loads(self.text) if self.text.startswith("{") else {}


def signed(
    body: str, content_type: str, *, secret: str = SIGNING_SECRET, at: float | None = None
) -> dict[str, str]:
    """Return the headers of a request that Slack signed at a time."""
    timestamp = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    return {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": str(signature),
    }


class Sender:
    """One workspace's side of Slack.

    Args:
        peer: gives response_urls, and carries envelopes where there is no URL.
        url: where the app listens, without a path; None for Socket Mode.
        team: whose workspace it is.
    """

    def __init__(self, peer: SlackPeer, url: str | None, *, team: str = TEAM) -> None:
        self.peer = peer
        self.team = team
        self._url = url and f"{url}/slack/events"
        self._client = httpx.Client(timeout=30.0)
        self._numbers = itertools.count(1)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    # --- what users do ----------------------------------------------------------------------

    def command(self, text: str, *, user: str = USER, channel: str = CHANNEL) -> Acknowledged:
        """Type ``/onbrand text``."""
        return self._form("slash_commands", self.command_payload(text, user=user, channel=channel))

    def command_payload(self, text: str, *, user: str = USER, channel: str = CHANNEL) -> Payload:
        """Return the fields of a slash command."""
        return {
            "command": "/onbrand",
            "text": text,
            "team_id": self.team,
            "team_domain": "local",
            "user_id": user,
            "user_name": "someone",
            "channel_id": channel,
            "channel_name": "general",
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "trigger_id": self._trigger(),
            "response_url": self.peer.response_url(),
        }

    def event(
        self, event: Payload, *, id: str | None = None, retry: int = 0, **more: Any
    ) -> Acknowledged:
        """Deliver an event, as a retry where that is said."""
        payload = self.event_payload(event, id=id, **more)
        headers = {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"}
        return self._json("events_api", payload, headers if retry else {}, retry)

    def event_payload(self, event: Payload, *, id: str | None = None, **more: Any) -> Payload:
        """Return an event in its envelope."""
        return {
            "type": "event_callback",
            "team_id": self.team,
            "api_app_id": APP_ID,
            "event": event,
            "event_id": id or f"Ev{next(self._numbers)}{time.monotonic_ns()}",
            "event_time": int(time.time()),
            "authorizations": [
                {
                    "team_id": self.team,
                    "user_id": BOT_USER,
                    "is_bot": True,
                    "enterprise_id": None,
                    "is_enterprise_install": False,
                }
            ],
            **more,
        }

    def mention(
        self, text: str, *, user: str = USER, channel: str = CHANNEL, **more: Any
    ) -> Acknowledged:
        """Mention the app in a channel."""
        ts = more.pop("ts", None) or self.ts()
        deliver = {key: more.pop(key) for key in ("id", "retry") if key in more}
        event = {"type": "app_mention", "user": user, "channel": channel, "team": self.team}
        said = f"<@{BOT_USER}> {text}"
        return self.event({**event, "text": said, "ts": ts, "event_ts": ts, **more}, **deliver)

    def direct_message(self, text: str, *, user: str = USER, **more: Any) -> Acknowledged:
        """Write to the app."""
        ts = more.pop("ts", None) or self.ts()
        event = {"type": "message", "channel_type": "im", "user": user, "channel": f"D{user[1:]}"}
        return self.event({**event, "text": text, "ts": ts, "event_ts": ts, **more})

    def press(
        self,
        action_id: str,
        value: str | None = None,
        *,
        user: str = USER,
        channel: str | None = CHANNEL,
        view: Payload | None = None,
        block_id: str = "b",
        message: Payload | None = None,
        **more: Any,
    ) -> Acknowledged:
        """Press a button, or choose an option (``selected_option=…``)."""
        action = {"action_id": action_id, "block_id": block_id, "type": "button", **more}
        if value is not None:
            action["value"] = value
        action["action_ts"] = self.ts()
        payload: Payload = {"type": "block_actions", "actions": [action]}
        if view is not None:
            payload |= {"view": view, "container": {"type": "view", "view_id": view["id"]}}
        else:
            ts = (message or {}).get("ts", "1.1")
            container = {"type": "message", "message_ts": ts, "channel_id": channel}
            container["is_ephemeral"] = message is None
            payload |= {"container": container, "response_url": self.peer.response_url()}
            payload["channel"] = {"id": channel, "name": "general"}
            if message is not None:
                payload["message"] = message
        return self.interact(payload, user=user)

    def submit(self, view: Payload, values: Payload, *, user: str = USER) -> Acknowledged:
        """Submit a modal with the values of its inputs, by block and action id."""
        shown = {**view, "type": "modal", "state": {"values": values}}
        return self.interact({"type": "view_submission", "view": shown}, user=user)

    def shortcut(self, callback_id: str, *, user: str = USER) -> Acknowledged:
        """Start a global shortcut."""
        payload = {"type": "shortcut", "callback_id": callback_id, "action_ts": self.ts()}
        return self.interact(payload, user=user)

    def message_shortcut(
        self, callback_id: str, message: Mapping[str, Any], *, channel: str = CHANNEL
    ) -> Acknowledged:
        """Start a shortcut on a message."""
        payload = {
            "type": "message_action",
            "callback_id": callback_id,
            "channel": {"id": channel, "name": "general"},
            "message": {"type": "message", "user": USER, **message},
            "message_ts": message["ts"],
            "response_url": self.peer.response_url(),
            "action_ts": self.ts(),
        }
        return self.interact(payload)

    def options(self, action_id: str, typed: str = "") -> Acknowledged:
        """Ask for the options of an external select."""
        payload = {"type": "block_suggestion", "action_id": action_id, "block_id": action_id}
        return self.interact({**payload, "value": typed, "container": {"type": "view"}})

    def interact(self, payload: Payload, *, user: str = USER) -> Acknowledged:
        """Send an interaction."""
        whole = {
            "user": {"id": user, "username": "someone", "team_id": self.team},
            "team": {"id": self.team, "domain": "local"},
            "api_app_id": APP_ID,
            "token": "t",
            "is_enterprise_install": False,
            "enterprise": None,
            "trigger_id": self._trigger(),
            **payload,
        }
        if self._url is None:
            return self._push("interactive", whole)
        return self.post(urlencode({"payload": json.dumps(whole)}), FORM)

    def ts(self) -> str:
        """Return a new time stamp of a message."""
        return f"{1_800_000_000 + next(self._numbers)}.000200"

    # --- transports -------------------------------------------------------------------------

    def post(
        self,
        body: str,
        content_type: str,
        headers: Mapping[str, str] | None = None,
        *,
        secret: str = SIGNING_SECRET,
        at: float | None = None,
    ) -> Acknowledged:
        """Post a signed body as it is."""
        assert self._url is not None
        sent = {**signed(body, content_type, secret=secret, at=at), **(headers or {})}
        start = time.monotonic()
        answer = self._client.post(self._url, content=body.encode(), headers=sent)
        return Acknowledged(answer.status_code, answer.text, time.monotonic() - start)

    def _trigger(self) -> str:
        return f"{next(self._numbers)}.{time.monotonic_ns()}"

    def _form(self, kind: str, payload: Payload) -> Acknowledged:
        if self._url is None:
            return self._push(kind, payload)
        return self.post(urlencode(payload), FORM)

    def _json(
        self, kind: str, payload: Payload, headers: Mapping[str, str], retry: int
    ) -> Acknowledged:
        if self._url is None:
            return self._push(kind, payload, retry_attempt=retry, retry_reason="timeout")
        return self.post(json.dumps(payload), JSON, headers)

    def _push(self, kind: str, payload: Payload, **more: Any) -> Acknowledged:
        start = time.monotonic()
        accepts = kind != "events_api"
        envelope = {"type": kind, "payload": payload, "accepts_response_payload": accepts, **more}
        answer = self.peer.push(envelope)
        text = answer if isinstance(answer, str) else json.dumps(answer) if answer else ""
        return Acknowledged(200, text, time.monotonic() - start)
