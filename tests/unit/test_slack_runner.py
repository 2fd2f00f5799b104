from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from slack_desk import DRAFT, POST, SECRET, Desk
from slack_sdk.errors import SlackApiError
from slack_server import Reply, SlackServer, slack_server
from slack_work import MemoryJobs, job, locked, post, wait_until

from onbrand.errors import OnbrandError
from onbrand_slack.model import Check
from onbrand_slack.services import Services
from onbrand_slack.store.jobs import MAX_ATTEMPTS, Job
from onbrand_slack.work import runner as module
from onbrand_slack.work.calls import Call
from onbrand_slack.work.errors import NotInstalledError
from onbrand_slack.work.runner import OUR_FAULT


@pytest.fixture
def server() -> Iterator[SlackServer]:
    yield from slack_server()


@pytest.fixture
def desk(server: SlackServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(module, "POLL", 0.01)
    desk = Desk(server, MemoryJobs())
    yield desk
    desk.runner.stop(60)


def test_a_job_is_run_and_answered(desk: Desk) -> None:
    desk.runner.start()
    desk.jobs.put(job(1))
    desk.wait_for("done")
    assert desk.texts == ["1"]
    assert b'jobs_total{kind="home",outcome="done"} 1.0' in desk.services.metrics.exposition()


def test_a_new_job_wakes_the_runner(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL", 3600.0)
    desk.runner.start()
    for number in range(1, 20):
        desk.jobs.put(job(number, request=DRAFT), "score")
        desk.services.wake("score")
        wait_until(lambda number=number: desk.jobs.rows[number].state == "done")


def test_an_idle_runner_does_not_spin(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL", 3600.0)
    claim, claims = desk.jobs.claim, []
    monkeypatch.setattr(desk.jobs, "claim", lambda *given: claims.append(given) or claim(*given))
    desk.runner.start()
    desk.jobs.put(job(1))
    desk.services.wake("post")
    desk.wait_for("done")
    # Each lane when it starts, and when it is woken: one thread gets the job, the next looks on.
    assert len(claims) <= 5


def test_every_job_is_run_once_and_no_more_drafts_at_once_than_threads(desk: Desk) -> None:
    running: set[str] = set()
    most: list[int] = []
    runs: list[int] = []

    def run(job: Job, _: Services) -> list[Call]:
        name = threading.current_thread().name
        running.add(name)
        most.append(len(running))
        runs.append(job.id)
        running.discard(name)
        return [post(f"C{job.id}", str(job.id))]

    desk.run = run
    for number in range(1, 51):
        desk.jobs.put(job(number, request=DRAFT), "score")
    desk.runner.start()
    desk.wait_for(*["done"] * 50)
    assert sorted(runs) == list(range(1, 51))
    assert max(most) <= 2
    assert sorted(map(int, desk.texts)) == list(range(1, 51))
    assert b"onbrand_slack_score_seconds_count 50.0" in desk.services.metrics.exposition()


def test_labels_and_decisions_do_not_wait_for_drafts(desk: Desk) -> None:
    over = threading.Event()

    def run(job: Job, _: Services) -> list[Call]:
        if isinstance(job.request, Check):
            over.wait(60)
        return []

    desk.run = run
    for number in range(1, 10):
        desk.jobs.put(job(number, request=DRAFT), "score")
    desk.jobs.put(job(10), "post")
    desk.runner.start()
    wait_until(lambda: desk.jobs.rows[10].state == "done")
    assert "done" not in desk.jobs.states()[:9]
    over.set()
    desk.wait_for(*["done"] * 10)


def test_a_problem_is_told_to_the_user(desk: Desk) -> None:
    def run(_job: Job, _: Services) -> list[Call]:
        raise OnbrandError("there is no brand acme; say /onbrand brands")

    desk.run = run
    desk.runner.start()
    desk.jobs.put(job(1))
    desk.wait_for("done")
    assert desk.texts == ["1: there is no brand acme; say /onbrand brands"]


def fails(error: Exception) -> Callable[[Job, Services], list[Call]]:
    def run(_job: Job, _: Services) -> list[Call]:
        raise error

    return run


@pytest.mark.parametrize("error", [ValueError(SECRET), locked(), KeyError(SECRET)])
def test_a_handler_that_fails_is_run_three_times_and_then_told_and_logs_no_draft(
    desk: Desk, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    desk.run = fails(error)
    desk.runner.start()
    with caplog.at_level(logging.DEBUG):
        desk.jobs.put(job(1, request=DRAFT), "score")
        desk.wait_for("failed")
    assert desk.jobs.rows[1].job.attempts == MAX_ATTEMPTS
    assert desk.texts == [f"1: {OUR_FAULT}"]
    told = [vars(record) for record in caplog.records if record.message == "a job failed"]
    assert [record["attempt"] for record in told] == [1, 2, 3]
    assert type(error).__name__ in told[0]["error"]
    assert SECRET not in caplog.text and not any(SECRET in str(record) for record in told)


def test_a_handler_that_fails_once_is_forgiven(desk: Desk) -> None:
    def run(job: Job, _: Services) -> list[Call]:
        if job.attempts == 1:
            raise ValueError
        return [post(text="fine")]

    desk.run = run
    desk.runner.start()
    desk.jobs.put(job(1))
    desk.wait_for("done")
    assert desk.texts == ["fine"]


def test_a_job_that_killed_three_replicas_is_given_up(desk: Desk) -> None:
    desk.run = fails(AssertionError("it is not run"))
    desk.jobs.put(job(1))
    desk.jobs.rows[1].job = job(1, attempts=MAX_ATTEMPTS)
    desk.runner.start()
    desk.wait_for("failed")
    assert desk.jobs.rows[1].reason == "too many attempts"
    assert desk.texts == [f"1: {OUR_FAULT}"]


def slack_says(error: str, status: int = 200) -> SlackApiError:
    response = SimpleNamespace(data={"error": error}, status_code=status, headers={})
    return SlackApiError(SECRET, response)


@pytest.mark.parametrize(
    ("error", "attempts", "told"),
    [
        (slack_says("ratelimited", 429), MAX_ATTEMPTS, OUR_FAULT),
        (slack_says("channel_not_found"), 1, "(channel_not_found)"),
        (slack_says("missing_scope"), 1, "(missing_scope)"),
        (slack_says("token_revoked"), 1, None),
        (NotInstalledError("no"), 1, None),
    ],
)
def test_what_slack_does_not_tell_a_handler(
    desk: Desk, error: Exception, attempts: int, told: str | None
) -> None:
    desk.run = fails(error)
    desk.runner.start()
    desk.jobs.put(job(1))
    desk.wait_for("failed")
    assert desk.jobs.rows[1].job.attempts == attempts
    assert len(desk.texts) == (told is not None)
    assert told is None or told in desk.texts[0]


@pytest.mark.parametrize("answer", [None, [None], [Call("chat.update", None)]])  # type: ignore[arg-type]
def test_a_handler_that_returns_nonsense_does_not_end_a_thread(desk: Desk, answer: Any) -> None:
    desk.run = lambda job, _: answer if job.id < 4 else []
    desk.runner.start()
    for number in range(1, 5):
        desk.jobs.put(job(number))
    wait_until(lambda: desk.jobs.rows[4].state == "done")
    wait_until(lambda: desk.jobs.states().count("failed") == 3)


def test_a_database_that_is_away_is_asked_again(desk: Desk) -> None:
    desk.jobs.failing.extend([locked()] * 20)
    desk.runner.start()
    desk.jobs.put(job(1))
    desk.wait_for("done")


def test_leases_are_renewed_in_spite_of_failures(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HEARTBEAT", 0.005)
    desk.jobs.failing.extend([locked()] * 10)
    desk.runner.start()
    wait_until(lambda: desk.jobs.renewed > 2)


def test_a_queue_is_left_in_the_database_while_slack_takes_no_answers(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ON_THEIR_WAY", 4)
    over = threading.Event()
    desk.server.answer(POST, *[Reply(until=over)] * 30)
    for number in range(1, 31):
        desk.jobs.put(job(number))
    desk.runner.start()
    wait_until(lambda: desk.jobs.states().count("posting") >= 4)
    # Each of its threads may have had one in hand when the fourth was on its way.
    assert desk.jobs.waiting("post") >= 30 - 4 - module.POSTING_THREADS
    over.set()
    desk.wait_for(*["done"] * 30)
