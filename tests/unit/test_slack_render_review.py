from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from block_kit import problems
from slack_answers import LONG, REVIEW, TICKET
from slack_golden import Json, check_golden, find, nodes, offered, said

from onbrand_slack.answer import Decided, Decision, Review
from onbrand_slack.names import Action
from onbrand_slack.render import review
from onbrand_slack.render.elements import ROOM, size
from onbrand_slack.render.review import Reason

NOW = datetime(2026, 11, 24, 9, 41, tzinfo=UTC)
OPEN = Review("r1", "acme", "U1", "open", 0.41, NOW, "c1", channel="C7", ts="1795512345.000100")


def decided(user: str, decision: Decision, minutes: int, reason: str = "") -> Decided:
    return Decided(user, decision, NOW + timedelta(minutes=minutes), reason)


FIRST = decided("U2", "reject", 5, "It says <!channel> *synergies*\ntwice.")
SECOND = decided("U3", "approve", 6)
REJECTED = replace(OPEN, status="rejected", history=(FIRST, SECOND))
REOPENED = replace(
    OPEN,
    history=(
        *(FIRST, SECOND, decided("U1", "reopen", 9)),
        decided("U4", "reopen", 9),
    ),
)
APPROVED = replace(
    OPEN, status="approved", history=(*REOPENED.history, decided("U3", "approve", 20))
)
MADE = {
    "post": review.post(OPEN, REVIEW),
    "rejected": review.update(REJECTED, REVIEW),
    "reopened": review.update(REOPENED, REVIEW),
    "approved-expired": review.update(APPROVED, None),
    "to-author": review.to_author(REJECTED, FIRST),
    "already": review.already(REJECTED),
    "reason-reject": review.reason_modal("r1", "reject"),
    "reason-changes": review.reason_modal("r1", "changes"),
}


@pytest.mark.parametrize("name", MADE)
def test_golden(name: str) -> None:
    check_golden(f"review-{name}", MADE[name])


def decisions(message: Json) -> list[str]:
    lines = [b["elements"][0]["text"] for b in message["blocks"] if b["type"] == "context"]
    return [line.split(" · ")[0] for line in lines if " it · <!date^" in line]


def test_an_open_review_can_be_decided_and_a_decided_one_reopened() -> None:
    decide = [Action.APPROVE, Action.ASK_FOR_CHANGES, Action.REJECT]
    assert offered(MADE["post"])[-4:] == [*decide, Action.DETAILS]
    assert {find(MADE["post"], action)["value"] for action in decide} == {"r1"}
    assert offered(MADE["rejected"]) == [Action.REOPEN, Action.DETAILS]
    assert find(MADE["rejected"], Action.DETAILS)["value"] == TICKET
    assert offered(MADE["approved-expired"]) == [Action.REOPEN]


def test_sentences_are_shown_while_there_is_something_to_decide() -> None:
    assert Action.LABEL_ON in offered(MADE["post"])
    assert Action.LABEL_ON in offered(MADE["reopened"])
    assert "synergies to empower" not in said(MADE["rejected"])


def test_the_first_decision_counts_and_later_ones_are_shown_as_opinions() -> None:
    assert decisions(MADE["approved-expired"]) == [
        "✖️ <@U2> rejected it",
        "💬 <@U3> would approve it",
        "🔁 <@U1> reopened it",
        "🔁 <@U4> would reopen it",
        "✅ <@U3> approved it",
    ]


def test_a_reason_is_shown_to_the_letter_and_pings_nobody() -> None:
    (quote,) = [n for n in nodes(MADE["approved-expired"]) if n.get("type") == "rich_text_quote"]
    assert quote["elements"] == [{"type": "text", "text": FIRST.reason}]
    assert FIRST.reason in str(MADE["to-author"]["blocks"][1]["elements"][0]["elements"][0]["text"])
    assert "<!channel>" not in MADE["to-author"]["text"]


def test_votes_name_nobody_in_the_channel() -> None:
    assert "1 says on-brand, 2 say off-brand; opinions differ" in said(MADE["post"])


