"""What is let in, and what is not: signatures, noise, odd requests."""

from __future__ import annotations

import json
import logging
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt import BoltRequest
from slack_inbound import BOT_USER, FORM, JSON, MARK, TEAM, Inbound, signed

from onbrand_slack.intake.guard import Guard
from onbrand_slack.model import Check, Uninstalled


def test_a_signed_command_is_taken(slack: Inbound) -> None:
    assert slack.command("acme We ship.").status == 200
    assert isinstance(slack.job(), Check)


# --- signatures ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": "v0=ä"},
        {"X-Slack-Signature": ""},
        {"X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Request-Timestamp": "²"},
        {"X-Slack-Request-Timestamp": "9" * 400},
        {"X-Slack-Request-Timestamp": str(int(time.time()) - 360)},
    ],
)
def test_a_wrong_signature_is_refused(
    slack: Inbound, wrong: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = urlencode(slack.command_payload(MARK)).encode()
    assert slack.app.receive(body, {**signed(body, FORM), **wrong}).status == 401
    assert slack.jobs() == []
    assert MARK not in caplog.text


def test_no_signature_is_refused(slack: Inbound) -> None:
    assert slack.app.receive(b"{}", {}).status == 401


def test_an_old_signature_is_refused(slack: Inbound) -> None:
    body = urlencode(slack.command_payload("x"))
    assert slack.post(body, FORM, at=time.time() - 360).status == 401
    assert slack.post(body, FORM, at=time.time() + 360).status == 401
    assert slack.jobs() == []


def test_bytes_that_are_no_utf8_are_refused(slack: Inbound) -> None:
    body = b'{"type": "event_callback", "a": "\xff"}'
    assert slack.app.receive(body, signed(b"{}", JSON)).status == 401


def test_slack_is_told_that_the_url_is_ours(slack: Inbound) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "t"})
    answer = slack.post(body)
    assert (answer.status, json.loads(answer.body)) == (200, {"challenge": "abc"})
    assert slack.post(body).status == 200, "the same challenge may be asked twice"
    assert slack.app.receive(body.encode(), {}).status == 401


# --- noise -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "noise",
    [
        {"bot_id": "B0BOT"},
        {"bot_id": "B7"},
        {"user": BOT_USER},
        {"user": None},
        {"subtype": "message_changed", "message": {"text": "Hi."}},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"subtype": "bot_message"},
        {"hidden": True},
        {"channel_type": "channel", "channel": "C1"},
        {"channel_type": "group", "channel": "G1"},
    ],
)
def test_a_message_that_is_no_draft_is_ignored(slack: Inbound, noise: dict[str, Any]) -> None:
    assert slack.direct("Hi there, all of you.", **noise).status == 200
    assert slack.jobs() == []


def test_a_bot_that_mentions_us_is_ignored(slack: Inbound) -> None:
    assert slack.mention("We ship.", bot_id="B7").status == 200
    assert slack.jobs() == []


def test_the_end_of_users_tokens_is_ignored(slack: Inbound) -> None:
    slack.event({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}})
    assert slack.jobs() == []
    slack.event({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0BOT"]}})
    assert slack.jobs() == [Uninstalled()]


def test_the_end_of_what_is_gone_is_ignored(slack: Inbound) -> None:
    theirs: dict[str, Any] = {"team_id": "T2", "authorizations": []}
    assert slack.event({"type": "app_uninstalled"}, **theirs).status == 200
    assert slack.jobs() == []


def test_that_slack_holds_events_back_is_noted(
    slack: Inbound, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"type": "app_rate_limited", "team_id": TEAM, "minute_rate_limited": 1518467820}
    assert slack.post(json.dumps(body)).status == 200
    assert "holds events back" in caplog.text


# --- odd requests ----------------------------------------------------------------------------


def test_a_draft_with_the_word_payload_is_a_draft(slack: Inbound) -> None:
    """Bolt's own reading loses it."""
    slack.command("The rocket's payload is up.")
    assert slack.job().draft.text == "The rocket's payload is up."


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        "null",
        '"x"',
        '{"type": 5, "command": {}}',
        '{"command": "/onbrand"}',
        '{"type": "event_callback"}',
        '{"type": "event_callback", "event_id": "Ev1", "event": []}',
        '{"type": "event_callback", "event_id": "Ev1", "event": {}, "authorizations": [5]}',
        '{"type": "block_actions", "user": {"id": "U1"}, "actions": []}',
        '{"type": "view_submission", "user": {"id": "U1"}, "view": 5}',
        '{"type": "shortcut", "callback_id": "check_draft", "user": "U1"}',
        '{"type": "event_callback", "event_id": "Ev1", "event": {"type": "message"}}',
        '{"a": ' + "[" * 20_000 + "]" * 20_000 + "}",
        '{"command": "/onbrand", "user_id": "U1\\u0000", "channel_id": "C1"}',
        '{"command": "/onbrand", "user_id": "U1", "channel_id": "C1", "text": "\\ud800"}',
    ],
)
def test_a_malformed_body_is_said_to_be_one(slack: Inbound, body: str) -> None:
    assert slack.post(body).status == 400
    assert slack.jobs() == []


def test_plain_bolt_requests_are_read_anew(slack: Inbound) -> None:
    """Adapters of Bolt's make them, with bodies that Bolt has read."""
    body = urlencode(slack.command_payload("A payload."))
    request = BoltRequest(body=body, headers=signed(body.encode(), FORM))
    assert slack.app.dispatch(request).status == 200
    assert slack.job().draft.text == "A payload."


def test_bolt_gets_no_word_of_a_draft(slack: Inbound, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[Any] = []
    process = Guard.process

    def spy(self: Guard, **arguments: Any) -> Any:
        bodies.append(arguments["req"].body)
        return process(self, **arguments)

    monkeypatch.setattr(Guard, "process", spy)
    slack.command(MARK)
    slack.mention(MARK)
    slack.submit({"callback_id": "check_view"}, {"draft": {"value": MARK}})
    assert len(bodies) == 3
    assert MARK not in json.dumps(bodies)
