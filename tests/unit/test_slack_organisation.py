"""Enterprise Grid: one installation for many workspaces, which are named in more ways than one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_data import Data
from slack_sdk.oauth.installation_store.models.installation import Installation

from onbrand_slack.intake.reading import read
from onbrand_slack.intake.tenancy import tenant_of
from onbrand_slack.model import Check, Pasted, Source, Tenant, ToUser
from onbrand_slack.store import schema

ORG, TEAM, OWN = "E1", "T1", "T2"
"""An organisation, a workspace of it, and one that has installed the app by itself."""


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Data]:
    with Data.open(str(tmp_path / "slack.db")) as data:
        yield data


def install(data: Data, *, team: str | None, everywhere: bool = False) -> None:
    made = Installation(
        app_id="A1",
        user_id="U9",
        enterprise_id=ORG,
        team_id=team,
        is_enterprise_install=everywhere,
        bot_token=f"xoxb-{ORG if everywhere else team}",
        bot_id="B1",
    )
    data.installations.bolt.save(made)


def test_an_installation_for_all_is_found_though_a_workspace_was_named(data: Data) -> None:
    install(data, team=TEAM, everywhere=True)
    found = data.installations.find(ORG, "T3")
    assert found is not None
    assert found.bot_token == "xoxb-E1"


def test_an_organisation_that_goes_takes_its_workspaces_along(data: Data) -> None:
    install(data, team=None, everywhere=True)
    install(data, team=OWN)
    tenants = (Tenant(TEAM, ORG), Tenant(OWN, ORG), Tenant("T9"))
    for tenant in tenants:
        data.check(tenant, retention_days=30)
        job = Check("U1", Source.COMMAND, Pasted("Waits."), ToUser("C1", "U1"))
        data.jobs.put(tenant, job, key="k", lane="score")

    data.privacy.uninstall(Tenant(ORG, ORG))

    for table in (schema.sealed, schema.jobs):
        assert [row["workspace"] for row in data.rows(table)] == [OWN, "T9"]
    assert data.installations.find(ORG, TEAM) is None
    assert data.installations.find(ORG, OWN) is not None


MODAL = {
    "type": "view_submission",
    "team": None,
    "enterprise": {"id": ORG},
    "user": {"id": "U1", "team_id": TEAM},
    "view": {"id": "V1", "app_installed_team_id": ORG},
}
EVENT = {
    "type": "event_callback",
    "event_id": "Ev1",
    "event": {"type": "app_home_opened", "user": "U1", "channel": "D1"},
    "context_team_id": TEAM,
    "authorizations": [{"team_id": ORG, "enterprise_id": ORG}],
}


@pytest.mark.parametrize("payload", [MODAL, EVENT])
def test_the_workspace_is_found_beside_its_organisation(payload: dict[str, Any]) -> None:
    incoming = read(json.dumps(payload), "application/json")
    assert tenant_of(incoming.payload, incoming.envelope) == Tenant(TEAM, ORG)
