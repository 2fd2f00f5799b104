"""Workspaces that remove the app, and organisations, which have it for all of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_browser import MANY, Browser
from slack_installing import Team, serving_all
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_sender import FORM, Acknowledged
from slack_talk import element, read
from slack_team import Member
from slack_web_api import BOT_USER, Payload

from onbrand.results import Report
from onbrand_slack.model import Label, Pasted, Source, Tenant, ToView
from onbrand_slack.store import Store

CLIENT = MANY["SLACK_CLIENT_ID"]


@pytest.fixture(scope="module")
def peer() -> Iterator[SlackPeer]:
    """A Slack in which nobody has the app yet."""
    with SlackPeer(tenants={"xoxb-nobody": "T0NOBODY"}) as peer:
        yield peer


@pytest.fixture(scope="module")
def app(
    peer: SlackPeer, tmp_path_factory: pytest.TempPathFactory, example_voices: Path
) -> Iterator[SlackProcess]:
    with serving_all(peer, tmp_path_factory.mktemp("oauth"), example_voices) as app:
        yield app


@pytest.fixture
def browser(app: SlackProcess) -> Iterator[Browser]:
    """Somebody who adds the app to Slack."""
    with Browser(str(app.url)) as browser:
        yield browser


@pytest.fixture
def team(peer: SlackPeer, app: SlackProcess) -> Iterator[Team]:
    """A workspace without the app."""
    team = Team(peer, app)
    with team.member:
        yield team


@pytest.fixture
def other(peer: SlackPeer, app: SlackProcess) -> Iterator[Team]:
    """Another one."""
    team = Team(peer, app)
    with team.member:
        yield team


def _leave_behind(team: Team, app: SlackProcess) -> None:
    """Store what waits for a workspace: a job that is due tomorrow, and a kept draft."""
    tenant = Tenant(team.id)
    nothing = Report(path="draft", brand="oatfolk", probability=None, verdict="not judged", gate=0)
    with Store.open(app.database, client_id=CLIENT) as store:
        job = Label("U1", "c0#1", "on", ToView("V1", "U1"))
        store.jobs.put(tenant, job, key="tomorrow", lane="post", delay=86400)
        store.checks.add(
            tenant,
            user="U1",
            brand="oatfolk",
            source=Source.COMMAND,
            report=nothing,
            draft=Pasted("Kept."),
            retention_days=30,
        )


GONE: list[dict[str, Any]] = [
    {"type": "app_uninstalled"},
    {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT_USER]}},
]


@pytest.mark.parametrize("event", GONE, ids=lambda event: event["type"])
def test_a_workspace_that_removes_the_app_leaves_nothing_that_waits(
    team: Team,
    other: Team,
    browser: Browser,
    app: SlackProcess,
    peer: SlackPeer,
    event: dict[str, Any],
) -> None:
    for one in (team, other):
        browser.install(f"code-{one.id}")
        one.is_answered()
        _leave_behind(one, app)
    team.member.settle(but="label")
    kept = other.stored()
    del peer.tenants[f"xoxb-{team.id}"]

    assert team.member.event(event, id="Ev1").status == 200
    assert team.member.event(event, id="Ev1", retry=1).status == 200

    team.member.settle(but="label")
    assert not any(team.stored("queued").values())
    assert team.is_refused()
    assert other.stored() == kept
    assert other.is_answered() == f"xoxb-{other.id}"


def test_a_users_own_token_is_none_of_ours(team: Team, browser: Browser) -> None:
    browser.install(f"code-{team.id}")
    event = {"type": "tokens_revoked", "tokens": {"oauth": [team.member.user], "bot": []}}

    assert team.member.event(event).status == 200

    assert team.is_answered() == f"xoxb-{team.id}"


def test_an_installation_that_follows_a_removal_stays(
    team: Team, browser: Browser, peer: SlackPeer
) -> None:
    # Slack repeats events for an hour, and the word of the removal may come after the new token.
    browser.install(f"code-{team.id}-new")

    assert team.member.event({"type": "app_uninstalled"}, retry=3).status == 200

    team.member.settle(but="label")
    assert team.is_answered() == f"xoxb-{team.id}-new"


# --- Enterprise Grid ----------------------------------------------------------------------------


class Colleague(Member):
    """A member of one workspace of an organisation that has the app everywhere."""

    organisation = "E10"

    def command_payload(self, text: str, **who: str) -> Payload:
        """Return the fields of a slash command."""
        whose = {"enterprise_id": self.organisation, "is_enterprise_install": "true"}
        return {**super().command_payload(text, **who), **whose}

    def event_payload(self, event: Payload, *, id: str | None = None, **more: Any) -> Payload:  # noqa: A002
        """Return an event in its envelope."""
        whose = {"enterprise_id": self.organisation, "context_team_id": self.team}
        everywhere = {"enterprise_id": self.organisation, "is_enterprise_install": True}
        authorizations = [{**everywhere, "team_id": None, "user_id": BOT_USER, "is_bot": True}]
        told = {**whose, "authorizations": authorizations, **more}
        return super().event_payload(event, id=id, **told)

    def interact(self, payload: Payload, *, user: str = "") -> Acknowledged:
        """Send an interaction: no workspace is named in it but the user's."""
        whose = {"team": None, "is_enterprise_install": True}
        organisation = {"enterprise": {"id": self.organisation, "name": "Everyone"}}
        if "view" in payload:
            view = {**payload["view"], "app_installed_team_id": self.organisation}
            payload = {**payload, "view": view}
        return super().interact({**payload, **whose, **organisation}, user=user)


