"""Drafts in review are decided on, and nothing that anybody said is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from slack_world import (
    ELSEWHERE,
    HERE,
    HOOK,
    ONLY,
    World,
    buttons,
    checked,
    refusal,
    sent,
    shown,
    text_of,
    use_review_channel,
    world,
)

from onbrand_slack.answer import BrandSettings, Review
from onbrand_slack.handlers.answers import answer_of
from onbrand_slack.listeners.actions import ticket_on
from onbrand_slack.model import Decide, Label, SentenceRef, ToUser
from onbrand_slack.names import Action
from onbrand_slack.render import review as review_messages
from onbrand_slack.scoring import Scoring
from onbrand_slack.store.checks import OpenCheck
from onbrand_slack.work.calls import RESPOND, Call

AT_REVIEW = ToUser("CREV", "UBEN", response_url=HOOK)


@pytest.fixture
def slack(tmp_path: Path, scoring: Scoring) -> Iterator[World]:
    with world(tmp_path, scoring) as made:
        use_review_channel(made)
        yield made


@pytest.fixture
def ticket(slack: World) -> str:
    return checked(slack)


@pytest.fixture
def review(slack: World, ticket: str) -> Review:
    sent(slack, ticket)
    (found,) = slack.store.reviews.waiting(HERE)
    return found


def decide(
    slack: World, review: Review, decision: str, user: str = "UBEN", **more: object
) -> list[Call]:
    reply = ToUser("CREV", user, response_url=HOOK)
    asked = {name: more.pop(name) for name in ("reason", "ticket") if name in more}
    return slack.run(Decide(user, review.id, decision, reply=reply, **asked), **more)


def status(slack: World, review: Review) -> str:
    found = slack.store.reviews.get(HERE, review.id)
    assert found is not None
    return found.status


def opened(slack: World, ticket: str) -> OpenCheck:
    check = slack.store.checks.open(HERE, ticket)
    assert check is not None
    return check


@pytest.mark.parametrize(
    ("decision", "stands", "told"),
    [
        ("approve", "approved", "approved your draft"),
        ("reject", "rejected", "rejected your draft"),
        ("changes", "changes", "asks for changes"),
    ],
)
def test_a_decision_is_kept_shown_and_told(
    slack: World, review: Review, decision: str, stands: str, told: str
) -> None:
    update, message = decide(slack, review, decision, reason="Too <!channel> stiff.")
    assert status(slack, review) == stands
    assert (update.method, update.channel) == ("chat.update", "CREV")
    assert update.arguments["ts"] == review.ts
    assert Action.REOPEN in buttons(shown(update))
    assert message.channel == "UANN"
    assert told in text_of(message)
    assert "stiff" in text_of(message)


def test_the_second_of_two_reviewers_is_told_and_kept(slack: World, review: Review) -> None:
    decide(slack, review, "approve")
    update, told = decide(slack, review, "reject", user="UCLEO", reason="No.")
    assert status(slack, review) == "approved"
    assert "would reject it" in text_of(update)
    assert told.method == RESPOND
    assert told.arguments["body"]["replace_original"] is False
    assert "<@UBEN> approved it before you" in text_of(told)
    assert "Your word is kept" in text_of(told)
    found = slack.store.reviews.get(HERE, review.id)
    assert found is not None
    assert [word.user for word in found.history] == ["UBEN", "UCLEO"]


def test_a_word_that_came_while_another_was_on_its_way_is_shown_at_last(
    slack: World, review: Review
) -> None:
    late, _ = decide(slack, review, "approve")
    decide(slack, review, "reject", user="UCLEO", reason="No.")
    assert late.then is not None
    (update,) = late.then({"ok": True}) or ()
    assert "would reject it" in text_of(update)
    assert update.then is not None
    assert update.then({"ok": True}) == ()


def test_a_decision_out_of_a_modal_is_answered_in_direct_messages(
    slack: World, review: Review
) -> None:
    decide(slack, review, "approve")
    _, told = slack.run(Decide("UCLEO", review.id, "reject", "No."))
    assert (told.method, told.channel) == ("chat.postMessage", "UCLEO")


def test_a_decision_that_is_run_twice_is_one(slack: World, review: Review) -> None:
    decide(slack, review, "reject", reason="No.", key="k")
    update, message = decide(slack, review, "reject", reason="No.", key="k", again=True)
    found = slack.store.reviews.get(HERE, review.id)
    assert found is not None
    assert len(found.history) == 1
    assert message.channel == "UANN"
    assert "Again" in text_of(message)
    assert "Again" not in text_of(update), "which looks the same twice"


def test_a_review_can_be_taken_up_again(slack: World, review: Review) -> None:
    decide(slack, review, "approve")
    _, message = decide(slack, review, "reopen")
    assert status(slack, review) == "open"
    assert "reopened" in text_of(message)
    decide(slack, review, "reject", reason="No.")
    assert status(slack, review) == "rejected"


def test_the_review_keeps_its_details_where_its_ticket_is_at_hand(
    slack: World, review: Review, ticket: str
) -> None:
    other = checked(slack, text="Quite another draft about synergies and leverage.")
    for given, details in ((None, None), (other, None), (ticket, ticket)):
        update, *_ = decide(slack, review, "approve", ticket=given)
        assert buttons(shown(update)).get(Action.DETAILS) == details


def test_a_review_has_its_details_whatever_is_pressed_on_it(
    slack: World, review: Review, ticket: str
) -> None:
    """Each press knows the ticket from the message, as the press before has left it."""
    answer = answer_of(slack.services, HERE, opened(slack, ticket), "UANN")
    message: dict[str, object] = dict(review_messages.post(review, answer))
    for step in ("label", "reject", "reopen", "label", "changes", "approve", "reopen", "approve"):
        on_it = ticket_on(SimpleNamespace(payload=SimpleNamespace(raw={"message": message})))
        assert on_it == ticket, f"before {step}"
        if step == "label":
            press = Label("UBEN", str(SentenceRef(ticket, 0)), "off", AT_REVIEW, message=review.ts)
            (update,) = slack.run(press)
        elif step in ("reject", "changes"):  # by way of the modal that asks why
            update, *_ = slack.run(Decide("UBEN", review.id, step, "Stiff.", ticket=on_it))
        else:
            update, *_ = decide(slack, review, step, ticket=on_it)
        assert update.method == "chat.update"
        message = shown(update) or {}
    assert buttons(message)[Action.DETAILS] == ticket


def test_only_reviewers_decide(slack: World, review: Review) -> None:
    settings = BrandSettings(ONLY, review_channel="CREV", reviewers=("UCLEO",))
    slack.store.settings.set_brand(HERE, settings, "UBOSS")
    (call,) = decide(slack, review, "approve")
    assert "UCLEO" in text_of(call)
    assert status(slack, review) == "open"
    decide(slack, review, "approve", user="UCLEO")
    assert status(slack, review) == "approved"


def test_nobody_decides_on_a_draft_of_their_own_unless_the_brand_allows_it(
    slack: World, review: Review
) -> None:
    (call,) = decide(slack, review, "approve", user="UANN")
    assert "somebody else has to decide" in text_of(call)
    assert status(slack, review) == "open"
    settings = BrandSettings(ONLY, review_channel="CREV", own_drafts=True)
    slack.store.settings.set_brand(HERE, settings, "UBOSS")
    (update,) = decide(slack, review, "approve", user="UANN")
    assert update.method == "chat.update", "and nobody is told what they did themselves"
    assert status(slack, review) == "approved"


def test_nobody_of_another_company_decides(slack: World, review: Review) -> None:
    slack.slack.users["UEVE"] = {"team_id": "T9"}
    (call,) = decide(slack, review, "approve", user="UEVE")
    assert "Only members of the workspace" in text_of(call)
    slack.slack.answers["users_info"] = refusal("user_not_found")
    (call,) = decide(slack, review, "approve", user="UFAY")
    assert "does not say who you are" in text_of(call)
    assert status(slack, review) == "open"


def test_a_review_of_another_workspace_is_not_there(slack: World, review: Review) -> None:
    (call,) = decide(slack, review, "approve", tenant=ELSEWHERE)
    assert "no longer there" in text_of(call)
    (call,) = decide(slack, review, "explode")
    assert "nothing else" in text_of(call)
    assert status(slack, review) == "open"
    assert slack.store.reviews.get(ELSEWHERE, review.id) is None
