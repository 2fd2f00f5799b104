"""What the queue of the Slack app promises, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from onbrand.database import Database
from onbrand_slack.model import Check, Pasted, Say, Source, Tenant, ToConversation, ToUser
from onbrand_slack.store import schema
from onbrand_slack.store.database import connect
from onbrand_slack.store.jobs import LEASE, Jobs, Receipt

ONE, TWO = Tenant("T1", "E1"), Tenant("T2")
DRAFT = "Our draft: half a \ud83d pair, NUL \0, 👋🏽 שלום"
CHECK = Check(
    user="U1",
    source=Source.COMMAND,
    draft=Pasted("A draft."),
    reply=ToUser("C1", "U1", response_url="https://hooks.slack.com/x"),
    brand="acme",
)
HELP = Say(user="U1", topic="help", reply=ToConversation("D1"))


@dataclass
class Clock:
    now: datetime = datetime(2026, 3, 4, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.heavy("postgres"))])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    postgres = request.param == "postgres"
    database = connect(
        str(request.getfixturevalue("postgres_url") if postgres else tmp_path / "slack.db")
    )
    schema.SCHEMA.prepare(database, create=True)
    yield database
    database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(database: Database, clock: Clock) -> Jobs:
    return Jobs(database, clock=clock)


def put(jobs: Jobs, tenant: Tenant, *keys: str) -> list[Receipt]:
    return [jobs.put(tenant, HELP, key=key, lane="score") for key in keys]


def keys_of(jobs: Jobs, count: int = 100) -> list[str]:
    return [job.key for job in jobs.claim("w", "score", count)]


def row_of(database: Database, key: str) -> sa.Row[*tuple[object, ...]]:
    with database.read() as connection:
        return connection.execute(sa.select(schema.jobs).where(schema.jobs.c.key == key)).one()


def test_a_job_comes_back_as_it_was_put(jobs: Jobs) -> None:
    assert jobs.put(ONE, CHECK, key="k", lane="score") == Receipt("queued", 0)
    assert jobs.waiting("score") == 1
    assert jobs.claim("w", "post") == []
    (job,) = jobs.claim("w", "score")
    assert (job.tenant, job.request, job.key) == (ONE, CHECK, "k")
    assert (job.attempts, job.again) == (1, False)
    assert "A draft." not in repr(job)
    assert jobs.waiting("score") == 0
    assert jobs.claim("other", "score") == []


def test_text_and_keys_that_databases_refuse(jobs: Jobs) -> None:
    odd = Check(user="U", source=Source.MODAL, draft=Pasted(DRAFT), reply=ToConversation("D"))
    keys = ["msg:\0\udc00", "x" * 100_000, "x" * 100_001]
    for key in keys:
        assert jobs.put(ONE, odd, key=key, lane="score").status == "queued"
        assert jobs.put(ONE, odd, key=key, lane="score").status == "duplicate"
    (job, *_) = jobs.claim("w", "score", 3)
    assert job.request.draft.text == DRAFT.replace("\ud83d", "?")


def test_the_same_delivery_is_queued_once_in_each_workspace(jobs: Jobs) -> None:
    (first, second) = put(jobs, ONE, "k", "k")
    assert (first.status, second.status) == ("queued", "duplicate")
    assert put(jobs, TWO, "k")[0].status == "queued"
    for job in jobs.claim("w", "score", 5):
        jobs.finish(job.id, "w")
    assert put(jobs, ONE, "k")[0].status == "duplicate"
    assert jobs.claim("w", "score") == []


def test_a_delivery_that_needs_no_job_is_remembered(jobs: Jobs) -> None:
    assert not jobs.seen(ONE, "k")
    assert jobs.seen(ONE, "k")
    assert not jobs.seen(TWO, "k")
    assert put(jobs, ONE, "k")[0].status == "duplicate"


def test_a_full_line_takes_no_more_but_half_of_it_is_for_others(jobs: Jobs) -> None:
    def offer(tenant: Tenant, key: str, lane: str = "score") -> str:
        return jobs.put(tenant, HELP, key=key, lane=lane, limit=4).status

    assert [offer(ONE, key) for key in "abc"] == ["queued", "queued", "full"]
    assert offer(ONE, "a") == "duplicate", "what is in the line is not refused a second time"
    assert [offer(TWO, key) for key in "abc"] == ["queued", "queued", "full"]
    assert offer(Tenant("T3"), "a") == "full"
    assert offer(ONE, "p", lane="post") == "queued"
    assert jobs.put(ONE, HELP, key="c", lane="score", limit=4) == Receipt("full", 4)
    (job,) = jobs.claim("w", "score")
    assert offer(job.tenant, "c") == "queued", "a redelivery finds the place that is free now"


def test_workspaces_take_turns(jobs: Jobs) -> None:
    busy = put(jobs, ONE, *(f"a{n}" for n in range(50)))
    assert [receipt.ahead for receipt in busy] == list(range(50))
    assert keys_of(jobs, 3) == ["a0", "a1", "a2"]
    assert [receipt.ahead for receipt in put(jobs, TWO, "b0", "b1")] == [1, 3]
    assert put(jobs, Tenant("T3"), "c0")[0].ahead == 2
    assert keys_of(jobs, 6) == ["a3", "b0", "c0", "a4", "b1", "a5"]
    assert put(jobs, TWO, "b2")[0].ahead == 1
    assert keys_of(jobs, 3) == ["a6", "b2", "a7"]


def test_a_job_that_waits_for_its_time_does_not_hold_the_line_back(
    jobs: Jobs, clock: Clock
) -> None:
    jobs.put(Tenant("T3"), HELP, key="later", lane="score", delay=60)
    put(jobs, ONE, "a0", "a1", "a2", "a3")
    assert keys_of(jobs, 2) == ["a0", "a1"]
    put(jobs, TWO, "b0")
    put(jobs, TWO, "b1")
    assert keys_of(jobs) == ["a2", "b0", "a3", "b1"]
    assert jobs.next_due("score") == LEASE.total_seconds()
    clock.pass_(60)
    assert "later" in keys_of(jobs)


def test_what_a_job_held_is_erased_when_it_ends(jobs: Jobs, database: Database) -> None:
    for key in "ab":
        jobs.put(ONE, CHECK, key=key, lane="score")
    a, b = jobs.claim("w", "score", 2)
    assert jobs.posting(a.id, "w")
    jobs.finish(a.id, "w")
    jobs.fail(b.id, "w", "channel_not_found\0" * 100)
    done, failed = row_of(database, "a"), row_of(database, "b")
    assert (done.state, bytes(done.payload), done.error) == ("done", b"", None)
    assert (failed.state, bytes(failed.payload), len(failed.error)) == ("failed", b"", 200)
    assert jobs.next_due() is None
    for job in (a, b):
        jobs.retry(job.id, "w", 0)
        assert not jobs.posting(job.id, "w")
    assert jobs.claim("w", "score", 2) == []


def test_a_job_whose_worker_died_before_it_posted_is_done_as_if_new(
    jobs: Jobs, clock: Clock
) -> None:
    put(jobs, ONE, "k")
    (job,) = jobs.claim("dead", "score")
    clock.pass_(LEASE.total_seconds() - 1)
    assert jobs.claim("w", "score") == []
    assert jobs.next_due() == 1
    clock.pass_(1)
    (taken,) = jobs.claim("w", "score")
    assert (taken.id, taken.attempts, taken.again) == (job.id, 2, False)
    assert not jobs.posting(job.id, "dead")
    jobs.finish(job.id, "dead")
    jobs.fail(job.id, "dead", "x")
    jobs.retry(job.id, "dead", 0)
    assert jobs.release("dead") == 0
    assert jobs.posting(taken.id, "w")
    assert not jobs.posting(taken.id, "w"), "one answer for one claim"
    jobs.release("w")
    (later,) = jobs.claim("w", "score")
    assert not jobs.posting(taken.id, "w", again=taken.again), "the claim was an earlier one"
    assert jobs.posting(later.id, "w", again=later.again)


def test_a_job_whose_worker_died_while_it_posted_is_marked(jobs: Jobs, clock: Clock) -> None:
    put(jobs, ONE, "k")
    (job,) = jobs.claim("dead", "score")
    assert jobs.posting(job.id, "dead")
    clock.pass_(LEASE.total_seconds())
    (taken,) = jobs.claim("dead too", "score")
    assert taken.again
    clock.pass_(LEASE.total_seconds())
    assert [(job.attempts, job.again) for job in jobs.claim("w", "score")] == [(3, True)]


def test_a_worker_that_renews_keeps_its_jobs(jobs: Jobs, clock: Clock) -> None:
    put(jobs, ONE, "a", "b")
    a, _ = jobs.claim("w", "score", 2)
    jobs.posting(a.id, "w")
    for _ in range(5):
        clock.pass_(LEASE.total_seconds() - 1)
        jobs.renew("w")
    assert jobs.claim("other", "score", 2) == []


def test_a_retry_waits_and_says_again_only_if_something_was_sent(jobs: Jobs, clock: Clock) -> None:
    put(jobs, ONE, "before", "during", "unsent")
    before, during, unsent = jobs.claim("w", "score", 3)
    jobs.posting(during.id, "w")
    jobs.posting(unsent.id, "w")
    jobs.retry(before.id, "w", 5)
    jobs.retry(during.id, "w", 5)
    jobs.retry(unsent.id, "w", 5, sent=False)
    assert jobs.waiting("score") == 3
    assert (jobs.claim("w", "score"), jobs.next_due()) == ([], 5)
    clock.pass_(5)
    assert jobs.next_due() == 0
    again = {job.key: (job.attempts, job.again) for job in jobs.claim("w", "score", 3)}
    assert again == {"before": (2, False), "during": (2, True), "unsent": (2, False)}


def test_what_is_released_at_the_end_is_not_an_attempt(jobs: Jobs) -> None:
    put(jobs, ONE, "a", "b", "c")
    _, b, c = jobs.claim("w", "score", 3)
    jobs.posting(b.id, "w")
    jobs.finish(c.id, "w")
    assert jobs.release("w") == 2
    released = [(job.key, job.attempts, job.again) for job in jobs.claim("other", "score", 3)]
    assert released == [("a", 1, False), ("b", 1, True)]


def test_a_request_of_another_version_does_not_stop_the_line(
    jobs: Jobs, database: Database
) -> None:
    put(jobs, ONE, "unknown", "known")
    with database.write() as connection:
        unknown = sa.update(schema.jobs).where(schema.jobs.c.key == "unknown")
        connection.execute(unknown.values(payload=b'{"type":"from the future"}'))
    assert keys_of(jobs) == ["known"]
    assert row_of(database, "unknown").state == "failed"


def test_what_ended_is_purged_after_its_time(jobs: Jobs, clock: Clock, database: Database) -> None:
    put(jobs, ONE, "ended", "waits")
    jobs.seen(TWO, "seen")
    (job,) = jobs.claim("w", "score")
    jobs.finish(job.id, "w")
    clock.pass_(60)
    put(jobs, ONE, "young")
    assert jobs.purge(timedelta(seconds=61)) == 0
    assert jobs.purge(timedelta(seconds=59)) == 1 + 3
    assert put(jobs, ONE, "young")[0].status == "duplicate"
    assert put(jobs, ONE, "ended")[0].status == "queued"
    assert row_of(database, "waits").state == "queued"
