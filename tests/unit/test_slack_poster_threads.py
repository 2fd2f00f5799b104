from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence

import pytest
from slack_server import Reply, SlackServer, slack_server
from slack_work import (
    TOKEN,
    Clock,
    FakeInstallations,
    MemoryJobs,
    config,
    job,
    post,
    wait_until,
)

from onbrand_slack.metrics import Metrics
from onbrand_slack.store.jobs import Job
from onbrand_slack.work import clients as clients_module
from onbrand_slack.work.calls import Call
from onbrand_slack.work.clients import Clients
from onbrand_slack.work.deliver import AGAIN
from onbrand_slack.work.line import Line, Pace
from onbrand_slack.work.poster import Poster

POST = "/api/chat.postMessage"
SECRET = "the draft nobody may read"


@pytest.fixture
def server() -> Iterator[SlackServer]:
    yield from slack_server()


def complain(job: Job, sentence: str) -> Sequence[Call]:
    return [post("U1", f"problem of {job.id}: {sentence}")]


def threaded(server: SlackServer, jobs: MemoryJobs, threads: int = 4) -> Poster:
    clients = Clients(config(server.api_url), FakeInstallations())
    return Poster(clients, jobs, Metrics(), worker="w", complain=complain, threads=threads)


def test_many_jobs_at_once_are_each_answered_once_and_in_order(server: SlackServer) -> None:
    numbers = range(1, 61)
    jobs = MemoryJobs.claimed(*map(job, numbers))
    poster = threaded(server, jobs)
    for number in numbers:
        update = {"channel": f"C{number % 5}", "ts": "1", "text": str(number)}
        poster.submit(job(number), [Call("chat.update", update)])
    assert poster.stop(60)
    assert jobs.states() == ["done"] * 60
    for channel in range(5):
        texts = [got.json for got in server.got if got.json["channel"] == f"C{channel}"]
        assert [int(t["text"]) for t in texts] == [n for n in numbers if n % 5 == channel]


def test_one_channel_that_hangs_does_not_hold_up_another(server: SlackServer) -> None:
    jobs = MemoryJobs.claimed(job(1), job(2))
    poster = threaded(server, jobs, threads=2)
    over = threading.Event()
    server.answer("/api/chat.update", Reply(until=over))
    poster.submit(job(1), [Call("chat.update", {"channel": "C1", "ts": "1", "text": "x"})])
    wait_until(lambda: server.got, "the first call")
    poster.submit(job(2), [post("C2")])
    wait_until(lambda: jobs.rows[2].state == "done", "the second job")
    assert jobs.rows[1].state == "posting"
    over.set()
    assert poster.stop(60)
    assert jobs.states() == ["done", "done"]


def test_a_timeout_is_tried_again_and_shows(
    server: SlackServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(clients_module, "TIMEOUT", 0.2)
    over = threading.Event()
    server.answer(POST, Reply(until=over))
    jobs = MemoryJobs.claimed(job())
    poster = threaded(server, jobs)
    with caplog.at_level(logging.DEBUG):
        poster.submit(job(), [post(text=SECRET)])
        assert poster.stop(60)
    over.set()
    first, second = (got.json["text"] for got in server.of(POST))
    assert first == SECRET and second == f"{AGAIN}\n{SECRET}"
    assert jobs.states() == ["done"]
    assert SECRET not in caplog.text and TOKEN not in caplog.text


def test_stopping_delivers_what_is_due_and_leaves_what_is_not(server: SlackServer) -> None:
    server.answer(POST, Reply(429, b"{}", {"Retry-After": "600"}))
    jobs = MemoryJobs.claimed(job(1), job(2))
    poster = threaded(server, jobs)
    poster.submit(job(1), [post("C1", "later")])
    wait_until(lambda: len(server.got) == 1, "the first try")
    poster.submit(job(2), [post("C2", "now")])
    # It does not wait for an hour: nothing more is due.
    assert not poster.stop(3600 / 10)
    assert jobs.states() == ["posting", "done"]
    assert len(poster) == 1


# --- lines and pace ---------------------------------------------------------------------------


def test_a_line_hands_out_one_of_a_key_at_a_time() -> None:
    clock = Clock()
    line: Line[str] = Line(clock)
    for key, item in (("a", "a1"), ("a", "a2"), ("b", "b1")):
        line.put(key, item)
    assert line.take(wait=False) == ("a", "a1")
    assert line.take(wait=False) == ("b", "b1")
    assert line.take(wait=False) is None, "a1 is taken, and a2 behind it"
    line.hold("a", 5)
    line.leave("b")
    assert line.take(wait=False) is None and line.next_due() == clock.now + 5
    clock.now += 5
    assert line.take(wait=False) == ("a", "a1")
    line.leave("a")
    assert line.take(wait=False) == ("a", "a2")
    line.leave("a")
    assert len(line) == 0


def test_threads_that_wait_are_woken_for_what_comes_and_let_go_at_the_end() -> None:
    line: Line[int] = Line()
    done: list[int] = []

    def work() -> None:
        while (taken := line.take()) is not None:
            done.append(taken[1])
            line.leave(taken[0])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(50):
        line.put(number % 7, number)
    wait_until(lambda: len(done) == 50)
    line.close(0.0)
    for thread in threads:
        thread.join(60)
    assert sorted(done) == list(range(50)) and not any(map(threading.Thread.is_alive, threads))


def test_a_quiet_channel_regains_its_burst() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert [pace.claim("C1") for _ in range(4)] == [0, 0, 0, 1]
    clock.now += 100
    assert [pace.claim("C1") for _ in range(4)] == [0, 0, 0, 1]
    assert pace.claim("C2") == 0
