"""The line that jobs wait in: who is next, and the statements that find it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from onbrand_slack.store import schema

_jobs = schema.jobs.c
_lane = _jobs.lane == sa.bindparam("lane")
_now = sa.bindparam("now", type_=_jobs.due.type)

TAKEN = _jobs.state.in_(("running", "posting"))
"""A worker has it."""
AGAIN_IF_POSTING = sa.case((_jobs.state == "posting", sa.true()), else_=_jobs.again)
"""What ``again`` becomes where a job is taken from a worker."""
_waiting = sa.and_(_lane, _jobs.state == "queued")
_due = sa.and_(_waiting, _jobs.due <= _now)
_abandoned = sa.and_(_lane, TAKEN, _jobs.lease <= _now)

# The statements take ``lane`` and ``now``; being made once, they cost little to run.
LINE = (
    sa.select(
        _jobs.workspace,
        sa.func.count().label("waiting"),
        sa.func.min(_jobs.turn).label("first"),
        sa.func.max(_jobs.turn).label("last"),
        # A job that waits for its time must not hold back the turn that is being served.
        sa.func.min(sa.case((_jobs.due <= _now, _jobs.turn))).label("serving"),
    )
    .where(_waiting)
    .group_by(_jobs.workspace)
)
WAITING = sa.select(sa.func.count()).where(_waiting)
ANY_DUE = sa.select(sa.or_(sa.exists().where(_due), sa.exists().where(_abandoned)))
_claimed = sa.select(
    *(_jobs.id, _jobs.workspace, _jobs.enterprise, _jobs.payload, _jobs.key),
    *(_jobs.attempts, _jobs.again, _jobs.state),
).with_for_update(skip_locked=True)
NEXT = _claimed.where(_due).order_by(_jobs.turn, _jobs.id)
ABANDONED = _claimed.where(_abandoned).order_by(_jobs.lease, _jobs.id)


class Line:
    """Who waits in a lane, workspace by workspace: the rows of `LINE`."""

    def __init__(self, rows: Sequence[Row[*tuple[Any, ...]]]) -> None:
        self._rows = {row.workspace: row for row in rows}
        self.length = sum(row.waiting for row in rows)
        """How many jobs wait."""

    def is_full(self, workspace: str, limit: int) -> bool:
        """Tell whether there is no place for another job of a workspace."""
        own = self._rows.get(workspace)
        return self.length >= limit or (own is not None and own.waiting >= max(1, limit // 2))

    def write_lock(self, workspace: str) -> int:
        """Return the turn of a workspace's next job."""
        if own := self._rows.get(workspace):
            return int(own.last) + 1
        serving = (row.serving for row in self._rows.values() if row.serving is not None)
        return min(serving, default=0)

    def ahead_of(self, turn: int) -> int:
        """Return how many of them are served before a new job with this turn."""
        # The turns of a workspace follow one upon the other.
        return sum(min(row.waiting, max(0, turn - row.first + 1)) for row in self._rows.values())
