from __future__ import annotations

from dataclasses import replace

import pytest
from slack_golden import check_golden, nodes, said

from onbrand_slack.answer import DigestFigures
from onbrand_slack.render import digest

WEEK = DigestFigures(
    brand="acme",
    week="2026-W47",
    checks=64,
    checks_before=51,
    writers=9,
    forward=47,
    forward_before=33,
    mean_probability=0.78,
    mean_probability_before=0.784,
    reviews_opened=14,
    reviews_decided={"approve": 8, "changes": 3, "reject": 1},
    reviews_waiting=2,
    labels_on=21,
    labels_off=12,
    disputed=1,
    habits=[("words_per_sentence", 31), ("passive", 18), ("exclamation", 7), ("emoji", 1)],
)
FIRST = replace(
    WEEK,
    checks=1,
    checks_before=0,
    writers=1,
    forward=0,
    forward_before=0,
    mean_probability=None,
    mean_probability_before=None,
    reviews_opened=0,
    reviews_decided={},
    reviews_waiting=0,
    labels_on=0,
    labels_off=0,
    disputed=0,
    habits=[],
)
QUIET = replace(FIRST, checks=0, checks_before=3, writers=0, reviews_waiting=1)
WEEKS = {"week": WEEK, "first": FIRST, "quiet": QUIET}


@pytest.mark.parametrize("name", WEEKS)
def test_golden(name: str) -> None:
    check_golden(f"digest-{name}", digest.message(WEEKS[name]))


def test_figures_stand_beside_those_of_the_week_before() -> None:
    text = said(digest.message(WEEK))
    assert "9 people checked 64 drafts; 47 went forward at once." in text
    assert "64  ▲ from 51" in text
    assert "73%  ▲ from 65%" in text
    assert "0.78  = from 0.78" in text
    assert "long sentences (31), a passive (18), an exclamation mark (7)\n" in text + "\n"
    assert "▼ from 64" in said(digest.message(replace(WEEK, checks=51, checks_before=64)))


def test_a_quiet_week_is_short_and_still_says_what_waits() -> None:
    text = said(digest.message(QUIET))
    assert "no draft was checked; the week before there were 3" in text
    assert "1 draft waits for a decision" in text
    assert "%" not in text


def test_nobody_is_named() -> None:
    assert "<@" not in str(digest.message(WEEK))
    assert not [n for n in nodes(digest.message(WEEK)) if n.get("type") == "user"]


@pytest.mark.parametrize(
    ("week", "days"),
    [
        ("2026-W47", "16–22 November 2026"),
        ("2026-W05", "26 January–1 February 2026"),
        ("2026-W53", "28 December–3 January 2027"),
        ("last week", "last week"),
    ],
)
def test_a_week_is_said_in_days(week: str, days: str) -> None:
    title = digest.message(replace(WEEK, week=week))["blocks"][0]["text"]["text"]
    assert title == f"🗓️ acme, {days}"
