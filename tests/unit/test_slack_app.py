"""The app as a whole: its table of listeners, what it does with the unknown, how it fails."""

from __future__ import annotations

import json
import logging
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from slack_inbound import CHANNEL, MARK, TEAM, USER, Inbound
from slack_work import wait_until

from onbrand.errors import OnbrandError
from onbrand_slack.app import SlackApp, build_app
from onbrand_slack.listeners import LISTENERS
from onbrand_slack.listeners.desk import Desk
from onbrand_slack.names import BRAND_PICKERS, COMMAND, Action, Shortcut, Step, View

SHOWN_ONLY = {View.RESULT, View.DETAILS}
"""Modals without a button to submit them."""


# --- the table -------------------------------------------------------------------------------


def names(kind: str) -> set[str]:
    return {str(one.name) for one in LISTENERS if one.kind == kind}


def test_every_name_has_a_listener_and_every_listener_a_name() -> None:
    assert names("command") == {COMMAND}
    assert names("message shortcut") | names("global shortcut") == set(Shortcut)
    assert names("function") == set(Step)
    assert names("view") == set(View) - SHOWN_ONLY
    assert names("action") == set(Action)
    assert names("options") == set(BRAND_PICKERS)


def test_nobody_listens_twice() -> None:
    assert max(Counter((one.kind, one.name) for one in LISTENERS).values()) == 1


