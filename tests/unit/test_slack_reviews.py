"""The review queue: who decided, what counts, and what is only remembered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from slack_data import ACME, OTHER, Data, report

from onbrand.errors import OnbrandError
from onbrand_slack.answer import Decision, Review, Status
from onbrand_slack.model import SendToReview, ToView
from onbrand_slack.store import schema
from onbrand_slack.store.reviews import OUTCOMES


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Data]:
    with Data.open(str(tmp_path / "slack.db")) as data:
        yield data


@pytest.fixture
def review(data: Data) -> Review:
    review, new = data.reviews.open_for(ACME, data.check(), "U1")
    assert new
    return review


def test_every_decision_has_an_outcome() -> None:
    assert set(OUTCOMES) == set(get_args(Decision))
    assert set(OUTCOMES.values()) == set(get_args(Status))


def test_a_check_is_reviewed_once(data: Data) -> None:
    check = data.check()
    review, new = data.reviews.open_for(ACME, check, "U1")
    assert new
    assert (review.brand, review.author, review.status, review.check) == (
        *("acme", "U1", "open"),
        check.id,
    )
    assert (review.probability, review.channel, review.history) == (0.4, None, ())
    assert data.reviews.open_for(ACME, check, "U2") == (review, False)
    assert data.reviews.by_check(ACME, check.id) == data.reviews.get(ACME, review.id) == review
    assert data.reviews.by_check(ACME, data.check().id) is None


def test_a_check_that_is_gone_is_not_reviewed(data: Data) -> None:
    check = data.check()
    data.privacy.forget_user(ACME, "U1")
    with pytest.raises(OnbrandError, match="no longer there; check the draft again"):
        data.reviews.open_for(ACME, check, "U1")
    assert data.rows(schema.reviews) == []


def test_where_a_review_stands_in_slack(data: Data, review: Review) -> None:
    data.reviews.posted(ACME, review.id, "C5", "18.02")
    posted = data.reviews.get(ACME, review.id)
    assert posted is not None
    assert (posted.channel, posted.ts) == ("C5", "18.02")


def test_a_review_is_posted_by_one_job_at_a_time(data: Data) -> None:
    review, _ = data.reviews.open_for(ACME, data.check(), "U1")
    for key in ("k1", "k2"):
        data.jobs.put(ACME, SendToReview("U1", "c0", ToView("V1", "U1")), key=key, lane="post")
    first, second = data.jobs.claim("w1", "post", 2)
    assert data.reviews.take(ACME, review.id, first.key)
    assert not data.reviews.take(ACME, review.id, second.key)
    assert data.reviews.take(ACME, review.id, first.key), "taken over by another replica"

    data.jobs.finish(first.id, "w1")
    assert data.reviews.take(ACME, review.id, second.key), "the first could not post it"
    data.reviews.posted(ACME, review.id, "C5", "18.02")
    assert not data.reviews.take(ACME, review.id, second.key)


def test_the_first_decision_counts_and_the_second_is_remembered(data: Data, review: Review) -> None:
    first, counts = data.reviews.decide(ACME, review.id, "U2", "reject", "Too stiff.", "k1")
    assert counts
    assert first.status == "rejected"
    second, counts = data.reviews.decide(ACME, review.id, "U3", "approve", "", "k2")
    assert not counts
    assert second.status == "rejected"
    assert [(each.user, each.decision, each.reason) for each in second.history] == [
        ("U2", "reject", "Too stiff."),
        ("U3", "approve", ""),
    ]
    assert data.reviews.get(ACME, review.id) == second


def test_a_reopened_review_is_decided_anew(data: Data, review: Review) -> None:
    steps: list[tuple[Decision, bool, Status]] = [
        ("reopen", False, "open"),
        ("changes", True, "changes"),
        ("reopen", True, "open"),
        ("reopen", False, "open"),
        ("approve", True, "approved"),
        ("changes", False, "approved"),
    ]
    for number, (decision, counting, status) in enumerate(steps):
        after, counts = data.reviews.decide(ACME, review.id, "U2", decision, "", f"k{number}")
        assert (counts, after.status, len(after.history)) == (counting, status, number + 1)


def test_a_delivery_that_comes_twice_is_answered_alike(data: Data, review: Review) -> None:
    one = data.reviews.decide(ACME, review.id, "U2", "approve", "Fine.", "k1")
    late = data.reviews.decide(ACME, review.id, "U3", "reject", "", "k2")
    assert data.reviews.decide(ACME, review.id, "U2", "approve", "Fine.", "k1") == (late[0], True)
    assert data.reviews.decide(ACME, review.id, "U3", "reject", "", "k2") == late
    assert one[1]
    assert not late[1]


def test_a_reason_that_no_database_keeps(data: Data, review: Review) -> None:
    after, _ = data.reviews.decide(ACME, review.id, "U2", "reject", "a\0b\ud800c", "k1")
    assert after.history[0].reason == "a\ufffdb\ufffdc"


def test_what_cannot_be_decided(data: Data, review: Review) -> None:
    with pytest.raises(OnbrandError, match=r"unknown decision 'maybe'; expected approve, reject"):
        data.reviews.decide(ACME, review.id, "U2", "maybe", "", "k1")  # type: ignore[arg-type]
    with pytest.raises(OnbrandError, match="this review is no longer there; check the draft again"):
        data.reviews.decide(ACME, "r0", "U2", "approve", "", "k1")
    assert data.rows(schema.decisions) == []


def test_what_waits_oldest_first(data: Data) -> None:
    checks = [data.check(brand=brand) for brand in ("acme", "beta", "acme", "gamma")]
    reviews = [data.reviews.open_for(ACME, check, "U1")[0] for check in checks]
    data.reviews.decide(ACME, reviews[0].id, "U2", "approve", "", "k1")
    assert data.reviews.waiting(ACME) == reviews[1:]
    assert data.reviews.waiting(ACME, brands=["acme", "gamma"]) == reviews[2:]
    assert data.reviews.waiting(ACME, brands=[]) == []
    assert data.reviews.waiting(ACME, limit=1) == [reviews[1]]
    assert data.reviews.waiting(OTHER) == []


def test_an_authors_reviews_newest_first(data: Data) -> None:
    reviews = [data.reviews.open_for(ACME, data.check(), "U1")[0] for _ in range(3)]
    data.reviews.open_for(ACME, data.check(), "U2")
    decided, _ = data.reviews.decide(ACME, reviews[1].id, "U2", "changes", "Shorter.", "k1")
    assert data.reviews.of_author(ACME, "U1") == [reviews[2], decided, reviews[0]]
    assert data.reviews.of_author(ACME, "U1", limit=1) == [reviews[2]]


def test_a_draft_that_was_not_judged_can_be_reviewed(data: Data) -> None:
    review, _ = data.reviews.open_for(ACME, data.check(report=report({}, None)), "U1")
    assert review.probability is None
