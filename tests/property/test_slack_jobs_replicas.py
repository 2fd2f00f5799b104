"""The queue against a model: replicas stop, stall and die, and each job is answered once."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, rule

from onbrand_slack.model import Say, Tenant, ToConversation
from onbrand_slack.store import schema
from onbrand_slack.store.database import connect
from onbrand_slack.store.jobs import Job, Jobs

HELP = Say(user="U1", topic="help", reply=ToConversation("D1"))
LEASE = 30
LIMIT = 6
WORKERS = ["one", "two", "three"]
WORKSPACES = ["T1", "T2", "T3"]


@cache
def _made() -> bytes:
    """An empty store, since making its tables is what takes time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "slack.db")
        database = connect(str(path))
        schema.SCHEMA.prepare(database, create=True)
        database.close()
        return path.read_bytes()


@contextmanager
def empty_store() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "slack.db")
        path.write_bytes(_made())
        yield str(path)


@dataclass
class Known:
    """What the model knows of a job."""

    workspace: str
    due: float
    state: str = "queued"
    worker: str | None = None
    lease: float = 0
    attempts: int = 0
    again: bool = False
    sent: list[bool] = field(default_factory=list)
    """Whether each answer said "again"."""


class Replicas(RuleBasedStateMachine):
    """Three workers on connections of their own, one of which may do anything at any time."""

    held = Bundle("held")

    @initialize()
    def open(self) -> None:
        self.files = ExitStack()
        location = self.files.enter_context(empty_store())
        databases = [connect(location) for _ in WORKERS]
        for database in databases:
            self.files.callback(database.close)
        self.now = 0.0
        self.jobs = {
            worker: Jobs(database, lease=timedelta(seconds=LEASE), clock=self.clock)
            for worker, database in zip(WORKERS, databases, strict=True)
        }
        self.known: dict[tuple[str, str], Known] = {}

    def clock(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.now)

    def of(self, job: Job) -> Known:
        return self.known[job.tenant.workspace, job.key]

    def held_by(self, job: Job, worker: str) -> Known | None:
        known = self.of(job)
        return known if known.worker == worker else None

    @rule(
        workspace=st.sampled_from(WORKSPACES),
        key=st.integers(0, 9).map(str),
        worker=st.sampled_from(WORKERS),
        delay=st.sampled_from([0, 0, 0, 10]),
    )
    def put(self, workspace: str, key: str, worker: str, delay: int) -> None:
        receipt = self.jobs[worker].put(
            Tenant(workspace), HELP, key=key, lane="score", limit=LIMIT, delay=delay
        )
        waiting = Counter(job.workspace for job in self.known.values() if job.state == "queued")
        if (workspace, key) in self.known:
            assert receipt.status == "duplicate"
        elif waiting.total() >= LIMIT or waiting[workspace] >= LIMIT // 2:
            assert receipt.status == "full"
        else:
            assert receipt.status == "queued"
            assert receipt.ahead <= waiting.total()
            self.known[workspace, key] = Known(workspace, self.now + delay)

    @rule(target=held, worker=st.sampled_from(WORKERS))
    def claim(self, worker: str) -> tuple[Job, str] | None:
        jobs = self.jobs[worker].claim(worker, "score")
        free = [
            known
            for known in self.known.values()
            if (known.state == "queued" and known.due <= self.now)
            or (known.state in ("running", "posting") and known.lease <= self.now)
        ]
        if not jobs:
            assert not free
            return None
        (job,) = jobs
        known = self.of(job)
        assert known in free
        if any(other.state != "queued" for other in free):
            assert known.state != "queued", "those whose worker is gone have waited longest"
        known.again = known.again or known.state == "posting"
        known.attempts += 1
        assert (job.again, job.attempts) == (known.again, known.attempts)
        known.state, known.worker, known.lease = "running", worker, self.now + LEASE
        return job, worker

    @rule(each=held)
    def post(self, each: tuple[Job, str] | None) -> None:
        if each is None:
            return
        job, worker = each
        known = self.held_by(job, worker)
        mine = known is not None and known.state == "running" and (job.again or not known.again)
        assert self.jobs[worker].posting(job.id, worker, again=job.again) == mine
        if mine:
            known.state, known.lease = "posting", self.now + LEASE
            known.sent.append(job.again)

    @rule(each=consumes(held), how=st.sampled_from(["finish", "finish", "fail", "retry"]))
    def end(self, each: tuple[Job, str] | None, how: str) -> None:
        if each is None:
            return
        job, worker = each
        known, jobs = self.held_by(job, worker), self.jobs[worker]
        if how == "retry":
            jobs.retry(job.id, worker, 5)
            if known:
                known.again = known.again or known.state == "posting"
                known.state, known.worker, known.due = "queued", None, self.now + 5
            return
        if how == "finish":
            jobs.finish(job.id, worker)
        else:
            jobs.fail(job.id, worker, "why")
        if known:
            known.state, known.worker = "ended", None

    @rule(worker=st.sampled_from(WORKERS))
    def release(self, worker: str) -> None:
        mine = [known for known in self.known.values() if known.worker == worker]
        assert self.jobs[worker].release(worker) == len(mine)
        for known in mine:
            known.again = known.again or known.state == "posting"
            known.state, known.worker = "queued", None
            known.attempts -= 1

    @rule(worker=st.sampled_from(WORKERS))
    def renew(self, worker: str) -> None:
        self.jobs[worker].renew(worker)
        for known in self.known.values():
            if known.worker == worker:
                known.lease = self.now + LEASE

    @rule(seconds=st.sampled_from([1, 5, 20, LEASE]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    def teardown(self) -> None:
        """Everyone but the first worker is dead; it does what is left."""
        if not hasattr(self, "known"):
            return
        with self.files:
            self.finish_all()

    def finish_all(self) -> None:
        self.now += 10 * LEASE
        jobs = self.jobs["one"]
        while left := jobs.claim("one", "score", 3):
            for job in left:
                assert jobs.posting(job.id, "one", again=job.again)
                self.of(job).sent.append(job.again)
                self.of(job).state = "ended"
                jobs.finish(job.id, "one")
        assert jobs.next_due() is None
        for known in self.known.values():
            assert known.state == "ended"
            assert known.sent.count(False) <= 1, "an answer came twice and did not say so"


class TestReplicas(Replicas.TestCase):
    settings = settings(max_examples=30, stateful_step_count=40, deadline=None)


@settings(max_examples=20, deadline=None)
@given(steps=st.lists(st.sampled_from([*WORKSPACES, "T1", "T1", "claim"]), max_size=40))
def test_workspaces_that_wait_are_served_in_turn(steps: list[str]) -> None:
    """Nobody is served more than twice while another waits, each in the order that it came."""
    with empty_store() as location:
        database = connect(location)
        jobs = Jobs(database)
        waiting: dict[str, list[str]] = defaultdict(list)
        since: dict[str, Counter[str]] = {}
        ahead: dict[str, int] = {}
        for number, step in enumerate([*steps, *("claim" for _ in steps)]):
            if step != "claim":
                key = f"{number:03}"
                ahead[key] = jobs.put(Tenant(step), HELP, key=key, lane="score").ahead
                waiting[step].append(key)
                since.setdefault(step, Counter())
                continue
            for job in jobs.claim("w", "score"):
                served = job.tenant.workspace
                assert waiting[served].pop(0) == job.key
                for other, counts in since.items():
                    if other != served and waiting[other]:
                        counts[served] += 1
                        assert counts[served] <= 2
                since[served] = Counter()
        assert not any(waiting.values())
        database.close()


@settings(max_examples=20, deadline=None)
@given(puts=st.lists(st.sampled_from(WORKSPACES), max_size=30), served=st.integers(0, 10))
def test_a_place_in_line_is_what_was_said(puts: list[str], served: int) -> None:
    with empty_store() as location:
        database = connect(location)
        jobs = Jobs(database)
        for number, workspace in enumerate(puts):
            jobs.put(Tenant(workspace), HELP, key=str(number), lane="score")
        jobs.claim("w", "score", served)
        ahead = jobs.put(Tenant("T2"), HELP, key="mine", lane="score").ahead
        order = [job.key for job in jobs.claim("w", "score", 100)]
        assert order.index("mine") == ahead
        database.close()
