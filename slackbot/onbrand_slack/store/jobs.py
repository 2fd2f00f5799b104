"""The queue: a table of jobs that all replicas take from, each job once.

A job is queued, running (a worker has it on lease), posting (some of its answer may have been
sent), then done or failed. A worker that dies leaves a lease that runs out, and another takes over:
a job that was running as if it were new, one that was posting marked `Job.again`.

Workspaces take turns. A job's turn is the one after the last that its workspace has in the line, or
the one that is being served; so a thousand jobs of one workspace do not hold up the first of
another, and finding who is next needs no more than an index.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Row

from onbrand.database import Database
from onbrand.labels.normalization import clean_text
from onbrand_slack.model import Request, Tenant
from onbrand_slack.store import schema
from onbrand_slack.store.database import delete_chunks, insert_new
from onbrand_slack.store.line import (
    ABANDONED,
    AGAIN_IF_POSTING,
    ANY_DUE,
    LINE,
    NEXT,
    TAKEN,
    WAITING,
    Line,
)
from onbrand_slack.store.payload import decode, encode, storable

LEASE = timedelta(seconds=30)
"""How long a job stays with a worker that does not renew; renew three times as often."""
MAX_ATTEMPTS = 3
"""A job that is claimed more often than this is to be given up."""

Lane = Literal["score", "post"]
"""What waits for what: jobs that score a draft, and jobs that only answer."""

_log = logging.getLogger(__name__)
_jobs = schema.jobs.c
_INSERT = sa.insert(schema.jobs)
_KNOWN = sa.select(schema.events.c.key).where(
    schema.events.c.workspace == sa.bindparam("workspace"),
    schema.events.c.key == sa.bindparam("key"),
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a request that was put in the queue."""

    status: Literal["queued", "duplicate", "full"]
    ahead: int
    """How many jobs of its lane are served before it; where it is full, how many wait."""


@dataclass(frozen=True, slots=True)
class Job:
    """A request, while a worker has it."""

    id: int
    tenant: Tenant
    # It may hold a draft, which must not be logged.
    request: Request = field(repr=False)
    key: str
    attempts: int
    """Counts this one."""
    again: bool
    """Its answer may have been sent before, in part or whole."""