def test_every_listener_is_reached(slack: Inbound, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bolt finds each of them by what `intake` leaves of a request."""
    reached: list[tuple[str, str]] = []
    for one in LISTENERS:
        key = (one.kind, str(one.name))
        spy = type(one)(one.kind, one.name, lambda sent, desk, key=key: reached.append(key))
        slack.app._register(spy)
    # Those registered first come first: let only the spies be left.
    slack.app._listeners[:] = slack.app._listeners[len(LISTENERS) :]
    for one in LISTENERS:
        send(slack, one.kind, str(one.name))
    assert sorted(reached) == sorted((one.kind, str(one.name)) for one in LISTENERS)


def send(slack: Inbound, kind: str, name: str) -> None:
    match kind:
        case "command":
            slack.command(command=name)
        case "event":
            event = {"type": name, "user": USER, "channel": "D1", "ts": slack.ts(), "text": "x"}
            slack.event({**event, "tokens": {"bot": ["U0"]}})
        case "function":
            event = {"type": "function_executed", "function": {"callback_id": name}}
            slack.event({**event, "function_execution_id": "Fx1"})
        case "message shortcut":
            place = {"channel": {"id": CHANNEL}, "message": {}}
            slack.interact({"type": "message_action", "callback_id": name, **place})
        case "global shortcut":
            slack.interact({"type": "shortcut", "callback_id": name})
        case "view":
            slack.submit({"callback_id": name}, {})
        case "action":
            slack.press_message(name, "value")
        case "options":
            slack.interact({"type": "block_suggestion", "action_id": name})


# --- the unknown -----------------------------------------------------------------------------

UNKNOWN: list[dict[str, Any]] = [
    {"type": "block_actions", "actions": [{"action_id": "theirs", "value": MARK, "url": MARK}]},
    {"type": "block_actions", "actions": [{"action_id": MARK}], "message": {"text": MARK}},
    {"type": "block_suggestion", "action_id": "theirs", "value": MARK},
    {"type": "view_submission", "view": {"id": "V1", "callback_id": "theirs", "title": MARK}},
    {"type": "view_closed", "view": {"id": "V1", "callback_id": "check_view", "title": MARK}},
    {"type": "shortcut", "callback_id": MARK},
    {"type": "shortcut", "callback_id": Shortcut.CHECK_MESSAGE, "message": {"text": MARK}},
    {
        "type": "message_action",
        "callback_id": "theirs",
        "channel": {"id": CHANNEL},
        "message": {"text": MARK},
    },
    {"type": "interactive_message", "callback_id": MARK, "actions": [{"value": MARK}]},
    {"type": "dialog_submission", "callback_id": MARK, "submission": {"text": MARK}},
    {"type": "workflow_step_edit", "callback_id": MARK},
    {"type": MARK, "text": MARK},
    {"text": MARK},
]


@pytest.mark.parametrize("payload", UNKNOWN)
def test_what_nobody_listens_to_is_answered_and_not_logged(
    slack: Inbound, payload: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert slack.interact(payload).status == 200
    assert slack.jobs() == []
    assert "nothing to do" in caplog.text
    assert MARK not in caplog.text + str([record.__dict__ for record in caplog.records])


@pytest.mark.parametrize("kind", ["reaction_added", "link_shared", MARK, "message.im"])
def test_an_unknown_event_is_answered_and_not_logged(
    slack: Inbound, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert slack.event({"type": kind, "text": MARK, "item": {"text": MARK}}).status == 200
    assert MARK not in caplog.text + str([record.__dict__ for record in caplog.records])


def test_another_command_is_answered(slack: Inbound) -> None:
    assert slack.command("We ship.", command="/offbrand").status == 200
    assert slack.jobs() == []


def test_everything_that_is_known_goes_by_without_a_word_in_the_logs(
    slack: Inbound, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    slack.command(MARK)
    slack.mention(MARK)
    slack.direct(MARK, files=[{"id": "F1", "name": MARK}])
    chosen = {"selected_option": {"value": "acme"}}
    slack.submit({"callback_id": "check_view"}, {"brand": chosen, "draft": {"value": MARK}})
    slack.press_message("share", MARK)
    slack.interact(
        {
            "type": "message_action",
            "callback_id": "check_message",
            "channel": {"id": CHANNEL},
            "message": {"text": MARK},
        }
    )
    slack.client.called("views_open")
    slack.interact({"type": "block_suggestion", "action_id": "brand", "value": MARK})
    assert len(wait_until(lambda: slack.jobs())) >= 4
    assert MARK not in caplog.text + str([record.__dict__ for record in caplog.records])


# --- failures --------------------------------------------------------------------------------


@pytest.fixture
def failing(slack: Inbound, monkeypatch: pytest.MonkeyPatch) -> Inbound:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"could not store {MARK}")

    monkeypatch.setattr(Desk, "put", fail)
    monkeypatch.setattr(Desk, "brands", fail)
    return slack


def test_a_failure_is_told_without_what_was_sent(
    failing: Inbound, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert failing.direct(MARK).status == 500, "Slack sends it again"
    assert failing.press_message("share", MARK).status == 500
    answer = failing.command(MARK)
    assert (answer.status, "again" in json.loads(answer.body)["text"]) == (200, True)
    answer = failing.interact({"type": "block_suggestion", "action_id": "brand"})
    assert (answer.status, json.loads(answer.body)) == (200, {"options": []})
    errors = [record.__dict__ for record in caplog.records if record.levelname == "ERROR"]
    assert [record["kind"] for record in errors] == ["event", "interaction", "command", "options"]
    assert all(record["error"].startswith("RuntimeError in ") for record in errors)
    assert MARK not in caplog.text + str([record.__dict__ for record in caplog.records])


def test_a_failure_of_the_store_of_installations_is_a_failure(
    slack: Inbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> Any:
        raise OSError(MARK)

    monkeypatch.setattr(slack.store.installations, "find", fail)
    assert slack.direct("We ship.").status == 500


def test_a_modal_that_slack_refuses_is_logged_by_its_error(
    slack: Inbound, caplog: pytest.LogCaptureFixture
) -> None:
    slack.client.fail("views_open", "expired_trigger_id")
    slack.interact({"type": "shortcut", "callback_id": "check_draft"})
    wait_until(lambda: caplog.records)
    (record,) = caplog.records
    assert (record.__dict__["error"], record.__dict__["workspace"]) == ("expired_trigger_id", TEAM)


# --- setting up ------------------------------------------------------------------------------


def test_requests_are_counted(slack: Inbound) -> None:
    slack.command()
    slack.command(team_id="T2")
    slack.post("{")
    figures = slack.metrics.exposition().decode()
    for kind, status in [("command", 200), ("command", 401), ("malformed", 400)]:
        assert f'onbrand_slack_requests_total{{kind="{kind}",status="{status}"}} 1.0' in figures


def test_http_needs_a_signing_secret(tmp_path: Path) -> None:
    with pytest.raises(OnbrandError, match="SLACK_SIGNING_SECRET"):
        Inbound(tmp_path, signing_secret=None)


def test_bolts_own_ways_to_be_set_up_change_nothing(
    slack: Inbound, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "s")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-another")
    monkeypatch.setenv("SLACK_VERIFICATION_TOKEN", "v")
    slack.app = build_app(slack.services, transport="http")
    assert slack.app.oauth_flow is None
    assert slack.post("ssl_check=1", "application/x-www-form-urlencoded").status < 500
    assert slack.command().status == 200
    assert len(slack.jobs()) == 1
    assert not (tmp_path / "home").exists()


def test_the_app_is_a_bolt_app_that_answers_when_its_job_is_stored(slack: Inbound) -> None:
    assert isinstance(slack.app, SlackApp)
    assert slack.app.process_before_response
    assert slack.app.client.base_url == slack.config.api_url
