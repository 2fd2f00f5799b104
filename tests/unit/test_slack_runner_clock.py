from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_data import open_store
from slack_work import TEAM, config, locked, wait_until

from onbrand_slack.answer import BrandSettings
from onbrand_slack.metrics import Metrics
from onbrand_slack.model import Digest, Tenant
from onbrand_slack.services import Services
from onbrand_slack.work.schedule import Schedule

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def replica(path: Path) -> Services:
    store = open_store(path / "slack.db")
    return Services(
        config=config(),
        store=store,
        labels=store.labels,
        scoring=None,  # type: ignore[arg-type]
        clients=None,  # type: ignore[arg-type]
        metrics=Metrics(),
    )


def digests(services: Services) -> list[tuple[str, Digest]]:
    jobs = services.store.jobs.claim("w", "post", 100)
    return [(job.tenant.workspace, job.request) for job in jobs if isinstance(job.request, Digest)]


def test_a_digest_is_queued_once_a_week_however_many_replicas_look(tmp_path: Path) -> None:
    with replica(tmp_path) as one, replica(tmp_path) as two:
        for tenant in (TEAM, Tenant("T2")):
            brand = BrandSettings("acme", digest_channel="C1", digest_day=0, digest_hour=9)
            one.store.settings.set_brand(tenant, brand, by="U1")
        one.store.settings.set_brand(TEAM, BrandSettings("quiet"), by="U1")
        now = MONDAY - timedelta(hours=1)
        schedules = [Schedule(each, clock=lambda: now) for each in (one, two)]
        for schedule in schedules:
            schedule.look()
        assert digests(one) == []
        now = MONDAY
        for schedule in [*schedules, *schedules, Schedule(two, clock=lambda: now)]:
            schedule.look()
        week = Digest("acme", "2026-W47")
        assert sorted(digests(one), key=lambda each: each[0]) == [("T1", week), ("T2", week)]
        now = MONDAY + timedelta(days=7)
        schedules[0].look()
        assert {request for _, request in digests(one)} == {Digest("acme", "2026-W48")}


class Failing:
    """Stands for a store of which one part does not work."""

    def __init__(self, purged: list[datetime]) -> None:
        self.settings = self
        self.privacy = self
        self._purged = purged

    def due_digests(self, _now: datetime) -> Any:
        raise locked()

    def purge(self, now: datetime) -> None:
        self._purged.append(now)


def test_what_fails_keeps_nothing_else_from_being_done(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    purged: list[datetime] = []
    with replica(tmp_path) as services:
        store, services.store = services.store, Failing(purged)  # type: ignore[assignment]
        schedule = Schedule(services, clock=lambda: MONDAY, every=0.005)
        schedule.start()
        wait_until(lambda: len(purged) > 2)
        schedule.stop(60)
        services.store = store
    assert purged[0] == MONDAY
    assert "a scheduled part failed" in caplog.text


def test_a_schedule_that_was_not_started_can_be_stopped(tmp_path: Path) -> None:
    with replica(tmp_path) as services:
        Schedule(services).stop()
