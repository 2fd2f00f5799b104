"""For tests of what comes in: the app with a real store, fed signed requests, no network."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from slack_bolt import BoltResponse
from slack_data import open_store
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_work import wait_until

from onbrand.errors import OnbrandError
from onbrand_slack.app import SlackApp, build_app
from onbrand_slack.config import Config, Transport
from onbrand_slack.intake.reading import from_socket
from onbrand_slack.metrics import Metrics
from onbrand_slack.model import Request, Tenant
from onbrand_slack.services import Services
from onbrand_slack.store.installations import Installed

Payload = dict[str, Any]
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TEAM, ORG, USER, CHANNEL, BOT_USER = "T1", "E1", "U1", "C1", "U0BOT"
APP_ID = "A1"
ACME = Tenant(TEAM)
MARK = "Zyzzogeton-sings-xylophonic-hymns"
"""A draft of words that nothing else says, for looking where it got to."""
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
INSTALLED = Installed("xoxb-1", "B0BOT", BOT_USER, APP_ID, TEAM, None, "U9")


@dataclass
class FakeScoring:
    """Voices by name; None: there are none."""

    names: tuple[str, ...] | None = ("acme", "bolt")
    avoided: str | None = None

    def brands(self, tenant: Tenant) -> tuple[str, ...]:
        if self.names is None:
            raise OnbrandError("this workspace has no voices yet")
        return self.names

    def scorer(self, tenant: Tenant) -> Any:
        return self

    def voice(self, brand: str) -> Any:
        if brand not in self.brands(ACME):
            raise OnbrandError("no voice is called that")
        return SimpleNamespace(manifest=SimpleNamespace(gate=0.7))

    def close(self) -> None: ...


@dataclass
class FakeClient:
    """Notes what is called, and fails where it is told to."""

    calls: list[tuple[str, Payload]] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)
    people: dict[str, Payload] = field(default_factory=dict)
    """What Slack says of users, beyond that they are members of the workspace."""

    def users_info(self, user: str) -> Payload:
        return {"user": {"id": user, "team_id": TEAM, **self.people.get(user, {})}}

    def __getattr__(self, method: str) -> Any:
        def call(**arguments: Any) -> Payload:
            self.calls.append((method, arguments))
            if method in self.failing:
                raise self.failing[method]
            return {"ok": True, "view": {"id": "V100"}}

        return call

    def fail(self, method: str, code: str) -> None:
        self.failing[method] = SlackApiError("no", {"ok": False, "error": code})

    def called(self, *methods: str) -> list[tuple[str, Payload]]:
        """Wait for a call of each method, in this order, and return them."""
        wait_until(lambda: [name for name, _ in self.calls] == list(methods), f"{methods}")
        return self.calls


@dataclass(eq=False)
class FakeClients:
    client: FakeClient = field(default_factory=FakeClient)

    def once(self, tenant: Tenant) -> FakeClient:
        return self.client

    of = once


class Inbound:
    """One workspace that sends to the app."""

    def __init__(self, folder: Path, transport: Transport = "http", **config: Any) -> None:
        given = {"signing_secret": SECRET, "bot_token": "xoxb-1", "app_id": APP_ID, **config}
        self.config = Config(transport, folder, str(folder / "slack.db"), **given)
        self.store = open_store(Path(self.config.database))
        self.store.installations.use_only(INSTALLED)
        self.scoring, self.clients, self.metrics = FakeScoring(), FakeClients(), Metrics()
        self.services = Services(
            config=self.config,
            store=self.store,
            labels=self.store.labels,
            scoring=self.scoring,  # type: ignore[arg-type]
            clients=self.clients,  # type: ignore[arg-type]
            metrics=self.metrics,
        )
        self.app: SlackApp = build_app(self.services, transport=transport)
        self._numbers = itertools.count(1)

    @property
    def client(self) -> FakeClient:
        return self.clients.client

    def close(self) -> None:
        self.app.close()
        self.store.close()

    def jobs(self) -> list[Request]:
        """Return what was queued since the last time, oldest first."""
        taken = [job for lane in ("score", "post") for job in self.store.jobs.claim("w", lane, 99)]
        return [job.request for job in sorted(taken, key=lambda job: job.id)]

    def job(self) -> Any:
        """Return the only request that was queued."""
        (request,) = self.jobs()
        return request

    # --- requests ----------------------------------------------------------------------------

    def post(
        self, body: str | bytes, content_type: str = JSON, *, at: float | None = None, **more: str
    ) -> BoltResponse:
        """Send a signed body; ``more`` are headers, with ``_`` for ``-``."""
        raw = body.encode() if isinstance(body, str) else body
        headers = signed(raw, content_type, at=at)
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        return self.app.receive(raw, headers)

    def command(self, text: str = "We ship on Tuesday.", **more: Any) -> BoltResponse:
        return self.post(urlencode(self.command_payload(text, **more)), FORM)

    def command_payload(self, text: str, **more: Any) -> Payload:
        return {
            "command": "/onbrand",
            "text": text,
            "team_id": TEAM,
            "user_id": USER,
            "channel_id": CHANNEL,
            "api_app_id": APP_ID,
            "trigger_id": self._trigger(),
            "response_url": "https://hooks.slack.com/commands/1",
            **more,
        }

    def event(self, event: Payload, headers: Mapping[str, str] = {}, **more: Any) -> BoltResponse:
        return self.post(json.dumps(self.envelope(event, **more)), JSON, **headers)

    def envelope(self, event: Payload, **more: Any) -> Payload:
        return {
            "type": "event_callback",
            "team_id": TEAM,
            "api_app_id": APP_ID,
            "event": event,
            "event_id": f"Ev{next(self._numbers)}",
            "authorizations": [{"team_id": TEAM, "enterprise_id": None, "user_id": BOT_USER}],
            **more,
        }

    def mention(self, text: str, **more: Any) -> BoltResponse:
        event = {"type": "app_mention", "channel": CHANNEL, "ts": self.ts(), "user": USER}
        return self.event({**event, "text": f"<@{BOT_USER}> {text}", **more})

    def direct(self, text: str, **more: Any) -> BoltResponse:
        event = {"type": "message", "channel_type": "im", "channel": "D1", "ts": self.ts()}
        return self.event({**event, "user": USER, "text": text, **more})

    def press(self, action_id: str, value: str | None = None, **more: Any) -> BoltResponse:
        action = {"action_id": action_id, "block_id": more.pop("block_id", "b"), "type": "button"}
        action |= {} if value is None else {"value": value}
        action |= more.pop("action", {})
        return self.interact({"type": "block_actions", "actions": [action], **more})

    def press_message(self, action_id: str, value: str | None = None, **more: Any) -> BoltResponse:
        container = {"type": "message", "message_ts": "1.1", "channel_id": CHANNEL}
        place = {"container": container, "channel": {"id": CHANNEL}, "response_url": "https://r"}
        return self.press(action_id, value, **{**place, **more})

    def submit(self, view: Payload, values: Payload, **more: Any) -> BoltResponse:
        state = {"values": {key: {key: value} for key, value in values.items()}}
        shown = {"id": "V1", **view, "state": state}
        return self.interact({"type": "view_submission", "view": shown, **more})

    def interact(self, payload: Payload) -> BoltResponse:
        return self.post(urlencode({"payload": json.dumps(self.interaction(payload))}), FORM)

    def interaction(self, payload: Payload) -> Payload:
        return {
            "user": {"id": USER, "team_id": TEAM},
            "team": {"id": TEAM},
            "enterprise": None,
            "api_app_id": APP_ID,
            "trigger_id": self._trigger(),
            **payload,
        }

    def push(self, payload: Any) -> BoltResponse:
        """Send an envelope's payload of Socket Mode."""
        return self.app.dispatch(from_socket(payload))

    def ts(self) -> str:
        return f"{1_800_000_000 + next(self._numbers)}.000200"

    def _trigger(self) -> str:
        return f"{next(self._numbers)}.1"


def signed(body: bytes, content_type: str, *, at: float | None = None) -> dict[str, str]:
    """Return the headers of a body that Slack signed; none that it could not have."""
    timestamp = str(int(time.time() if at is None else at))
    text = body.decode("utf-8", "replace")
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=timestamp, body=text)
    return {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": str(signature),
    }
