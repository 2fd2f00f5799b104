"""Settings: defaults, what is refused, who changed what, and when digests are due."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from slack_data import ACME, OTHER, Data

from onbrand.errors import OnbrandError
from onbrand_slack.answer import BrandSettings, WorkspaceSettings
from onbrand_slack.model import Tenant
from onbrand_slack.store import schema

FULL = BrandSettings(
    "acme",
    review_channel="C1",
    gate=0.7,
    labellers=("U1", "U2"),
    reviewers=("U3",),
    own_drafts=True,
    digest_channel="C2",
    digest_day=6,
    digest_hour=23,
)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Data]:
    with Data.open(str(tmp_path / "slack.db")) as data:
        yield data


def changes(data: Data) -> list[tuple[str, str, str, Any]]:
    """What was changed: by whom, what, of what, and from what to what."""
    return [
        (row["user"], row["action"], row["subject"], row["detail"])
        for row in data.rows(schema.audit)
    ]


def test_defaults_where_nobody_chose(data: Data) -> None:
    assert data.settings.workspace(ACME) == WorkspaceSettings()
    assert data.settings.brand(ACME, "acme") == BrandSettings("acme")
    assert data.settings.channel_brand(ACME, "C1") is None
    assert data.settings.user_brand(ACME, "U1") is None


def test_what_was_chosen_comes_back_and_in_its_workspace_only(data: Data) -> None:
    workspace = WorkspaceSettings(365, ("U1", "U2"))
    data.settings.set_workspace(ACME, workspace, "U9")
    data.settings.set_brand(ACME, FULL, "U9")
    data.settings.set_channel_brand(ACME, "C1", "acme", "U9")
    data.settings.set_user_brand(ACME, "U1", "beta")
    assert data.settings.workspace(ACME) == workspace
    assert data.settings.brand(ACME, "acme") == FULL
    assert data.settings.brand(ACME, "beta") == BrandSettings("beta")
    assert data.settings.channel_brand(ACME, "C1") == "acme"
    assert data.settings.user_brand(ACME, "U1") == "beta"
    assert data.settings.workspace(OTHER) == WorkspaceSettings()
    assert data.settings.brand(OTHER, "acme") == BrandSettings("acme")
    assert data.settings.channel_brand(OTHER, "C1") is None
    assert data.settings.user_brand(OTHER, "U1") is None


def test_a_brand_is_chosen_no_more(data: Data) -> None:
    data.settings.set_channel_brand(ACME, "C1", "acme", "U9")
    data.settings.set_channel_brand(ACME, "C1", None, "U9")
    data.settings.set_channel_brand(ACME, "C1", None, "U9")
    data.settings.set_user_brand(ACME, "U1", "beta")
    data.settings.set_user_brand(ACME, "U1", None)
    assert data.settings.channel_brand(ACME, "C1") is None
    assert data.settings.user_brand(ACME, "U1") is None
    assert data.rows(schema.channel_settings) == data.rows(schema.user_settings) == []
    assert changes(data) == [
        ("U9", "channel_settings", "C1", {"brand": [None, "acme"]}),
        ("U9", "channel_settings", "C1", {"brand": ["acme", None]}),
        ("U1", "user_settings", "U1", {"brand": [None, "beta"]}),
        ("U1", "user_settings", "U1", {"brand": ["beta", None]}),
    ]


def test_every_change_is_noted_and_nothing_else(data: Data) -> None:
    data.settings.set_brand(ACME, BrandSettings("acme"), "U8")
    data.settings.set_brand(ACME, BrandSettings("acme", gate=0.7), "U8")
    data.settings.set_brand(ACME, FULL, "U9")
    data.settings.set_brand(ACME, FULL, "U9")
    data.settings.set_workspace(ACME, WorkspaceSettings(30, ("U1",)), "U9")
    assert changes(data) == [
        ("U8", "brand_settings", "acme", {"gate": [None, 0.7]}),
        (
            *("U9", "brand_settings", "acme"),
            {
                "review_channel": [None, "C1"],
                "labellers": [[], ["U1", "U2"]],
                "reviewers": [[], ["U3"]],
                "own_drafts": [False, True],
                "digest_channel": [None, "C2"],
                "digest_day": [0, 6],
                "digest_hour": [9, 23],
            },
        ),
        ("U9", "workspace_settings", "", {"retention_days": [0, 30], "admins": [[], ["U1"]]}),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gate": -0.1}, "the gate cannot be -0.1; choose a number from 0 to 1"),
        ({"gate": 1.01}, "the gate cannot be 1.01"),
        ({"gate": math.nan}, "the gate cannot be nan"),
        ({"digest_day": 7}, "the digest's day cannot be 7; choose a number from 0 to 6"),
        ({"digest_day": -1}, "the digest's day cannot be -1"),
        ({"digest_hour": 24}, "the digest's hour cannot be 24; choose a number from 0 to 23"),
        ({"reviewers": ("U1", "Bob from sales")}, "the reviewers are not ids of Slack; choose"),
        ({"labellers": ("",)}, "the people who may label are not ids"),
        ({"digest_channel": "#a\n"}, "the channels are not ids"),
        ({"brand": "../up"}, "brand '../up' cannot name a folder"),
    ],
)
def test_what_no_brand_can_be_set_to(data: Data, change: dict[str, Any], message: str) -> None:
    with pytest.raises(OnbrandError) as caught:
        data.settings.set_brand(ACME, replace(FULL, **change), "U9")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert data.rows(schema.brand_settings) == changes(data) == []


def test_what_else_is_refused(data: Data) -> None:
    with pytest.raises(OnbrandError, match=r"retention of drafts cannot be 366; .* 0 to 365 days"):
        data.settings.set_workspace(ACME, WorkspaceSettings(366), "U9")
    with pytest.raises(OnbrandError, match="the administrators are not ids"):
        data.settings.set_workspace(ACME, WorkspaceSettings(0, ("a b",)), "U9")
    with pytest.raises(OnbrandError, match="cannot name a folder"):
        data.settings.set_channel_brand(ACME, "C1", "", "U9")
    with pytest.raises(OnbrandError, match="cannot name a folder"):
        data.settings.set_user_brand(ACME, "U1", "a/b")
    with pytest.raises(OnbrandError, match="are not ids"):
        data.settings.set_channel_brand(ACME, "C1\0", "acme", "U9")
    assert changes(data) == []


def test_the_limits_themselves_are_allowed(data: Data) -> None:
    for gate, day, hour in ((0.0, 0, 0), (1.0, 6, 23)):
        chosen = replace(FULL, gate=gate, digest_day=day, digest_hour=hour)
        data.settings.set_brand(ACME, chosen, "U9")
        assert data.settings.brand(ACME, "acme") == chosen


def test_keeping_drafts_for_a_shorter_time_holds_for_those_that_are_kept(data: Data) -> None:
    data.settings.set_workspace(ACME, WorkspaceSettings(30), "U9")
    old, new, others = (data.check(each, retention_days=30) for each in (ACME, ACME, OTHER))
    data.date(old, old.time - timedelta(days=8))
    data.settings.set_workspace(ACME, WorkspaceSettings(7), "U9")
    assert data.checks.open_kept(ACME, old.id) is None
    assert data.checks.open_kept(ACME, new.id) == new
    # And not longer than was promised when they came in.
    data.settings.set_workspace(ACME, WorkspaceSettings(300), "U9")
    data.pass_time(timedelta(days=7))
    assert data.checks.open_kept(ACME, new.id) is None
    assert data.checks.open_kept(OTHER, others.id) == others


def test_keeping_no_drafts_any_more_forgets_the_keys(data: Data) -> None:
    data.settings.set_workspace(ACME, WorkspaceSettings(30), "U9")
    check = data.check(retention_days=30)
    data.settings.set_workspace(ACME, WorkspaceSettings(0), "U9")
    assert data.checks.open_kept(ACME, check.id) is None
    assert data.checks.open(ACME, check.ticket) == check
    data.pass_time(timedelta(days=1))
    assert data.checks.open(ACME, check.ticket) is None


def test_digests_are_due_from_their_hour_to_the_end_of_the_week(data: Data) -> None:
    grid = Tenant("T3", "E3")
    tuesday_9 = replace(FULL, digest_day=1, digest_hour=9)
    data.settings.set_brand(ACME, tuesday_9, "U9")
    data.settings.set_brand(ACME, replace(FULL, brand="beta", digest_channel=None), "U9")
    data.settings.set_brand(grid, replace(tuesday_9, digest_day=6, digest_hour=23), "U9")
    monday = datetime(2026, 11, 16, tzinfo=UTC)

    def due(hours: float) -> list[tuple[str, str | None, str]]:
        found = data.settings.due_digests(monday + timedelta(hours=hours))
        return [(tenant.workspace, tenant.enterprise, brand.brand) for tenant, brand in found]

    assert due(0) == due(24 + 8.99) == []
    assert due(24 + 9) == due(6 * 24 + 22.99) == [("T1", None, "acme")]
    assert due(6 * 24 + 23) == [("T1", None, "acme"), ("T3", "E3", "acme")]
    assert due(7 * 24) == []
    # The hour is UTC, wherever the clock is.
    there = (monday + timedelta(hours=24 + 9)).astimezone(timezone(timedelta(hours=-11)))
    assert len(data.settings.due_digests(there)) == 1
