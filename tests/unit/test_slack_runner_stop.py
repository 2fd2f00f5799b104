from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_data import open_store
from slack_desk import DRAFT, POST, Desk
from slack_server import SlackServer, slack_server
from slack_work import TEAM, MemoryJobs, job, post, wait_until

from onbrand_slack.services import Services
from onbrand_slack.store.jobs import Job
from onbrand_slack.work import runner as module
from onbrand_slack.work.calls import Call


@pytest.fixture
def server() -> Iterator[SlackServer]:
    yield from slack_server()


@pytest.fixture
def desk(server: SlackServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(module, "POLL", 0.01)
    desk = Desk(server, MemoryJobs())
    yield desk
    desk.runner.stop(60)


def test_stopping_finishes_what_runs_and_takes_up_nothing_new(desk: Desk) -> None:
    running, over = threading.Event(), threading.Event()

    def run(job: Job, _: Services) -> list[Call]:
        running.set()
        over.wait(60)
        return [post(text=str(job.id))]

    desk.run = run
    for number in range(1, 10):
        desk.jobs.put(job(number, request=DRAFT), "score")
    desk.runner.start()
    wait_until(lambda: desk.jobs.states().count("running") == 2)
    stopped: list[bool] = []
    stopping = threading.Thread(target=lambda: stopped.append(desk.runner.stop(60)))
    stopping.start()
    wait_until(lambda: desk.runner._stopping.is_set())
    over.set()
    stopping.join(60)
    assert stopped == [True]
    assert sorted(desk.jobs.states()) == ["done"] * 2 + ["queued"] * 7
    assert len(desk.texts) == 2


def test_what_does_not_end_in_time_goes_back_to_the_queue_and_is_not_answered_twice(
    desk: Desk,
) -> None:
    over = threading.Event()

    def run(job: Job, _: Services) -> list[Call]:
        over.wait(60)
        return [post(text=str(job.id))]

    desk.run = run
    desk.jobs.put(job(1))
    desk.runner.start()
    desk.wait_for("running")
    assert not desk.runner.stop(0.05)
    assert desk.jobs.rows[1].log == ["released"]
    over.set()
    for thread in desk.runner._threads:
        thread.join(60)
    assert desk.texts == [] and desk.jobs.states() == ["queued"]


def test_two_runners_on_one_database_do_every_job_once(
    server: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL", 0.01)
    with (
        open_store(tmp_path / "slack.db") as one,
        open_store(tmp_path / "slack.db") as two,
    ):
        desks = [Desk(server, store.jobs) for store in (one, two)]
        runs: list[int] = []

        def run(job: Job, _: Services) -> list[Call]:
            runs.append(job.id)
            return [post(f"C{job.id}", str(job.id))]

        for number, desk in enumerate(desks):
            desk.runner.worker = desk.runner._poster._worker = f"w{number}"
            desk.run = run
        for number in range(40):
            one.jobs.put(TEAM, DRAFT, key=f"k{number}", lane="score")
        for desk in desks:
            desk.runner.start()
        wait_until(lambda: len(server.of(POST)) == 40)
        assert [desk.runner.stop(60) for desk in desks] == [True, True]
        assert len(runs) == len(set(runs)) == 40
        assert len(server.of(POST)) == 40
        assert one.jobs.waiting("score") == 0 and one.jobs.next_due() is None
