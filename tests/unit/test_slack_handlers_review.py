"""Drafts are sent to review, and nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_world import (
    ELSEWHERE,
    HERE,
    OFF,
    ONLY,
    PRESSED,
    World,
    buttons,
    carried_out,
    checked,
    sent,
    shown,
    text_of,
    use_review_channel,
    world,
)

from onbrand_slack.answer import BrandSettings
from onbrand_slack.model import Reply, SendToReview, ToConversation, ToUser, ToView
from onbrand_slack.names import Action
from onbrand_slack.scoring import Scoring
from onbrand_slack.work.calls import RESPOND, UPLOAD


@pytest.fixture
def slack(tmp_path: Path, scoring: Scoring) -> Iterator[World]:
    with world(tmp_path, scoring) as made:
        use_review_channel(made)
        yield made


@pytest.fixture
def ticket(slack: World) -> str:
    return checked(slack)


def test_a_draft_is_posted_to_its_reviewers_whole_and_its_author_told(
    slack: World, ticket: str
) -> None:
    post, page, told = sent(slack, ticket)
    assert post.channel == "CREV"
    assert {Action.APPROVE, Action.REJECT, Action.LABEL_ON} <= buttons(shown(post)).keys()
    assert page.arguments["thread_ts"] == "1700000000.000900"
    assert OFF in text_of(page)
    assert (told.method, told.arguments["body"]["replace_original"]) == (RESPOND, True)
    assert "Sent to review" in text_of(told)
    assert Action.SEND_TO_REVIEW not in buttons(shown(told))
    (review,) = slack.store.reviews.waiting(HERE)
    assert (review.author, review.channel, review.ts) == ("UANN", "CREV", "1700000000.000900")


@pytest.mark.parametrize(
    ("reply", "method", "word"),
    [
        (ToUser("C1", "UANN"), "chat.postEphemeral", "CREV"),
        (ToConversation("D1"), "chat.postMessage", "CREV"),
        (ToView("V1", "UANN"), "views.update", "Sent to review"),
    ],
)
def test_the_author_is_told_where_they_asked(
    slack: World, ticket: str, reply: Reply, method: str, word: str
) -> None:
    *_, told = sent(slack, ticket, reply=reply)
    assert told.method == method
    assert word in text_of(told)


def test_a_long_draft_comes_as_a_file(slack: World) -> None:
    long = "\n\n".join(f"{OFF} Number {number}." for number in range(1000))
    _, file, _ = sent(slack, checked(slack, text=long))
    assert (file.method, file.channel) == (UPLOAD, "CREV")
    assert file.arguments["content"] == long
    assert file.arguments["filename"] == "draft.txt"


def test_a_draft_is_sent_once_however_often_it_is_pressed(slack: World, ticket: str) -> None:
    sent(slack, ticket)
    (told,) = sent(slack, ticket)
    assert told.method == RESPOND, "nothing is posted a second time"
    assert len(slack.store.reviews.waiting(HERE)) == 1


def test_where_it_cannot_be_posted_nothing_is_lost(slack: World, ticket: str) -> None:
    calls = slack.run(SendToReview("UANN", ticket, PRESSED))
    (told,) = carried_out(calls, refused=lambda way: way.channel == "CREV")
    assert "/invite @onbrand" in text_of(told)
    (review,) = slack.store.reviews.waiting(HERE)
    assert review.ts is None
    post, *_ = sent(slack, ticket)
    assert post.channel == "CREV"
    (review,) = slack.store.reviews.waiting(HERE)
    assert review.ts is not None


def test_a_job_that_was_taken_over_posts_what_may_be_there_already_with_a_mark(
    slack: World, ticket: str
) -> None:
    slack.run(SendToReview("UANN", ticket, PRESSED), key="k")
    (post,) = slack.run(SendToReview("UANN", ticket, PRESSED), key="k", again=True)
    assert "Again" in text_of(post)
    assert len(slack.store.reviews.waiting(HERE)) == 1


def test_a_brand_without_a_review_channel(slack: World, ticket: str) -> None:
    slack.store.settings.set_brand(HERE, BrandSettings(ONLY), "UBOSS")
    (call,) = sent(slack, ticket)
    assert "no review channel" in text_of(call)


def test_a_ticket_of_another_workspace_is_not_sent(slack: World, ticket: str) -> None:
    (call,) = slack.run(SendToReview("UEVE", ticket, PRESSED), tenant=ELSEWHERE)
    assert "no longer kept" in text_of(call)
    assert slack.store.reviews.waiting(ELSEWHERE) == []
