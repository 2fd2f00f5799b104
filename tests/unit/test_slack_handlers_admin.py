"""Settings, digest, privacy: who may, what is stored, what is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_world import (
    ELSEWHERE,
    HERE,
    ONLY,
    PRESSED,
    World,
    carried_out,
    checked,
    in_review,
    refusal,
    text_of,
    world,
)

from onbrand_slack.answer import BrandSettings, WorkspaceSettings
from onbrand_slack.handlers.people import People
from onbrand_slack.model import (
    Audit,
    Configure,
    Decide,
    Digest,
    ForgetUser,
    Label,
    SentenceRef,
    Tenant,
    Uninstalled,
)
from onbrand_slack.names import Action
from onbrand_slack.scoring import Scoring
from onbrand_slack.store.digest import week_of
from onbrand_slack.work.calls import UPLOAD
from onbrand_slack.work.errors import NotInstalledError

BRAND_VALUES = {
    "gate": 0.6,
    "review_channel": "CREV",
    "reviewers": ["UBEN"],
    "own_drafts": True,
    "labellers": [],
    "digest_channel": "CDIG",
    "digest_day": 4,
    "digest_hour": 8,
}


@pytest.fixture
def slack(tmp_path: Path, scoring: Scoring) -> Iterator[World]:
    with world(tmp_path, scoring) as made:
        made.slack.users["UBOSS"] = {"is_admin": True}
        yield made


# --- settings -----------------------------------------------------------------------------------


def test_an_own_brand_is_everybodys_to_choose(slack: World) -> None:
    values = {str(Action.BRAND): "quillpot"}
    (call,) = slack.run(Configure("UANN", values, personal=True))
    assert call.method == "views.publish"
    assert slack.store.settings.user_brand(HERE, "UANN") == "quillpot"
    slack.run(Configure("UANN", {str(Action.BRAND): None}, personal=True))
    assert slack.store.settings.user_brand(HERE, "UANN") is None
    (call,) = slack.run(Configure("UANN", {str(Action.BRAND): "nobody"}, personal=True))
    assert "no voice for brand" in text_of(call).lower()


def test_an_admin_sets_how_a_brand_is_handled(slack: World) -> None:
    told, published = slack.run(Configure("UBOSS", dict(BRAND_VALUES), brand="quillpot"))
    assert told.channel == "UBOSS"
    assert "gate 0.60" in text_of(told)
    assert published.method == "views.publish"
    assert slack.store.settings.brand(HERE, "quillpot") == BrandSettings(
        *("quillpot", "CREV", 0.6, (), ("UBEN",), True, "CDIG", 4, 8)
    )
    assert slack.store.settings.brand(ELSEWHERE, "quillpot") == BrandSettings("quillpot")


def test_an_admin_sets_a_channels_brand_and_the_workspaces_retention(slack: World) -> None:
    values = {"retention": 30, "admins": ["UBEN"], "channel_brand": "quillpot"}
    told, _ = slack.run(Configure("UBOSS", values, channel="C1"))
    assert "<#C1>" in text_of(told)
    assert "30 days" in text_of(told)
    assert slack.store.settings.channel_brand(HERE, "C1") == "quillpot"
    stored = slack.store.settings.workspace(HERE)
    assert stored == WorkspaceSettings(retention_days=30, admins=("UBEN",))
    slack.run(Configure("UBEN", values | {"channel_brand": None}, channel="C1"))
    assert slack.store.settings.channel_brand(HERE, "C1") is None


@pytest.mark.parametrize("user", ["UANN", "UEVE"])
@pytest.mark.parametrize("brand", [None, "quillpot"])
def test_nobody_else_changes_settings(slack: World, user: str, brand: str | None) -> None:
    slack.slack.users["UEVE"] = {"is_admin": True, "team_id": "T9"}  # elsewhere, that is
    settings = WorkspaceSettings(admins=("UEVE",))
    slack.store.settings.set_workspace(HERE, settings, "UBOSS")
    (call,) = slack.run(Configure(user, {"retention": 365, **BRAND_VALUES}, brand=brand))
    assert "You cannot change settings" in text_of(call)
    assert slack.store.settings.workspace(HERE) == settings
    assert slack.store.settings.brand(HERE, "quillpot") == BrandSettings("quillpot")


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (Configure("UBOSS", dict(BRAND_VALUES), brand="nobody"), "no voice for brand"),
        (Configure("UBOSS", {"gate": 1.5}, brand="quillpot"), "gate"),
        (Configure("UBOSS", {"retention": -1}), "retention"),
        (Configure("UBOSS", {"channel_brand": "nobody"}, channel="C1"), "no voice for brand"),
    ],
)
def test_what_cannot_be_set_is_told_and_changes_nothing(
    slack: World, request_: Configure, told: str
) -> None:
    (call,) = slack.run(request_)
    assert call.channel == "UBOSS"
    assert told in text_of(call).lower()
    assert slack.store.settings.workspace(HERE) == WorkspaceSettings()
    assert slack.store.settings.channel_brand(HERE, "C1") is None


# --- people -------------------------------------------------------------------------------------


def test_slacks_word_is_believed_for_ten_minutes(slack: World) -> None:
    now = [0.0]
    people, clients = People(lambda: now[0]), slack.services.clients
    assert not people.of(clients, HERE, "UANN").admin
    slack.slack.users["UANN"] = {"is_owner": True}
    now[0] = 599.0
    assert not people.of(clients, HERE, "UANN").admin
    now[0] = 600.0
    assert people.of(clients, HERE, "UANN").admin
    assert not people.of(clients, ELSEWHERE, "UANN").admin, "each workspace has its own"


@pytest.mark.parametrize(
    ("user", "tenant", "stranger", "admin"),
    [
        ({}, HERE, False, False),
        ({"team_id": "T9"}, HERE, True, False),
        ({"team_id": None}, HERE, True, False),
        ({"team_id": "T9", "is_admin": True}, HERE, True, False),
        ({"team_id": "T9", "enterprise_user": {"teams": ["T1"]}}, HERE, False, False),
        ({"team_id": "T9", "enterprise_user": {"teams": []}}, HERE, True, False),
        (
            {"team_id": "T9", "enterprise_user": {"enterprise_id": "E1", "is_owner": True}},
            Tenant("T1", "E1"),
            False,
            True,
        ),
    ],
)
def test_who_is_at_home(
    slack: World, user: dict, tenant: Tenant, stranger: bool, admin: bool
) -> None:
    slack.slack.users["UANN"] = user
    assert People().of(slack.services.clients, tenant, "UANN") == (admin, stranger)


# --- digest -------------------------------------------------------------------------------------


def test_a_digest_tells_the_week_in_its_channel(slack: World) -> None:
    checked(slack)
    slack.store.settings.set_brand(HERE, BrandSettings(ONLY, digest_channel="CDIG"), "UBOSS")
    week = week_of(slack.store.checks.recent(HERE, "UANN")[0].time)
    (call,) = slack.run(Digest(ONLY, week))
    assert (call.method, call.channel) == ("chat.postMessage", "CDIG")
    assert "1 draft" in text_of(call)
    assert "Again" in text_of(slack.run(Digest(ONLY, week), again=True)[0])


def test_a_silent_week_has_a_short_digest_and_none_where_it_was_turned_off(slack: World) -> None:
    assert slack.run(Digest(ONLY, "2026-W47")) == []
    slack.store.settings.set_brand(HERE, BrandSettings(ONLY, digest_channel="CDIG"), "UBOSS")
    (call,) = slack.run(Digest(ONLY, "2026-W47"))
    assert "quiet week" in text_of(call)
    assert slack.run(Digest(ONLY, "2026-W47"), tenant=ELSEWHERE) == []


# --- privacy ------------------------------------------------------------------------------------


def test_who_wants_to_be_forgotten_is_and_hears_of_it(slack: World) -> None:
    ticket = checked(slack)
    slack.run(Label("UANN", str(SentenceRef(ticket, 0)), "on", PRESSED))
    checked(slack, "UBEN")
    told, home = slack.run(ForgetUser("UANN"))
    assert told.channel == "UANN"
    assert "1 check, 1 label" in text_of(told)
    assert home.method == "views.publish"
    assert slack.store.checks.open(HERE, ticket) is None
    assert slack.store.checks.recent(HERE, "UANN") == []
    assert len(slack.store.checks.recent(HERE, "UBEN")) == 1
    told, _ = slack.run(ForgetUser("UANN"))
    assert "Nothing of yours" in text_of(told)


def test_nobody_is_forgotten_elsewhere(slack: World) -> None:
    ticket = checked(slack)
    slack.run(ForgetUser("UANN"), tenant=ELSEWHERE)
    assert slack.store.checks.open(HERE, ticket) is not None


def test_an_admin_gets_the_audit_as_a_file_without_any_text(slack: World) -> None:
    review = in_review(slack)
    slack.run(Decide("UBEN", review, "reject", "Far too stiff."))
    opened, upload = carried_out(slack.run(Audit("UBOSS")))
    assert opened.arguments == {"users": "UBOSS"}
    assert (upload.method, upload.channel) == (UPLOAD, "DUBOSS")
    assert upload.arguments["filename"].endswith(".jsonl")
    entries = [json.loads(line) for line in upload.arguments["content"].splitlines()]
    assert {"check", "review", "reject", "brand_settings"} <= {e["action"] for e in entries}
    assert (entries[-1]["user"], entries[-1]["action"]) == ("UBOSS", "export")
    assert "leverage" not in upload.arguments["content"]
    assert "stiff" not in upload.arguments["content"]


def test_nobody_else_gets_it_and_none_of_another_workspace(slack: World) -> None:
    checked(slack)
    (call,) = slack.run(Audit("UANN"))
    assert "for admins" in text_of(call)
    assert "export" not in [entry["action"] for entry in slack.store.privacy.audit(HERE)]
    slack.slacks[ELSEWHERE.workspace].users["UBOSS"] = {"is_admin": True}
    _, upload = carried_out(slack.run(Audit("UBOSS"), tenant=ELSEWHERE))
    assert "UANN" not in upload.arguments["content"]


@pytest.mark.parametrize("answer", [refusal("token_revoked"), NotInstalledError("gone")])
def test_a_workspace_that_removed_the_app_is_dropped(slack: World, answer: Exception) -> None:
    ticket = checked(slack)
    slack.slack.answers["auth_test"] = answer
    assert slack.run(Uninstalled()) == []
    assert slack.store.installations.find(None, "T1") is None
    assert slack.store.installations.find(None, "T2") is not None
    assert slack.store.checks.open(HERE, ticket) is None


def test_a_late_word_of_removal_does_not_undo_a_new_installation(slack: World) -> None:
    assert slack.run(Uninstalled()) == []
    assert slack.store.installations.find(None, "T1") is not None


def test_where_slack_is_away_nothing_is_dropped_yet(slack: World) -> None:
    slack.slack.answers["auth_test"] = refusal("internal_error", 500)
    with pytest.raises(Exception, match="no"):
        slack.run(Uninstalled())
    assert slack.store.installations.find(None, "T1") is not None
