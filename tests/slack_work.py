"""For tests of the work on jobs: a queue in memory, a Slack that is told how to fail."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from onbrand.errors import OnbrandError
from onbrand_slack.config import Config
from onbrand_slack.model import Home, Request, Tenant
from onbrand_slack.store.installations import Installed
from onbrand_slack.store.jobs import Job, Lane
from onbrand_slack.work.calls import Call
from onbrand_slack.work.deliver import AGAIN
from onbrand_slack.work.errors import Kind, Outcome
from onbrand_slack.work.poster import Poster

TEAM = Tenant("T1")
TOKEN = "xoxb-1"


def config(api_url: str = "http://127.0.0.1:1/api/", **more: Any) -> Config:
    """A configuration for HTTP, with voices nowhere."""
    return Config("http", Path(), "", bot_token=TOKEN, api_url=api_url, **more)


def job(number: int = 1, *, request: Request | None = None, **more: Any) -> Job:
    """A claimed job."""
    values = {"tenant": TEAM, "key": f"key-{number}", "attempts": 1, "again": False, **more}
    return Job(id=number, request=request or Home("U1"), **values)


def post(channel: str = "C1", text: str = "hello", **more: Any) -> Call:
    """A message to a channel."""
    return Call("chat.postMessage", {"channel": channel, "text": text}, **more)


def wait_until(happened: Callable[[], Any], what: str = "it", seconds: float = 60.0) -> Any:
    """Poll until something holds."""
    until = time.monotonic() + seconds
    while not (value := happened()):
        assert time.monotonic() < until, f"{what} did not happen in {seconds:.0f} s"
        time.sleep(0.005)
    return value


class FakeInstallations:
    """One installation for every workspace but those that are told to be gone."""

    def __init__(self) -> None:
        self.gone: set[str] = set()
        self.refreshed = 0

    def find(self, enterprise: str | None, team: str | None) -> Installed | None:
        if team in self.gone:
            return None
        return Installed(TOKEN, "B1", "U0", "A1", team, enterprise, None)

    def refresh(self) -> None:
        self.refreshed += 1


@dataclass
class Row:
    """A job in memory."""

    job: Job
    lane: Lane
    state: str = "queued"
    worker: str | None = None
    reason: str | None = None
    log: list[str] = field(default_factory=list)


class MemoryJobs:
    """The queue's contract without a database: due times are noted, and not waited for."""

    def __init__(self, *jobs: Job, lane: Lane = "post") -> None:
        self._lock = threading.Lock()
        self.rows = {job.id: Row(replace(job, attempts=0), lane) for job in jobs}
        self.failing: deque[Exception] = deque()
        """Raised by the next calls."""
        self.renewed = 0

    @classmethod
    def claimed(cls, *jobs: Job, worker: str = "w") -> Self:
        """Jobs that a worker has."""
        queue = cls(*jobs)
        for row, given in zip(queue.rows.values(), jobs, strict=True):
            row.job, row.state, row.worker = given, "running", worker
        return queue

    def states(self) -> list[str]:
        return [row.state for row in self.rows.values()]

    def put(self, job: Job, lane: Lane = "post") -> None:
        with self._lock:
            self.rows[job.id] = Row(replace(job, attempts=0), lane)

    def claim(self, worker: str, lane: Lane, count: int = 1) -> list[Job]:
        with self._open():
            rows = [r for r in self.rows.values() if (r.lane, r.state) == (lane, "queued")]
            for row in rows[:count]:
                row.job = replace(row.job, attempts=row.job.attempts + 1)
                row.state, row.worker = "running", worker
            return [row.job for row in rows[:count]]

    def renew(self, worker: str) -> None:
        with self._open():
            self.renewed += 1

    def posting(self, number: int, worker: str, *, again: bool) -> bool:
        return self._change(number, worker, "posting", ("running",))

    def finish(self, number: int, worker: str) -> None:
        self._change(number, worker, "done")

    def fail(self, number: int, worker: str, reason: str) -> None:
        if self._change(number, worker, "failed"):
            self.rows[number].reason = reason

    def retry(self, number: int, worker: str, after: float, *, sent: bool = True) -> None:
        if self._change(number, worker, "queued"):
            self.rows[number].log.append(f"retry sent={sent}")

    def release(self, worker: str) -> int:
        with self._open():
            held = [row for row in self.rows.values() if row.state in ("running", "posting")]
            for row in held:
                row.state, row.worker = "queued", None
                row.log.append("released")
            return len(held)

    def waiting(self, lane: Lane) -> int:
        return self.states().count("queued")

    def _change(
        self, number: int, worker: str, state: str, before: Sequence[str] = ("running", "posting")
    ) -> bool:
        with self._open():
            row = self.rows[number]
            if row.worker != worker or row.state not in before:
                return False
            row.state = state
            row.log.append(state)
            return True

    def _open(self) -> threading.Lock:
        if self.failing:
            raise self.failing.popleft()
        return self._lock


def locked() -> OnbrandError:
    """What a busy database raises."""
    return OnbrandError("is locked by another program", path="slack.db")


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


Script = Sequence[Outcome | Exception]


class ScriptedSlack:
    """Takes the place of `deliver`: outcomes come from a script for each text, then "ok"."""

    def __init__(self, clock: Callable[[], float], scripts: Mapping[str, Script] = {}) -> None:
        self._clock = clock
        self._scripts = {text: deque(script) for text, script in scripts.items()}
        self._lock = threading.Lock()
        self.tried: list[tuple[float, Call, str]] = []
        """When, what, and its text without a mark."""

    def __call__(self, _clients: Any, _tenant: Tenant, call: Call) -> Outcome:
        body = call.arguments.get("body", call.arguments)
        text = str(body.get("text")).removeprefix(AGAIN).strip()
        with self._lock:
            self.tried.append((self._clock(), call, text))
            script = self._scripts.get(text)
            outcome = script.popleft() if script else Outcome(Kind.DELIVERED, "ok")
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    @property
    def texts(self) -> list[str]:
        return [text for _, _, text in self.tried]


def run_dry(poster: Poster, clock: Clock, limit: int = 100_000) -> None:
    """Let a poster without threads do all it has to do, moving the clock as it waits."""
    for _ in range(limit):
        if not poster.step():
            due = poster.next_due()
            if due is None:
                return
            clock.now = max(clock.now, due)
    raise AssertionError("the poster goes on for ever")
