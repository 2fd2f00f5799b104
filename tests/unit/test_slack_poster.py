from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from slack_server import SlackServer, slack_server
from slack_work import (
    Clock,
    FakeInstallations,
    MemoryJobs,
    ScriptedSlack,
    config,
    job,
    locked,
    post,
    run_dry,
)

from onbrand_slack.metrics import Metrics
from onbrand_slack.store.jobs import Job
from onbrand_slack.work import poster as module
from onbrand_slack.work.calls import RESPOND, Call
from onbrand_slack.work.clients import Clients
from onbrand_slack.work.deliver import AGAIN
from onbrand_slack.work.errors import Kind, Outcome
from onbrand_slack.work.poster import Poster

POST = "/api/chat.postMessage"
SECRET = "the draft nobody may read"
BUSY = Outcome(Kind.LATER, "ratelimited", retry_after=30.0)
SILENT = Outcome(Kind.LATER, "TimeoutError", doubtful=True)


@pytest.fixture
def server() -> Iterator[SlackServer]:
    yield from slack_server()


def complain(job: Job, sentence: str) -> Sequence[Call]:
    return [post("U1", f"problem of {job.id}: {sentence}")]


class Bench:
    """A poster without threads, on a clock of its own, in front of a scripted Slack."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *jobs: Job, **scripts: Any) -> None:
        self.clock = Clock()
        self.slack = ScriptedSlack(self.clock, scripts)
        monkeypatch.setattr(module, "deliver", self.slack)
        self.jobs = MemoryJobs.claimed(*jobs)
        self.installations = FakeInstallations()
        self.metrics = Metrics()
        self.poster = Poster(
            Clients(config(), self.installations),
            self.jobs,
            self.metrics,
            worker="w",
            complain=complain,
            threads=0,
            clock=self.clock,
        )

    def run(self) -> None:
        run_dry(self.poster, self.clock)


# --- with a clock of its own ------------------------------------------------------------------


def test_a_jobs_calls_are_made_in_order_and_then_it_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch, job())
    bench.poster.submit(job(), [post("C1", "1"), post("C2", "2"), post("C1", "3")])
    bench.run()
    assert bench.slack.texts == ["1", "2", "3"]
    assert bench.jobs.rows[1].log == ["posting", "done"]
    assert len(bench.poster) == 0


def test_a_job_without_calls_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, job())
    bench.poster.submit(job(), [])
    bench.run()
    assert bench.jobs.rows[1].log == ["done"]


def test_a_job_that_has_failed_is_told_and_ended_so(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, job())
    bench.poster.submit(job(), [post(text="sorry")], failed="ValueError")
    bench.run()
    assert bench.slack.texts == ["sorry"]
    assert (bench.jobs.rows[1].state, bench.jobs.rows[1].reason) == ("failed", "ValueError")


def test_a_job_that_another_replica_has_taken_over_is_not_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch, job(1), job(2))
    bench.jobs.rows[1].worker = "another"
    for number in (1, 2):
        bench.poster.submit(job(number), [post(text=str(number))])
    bench.run()
    assert bench.slack.texts == ["2"]
    assert bench.jobs.states() == ["running", "done"]


def test_messages_to_a_channel_keep_slacks_pace_and_others_do_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch, *(job(number) for number in range(1, 12)))
    for number in range(1, 11):
        bench.poster.submit(job(number), [post("C1", f"{number}")])
    bench.poster.submit(job(11), [post("C2", "other")])
    start = bench.clock.now
    bench.run()
    times = {text: time - start for time, _, text in bench.slack.tried}
    assert [times[str(number)] for number in range(1, 11)] == [0, 0, 0, 1, 2, 3, 4, 5, 6, 7]
    assert times["other"] == 0


def test_what_no_one_else_sees_has_no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, *(job(number) for number in range(1, 21)))
    for number in range(1, 21):
        body = {"url": f"https://hooks.slack.com/{number}", "body": {"text": "hello"}}
        bench.poster.submit(job(number), [Call(RESPOND, body)])
    start = bench.clock.now
    bench.run()
    assert len(bench.slack.tried) == 20 and bench.clock.now == start


def test_a_channel_waits_for_its_first_and_nobody_else_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch, job(1), job(2), job(3), first=[BUSY, SILENT])
    bench.poster.submit(job(1), [post("C1", "first")])
    bench.poster.submit(job(2), [post("C1", "second")])
    bench.poster.submit(job(3), [post("C2", "third")])
    bench.run()
    assert bench.slack.texts == ["first", "third", "first", "first", "second"]
    times = [time for time, _, text in bench.slack.tried if text == "first"]
    assert times[1] - times[0] >= 30
    marked = [AGAIN in call.arguments["text"] for _, call, text in bench.slack.tried]
    assert marked == [False, False, False, True, False]
    assert bench.jobs.states() == ["done"] * 3


def test_what_an_answer_leads_to_is_called_next(monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[Any] = []

    def then(answer: dict[str, Any]) -> tuple[Call, ...]:
        got.append(answer)
        return (post("C2", "follow"),)

    answered = Outcome(Kind.DELIVERED, "ok", answer={"ts": "1.5"})
    bench = Bench(monkeypatch, job(), first=[answered])
    bench.poster.submit(job(), [post("C1", "first", then=then), post("C1", "last")])
    bench.run()
    assert got == [{"ts": "1.5"}]
    assert bench.slack.texts == ["first", "follow", "last"]


def test_a_callback_that_fails_repeats_no_call_and_tells_no_draft(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def then(_: object) -> tuple[Call, ...]:
        raise ValueError(SECRET)

    bench = Bench(monkeypatch, job())
    with caplog.at_level(logging.DEBUG):
        bench.poster.submit(job(), [post(text="first", then=then), post(text="last")])
        bench.run()
    assert bench.slack.texts == ["first", "last"]
    assert bench.jobs.states() == ["done"]
    assert any("what follows" in record.message for record in caplog.records)
    assert SECRET not in caplog.text


def test_a_revoked_token_is_looked_up_anew_and_ends_the_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch, job(), first=[Outcome(Kind.TOKEN_GONE, "token_revoked")])
    bench.poster.submit(job(), [post(text="first"), post(text="second")])
    bench.run()
    assert bench.slack.texts == ["first"]
    assert bench.installations.refreshed == 1
    assert bench.jobs.rows[1].reason == "chat.postMessage: token_revoked"


def test_a_user_hears_of_a_refusal_that_nobody_foresaw(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, job(), first=[Outcome(Kind.REFUSED, "invalid_arguments")])
    bench.poster.submit(job(), [post(text="first")])
    bench.run()
    assert len(bench.slack.texts) == 2
    assert "problem of 1: " in bench.slack.texts[1]
    assert "invalid_arguments" in bench.slack.texts[1]
    assert bench.jobs.states() == ["failed"]


def test_slack_away_for_hours_puts_jobs_back_and_never_loops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch, job(1), job(2), first=[BUSY] * 10_000, second=[SILENT] * 10_000)
    bench.poster.submit(job(1), [post("C1", "first")])
    bench.poster.submit(job(2), [post("C2", "second")])
    bench.run()
    assert bench.jobs.rows[1].log == ["posting", "queued", "retry sent=False"]
    assert bench.jobs.rows[2].log == ["posting", "queued", "retry sent=True"]
    assert len(bench.slack.tried) < 100


@pytest.mark.parametrize("times", [1, 5])
def test_a_database_that_is_away_loses_no_job_and_sends_nothing_twice(
    monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    bench = Bench(monkeypatch, job())
    bench.jobs.failing.extend([locked()] * times)
    bench.poster.submit(job(), [post(text="first")])
    bench.poster.step()
    assert bench.slack.texts == [], "it is not known whether the job is ours"
    while bench.slack.texts == []:
        run_dry_step(bench)
    bench.jobs.failing.extend([locked()] * times)
    bench.run()
    assert bench.slack.texts == ["first"]
    assert bench.jobs.rows[1].log == ["posting", "done"]


def run_dry_step(bench: Bench) -> None:
    if not bench.poster.step():
        bench.clock.now = bench.poster.next_due() or bench.clock.now


def test_a_database_that_stays_away_does_not_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, job())
    bench.jobs.failing.extend([locked()] * 10_000)
    bench.poster.submit(job(), [post()])
    bench.run()
    assert bench.slack.tried == [] and len(bench.poster) == 0
    assert len(bench.jobs.failing) > 9_900


def test_calls_and_jobs_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, job(), first=[BUSY])
    bench.poster.submit(job(), [post(text="first")])
    assert b"onbrand_slack_posting 1.0" in bench.metrics.exposition()
    bench.run()
    text = bench.metrics.exposition().decode()
    for line in (
        'slack_calls_total{method="chat.postMessage",outcome="later"} 1.0',
        'slack_calls_total{method="chat.postMessage",outcome="delivered"} 1.0',
        'rate_limits_total{method="chat.postMessage"} 1.0',
        'retries_total{method="chat.postMessage"} 1.0',
        'jobs_total{kind="home",outcome="done"} 1.0',
        "posting 0.0",
    ):
        assert f"onbrand_slack_{line}" in text
