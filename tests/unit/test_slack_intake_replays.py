"""What comes twice: replays are refused, and redeliveries run once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from slack_bolt import BoltRequest
from slack_inbound import FORM, USER, Inbound, signed

from onbrand_slack.intake.replay import KEPT, ReplayGuard
from onbrand_slack.model import Home


@pytest.fixture
def socket(tmp_path: Path) -> Iterator[Inbound]:
    (tmp_path / "socket").mkdir()
    inbound = Inbound(tmp_path / "socket", "socket", app_token="xapp-1")
    yield inbound
    inbound.close()


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
