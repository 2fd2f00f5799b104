"""Reviewers press at once, on two replicas: each word is kept once, and one of them counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from slack_data import ACME, Data

from onbrand_slack.answer import Decision, Review

REVIEWERS = 6
ROUNDS = 8


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.heavy("postgres"))])
def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Data]]:
    location = str(tmp_path / "slack.db")
    if request.param == "postgres":
        location = request.getfixturevalue("postgres_url")
    with ExitStack() as stack:
        yield [stack.enter_context(Data.open(location)) for _ in range(2)]


def press(
    replicas: list[Data], review: Review, words: dict[str, Decision]
) -> dict[str, tuple[Review, bool]]:
    """Let each word be said at the same time, on both replicas: Slack delivers again elsewhere."""
    start = threading.Barrier(2 * len(words))

    def say(key: str, replica: Data) -> tuple[Review, bool]:
        start.wait()
        return replica.reviews.decide(ACME, review.id, f"U-{key}", words[key], "", key)

    with ThreadPoolExecutor(2 * len(words)) as pool:
        said = {key: [pool.submit(say, key, each) for each in replicas] for key in words}
        answers = {key: [future.result() for future in both] for key, both in said.items()}
    for first, second in answers.values():
        assert first[1] == second[1]
    return {key: both[0] for key, both in answers.items()}


def test_two_reviewers_at_once_lose_nothing(replicas: list[Data]) -> None:
    decisions: list[Decision] = ["approve", "reject", "changes"]
    for _ in range(ROUNDS):
        review, _ = replicas[0].reviews.open_for(ACME, replicas[0].check(), "U1")
        words = {f"{review.id}-{n}": decisions[n % 3] for n in range(REVIEWERS)}
        answers = press(replicas, review, words)
        after = replicas[1].reviews.get(ACME, review.id)
        assert after is not None
        assert sorted(word.user for word in after.history) == sorted(f"U-{key}" for key in words)
        (winner,) = [key for key, (_, counts) in answers.items() if counts]
        assert after.history[0].user == f"U-{winner}"
        assert after.status == answers[winner][0].status != "open"

        # Opening it again while others go on deciding: what counted follows from the order.
        again = {f"{key}-again": decision for key, decision in words.items()}
        again[f"{review.id}-reopen"] = "reopen"
        answers = press(replicas, review, again)
        after = replicas[1].reviews.get(ACME, review.id)
        assert after is not None
        order = [word.user.removeprefix("U-") for word in after.history[REVIEWERS:]]
        assert sorted(order) == sorted(again)
        reopened = order.index(f"{review.id}-reopen")
        assert [key for key in order if answers[key][1]] == order[reopened : reopened + 2]
        assert (after.status == "open") == (reopened == len(order) - 1)


def test_a_draft_is_sent_to_review_by_several_at_once(replicas: list[Data]) -> None:
    check = replicas[0].check()
    start = threading.Barrier(REVIEWERS)

    def send(number: int) -> tuple[Review, bool]:
        start.wait()
        return replicas[number % 2].reviews.open_for(ACME, check, f"U{number}")

    with ThreadPoolExecutor(REVIEWERS) as pool:
        sent = list(pool.map(send, range(REVIEWERS)))
    assert [new for _, new in sent].count(True) == 1
    assert len({review.id for review, _ in sent}) == 1
    assert len(replicas[1].reviews.waiting(ACME)) == 1
