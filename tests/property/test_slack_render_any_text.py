"""Whatever a draft holds, Slack takes the answer, and nothing in it pings, formats or hides."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from block_kit import problems
from hypothesis import given, settings
from hypothesis import strategies as st

from onbrand.document.positions import Span
from onbrand.results import Example, Explanation, Habit, Report, SentenceVerdict, Verdict, WordShare
from onbrand_slack.answer import Answer, Change, ThreadLine, Votes
from onbrand_slack.model import Source
from onbrand_slack.names import Action
from onbrand_slack.render import answer as render
from onbrand_slack.render import details, headline, thread
from onbrand_slack.render.report import markdown
from onbrand_slack.render.text import clean, clip, escape, length

TICKET = "c0123456789abcdef." + "k" * 43
HOSTILE = [
    *("<!channel>", "<@U1>", "<#C1>", "<https://x.y|z>", "@here", "*b*", "_i_", "~s~", "`c`"),
    *("&amp;", "]]>", '"', "\\", ":tada:"),
]
ODD = ["\ud800", "\u202e", "\0", "\r\n", "\u2028", "👩‍👩‍👧", "🇩🇪", "e\u0301", "שלום", "word "]
PIECE = st.sampled_from(HOSTILE + ODD) | st.characters(exclude_categories=())
TEXT = st.builds(
    lambda pieces, times: "".join(pieces) * times,
    st.lists(PIECE, max_size=8),
    st.sampled_from([1, 1, 1, 2, 50, 2000]),
)
ID = st.from_regex(r"\AU[A-Z0-9]{1,10}\Z")
PROBABILITY = st.floats(0, 1)
LINK = st.none() | st.just("https://x.slack.com/archives/C1/p1") | TEXT.map("https://".__add__)


@st.composite
def sentences(draw: st.DrawFn) -> SentenceVerdict:
    text = draw(TEXT)
    probability = draw(st.none() | PROBABILITY)
    words = [WordShare(Span(0, 1), word, draw(st.floats(-3, 3))) for word in text.split()[:20]]
    habit = st.builds(Habit, TEXT, TEXT, st.just(1.0), st.just((0.0, 1.0)))
    nearest = st.none() | st.builds(Example, TEXT, st.just(0.5), st.just("on"))
    why = Explanation(
        -1.0, 0.0, tuple(words), tuple(draw(st.lists(habit, max_size=3))), draw(nearest)
    )
    return SentenceVerdict(
        Span(0, len(text)),
        1,
        1,
        text,
        "acme",
        probability,
        flagged=probability is not None and draw(st.booleans()),
        threshold=0.3,
        not_judged=draw(st.none() | TEXT) if probability is None else None,
        explanation=draw(st.sampled_from([why, None])),
    )


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    verdict: Verdict = draw(st.sampled_from(["forward", "review", "not judged"]))
    probability = None if verdict == "not judged" else draw(PROBABILITY)
    made = draw(st.lists(sentences(), max_size=8))
    made = made * draw(st.sampled_from([1, 1, 1, 4]))
    warnings = tuple(draw(st.lists(TEXT, max_size=5)))
    report = Report(draw(TEXT), draw(TEXT), probability, verdict, 0.7, tuple(made), warnings)
    count = st.integers(0, 10**6)
    change = st.builds(
        Change, st.none() | PROBABILITY, st.just("review"), mended=count, still=count, new=count
    )
    people = st.lists(ID, max_size=5, unique=True).map(tuple)
    return Answer(
        TICKET,
        report,
        draw(ID),
        Source.COMMAND,
        title=draw(TEXT),
        link=draw(LINK),
        brand_reason=draw(TEXT),
        change=draw(st.none() | change),
        votes=draw(st.dictionaries(st.integers(0, 8), st.builds(Votes, people, people))),
        again=draw(st.booleans()),
        review_channel=draw(st.none() | st.just("C1")),
        review=draw(st.none() | st.sampled_from(["open", "approved", "rejected", "changes"])),
        can_label=draw(st.booleans()),
        can_recheck=draw(st.booleans()),
    )


def nodes(payload: object) -> Iterator[dict[str, Any]]:
    if isinstance(payload, dict):
        yield payload
        payload = list(payload.values())
    for value in payload if isinstance(payload, list) else ():
        yield from nodes(value)


def marks(payload: dict[str, Any]) -> Iterator[str]:
    """What is mark-up in a payload: everything in angle brackets where Slack reads mrkdwn."""
    texts = [node["text"] for node in nodes(payload) if node.get("type") == "mrkdwn"]
    texts += [payload["text"]] if "text" in payload else []
    for text in texts:
        yield from re.findall("<[^>]*>?|>", text)


@given(st.data())
@settings(max_examples=50)  # validation takes a while
def test_answers(data: st.DataObject) -> None:
    answer = data.draw(answers())
    for payload in (render.private(answer), render.short(answer), details.result(answer)):
        assert problems(payload) == []
        assert payload["blocks"][1 if answer.again else 0]["text"]["text"]
        actions = {node.get("action_id") for node in nodes(payload)}
        assert {Action.DETAILS, Action.SHARE, Action.REPORT} <= actions
        known = re.compile(r"<@U\w+>|<https://[^<>|]*\|The message>")
        assert all(known.fullmatch(mark) for mark in marks(payload))
        header = next(node for node in nodes(payload) if node.get("type") == "header")
        assert header["text"]["text"] == headline.title(answer.report)
    shared = render.shared(answer)
    assert problems(shared) == []
    assert all(mark.startswith("<https://") for mark in marks(shared))
    plain = render.plain(answer)
    assert problems(plain) == []
    assert list(marks(plain)) == []


@given(st.data(), st.integers(-2, 9))
@settings(max_examples=50)
def test_details(data: st.DataObject, page: int) -> None:
    answer = data.draw(answers())
    view = details.view(answer, page)
    assert problems(view) == []
    assert all(re.match("<@U|<https://", mark) for mark in marks(view))
    assert details.read_metadata(view["private_metadata"])[0] == TICKET


@given(st.data())
@settings(max_examples=50)
def test_quotes_are_the_sentences(data: st.DataObject) -> None:
    answer = data.draw(answers())
    message = render.private(answer)
    flagged = {clean(sentence.text) or "–" for sentence in answer.report.flagged}
    for node in nodes(message):
        if node.get("type") == "rich_text_quote":
            quoted = "".join(run["text"] for run in node["elements"])
            assert any(s == quoted or s.startswith(quoted[:-1].rstrip("…")) for s in flagged)


@given(st.data())
@settings(max_examples=50)
def test_report(data: st.DataObject) -> None:
    answer = data.draw(answers())
    name, text = markdown(answer)
    assert re.fullmatch(r"onbrand-[\w-]+\.md", name)
    assert len(name) < 80
    assert text.encode()
    heads = re.findall("^## (\\d+)", text, re.MULTILINE)
    assert heads == [str(n + 1) for n in range(len(answer.report.sentences))]


@given(
    st.lists(
        st.builds(
            ThreadLine,
            st.none() | ID,
            LINK,
            st.none() | PROBABILITY,
            st.sampled_from(["forward", "review", "not judged"]),
            st.integers(0, 99),
            st.integers(0, 99),
            st.none() | TEXT,
        ),
        max_size=20,
    ),
    TEXT,
)
def test_thread(lines: list[ThreadLine], brand: str) -> None:
    message = thread.summary(lines, brand, brand_reason=brand)
    assert problems(message) == []
    assert list(marks(message)) == []


@given(TEXT)
def test_notices(text: str) -> None:
    for payload in (render.notice(text), render.trouble(text), details.trouble(text)):
        assert problems(payload) == []
        assert list(marks(payload)) == []


@given(TEXT, st.integers(1, 50))
def test_clip(text: str, limit: int) -> None:
    clipped = clip(text, limit)
    assert length(clipped) <= limit
    assert clipped == text or (clipped.endswith("…") and text.startswith(clipped[:-1]))


@given(TEXT)
def test_escape(text: str) -> None:
    escaped = escape(text)
    assert not re.search("[<>\n\ud800-\udfff\u202e]", escaped)
    assert json.dumps(escaped).encode()
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        escaped = escaped.replace(entity, char)
    assert escaped == clean(text)