def test_an_organisation_installs_it_once_for_workspaces_that_stay_apart(
    peer: SlackPeer, app: SlackProcess, browser: Browser
) -> None:
    one, two = (Colleague(peer, app, 900 + n, team=f"T9{n}") for n in (1, 2))
    with one, two:
        assert browser.install("code-E10").status_code == 200

        tickets = [element(person.checks(), "details")["value"] for person in (one, two)]
        one.ask("oatfolk We leverage synergies.")
        assert one.next("chat.postEphemeral").token == "xoxb-E10"
        one.say("use oatfolk")
        assert "oatfolk" in read(one.answer())

        two.say("settings")
        assert "none chosen" in read(two.answer())
        two.press("details", tickets[0], user=two.user, channel=two.channel)
        assert "no longer kept" in read(two.view())
        one.press("details", tickets[0], user=one.user, channel=one.channel)
        assert read(one.view()).startswith("Details: oatfolk")


def test_a_modal_knows_the_workspace_where_only_the_organisation_has_the_app(
    peer: SlackPeer, app: SlackProcess, browser: Browser
) -> None:
    browser.install("code-E10-2")
    with Colleague(peer, app, 910, team="T93") as person:
        assert person.shortcut("check_draft", user=person.user).status == 200
        form = person.view()
        assert person.saves(form, brand="oatfolk", draft="We leverage synergies.").status == 200
        assert "oatfolk" in read(person.view("views.update"))


def test_an_organisation_removes_it_from_all_its_workspaces(
    peer: SlackPeer, app: SlackProcess, browser: Browser
) -> None:
    class Elsewhere(Colleague):
        organisation = "E11"

    with Elsewhere(peer, app, 920, team="T94") as person:
        browser.install("code-E11")
        person.checks()
        del peer.tenants["xoxb-E11"]

        gone = {"type": "app_uninstalled"}
        assert person.event(gone, team_id="E11", context_team_id=None).status == 200

        person.settle(but="label")
        refused = person.command_payload("help", user=person.user)
        assert person.post(urlencode(refused), FORM).status == 401
        rows = person.rows("SELECT count(*) FROM onbrand_slack_sealed WHERE workspace = 'T94'")
        assert rows == [(0,)]
