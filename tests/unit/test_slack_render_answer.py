"""What an answer says and offers, and every message word for word.

`ONBRAND_UPDATE_GOLDEN=1 pytest tests/unit/test_slack_render_answer.py` writes the files anew; read
the difference before committing it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from block_kit import problems
from slack_answers import (
    FINE,
    FORWARD,
    IN_REVIEW,
    LEVERAGE,
    LONG,
    MEND,
    NOT_JUDGED,
    RECHECKED,
    REVIEW,
    THREAD,
    TICKET,
    answer,
    explained,
)

from onbrand.results import Report
from onbrand_slack.answer import Change, ThreadLine, Votes
from onbrand_slack.model import SentenceRef
from onbrand_slack.names import Action
from onbrand_slack.render import answer as render
from onbrand_slack.render import details, headline, thread
from onbrand_slack.render.elements import ROOM, size

GOLDEN = Path(__file__).parent.parent / "golden" / "slack"
Json = dict[str, Any]

MADE = {
    "private-review": render.private(REVIEW),
    "private-forward": render.private(FORWARD),
    "private-mend": render.private(MEND),
    "plain-mend": render.plain(MEND),
    "private-rechecked": render.private(RECHECKED),
    "private-not-judged": render.private(NOT_JUDGED),
    "private-in-review": render.private(IN_REVIEW),
    "private-long": render.private(LONG),
    "short": render.short(REVIEW),
    "plain": render.plain(REVIEW),
    "shared": render.shared(REVIEW),
    "pick-brand": render.pick_brand(TICKET, ("acme", "oatfolk")),
    "trouble": render.trouble("this file is encrypted; save it without a password & try again"),
    "thread": thread.summary(THREAD, "acme", brand_reason="this channel's brand"),
    "modal-result": details.result(REVIEW),
    "modal-details": details.view(REVIEW),
    "modal-waiting": details.waiting(),
    "modal-trouble": details.trouble("no voice for brand 'acme'"),
}


@pytest.mark.parametrize("name", MADE)
def test_golden(name: str) -> None:
    made = json.dumps(MADE[name], ensure_ascii=False, indent=1) + "\n"
    golden = GOLDEN / f"{name}.json"
    if os.environ.get("ONBRAND_UPDATE_GOLDEN"):
        golden.write_text(made, encoding="utf-8")
    assert made == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MADE)
def test_slack_would_take_it(name: str) -> None:
    assert problems(MADE[name]) == []


def nodes(payload: object) -> Iterator[Json]:
    if isinstance(payload, dict):
        yield payload
        payload = list(payload.values())
    for value in payload if isinstance(payload, list) else ():
        yield from nodes(value)


def offered(payload: Json) -> list[str]:
    return [str(node["action_id"]) for node in nodes(payload) if "action_id" in node]


def said(payload: Json) -> str:
    return "\n".join(str(node["text"]) for node in nodes(payload["blocks"]) if "text" in node)


def quotes(payload: Json) -> list[str]:
    found = [node for node in nodes(payload) if node.get("type") == "rich_text_quote"]
    return ["".join(run["text"] for run in quote["elements"]) for quote in found]


def test_the_worst_sentence_is_first_and_its_words_are_bold() -> None:
    message = render.private(REVIEW)
    assert quotes(message) == [
        "<!channel> *We* are truly humbled by `it`.",
        "We leverage synergies to empower our stakeholders.",
    ]
    bold = [n["text"] for n in nodes(message["blocks"]) if n.get("style") == {"bold": True}]
    assert bold == ["P 0.41", "truly", "humbled", "leverage", "empower"]


def test_labels_refer_to_the_sentence_and_show_votes() -> None:
    buttons = [n for n in nodes(render.private(REVIEW)) if n.get("action_id") == Action.LABEL_OFF]
    assert [SentenceRef.parse(b["value"]).index for b in buttons] == [2, 1]
    assert [b["text"]["text"] for b in buttons] == ["Off-brand", "✓ Off-brand (2)"]
    text = said(render.private(REVIEW))
    assert "<@U2> says on-brand, <@U1> and <@U3> say off-brand; opinions differ" in text


def test_four_votes_name_three_people() -> None:
    voted = replace(REVIEW, votes={1: Votes(on=("U2", "U3", "U4", "U5"))})
    assert "<@U2>, <@U3>, <@U4> and 1 more say on-brand" in said(render.private(voted))


def test_review_is_offered_below_the_gate_until_it_is_sent() -> None:
    assert Action.SEND_TO_REVIEW in offered(render.private(REVIEW))
    assert Action.SEND_TO_REVIEW not in offered(render.private(replace(REVIEW, review="open")))
    assert Action.SEND_TO_REVIEW not in offered(
        render.private(replace(REVIEW, review_channel=None))
    )
    assert Action.SEND_TO_REVIEW not in offered(
        render.private(replace(FORWARD, review_channel="C7"))
    )
    assert "A reviewer asks for changes" in said(render.private(IN_REVIEW))


def test_what_may_not_be_done_is_not_offered() -> None:
    assert set(offered(render.private(IN_REVIEW))) == {
        *(Action.DETAILS, Action.SHARE, Action.REPORT),
    }


def test_a_draft_without_findings_is_short() -> None:
    message = render.private(FORWARD)
    assert [block["type"] for block in message["blocks"]] == [
        *("header", "rich_text", "context", "actions"),
    ]
    assert "Nothing to mend" in said(message)


def test_a_draft_below_the_gate_without_findings_is_explained() -> None:
    assert "none stands out" in said(render.private(answer(FINE)))


def test_shared_names_who_shared_and_nobody_who_voted() -> None:
    message = render.shared(REVIEW)
    assert [n["user_id"] for n in nodes(message) if n.get("type") == "user"] == ["U1"]
    assert "1 says on-brand, 2 say off-brand; opinions differ" in said(message)
    assert "<@" not in said(message)
    assert "✓" not in said(message)
    private_only = {Action.SHARE, Action.SEND_TO_REVIEW, Action.RECHECK, Action.REPORT}
    assert not private_only & set(offered(message))
    assert offered(message)[-1] == Action.DETAILS


def test_shared_shows_three_sentences_and_counts_the_rest() -> None:
    assert len(quotes(render.shared(LONG))) == 3
    assert "13 more off-brand sentences in Details" in said(render.shared(LONG))
    assert len(quotes(render.private(LONG))) == 5


def test_long_sentences_are_clipped_until_the_message_fits() -> None:
    huge = explained("synergy " * 2000, 0.01, "synergy")
    message = render.private(answer(*[huge] * 9))
    assert 5000 < size(message["blocks"]) <= ROOM
    assert len(quotes(message)) == 5
    wide = explained("💥" * 5000, 0.01, "💥")
    message = render.private(answer(*[wide] * 9))
    assert size(message["blocks"]) <= ROOM
    assert quotes(message)
    assert message["blocks"][-1] == render.buttons(answer(wide))


def test_plain_and_fallback_hold_no_mark_up() -> None:
    text = render.plain(REVIEW)["text"]
    assert "<" not in text
    assert "&lt;!channel&gt; *We* are truly humbled" in text
    assert render.private(RECHECKED)["text"].startswith("Again: Forward: ")


def changed(before: float | None, verdict: str, now: float | None) -> str:
    change = Change(before=before, verdict=verdict, mended=1, still=0, new=2)
    return " ".join(headline.changed(answer(LEVERAGE, probability=now).report, change))


def test_change() -> None:
    assert changed(0.41, "review", 0.70) == (
        "▲ +0.29 since the last version: 1 mended, 2 new; now past the gate."
    )
    assert changed(0.9, "forward", 0.41) == "▼ −0.49 since the last version: 1 mended, 2 new."
    assert changed(0.412, "review", 0.413).startswith("= ±0.00 ")
    assert changed(None, "not judged", 0.413) == "Since the last version: 1 mended, 2 new."


def test_meter_passes_the_mark_only_where_p_passes_the_gate() -> None:
    assert headline.meter(0.41, 0.7) == "▰" * 8 + "▱" * 6 + "┃" + "▱" * 6
    assert headline.meter(0.72, 0.73) == "▰" * 14 + "▱" + "┃" + "▱" * 5
    assert headline.meter(0.729, 0.71) == "▰" * 14 + "┃" + "▱" * 6
    assert headline.meter(1, 1) == "▰" * 20 + "┃"
    assert headline.meter(0, 0.01) == "┃" + "▱" * 20


def test_thread_shows_fifteen_messages_first_those_that_need_a_look() -> None:
    fine = ThreadLine("U1", None, 0.9, "forward", 0, 2, None)
    poor = ThreadLine("U9", None, 0.1, "review", 1, 2, "Synergy.")
    message = thread.summary([fine] * 26 + [poor], "acme")
    people = [n["user_id"] for n in nodes(message) if n.get("type") == "user"]
    assert people == ["U1"] * 14 + ["U9"]
    assert "And 12 more." in said(message)
    assert "26 good to go, 1 for human review" in said(message)
    assert problems(thread.summary([], "acme")) == []


def test_thread_of_wide_letters_fits() -> None:
    wide = ThreadLine("U1", "https://x.slack.com/" + "p" * 400, 0.1, "review", 1, 2, "💥" * 500)
    assert problems(thread.summary([wide] * 40, "💥" * 100)) == []


def test_warnings_are_shown() -> None:
    report: Report = replace(REVIEW.report, warnings=("1 sentence was cut", "b", "c", "d"))
    text = said(render.private(replace(REVIEW, report=report)))
    assert "⚠️ 1 sentence was cut." in text
