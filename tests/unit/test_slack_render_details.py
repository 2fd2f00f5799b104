from __future__ import annotations

import pytest
from slack_answers import FINE, IN_REVIEW, LONG, REVIEW, TICKET, answer

from onbrand_slack.model import SentenceRef
from onbrand_slack.names import Action
from onbrand_slack.render import details
from test_slack_render_answer import nodes, offered, said


def test_pages_are_in_reading_order_and_lead_to_each_other() -> None:
    first, second, last = (details.view(LONG, page) for page in (0, 1, 3))
    assert [b["value"] for b in nodes(first) if b.get("action_id") == Action.NEXT_PAGE] == ["1"]
    assert Action.PREVIOUS_PAGE not in offered(first)
    assert [b["value"] for b in nodes(second) if b.get("action_id") == Action.PREVIOUS_PAGE] == [
        "0"
    ]
    assert [b["value"] for b in nodes(second) if b.get("action_id") == Action.NEXT_PAGE] == ["2"]
    assert Action.NEXT_PAGE not in offered(last)
    numbers = [said(second).index(f"{n}") for n in (11, 13, 17)]
    assert numbers == sorted(numbers)
    assert "Page 2 of 4" in said(second)
    assert "31" in said(last)


def test_a_page_that_is_not_there_is_the_nearest() -> None:
    assert details.view(LONG, 99) == details.view(LONG, 3)
    assert details.view(LONG, -1) == details.view(LONG, 0)


def test_every_judged_sentence_can_be_labelled() -> None:
    refs = [
        SentenceRef.parse(node["value"]).index
        for node in nodes(details.view(REVIEW))
        if node.get("action_id") == Action.LABEL_OFF
    ]
    assert refs == [0, 1, 2]
    assert not {Action.LABEL_ON, Action.LABEL_OFF} & set(offered(details.view(IN_REVIEW)))


def test_all_habits_are_named() -> None:
    assert '"please"; acme rarely says it' in said(details.view(REVIEW))


def test_one_page_needs_no_paging() -> None:
    assert offered(details.view(answer(FINE))) == [Action.LABEL_OFF]


def test_an_empty_draft_has_a_page() -> None:
    assert "no sentence to judge" in said(details.view(answer(probability=None))).lower()


def test_metadata() -> None:
    metadata = details.view(LONG, 2)["private_metadata"]
    assert details.read_metadata(metadata) == (TICKET, 2)


@pytest.mark.parametrize("metadata", ["", "#1", "x#", "x", "x#-1", "x#1e9", "x#" + "9" * 7])
def test_bad_metadata(metadata: str) -> None:
    with pytest.raises(ValueError, match="not the metadata"):
        details.read_metadata(metadata)


def test_result_shares_to_a_channel_of_choice() -> None:
    view = details.result(REVIEW)
    assert view["private_metadata"] == TICKET
    (share,) = [node for node in nodes(view) if node.get("action_id") == Action.SHARE]
    assert share["type"] == "conversations_select"
