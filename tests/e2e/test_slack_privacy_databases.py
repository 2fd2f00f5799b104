"""What the Slack app's data promise, on both databases and with replicas in each other's way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_data import ACME, BAD, GOOD, Data, report, sentence

from onbrand.errors import OnbrandError
from onbrand.labels.model import Label
from onbrand_slack.answer import BrandSettings, WorkspaceSettings
from onbrand_slack.model import Tenant
from onbrand_slack.store import schema
from onbrand_slack.store.digest import week_of


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.heavy("postgres"))])
def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Data]]:
    location = str(tmp_path / "slack.db")
    if request.param == "postgres":
        location = request.getfixturevalue("postgres_url")
    with ExitStack() as stack:
        yield [stack.enter_context(Data.open(location)) for _ in range(2)]


@pytest.fixture
def data(replicas: list[Data]) -> Data:
    return replicas[0]


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Do everything at the same time; what goes wrong is among the results."""
    start = threading.Barrier(len(actions))

    def act(action: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return action()
        except OnbrandError as error:
            return error

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


def test_a_check_comes_back_and_expires(data: Data) -> None:
    check = data.check(retention_days=2)
    assert data.checks.open(ACME, check.ticket) == data.checks.open_kept(ACME, check.id) == check
    (past,) = data.checks.recent(ACME, "U1")
    assert (past.id, past.ticket, past.judged, past.flagged) == (check.id, check.ticket, 2, 1)
    assert abs(past.time - datetime.now(UTC)) < timedelta(hours=1)
    assert data.privacy.purge(past.time + timedelta(days=1))["sealed"] == 0
    assert data.privacy.purge(past.time + timedelta(days=2))["sealed"] == 1
    assert data.checks.open(ACME, check.ticket) is None


def test_figures_of_a_week(data: Data) -> None:
    bad = report([sentence("A; b.", BAD, "semicolon"), sentence("C; d.", BAD, "semicolon")])
    check = data.check(report=bad)
    data.check(user="U2", report=report({"Fine.": GOOD}, 0.9))
    review, _ = data.reviews.open_for(ACME, check, "U1")
    data.reviews.decide(ACME, review.id, "U2", "changes", "", "k1")
    labels = [Label("A; b.", "acme", said, author=said, source="slack") for said in ("on", "off")]
    data.labels.workspace("T1").add(labels)
    figures = data.digests.figures(ACME, "acme", week_of(check.time))
    assert (figures.checks, figures.writers, figures.forward, figures.checks_before) == (2, 2, 1, 0)
    assert figures.mean_probability == pytest.approx(0.65)
    assert figures.mean_probability_before is None
    assert (figures.reviews_opened, figures.reviews_waiting) == (1, 0)
    assert dict(figures.reviews_decided) == {"changes": 1}
    assert (figures.labels_on, figures.labels_off, figures.disputed) == (1, 1, 1)
    assert figures.habits == [("semicolon", 2)]


def test_a_user_is_forgotten(data: Data) -> None:
    checks = [data.check(), data.check(), data.check(user="U2")]
    reviews = [data.reviews.open_for(ACME, check, check.user)[0] for check in checks]
    data.reviews.decide(ACME, reviews[2].id, "U1", "approve", "Mine.", "k1")
    data.labels.workspace("T1").add([Label("Oats.", "acme", "on", author="U1", source="slack")])
    data.settings.set_workspace(ACME, WorkspaceSettings(0, ("U1", "U2")), "U1")
    counts = data.privacy.forget_user(ACME, "U1")
    assert counts == {"checks": 2, "reviews": 2, "decisions": 1, "labels": 1}
    assert [review.id for review in data.reviews.of_author(ACME, "U2")] == [reviews[2].id]
    told = [entry for entry in data.privacy.audit(ACME) if entry["user"] != "U2"]
    assert [entry["action"] for entry in told] == [
        "review",
        "review",
        "approve",
        "workspace_settings",
        "forget",
    ]
    assert "U1" not in str(told)


def test_settings_come_back(data: Data) -> None:
    brand = BrandSettings("acme", gate=0.7, labellers=("U1",), digest_channel="C2", digest_day=6)
    tenant = Tenant("T1", "E1")
    for settings in (BrandSettings("acme"), brand):
        data.settings.set_brand(tenant, settings, "U9")
    assert data.settings.brand(ACME, "acme") == brand
    sunday = datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert data.settings.due_digests(sunday) == [(tenant, brand)]
    assert data.settings.due_digests(sunday - timedelta(minutes=1)) == []
    data.settings.set_workspace(ACME, WorkspaceSettings(30, ("U1",)), "U9")
    check = data.check(retention_days=30)
    data.settings.set_workspace(ACME, WorkspaceSettings(0), "U9")
    assert data.checks.open_kept(ACME, check.id) is None
    assert data.checks.open(ACME, check.ticket) == check


def test_a_setting_is_changed_by_two_at_once(replicas: list[Data]) -> None:
    def choose(replica: Data, number: int) -> Callable[[], None]:
        settings = replica.settings
        return lambda: settings.set_channel_brand(ACME, "C1", f"brand-{number}", f"U{number}")

    replicas[0].settings.set_channel_brand(ACME, "C1", "brand", "U9")
    assert at_once(*(choose(replicas[n % 2], n) for n in range(6))) == [None] * 6
    changes = [row["detail"]["brand"] for row in replicas[0].rows(schema.audit)]
    # Each was told what the one before had made of it.
    assert [old for old, _ in changes[1:]] == [new for _, new in changes[:-1]]
    assert replicas[1].settings.channel_brand(ACME, "C1") == changes[-1][1]


def test_a_setting_is_made_by_two_at_once(replicas: list[Data]) -> None:
    for number in range(5):
        channel = f"C{number}"
        done = at_once(
            lambda: replicas[0].settings.set_channel_brand(ACME, channel, "one", "U1"),  # noqa: B023
            lambda: replicas[1].settings.set_channel_brand(ACME, channel, "two", "U2"),  # noqa: B023
        )
        assert done == [None, None]
        assert replicas[0].settings.channel_brand(ACME, channel) in ("one", "two")


def test_who_is_forgotten_while_his_draft_is_sent_leaves_no_review(replicas: list[Data]) -> None:
    one, two = replicas
    for number in range(8):
        user = f"U{number}"
        check = one.check(user=user)
        at_once(
            lambda: one.reviews.open_for(ACME, check, user),  # noqa: B023
            lambda: two.privacy.forget_user(ACME, user),  # noqa: B023
        )
        assert one.reviews.of_author(ACME, user) == []
        assert one.reviews.by_check(ACME, check.id) is None
    assert one.reviews.waiting(ACME) == []
