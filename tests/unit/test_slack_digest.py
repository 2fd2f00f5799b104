"""A brand's week in figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from slack_data import ACME, BAD, GOOD, OTHER, Data, report, sentence

from onbrand.errors import OnbrandError
from onbrand.labels.model import Label
from onbrand_slack.answer import DigestFigures
from onbrand_slack.store import schema
from onbrand_slack.store.checks import OpenCheck
from onbrand_slack.store.digest import period_of, week_before, week_of

MONDAY = datetime(2025, 11, 17, tzinfo=UTC)
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
WEEK = "2025-W47"


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Data]:
    with Data.open(str(tmp_path / "slack.db")) as data:
        yield data


def check_at(data: Data, time: datetime, **values: Any) -> OpenCheck:
    check = data.check(**values)
    data.date(check, time)
    return check


def decide_at(data: Data, review: str, decision: Any, time: datetime) -> None:
    key = f"{review}-{time}"
    data.reviews.decide(ACME, review, "U2", decision, "", key)
    with data.database.write() as connection:
        mine = schema.decisions.c.key == key
        connection.execute(sa.update(schema.decisions).where(mine).values(time=time))


def test_a_quiet_week(data: Data) -> None:
    assert data.digests.figures(ACME, "acme", WEEK) == DigestFigures(
        *("acme", WEEK, 0, 0, 0, 0, 0, None, None, 0, {}, 0, 0, 0, 0),
        habits=[],
    )


def test_checks_of_the_week_and_of_the_week_before(data: Data) -> None:
    good = report({"Fine.": GOOD}, 0.9)
    check_at(data, MONDAY, user="U1")
    check_at(data, MONDAY + 7 * DAY - TICK, user="U2", report=good)
    check_at(data, MONDAY + 2 * DAY, user="U2", report=report({}, None))
    check_at(data, MONDAY - TICK, report=good)
    check_at(data, MONDAY - 7 * DAY, report=good)
    check_at(data, MONDAY - 7 * DAY - TICK)
    check_at(data, MONDAY + 7 * DAY)
    check_at(data, MONDAY, brand="beta")
    check_at(data, MONDAY, tenant=OTHER)
    figures = data.digests.figures(ACME, "acme", WEEK)
    assert (figures.checks, figures.checks_before, figures.writers) == (3, 2, 2)
    assert (figures.forward, figures.forward_before) == (1, 2)
    assert figures.mean_probability == pytest.approx((0.4 + 0.9) / 2)
    assert figures.mean_probability_before == pytest.approx(0.9)


def test_habits_broken_most_often(data: Data) -> None:
    flagged = [sentence("A; b.", BAD, "semicolon", "words"), sentence("C; d.", BAD, "semicolon")]
    names = [sentence(f"{name}.", BAD, name) for name in ("a", "b", "c", "d", "e")]
    check_at(data, MONDAY, report=report([*flagged, *names, sentence("Ok.", GOOD, "words")]))
    check_at(data, MONDAY - TICK, report=report([sentence("E.", BAD, "words")] * 3))
    check_at(data, MONDAY, brand="beta", report=report([sentence("E.", BAD, "words")] * 3))
    check_at(data, MONDAY, tenant=OTHER, report=report([sentence("E.", BAD, "words")] * 3))
    assert data.digests.figures(ACME, "acme", WEEK).habits == [
        *(("semicolon", 2), ("a", 1), ("b", 1), ("c", 1), ("d", 1)),
    ]


def test_reviews_are_counted_by_the_decision_that_counts(data: Data) -> None:
    def review(brand: str = "acme") -> str:
        return data.reviews.open_for(ACME, data.check(brand=brand), "U1")[0].id

    approved, contested, reopened, changed, before, waiting = (review() for _ in range(6))
    decide_at(data, approved, "approve", MONDAY)
    decide_at(data, contested, "reject", MONDAY)
    decide_at(data, contested, "approve", MONDAY + TICK)
    decide_at(data, reopened, "approve", MONDAY)
    decide_at(data, reopened, "reopen", MONDAY + DAY)
    decide_at(data, changed, "approve", MONDAY - TICK)
    decide_at(data, changed, "reopen", MONDAY)
    decide_at(data, changed, "changes", MONDAY + TICK)
    # Decided before the week: what was said in it counts for nothing.
    decide_at(data, before, "approve", MONDAY - TICK)
    decide_at(data, before, "reject", MONDAY)
    decide_at(data, review("beta"), "approve", MONDAY)
    figures = data.digests.figures(ACME, "acme", WEEK)
    assert figures.reviews_decided == {"approve": 1, "reject": 1, "changes": 1}
    assert figures.reviews_waiting == 2
    assert {each.id for each in data.reviews.waiting(ACME)} == {reopened, waiting}
    assert figures.reviews_opened == 0
    this_week = week_of(datetime.now(UTC))
    assert data.digests.figures(ACME, "acme", this_week).reviews_opened == 6
    data.privacy.forget_user(ACME, "U1")
    assert data.digests.figures(ACME, "acme", WEEK).reviews_waiting == 0


def test_labels_of_the_week_and_disputes_of_today(data: Data) -> None:
    def say(text: str, label: Any, author: str, time: datetime, brand: str = "acme") -> Label:
        return Label(text, brand, label, author=author, source="slack", time=time)

    data.labels.workspace("T1").add(
        [
            say("A", "on", "U1", MONDAY),
            say("A", "off", "U2", MONDAY + 7 * DAY - TICK),
            say("B", "off", "U1", MONDAY + DAY),
            say("C", "on", "U1", MONDAY - TICK),
            say("D", "on", "U1", MONDAY + 7 * DAY),
            say("E", "on", "U1", MONDAY, "beta"),
        ]
    )
    data.labels.workspace("T2").add([say("A", "on", "U1", MONDAY)])
    figures = data.digests.figures(ACME, "acme", WEEK)
    assert (figures.labels_on, figures.labels_off, figures.disputed) == (1, 2, 1)


@pytest.mark.parametrize(
    ("time", "week"),
    [
        (datetime(2026, 11, 22, 23, 59, tzinfo=UTC), "2026-W47"),
        (datetime(2026, 12, 31, tzinfo=UTC), "2026-W53"),
        (datetime(2027, 1, 3, 23, tzinfo=UTC), "2026-W53"),
        (datetime(2027, 1, 4, tzinfo=UTC), "2027-W01"),
        (datetime(2024, 12, 30, tzinfo=UTC), "2025-W01"),
        (datetime(2027, 1, 4, 1, tzinfo=timezone(timedelta(hours=2))), "2026-W53"),
    ],
)
def test_weeks_at_the_ends_of_years(time: datetime, week: str) -> None:
    assert week_of(time) == week
    period = period_of(week)
    assert period.start <= time < period.end
    assert period.end - period.start == 7 * DAY
    assert week_before(period.end) == week_before(period.end + 7 * DAY - TICK) == week


@pytest.mark.parametrize("week", ["", "2026", "2026-W54", "2025-W53", "2026-W0", "x-W1", "0-W1"])
def test_what_is_no_week(data: Data, week: str) -> None:
    with pytest.raises(OnbrandError, match=r'there is no week .*; write it like "2026-W47"'):
        data.digests.figures(ACME, "acme", week)


def test_a_check_that_is_made_again_counts_once(data: Data) -> None:
    broken = report([sentence("Bad; very.", BAD, "semicolon")])
    for _ in range(2):
        check_at(data, MONDAY, key="job/0", report=broken)
    week = data.digests.figures(ACME, "acme", WEEK)
    assert (week.checks, week.habits) == (1, [("semicolon", 1)])
