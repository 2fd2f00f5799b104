"""Whose a request is: the workspace that it comes from, and no other."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_inbound import APP_ID, CHANNEL, FORM, JSON, MARK, ORG, TEAM, USER, Inbound

from onbrand_slack.intake.reading import read
from onbrand_slack.intake.tenancy import tenant_of
from onbrand_slack.model import Tenant


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