class Jobs:
    """The queue of all workspaces.

    Args:
        database: where it is.
        lease: how long a job stays with a worker that does not renew.
        clock: tells the time; replicas must agree on it to well within a lease.
    """

    def __init__(
        self,
        database: Database,
        *,
        lease: timedelta = LEASE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._lease = lease
        self._clock = clock
        self._erased = True  # by a replica before this one, for all it knows

    def put(
        self,
        tenant: Tenant,
        request: Request,
        *,
        key: str,
        lane: Lane,
        limit: int | None = None,
        delay: float = 0,
    ) -> Receipt:
        """Store a request; when this returns it survives a crash.

        Args:
            tenant: whose it is.
            request: what is to be done.
            key: what Slack would repeat in a redelivery, unique in the workspace.
            lane: which line it waits in.
            limit: how many jobs may wait in the lane, at most half of them of one workspace (on
                PostgreSQL, one more for each that is put at the same moment). A request
                that finds it full leaves no trace, so that a redelivery may find a place.
            delay: seconds before it is due.
        """
        now = self._clock()
        row = {"workspace": tenant.workspace, "key": storable(key)}
        payload = encode(request)
        with self._database.write() as connection:
            line = Line(connection.execute(LINE, {"lane": lane, "now": now}).all())
            if limit is not None and line.is_full(tenant.workspace, limit):
                known = connection.execute(_KNOWN, row).first() is not None
                return Receipt("duplicate" if known else "full", line.length)
            if not insert_new(connection, schema.events, {**row, "time": now}):
                return Receipt("duplicate", 0)
            turn = line.write_lock(tenant.workspace)
            job = {
                **row,
                "enterprise": tenant.enterprise,
                "lane": lane,
                "kind": request.__struct_config__.tag,
                "payload": payload,
                "state": "queued",
                "turn": turn,
                "attempts": 0,
                "again": False,
                "due": now + timedelta(seconds=delay),
                "created": now,
            }
            connection.execute(_INSERT, job)
        return Receipt("queued", line.ahead_of(turn))

    def seen(self, tenant: Tenant, key: str) -> bool:
        """Tell whether something with this key came before; from now on it did."""
        row = {"workspace": tenant.workspace, "key": storable(key), "time": self._clock()}
        with self._database.write() as connection:
            return not insert_new(connection, schema.events, row)

    def claim(self, worker: str, lane: Lane, count: int = 1) -> list[Job]:
        """Take jobs that are due: first those whose worker is gone, then who is next in line."""
        now = self._clock()
        values = {"lane": lane, "now": now}
        with self._database.read() as connection:
            # Most of the time there are none, and looking holds nobody up.
            if not connection.execute(ANY_DUE, values).scalar():
                return []
        with self._database.write() as connection:
            rows = list(connection.execute(ABANDONED.limit(count), values))
            if len(rows) < count:
                rows += connection.execute(NEXT.limit(count - len(rows)), values)
            if rows:
                connection.execute(
                    sa.update(schema.jobs)
                    .where(_jobs.id.in_([row.id for row in rows]))
                    .values(
                        state="running",
                        worker=worker,
                        lease=now + self._lease,
                        attempts=_jobs.attempts + 1,
                        again=AGAIN_IF_POSTING,
                    )
                )
        return self._known(rows, worker)

    def renew(self, worker: str) -> None:
        """Keep all jobs that a worker has for another lease."""
        self._change(worker, TAKEN, lease=self._clock() + self._lease)

    def posting(self, job: int, worker: str, *, again: bool = True) -> bool:
        """Say that the answer is about to be sent.

        Args:
            job: its id.
            worker: who has it.
            again: whether the answer says that it may have come before.

        Returns:
            Whether the job is still the worker's, as it was when it was claimed; if not, it is
            answered by another one, or by the same for a later claim.
        """
        mine = sa.and_(_jobs.id == job, _jobs.state == "running")
        if not again:
            mine = sa.and_(mine, _jobs.again.is_(False))
        return self._change(worker, mine, state="posting", lease=self._clock() + self._lease) == 1

    def finish(self, job: int, worker: str) -> None:
        """Say that a job is done, and erase what it held; nothing if it is another worker's now."""
        self._end(job, worker, state="done")

    def fail(self, job: int, worker: str, reason: str) -> None:
        """Give a job up, and erase what it held; nothing if it is another worker's now.

        Args:
            job: its id.
            worker: who has it.
            reason: for the administrator; no text of a draft.
        """
        self._end(job, worker, state="failed", error=clean_text(reason)[:200])

    def retry(self, job: int, worker: str, after: float, *, sent: bool = True) -> None:
        """Put a job back, to be tried again.

        Args:
            job: its id.
            worker: who has it.
            after: in how many seconds.
            sent: whether, if it was posting, some of its answer may have been sent.
        """
        mine = sa.and_(_jobs.id == job, TAKEN)
        due = self._clock() + timedelta(seconds=after)
        again = {"again": AGAIN_IF_POSTING} if sent else {}
        self._change(worker, mine, state="queued", worker=None, lease=None, due=due, **again)

    def release(self, worker: str) -> int:
        """Put everything back that a worker has, for others to do, and return how much it was.

        It does not count as an attempt: nothing went wrong.
        """
        return self._change(
            *(worker, TAKEN),
            state="queued",
            worker=None,
            lease=None,
            attempts=_jobs.attempts - 1,
            again=AGAIN_IF_POSTING,
        )

    def waiting(self, lane: Lane) -> int:
        """Return how many jobs of a lane no worker has."""
        with self._database.read() as connection:
            return int(connection.execute(WAITING, {"lane": lane}).scalar_one())

    def next_due(self, lane: Lane | None = None) -> float | None:
        """Return in how many seconds the next job can be claimed, 0 for now, None if none waits."""
        lanes = ("score", "post") if lane is None else (lane,)
        waiting = sa.select(sa.func.min(_jobs.due)).where(
            _jobs.lane.in_(lanes), _jobs.state == "queued"
        )
        leased = sa.select(sa.func.min(_jobs.lease)).where(TAKEN, _jobs.lane.in_(lanes))
        with self._database.read() as connection:
            times = [connection.execute(query).scalar() for query in (waiting, leased)]
        now = self._clock()
        return min(
            (max(0.0, (time - now).total_seconds()) for time in times if time is not None),
            default=None,
        )

    def purge(self, older_than: timedelta) -> int:
        """Delete jobs that ended, and keys that came, longer ago; return how many there were."""
        before = self._clock() - older_than
        ended = schema.jobs, _jobs.ended < before
        came = schema.events, schema.events.c.time < before
        return sum(delete_chunks(self._database, *each) for each in (ended, came))

    def have_erased(self) -> bool:
        """Tell whether payloads were erased since this was asked the last time."""
        erased, self._erased = self._erased, False
        return erased

    def _change(self, worker: str, which: sa.ColumnElement[bool], /, **values: object) -> int:
        """Change jobs that a worker has, and return how many there were."""
        change = sa.update(schema.jobs).where(which, _jobs.worker == worker).values(**values)
        with self._database.write() as connection:
            return connection.execute(change).rowcount

    def _end(self, job: int, worker: str, **values: object) -> None:
        mine = sa.and_(_jobs.id == job, TAKEN)
        self._change(worker, mine, ended=self._clock(), payload=b"", lease=None, **values)
        self._erased = True

    def _known(self, rows: Sequence[Row[*tuple[Any, ...]]], worker: str) -> list[Job]:
        """Return what was claimed, without what this version of onbrand does not know."""
        jobs = []
        for row in rows:
            request = decode(row.payload)
            if request is None:
                _log.error("job %d is of another version of onbrand: given up", row.id)
                self.fail(row.id, worker, "of another version of onbrand")
                continue
            job = Job(
                id=row.id,
                tenant=Tenant(row.workspace, row.enterprise),
                request=request,
                key=row.key,
                attempts=row.attempts + 1,
                again=row.again or row.state == "posting",
            )
            jobs.append(job)
        return jobs
