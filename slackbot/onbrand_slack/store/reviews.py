"""The review queue: drafts that wait for a person, and every word that was said of them.

Decisions are only ever appended, and how a review stands follows from them in their order: the
first one decides, later ones are kept but change nothing, until someone opens the review again.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from onbrand.database import Database
from onbrand.errors import OnbrandError
from onbrand.labels.normalization import clean_text
from onbrand_slack.answer import Decided, Decision, Review, Status
from onbrand_slack.model import Tenant
from onbrand_slack.store import schema
from onbrand_slack.store.checks import OpenCheck
from onbrand_slack.store.database import insert_new

DELETED = "deleted"
"""Stands for a person who asked to be forgotten; no id of Slack's is in small letters."""
OUTCOMES: Mapping[Decision, Status] = {
    "approve": "approved",
    "reject": "rejected",
    "changes": "changes",
    "reopen": "open",
}
_reviews, _decisions = schema.reviews, schema.decisions


class Reviews:
    """Drafts in review. One whose author was forgotten is closed: nobody gets at it any more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open_for(self, tenant: Tenant, check: OpenCheck, author: str) -> tuple[Review, bool]:
        """Put a check into the queue.

        Returns:
            Its review, and whether it is new; a check has one at most.

        Raises:
            OnbrandError: the check was deleted.
        """
        row = {
            "workspace": tenant.workspace,
            "id": f"r{secrets.token_hex(8)}",
            "brand": check.brand,
            "check_id": check.id,
            "author": author,
            "status": "open",
            "probability": check.report.probability,
            "opened": datetime.now(UTC),
        }
        known = sa.select(schema.checks.c.id).where(
            schema.checks.c.workspace == tenant.workspace, schema.checks.c.id == check.id
        )
        with self._database.write() as connection:
            # Locked, so that its author is not forgotten meanwhile.
            if connection.execute(known.with_for_update()).first() is None:
                raise _gone()
            new = insert_new(connection, _reviews, row)
            review = _one(connection, tenant, _reviews.c.check_id == check.id)
        if review is None:
            raise _gone()
        return review, new

    def take(self, tenant: Tenant, id: str, key: str) -> bool:  # noqa: A002
        """Let a job post a review, if it is not posted and no other job is about to post it.

        Args:
            tenant: whose it is.
            id: of the review.
            key: of the job; one that was taken over may go on.
        """
        jobs = schema.jobs
        at_work = sa.select(jobs.c.key).where(
            jobs.c.workspace == tenant.workspace, jobs.c.state.not_in(("done", "failed"))
        )
        sender = _reviews.c.sender
        free = sender.is_(None) | (sender == key) | sender.not_in(at_work)
        own = _live(tenant) & (_reviews.c.id == id) & _reviews.c.ts.is_(None) & free
        with self._database.write() as connection:
            taken = connection.execute(sa.update(_reviews).where(own).values(sender=key))
        return taken.rowcount == 1

    def posted(self, tenant: Tenant, id: str, channel: str, ts: str) -> None:  # noqa: A002
        """Note where a review stands in Slack."""
        own = _live(tenant) & (_reviews.c.id == id)
        with self._database.write() as connection:
            connection.execute(sa.update(_reviews).where(own).values(channel=channel, ts=ts))

    def get(self, tenant: Tenant, id: str) -> Review | None:  # noqa: A002
        """Return a review with its history."""
        with self._database.read() as connection:
            return _one(connection, tenant, _reviews.c.id == id)

    def by_check(self, tenant: Tenant, check_id: str) -> Review | None:
        """Return the review of a check, if it was sent."""
        with self._database.read() as connection:
            return _one(connection, tenant, _reviews.c.check_id == check_id)

    def decide(
        self,
        tenant: Tenant,
        id: str,  # noqa: A002
        user: str,
        decision: Decision,
        reason: str,
        key: str,
    ) -> tuple[Review, bool]:
        """Add a decision to a review's history; the same key again adds nothing.

        Returns:
            The review, and whether this decision is the one that counts (for the same key again:
            whether it was).

        Raises:
            OnbrandError: there is no such review, or its author was forgotten.
        """
        if decision not in OUTCOMES:
            raise OnbrandError(f"unknown decision {decision!r:.20}; expected {', '.join(OUTCOMES)}")
        own = _live(tenant) & (_reviews.c.id == id)
        word = {
            "workspace": tenant.workspace,
            "review": id,
            "user": user,
            "decision": decision,
            "reason": clean_text(reason),
            "time": datetime.now(UTC),
            "key": key,
        }
        with self._database.write() as connection:
            # Who decides at the same time, on any replica, waits here for the other's word.
            if connection.execute(sa.select(_reviews.c.id).where(own).with_for_update()).first():
                insert_new(connection, _decisions, word)
            history = _history(connection, tenant, [id])
            status = _status(history)
            connection.execute(sa.update(_reviews).where(own).values(status=status))
            review = _one(connection, tenant, _reviews.c.id == id)
        if review is None:
            raise _gone()
        counting = {row["key"] for row in decisive(history)}
        return review, key in counting

    def waiting(
        self, tenant: Tenant, brands: Collection[str] | None = None, limit: int = 20
    ) -> list[Review]:
        """Return open reviews, of some brands or of all, oldest first."""
        which = _reviews.c.status == "open"
        if brands is not None:
            which &= _reviews.c.brand.in_(brands)
        return self._list(tenant, which, _reviews.c.opened.asc(), limit)

    def of_author(self, tenant: Tenant, user: str, limit: int = 20) -> list[Review]:
        """Return the reviews of a user's drafts, newest first."""
        return self._list(tenant, _reviews.c.author == user, _reviews.c.opened.desc(), limit)

    def _list(
        self,
        tenant: Tenant,
        which: sa.ColumnElement[bool],
        order: sa.ColumnElement[Any],
        limit: int,
    ) -> list[Review]:
        query = sa.select(_reviews).where(_live(tenant), which).order_by(order, _reviews.c.id)
        with self._database.read() as connection:
            return _read(connection, tenant, query.limit(limit))


