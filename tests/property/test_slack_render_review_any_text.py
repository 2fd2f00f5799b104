"""Whatever drafts and reasons hold, Slack takes the messages of a review, and nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from block_kit import problems
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_answers import LONG, NOT_JUDGED, REVIEW
from slack_golden import nodes, offered

from onbrand_slack.answer import Decided, Review
from onbrand_slack.names import Action
from onbrand_slack.render import review
from onbrand_slack.render.inputs import Remembered
from onbrand_slack.render.text import clean

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HOSTILE = ["<!channel>", "<@U1>", "*b*", "`c`", "&amp;", "</blockquote>", "\\", "@here"]
ODD = ["\ud800", "\u202e", "\0", "\r\n", "\n\n", "👩‍👩‍👧", "e\u0301", "𝔄", "word ", " "]
PIECE = st.sampled_from(HOSTILE + ODD) | st.characters(exclude_categories=())
TEXT = st.builds(
    lambda pieces, times: "".join(pieces) * times,
    st.lists(PIECE, max_size=8),
    st.sampled_from([1, 1, 2, 50, 1000]),
)
PERSON = st.sampled_from(["U1", "U2", "W9", "deleted", "", "<!here>"])
DECISION = st.sampled_from(["approve", "reject", "changes", "reopen"])
TIME = st.integers(0, 10**6).map(lambda minutes: NOW + timedelta(minutes=minutes))
DECIDED = st.builds(Decided, PERSON, DECISION, TIME, TEXT)
REVIEWS = st.builds(
    Review,
    id=st.just("r1"),
    brand=st.from_regex(r"\A\w{1,64}\Z"),
    author=PERSON,
    status=st.sampled_from(["open", "approved", "rejected", "changes"]),
    probability=st.none() | st.floats(0, 1),
    opened=TIME,
    check=st.just("c1"),
    channel=st.sampled_from([None, "C1", "D1", "<!here>"]),
    ts=st.sampled_from([None, "1795512345.000100", "x"]),
    history=st.lists(DECIDED, max_size=12).map(tuple),
)


@settings(max_examples=30, deadline=None)
@given(REVIEWS, st.sampled_from([REVIEW, LONG, NOT_JUDGED, None]))
def test_slack_takes_every_review(made: Review, answer: object) -> None:
    message = review.update(made, answer)
    assert problems(message) == []
    decides = Action.APPROVE if made.status == "open" else Action.REOPEN
    assert decides in offered(message)


@settings(max_examples=25, deadline=None)
@given(REVIEWS, DECIDED)
def test_slack_takes_what_people_are_told(made: Review, decided: Decided) -> None:
    assert problems(review.to_author(made, decided)) == []
    assert problems(review.already(made)) == []


@settings(max_examples=40, deadline=None)
@given(TEXT)
def test_a_draft_in_the_thread_is_whole(text: str) -> None:
    pages = review.draft_pages(text)
    assert len(pages) <= review.MOST_PAGES
    assert [problems(page) for page in pages] == [[]] * len(pages)
    runs = [n["text"] for page in pages for n in nodes(page) if n.get("type") == "text"]
    if pages:
        assert "".join(runs) == (clean(text, lines=True).strip() or "–")
    else:
        assert len(text) > 5000


KEY = st.sampled_from(["private_metadata", "state", "values", "reason", "value"])
VIEW = st.recursive(st.none() | TEXT | st.integers(), lambda x: st.dictionaries(KEY, x))


@settings(max_examples=50, deadline=None)
@given(VIEW)
def test_no_view_is_taken_for_a_decision(view: object) -> None:
    assert review.read_reason(view).decision is None
    assert Remembered.of(view) == Remembered()
