"""What is let in: signatures, replays, workspaces, duplicates, noise."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt import BoltRequest
from slack_inbound import (
    APP_ID,
    BOT_USER,
    CHANNEL,
    FORM,
    JSON,
    ORG,
    TEAM,
    USER,
    Inbound,
    signed,
)

from onbrand_slack.intake.guard import Guard
from onbrand_slack.intake.reading import read
from onbrand_slack.intake.replay import KEPT, ReplayGuard
from onbrand_slack.intake.tenancy import tenant_of
from onbrand_slack.model import Check, Home, Tenant, Uninstalled

MARK = "Zyzzogeton-sings-xylophonic-hymns"


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Inbound]:
    inbound = Inbound(tmp_path)
    yield inbound
    inbound.close()


@pytest.fixture
def socket(tmp_path: Path) -> Iterator[Inbound]:
    (tmp_path / "socket").mkdir()
    inbound = Inbound(tmp_path / "socket", "socket", app_token="xapp-1")
    yield inbound
    inbound.close()


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


# --- replays and duplicates ------------------------------------------------------------------


def test_a_replayed_command_is_refused(slack: Inbound) -> None:
    body = urlencode(slack.command_payload("We ship."))
    now = time.time()
    assert slack.post(body, FORM, at=now).status == 200
    assert slack.post(body, FORM, at=now).status == 401
    assert len(slack.jobs()) == 1


def test_a_replayed_event_is_refused_but_a_redelivery_is_known(slack: Inbound) -> None:
    body = json.dumps(slack.envelope({"type": "app_home_opened", "user": USER, "channel": "D1"}))
    now = time.time()
    assert slack.post(body, at=now).status == 200
    assert slack.post(body, at=now).status == 401
    assert slack.post(body, at=now, X_Slack_Retry_Num="1").status == 200
    assert slack.post(body, at=now - 1, X_Slack_Retry_Num="2").status == 200
    assert slack.jobs() == [Home(USER)]


def test_a_redelivery_may_overtake_the_first_delivery(slack: Inbound) -> None:
    body = json.dumps(slack.envelope({"type": "app_home_opened", "user": USER, "channel": "D1"}))
    now = time.time()
    assert slack.post(body, at=now, X_Slack_Retry_Num="1").status == 200
    assert slack.post(body, at=now).status == 200
    assert slack.post(body, at=now).status == 401
    assert slack.jobs() == [Home(USER)]


def test_a_retry_header_does_not_replay_a_command(slack: Inbound) -> None:
    body = urlencode(slack.command_payload("We ship."))
    now = time.time()
    slack.post(body, FORM, at=now)
    assert slack.post(body, FORM, at=now, X_Slack_Retry_Num="1").status == 401


def test_the_same_words_twice_are_two_commands(slack: Inbound) -> None:
    slack.command("We ship.")
    slack.command("We ship.")
    assert len(slack.jobs()) == 2


def test_signatures_are_forgotten_when_they_are_no_longer_valid() -> None:
    now = [0.0]
    guard = ReplayGuard(clock=lambda: now[0])
    assert not guard.seen("a")
    now[0] = 1.0
    assert not guard.seen("b")
    now[0] = KEPT
    assert guard.seen("a")
    now[0] = KEPT + 0.5
    assert not guard.seen("a")
    assert guard.seen("b")


def test_a_message_that_arrives_as_two_events_runs_once(slack: Inbound) -> None:
    ts = slack.ts()
    slack.direct("We ship.", ts=ts)
    slack.mention("We ship.", ts=ts, channel="D1")
    assert len(slack.jobs()) == 1


def test_a_step_of_a_workflow_runs_once(slack: Inbound) -> None:
    event = {
        "type": "function_executed",
        "function": {"callback_id": "check_copy"},
        "function_execution_id": "Fx1",
        "inputs": {"text": "We ship."},
    }
    slack.event(event)
    slack.event(event)
    assert len(slack.jobs()) == 1


def test_socket_mode_knows_a_redelivery(socket: Inbound) -> None:
    payload = socket.command_payload("We ship.")
    assert socket.push(payload).status == 200
    assert socket.push(dict(reversed(payload.items()))).status == 200
    socket.push(socket.command_payload("We ship."))
    assert len(socket.jobs()) == 2


def test_each_transport_takes_only_its_own_requests(slack: Inbound, socket: Inbound) -> None:
    body = urlencode(socket.command_payload("x"))
    request = BoltRequest(body=body, headers=signed(body.encode(), FORM))
    assert socket.app.dispatch(request).status == 401
    assert slack.push(slack.command_payload("x")).status == 401
    assert socket.jobs() == slack.jobs() == []


# --- whose it is -----------------------------------------------------------------------------


def test_another_workspace_is_refused(slack: Inbound, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert slack.command(MARK, team_id="T2").status == 401
    assert slack.command(MARK, team_id="").status == 401
    wrong = slack.interaction({"type": "shortcut", "callback_id": "check_draft"})
    wrong |= {"team": {"id": "T2"}, "user": {"id": USER, "team_id": "T2"}}
    assert slack.post(urlencode({"payload": json.dumps(wrong)}), FORM).status == 401
    event = {"type": "app_mention", "channel": CHANNEL, "ts": "1.1", "user": USER, "text": MARK}
    theirs: dict[str, Any] = {"team_id": "T2", "authorizations": [{"team_id": "T2"}]}
    assert slack.event(event, **theirs).status == 401
    assert slack.jobs() == []
    assert MARK not in caplog.text


def test_another_app_is_refused(slack: Inbound) -> None:
    assert slack.command("x", api_app_id="A2").status == 401
    assert slack.event({"type": "app_uninstalled"}, api_app_id="A2").status == 401
    assert slack.jobs() == []


def test_the_app_of_the_installation_counts_where_none_is_configured(tmp_path: Path) -> None:
    slack = Inbound(tmp_path, app_id=None)
    assert slack.command("x", api_app_id="A2").status == 401
    assert slack.command("x", api_app_id=APP_ID).status == 200
    slack.close()


def test_in_a_shared_channel_the_workspace_with_the_app_counts(slack: Inbound) -> None:
    event = {"type": "app_mention", "channel": CHANNEL, "ts": "1.1", "user": "U7", "text": "Hi."}
    slack.event(event, team_id="T2", is_ext_shared_channel=True, context_team_id="T2")
    (job,) = slack.store.jobs.claim("w", "score")
    assert job.tenant == Tenant(TEAM)


def test_an_event_without_any_authorization_of_a_shared_channel_is_nobodys(slack: Inbound) -> None:
    event = {"type": "app_home_opened", "channel": "D1", "user": USER}
    shared = {"is_ext_shared_channel": True, "authorizations": []}
    assert slack.event(event, **shared).status == 401
    assert slack.event(event, authorizations=None).status == 200


def _tenant(payload: dict[str, Any]) -> Tenant | None:
    incoming = read(json.dumps(payload), JSON)
    assert incoming.kind != "malformed"
    return tenant_of(incoming.payload, incoming.envelope)


def _pressed(**more: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": USER, "team_id": "T5"},
        "actions": [{"action_id": "x"}],
        **more,
    }


@pytest.mark.parametrize(
    ("payload", "tenant"),
    [
        (_pressed(team={"id": TEAM}), Tenant(TEAM)),
        (_pressed(team={"id": TEAM, "enterprise_id": ORG}), Tenant(TEAM, ORG)),
        (_pressed(team=None, enterprise={"id": ORG}), Tenant("T5", ORG)),
        (
            _pressed(team=None, enterprise={"id": ORG}, user={"id": USER, "team_id": ORG}),
            Tenant(ORG, ORG),
        ),
        (
            _pressed(team={"id": "T5"}, view={"id": "V1", "app_installed_team_id": TEAM}),
            Tenant(TEAM),
        ),
        (
            _pressed(
                team={"id": TEAM}, view={"id": "V1", "type": "home", "app_installed_team_id": "T6"}
            ),
            Tenant(TEAM),
        ),
        (_pressed(user={"id": USER}), None),
    ],
)
def test_the_workspace_of_an_interaction(payload: dict[str, Any], tenant: Tenant | None) -> None:
    assert _tenant(payload) == tenant


@pytest.mark.parametrize(
    ("outer", "tenant"),
    [
        ({"team_id": TEAM}, Tenant(TEAM)),
        ({"team_id": TEAM, "enterprise_id": ORG}, Tenant(TEAM, ORG)),
        ({"team_id": "T2", "authorizations": [{"team_id": TEAM}]}, Tenant(TEAM)),
        (
            {"team_id": TEAM, "authorizations": [{"team_id": None, "enterprise_id": ORG}]},
            Tenant(TEAM, ORG),
        ),
        ({"authorizations": [{"team_id": None, "enterprise_id": ORG}]}, Tenant(ORG, ORG)),
        (
            {
                "team_id": "T2",
                "context_team_id": TEAM,
                "is_ext_shared_channel": True,
                "authorizations": [{"enterprise_id": ORG}],
            },
            Tenant(TEAM, ORG),
        ),
        ({}, None),
    ],
)
def test_the_workspace_of_an_event(outer: dict[str, Any], tenant: Tenant | None) -> None:
    event = {"type": "app_home_opened", "user": USER, "channel": "D1"}
    assert _tenant({"type": "event_callback", "event_id": "Ev1", "event": event, **outer}) == tenant


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
