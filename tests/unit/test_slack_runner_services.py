from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from slack_data import open_store
from slack_desk import DRAFT
from slack_work import TEAM, config, locked, wait_until

from onbrand_slack import services as module
from onbrand_slack.config import Config
from onbrand_slack.metrics import Metrics
from onbrand_slack.model import Home, Tenant
from onbrand_slack.scoring import Scoring
from onbrand_slack.services import Services, lane_of
from onbrand_slack.store.installations import Installed
from onbrand_slack.work.right_of_way import RightOfWay


def services_on(store: Any, **more: Any) -> Services:
    return Services(
        config=config(**more),
        store=store,
        labels=store.labels,
        scoring=None,  # type: ignore[arg-type]
        clients=None,  # type: ignore[arg-type]
        metrics=Metrics(),
    )


def test_requests_are_put_in_their_lanes_once(tmp_path: Path) -> None:
    with services_on(open_store(tmp_path / "slack.db"), queue_limit=2) as services:
        woken: list[str] = []
        services.wake = woken.append
        assert services.put(TEAM, DRAFT, "k1").status == "queued"
        assert services.put(TEAM, DRAFT, "k1").status == "duplicate"
        assert services.put(TEAM, DRAFT, "k2").status == "full"
        assert services.put(Tenant("T2"), DRAFT, "k1").status == "queued"
        assert services.put(TEAM, Home("U1"), "k3").status == "queued"
        assert woken == ["score", "score", "post"]
        assert lane_of(DRAFT) == "score"


def test_what_is_in_the_way_of_working_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> float:
        raise locked()

    services = services_on(open_store(tmp_path / "slack.db"))
    assert "not working" in str(services.problem())
    services.wake = lambda _: None
    assert services.problem() is None
    monkeypatch.setattr(services.store.jobs, "next_due", away)
    assert "is locked" in str(services.problem())
    services.close()


@pytest.mark.parametrize(
    ("team", "enterprise", "warm"), [("T1", None, "T1"), ("T1", "E1", "T1"), (None, "E1", "E1")]
)
def test_the_one_workspaces_voices_are_warm_when_the_app_is_open(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    team: str | None,
    enterprise: str | None,
    warm: str,
) -> None:
    installed = Installed("xoxb-1", "B1", "UBOT", "A1", team, enterprise, None)
    monkeypatch.setattr(module, "only_installation", lambda _: installed)
    warmed: list[Tenant] = []
    monkeypatch.setattr(Scoring, "warm", lambda _, tenant: warmed.append(tenant))
    path = str(tmp_path / "slack.db")
    with Services.open(Config("socket", tmp_path, path, bot_token="xoxb-1")):
        assert warmed == [Tenant(warm, enterprise)]
    with Services.open(Config("http", tmp_path, path, client_id="1.2", client_secret="s")):
        assert len(warmed) == 1, "of many, who comes first?"


# --- the right of way -------------------------------------------------------------------------


def test_nobody_steps_aside_for_nobody() -> None:
    way = RightOfWay(patience=3600.0)
    with way.held():
        pass
    way.step_aside()


def test_scoring_waits_for_requests_but_not_for_ever() -> None:
    way = RightOfWay(patience=0.01)
    with way.held(), way.held():
        way.step_aside()


def test_scoring_goes_on_when_the_last_request_is_answered() -> None:
    way = RightOfWay(patience=3600.0)
    aside = threading.Event()

    def score() -> None:
        way.step_aside()
        aside.set()

    thread = threading.Thread(target=score)
    with pytest.raises(ValueError), way.held():
        with way.held():
            thread.start()
        wait_until(lambda: len(way._free._waiters) == 1)  # type: ignore[attr-defined]
        assert not aside.is_set()
        raise ValueError("a request that fails is over, too")
    assert aside.wait(60)
    thread.join(60)
