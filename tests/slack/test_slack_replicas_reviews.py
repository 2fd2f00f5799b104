"""Reviewers who press at the same moment, each at another replica."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from slack_fleet import DATABASES, Fleet, answers
from slack_golden import find
from slack_talk import FLAGGED
from slack_web_api import TEAM, Payload

from onbrand_slack.answer import BrandSettings
from onbrand_slack.model import Tenant
from onbrand_slack.store import Store

REVIEWS = "C0REVIEWS"
ROUNDS = 2
WHY = {"reason": {"reason": {"value": "It is not us."}}}


@dataclass(frozen=True)
class Review:
    """A draft that waits, and the people about it."""

    id: str
    message: Payload
    author: str
    first: str
    second: str


def in_review(fleet: Fleet, number: int) -> Review:
    """Check a draft and send it to review."""
    peer, sender, author = fleet.peer, fleet.senders[0], f"U1AUTHOR{number}"
    before = len(peer.of("response_url"))
    sender.command(f"oatfolk {FLAGGED} Number {number} of the drafts.", user=author)
    answer = peer.wait_for("response_url", count=before + 1)[-1].arguments
    before = len(answers(peer, REVIEWS))
    sender.press("send_to_review", find(answer, "send_to_review")["value"], user=author)
    peer.wait(lambda peer: len(answers(peer, REVIEWS)) > before, what="the review")
    fleet.settle()
    posted = next(c for c in answers(peer, REVIEWS)[before:] if "thread_ts" not in c.arguments)
    message = {**posted.arguments, "ts": posted.answer["ts"]}
    waiting = str(find(message, "approve")["value"])
    return Review(waiting, message, author, f"U1FIRST{number}", f"U1SECOND{number}")


def decide_at_once(fleet: Fleet, review: Review) -> None:
    """Let one approve, and another who has written the reason reject, at the same moment."""
    one, other = fleet.senders
    press = {"channel": REVIEWS, "message": review.message}
    before = len(fleet.peer.of("views.open"))
    other.press("reject", review.id, user=review.second, **press)
    opened = fleet.peer.wait_for("views.open", count=before + 1)[-1]
    modal = fleet.peer.views[opened.answer["view"]["id"]]
    at_once = threading.Barrier(2)

    def approve() -> None:
        at_once.wait()
        one.press("approve", review.id, user=review.first, **press)

    def reject() -> None:
        at_once.wait()
        other.submit(modal, WHY, user=review.second)

    with ThreadPoolExecutor(2) as pool:
        for done in (pool.submit(approve), pool.submit(reject)):
            done.result()
    fleet.settle()


@pytest.mark.parametrize("fleet", DATABASES, indirect=True)
def test_of_two_reviewers_at_once_one_decides_and_the_word_of_both_is_kept(fleet: Fleet) -> None:
    fleet.start(2)
    with Store.open(fleet.database) as store:
        store.settings.set_brand(Tenant(TEAM), BrandSettings("oatfolk", REVIEWS), by="U1")
    peer = fleet.peer
    for number in range(ROUNDS):
        review = in_review(fleet, number)
        decide_at_once(fleet, review)
        both = (review.first, review.second)

        decisions = fleet.rows("decisions", "review", "user", "decision")
        kept = [words for waiting, *words in decisions if waiting == review.id]
        assert sorted(kept) == [[review.first, "approve"], [review.second, "reject"]]
        status = dict(fleet.rows("reviews", "id", "status"))[review.id]
        winner, loser = both if status == "approved" else both[::-1]

        [told] = answers(peer, review.author)
        assert f"<@{winner}>" in told.body
        late = [
            call
            for call in peer.of("response_url", "chat.postMessage")
            if "before you" in call.body and f"<@{winner}>" in call.body
        ]
        assert len(late) == 1
        updates = [c for c in peer.of("chat.update") if c.arguments["ts"] == review.message["ts"]]
        assert winner in updates[-1].body
        assert loser in updates[-1].body