def decisive(history: Iterable[RowMapping]) -> Iterator[RowMapping]:
    """Yield the decisions of one review that count.

    Args:
        history: rows of its decisions, in the order they were stored.
    """
    status: Status = "open"
    for row in history:
        outcome = OUTCOMES[row["decision"]]
        # Only an open review can be decided, and only a decided one opened again.
        if (status == "open") != (outcome == "open"):
            status = outcome
            yield row


def _status(history: Iterable[RowMapping]) -> Status:
    counting = [OUTCOMES[row["decision"]] for row in decisive(history)]
    return counting[-1] if counting else "open"


def _live(tenant: Tenant) -> sa.ColumnElement[bool]:
    return (_reviews.c.workspace == tenant.workspace) & (_reviews.c.author != DELETED)


def _history(connection: Connection, tenant: Tenant, ids: Sequence[str]) -> Sequence[RowMapping]:
    query = (
        sa.select(_decisions)
        .where(_decisions.c.workspace == tenant.workspace, _decisions.c.review.in_(ids))
        .order_by(_decisions.c.seq)
    )
    return connection.execute(query).mappings().all()


def _one(connection: Connection, tenant: Tenant, which: sa.ColumnElement[bool]) -> Review | None:
    found = _read(connection, tenant, sa.select(_reviews).where(_live(tenant), which))
    return found[0] if found else None


def _read(connection: Connection, tenant: Tenant, query: sa.Select[Any]) -> list[Review]:
    rows = connection.execute(query).mappings().all()
    history = _history(connection, tenant, [row["id"] for row in rows]) if rows else []
    return [_review(row, [word for word in history if word["review"] == row["id"]]) for row in rows]


def _review(row: RowMapping, history: Sequence[RowMapping]) -> Review:
    same = ("id", "brand", "author", "status", "probability", "opened", "channel", "ts")
    return Review(
        **{name: row[name] for name in same},
        check=row["check_id"],
        history=tuple(
            Decided(word["user"], word["decision"], word["time"], word["reason"])
            for word in history
        ),
    )


def _gone() -> OnbrandError:
    return OnbrandError("this review is no longer there; check the draft again and send it anew")