@pytest.mark.parametrize("letter", ["x", "字", "🎉"])
def test_a_long_history_fits_and_says_what_it_leaves_out(letter: str) -> None:
    pairs = [
        (decided("U2", "changes", n, letter * 1000), decided("U1", "reopen", n)) for n in range(30)
    ]
    history = tuple(entry for pair in pairs for entry in pair)
    message = review.update(replace(OPEN, history=history), LONG)
    assert problems(message) == []
    assert "earlier decisions: see the audit" in said(message)
    assert decisions(message)[-1] == "🔁 <@U1> reopened it"
    assert offered(message)[-1] == Action.DETAILS


def test_few_reasons_are_whole() -> None:
    history = tuple(decided("U2", "changes", n, f"{n}" * 1000) for n in range(8))
    message = review.update(replace(OPEN, status="changes", history=history), REVIEW)
    quotes = [n for n in nodes(message) if n.get("type") == "rich_text_quote"]
    assert [len(q["elements"][0]["text"]) for q in quotes] == [1000] * 8
    assert problems(message) == []


def test_the_author_learns_who_and_where() -> None:
    message = review.to_author(REJECTED, FIRST)
    assert message["text"] == "✖️ <@U2> rejected your draft for *acme*."
    assert "<https://slack.com/archives/C7/p1795512345000100|The review>" in said(message)
    assert problems(review.to_author(replace(REJECTED, channel=None), SECOND)) == []


def test_who_comes_second_learns_who_was_first() -> None:
    assert review.already(REJECTED)["text"].startswith("✖️ <@U2> rejected it before you, <!date^")
    assert review.already(APPROVED)["text"].startswith("✅ <@U3> approved it before you")
    assert problems(review.already(OPEN)) == []


# --- the draft in the thread ------------------------------------------------------------------


def shown(pages: list[Json]) -> str:
    runs = [n["text"] for page in pages for n in nodes(page) if n.get("type") == "text"]
    return "".join(runs)


def test_a_short_draft_is_one_message_to_the_letter() -> None:
    (page,) = review.draft_pages(" *Hello* <!here> & `you`\n\n  • it ships\n")
    assert shown([page]) == "*Hello* <!here> & `you`\n\n  • it ships"
    assert problems(page) == []
    assert page["text"] == "The draft"


def test_a_long_draft_is_paged_between_words() -> None:
    draft = "\n\n".join(f"Paragraph {n}: " + "it ships on Tuesday. " * 40 for n in range(40))
    pages = review.draft_pages(draft)
    assert 2 < len(pages) <= review.MOST_PAGES
    assert shown(pages) == draft.strip()
    assert [problems(page) for page in pages] == [[]] * len(pages)
    assert pages[1]["text"] == f"The draft, page 2 of {len(pages)}"
    assert pages[1]["blocks"][1]["elements"][0]["elements"][0]["text"].startswith("Paragraph")


def test_pages_are_filled() -> None:
    pages = review.draft_pages("ships " * 5000)
    assert [size(page["blocks"]) > ROOM - 2000 for page in pages[:-1]] == [True] * (len(pages) - 1)


@pytest.mark.parametrize("draft", ["x" * 60_000, "🎉" * 5000, "it ships " * 9000])
def test_a_draft_of_more_than_five_pages_is_for_a_file(draft: str) -> None:
    assert review.draft_pages(draft) == []


def test_an_empty_draft_is_a_page() -> None:
    assert [problems(page) for page in review.draft_pages(" \n")] == [[]]


# --- why --------------------------------------------------------------------------------------


def submitted(view: Json, text: str | None) -> Json:
    return view | {"state": {"values": {"reason": {"reason": {"value": text}}}}}


def test_read_a_reason() -> None:
    view = review.reason_modal("r1", "changes")
    assert review.read_reason(submitted(view, " Shorter.\n")) == Reason("r1", "changes", "Shorter.")
    assert list(review.read_reason(submitted(view, "  ")).errors) == [Action.REASON]
    assert len(review.read_reason(submitted(view, "x" * 5000)).text) == review.LONGEST_REASON


@pytest.mark.parametrize("metadata", ["", "x", '{"review": "r1", "decision": "burn"}', None])
def test_a_reason_of_nothing_we_asked_for_decides_nothing(metadata: str | None) -> None:
    view = submitted({"private_metadata": metadata}, "No.")
    assert review.read_reason(view).decision is None
