"""A brand's week in figures, from what the store holds; no message of Slack's is read for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from onbrand.database import Database
from onbrand.errors import OnbrandError
from onbrand.labels.store import LabelStore
from onbrand_slack.answer import DigestFigures
from onbrand_slack.model import Tenant
from onbrand_slack.store import schema
from onbrand_slack.store.reviews import DELETED, decisive

MOST_HABITS = 5
"""In one digest."""
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, the end not included."""

    start: datetime
    end: datetime

    def has(self, time: sa.Column[datetime]) -> sa.ColumnElement[bool]:
        """Return the condition that a time lies in it."""
        return (time >= self.start) & (time < self.end)


def week_of(time: datetime) -> str:
    """Return the ISO week of a time in UTC, say "2026-W47"."""
    year, week, _ = time.astimezone(UTC).isocalendar()
    return f"{year}-W{week:02}"


def week_before(now: datetime) -> str:
    """Return the last ISO week that is over: the one that a digest tells of."""
    return week_of(now - _WEEK)


def period_of(week: str) -> Period:
    """Return when an ISO week begins and ends, in UTC.

    Raises:
        OnbrandError: there is no such week.
    """
    year, _, number = week.partition("-W")
    try:
        monday = date.fromisocalendar(int(year), int(number), 1)
    except ValueError:
        raise OnbrandError(f'there is no week {week!r:.20}; write it like "2026-W47"') from None
    start = datetime(monday.year, monday.month, monday.day, tzinfo=UTC)
    return Period(start, start + _WEEK)


class Digests:
    """What a brand's weekly digest tells."""

    def __init__(self, database: Database, labels: LabelStore) -> None:
        self._database = database
        self._labels = labels

    def figures(self, tenant: Tenant, brand: str, week: str) -> DigestFigures:
        """Return a brand's week, beside the week before.

        Args:
            tenant: whose.
            brand: the brand.
            week: an ISO week, say "2026-W47".

        Raises:
            OnbrandError: there is no such week.
        """
        period = period_of(week)
        before = Period(period.start - _WEEK, period.start)
        labels = self._labels.workspace(tenant.workspace)
        words = Counter(
            word.label
            for word in labels.history(brand)
            if word.time is not None and period.start <= word.time < period.end
        )
        disputed = len(labels.disputed(brand))
        of_brand = _Brand(tenant.workspace, brand)
        with self._database.read() as connection:
            now, then = (of_brand.checks(connection, each) for each in (period, before))
            return DigestFigures(
                brand=brand,
                week=week,
                checks=now.checks,
                checks_before=then.checks,
                writers=now.writers,
                forward=now.forward,
                forward_before=then.forward,
                mean_probability=now.mean,
                mean_probability_before=then.mean,
                reviews_opened=of_brand.reviews_opened(connection, period),
                reviews_decided=of_brand.reviews_decided(connection, period),
                reviews_waiting=of_brand.reviews_waiting(connection),
                labels_on=words["on"],
                labels_off=words["off"],
                disputed=disputed,
                habits=of_brand.habits(connection, period),
            )


@dataclass(frozen=True, slots=True)
class _Checks:
    checks: int
    writers: int
    forward: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class _Brand:
    """The queries of one brand."""

    workspace: str
    brand: str

    def _own(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return (table.c.workspace == self.workspace) & (table.c.brand == self.brand)

    def checks(self, connection: Connection, period: Period) -> _Checks:
        checks = schema.checks.c
        forward = sa.case((checks.verdict == "forward", 1))
        query = sa.select(
            sa.func.count(),
            sa.func.count(checks.user.distinct()),
            sa.func.count(forward),
            sa.func.avg(checks.probability),
        ).where(self._own(schema.checks), period.has(checks.time))
        return _Checks(*connection.execute(query).one())

    def reviews_opened(self, connection: Connection, period: Period) -> int:
        opened = period.has(schema.reviews.c.opened)
        return self._count(connection, opened)

    def reviews_waiting(self, connection: Connection) -> int:
        reviews = schema.reviews.c
        return self._count(connection, (reviews.status == "open") & (reviews.author != DELETED))

    def _count(self, connection: Connection, which: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count()).where(self._own(schema.reviews), which)
        return connection.execute(query).scalar_one()

    def reviews_decided(self, connection: Connection, period: Period) -> Mapping[str, int]:
        """Count the reviews that were decided, by the last decision of the period that counts."""
        reviews, decisions = schema.reviews, schema.decisions
        at_all = sa.select(decisions.c.review).where(
            decisions.c.workspace == self.workspace, period.has(decisions.c.time)
        )
        its_review = (reviews.c.workspace == decisions.c.workspace) & (
            reviews.c.id == decisions.c.review
        )
        # All of their decisions: whether one counts depends on those before it.
        query = (
            sa.select(decisions)
            .join(reviews, its_review)
            .where(self._own(reviews), decisions.c.review.in_(at_all))
            .order_by(decisions.c.review, decisions.c.seq)
        )
        outcomes: Counter[str] = Counter()
        rows = connection.execute(query).mappings()
        for _, history in groupby(rows, key=lambda row: row["review"]):
            last = [row for row in decisive(history) if period.start <= row["time"] < period.end]
            if last and last[-1]["decision"] != "reopen":
                outcomes[last[-1]["decision"]] += 1
        return outcomes

    def habits(self, connection: Connection, period: Period) -> list[tuple[str, int]]:
        """Return the habits that were broken most often, with counts, the most frequent first."""
        checks, sentences = schema.checks, schema.sentences
        its_check = (checks.c.workspace == sentences.c.workspace) & (
            checks.c.id == sentences.c.check_id
        )
        query = (
            sa.select(sentences.c.habits)
            .join(checks, its_check)
            .where(self._own(checks), period.has(checks.c.time), sentences.c.flagged)
        )
        broken = Counter(name for names in connection.execute(query).scalars() for name in names)
        return sorted(broken.items(), key=lambda item: (-item[1], item[0]))[:MOST_HABITS]
