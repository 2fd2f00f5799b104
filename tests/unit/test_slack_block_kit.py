"""The gate itself: it takes what Slack takes and refuses what Slack refuses."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from block_kit import problems

TEXT = {"type": "mrkdwn", "text": "Hello"}
PLAIN = {"type": "plain_text", "text": "Hello"}
SECTION = {"type": "section", "text": TEXT}
BUTTON = {"type": "button", "text": PLAIN, "action_id": "go", "value": "1"}
SELECT = {"type": "external_select", "action_id": "brand", "min_query_length": 0}
CONFIRM = {"title": PLAIN, "text": PLAIN, "confirm": PLAIN, "deny": PLAIN}
INPUT = {"type": "plain_text_input", "action_id": "draft"}


def plain(length: int) -> dict[str, str]:
    return {"type": "plain_text", "text": "x" * length}


def actions(*elements: object) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def rich(*elements: object) -> dict[str, Any]:
    section = {"type": "rich_text_section", "elements": list(elements)}
    return {"type": "rich_text", "elements": [section]}


def select(**option: object) -> dict[str, Any]:
    choice = {"text": PLAIN, "value": "v"} | option
    return {"type": "static_select", "action_id": "a", "options": [choice]}


def table(rows: int, columns: int) -> dict[str, Any]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * columns] * rows}


GOOD = {
    "section": SECTION,
    "header": {"type": "header", "text": PLAIN},
    "divider": {"type": "divider"},
    "context": {"type": "context", "elements": [TEXT, PLAIN]},
    "buttons": actions(BUTTON, BUTTON | {"action_id": "stop", "confirm": CONFIRM}),
    "external select": actions(SELECT),
    "static select": actions(select()),
    "rich text": rich({"type": "text", "text": " "}, {"type": "user", "user_id": "U1"}),
    "table": table(10, 20),
    "markdown": {"type": "markdown", "text": "# Hello"},
}


@pytest.mark.parametrize("block", GOOD.values(), ids=GOOD.keys())
def test_good_blocks(block: dict[str, Any]) -> None:
    assert problems({"text": "Hello", "blocks": [block]}) == []


BAD = {
    "unknown block": {"type": "sektion", "text": TEXT},
    "unknown key": SECTION | {"colour": "red"},
    "section without text": {"type": "section"},
    "section of 3,001": {"type": "section", "text": plain(3001)},
    "field of 2,001": {"type": "section", "fields": [plain(2001)]},
    "eleven fields": {"type": "section", "fields": [PLAIN] * 11},
    "empty text": {"type": "section", "text": {"type": "mrkdwn", "text": ""}},
    "blank text": {"type": "section", "text": {"type": "plain_text", "text": " \n"}},
    "mrkdwn header": {"type": "header", "text": TEXT},
    "header of 151": {"type": "header", "text": plain(151)},
    "eleven in a context": {"type": "context", "elements": [TEXT] * 11},
    "no element in a context": {"type": "context", "elements": []},
    "no actions": actions(),
    "26 actions": actions(*(BUTTON | {"action_id": str(n)} for n in range(26))),
    "action_id twice": actions(BUTTON, BUTTON),
    "action_id of 256": actions(BUTTON | {"action_id": "x" * 256}),
    "block_id of 256": SECTION | {"block_id": "x" * 256},
    "button of 76": actions(BUTTON | {"text": plain(76)}),
    "mrkdwn button": actions(BUTTON | {"text": TEXT}),
    "button's value of 2,001": actions(BUTTON | {"value": "x" * 2001}),
    "button's style": actions(BUTTON | {"style": "secondary"}),
    "button's label of 76": actions(BUTTON | {"accessibility_label": "x" * 76}),
    "confirmation of 301": actions(BUTTON | {"confirm": CONFIRM | {"text": plain(301)}}),
    "confirmation's button of 31": actions(BUTTON | {"confirm": CONFIRM | {"deny": plain(31)}}),
    "option's value of 151": actions(select(value="x" * 151)),
    "option of 76": actions(select(text=plain(76))),
    "option's description of 76": actions(select(description=plain(76))),
    "select without options": actions({"type": "static_select", "action_id": "a", "options": []}),
    "slow external select": actions({"type": "external_select", "action_id": "a"}),
    "initial option of 151": actions(
        SELECT | {"initial_option": {"text": PLAIN, "value": "x" * 151}}
    ),
    "placeholder of 151": actions(SELECT | {"placeholder": plain(151)}),
    "unknown rich element": rich({"type": "shout", "text": "x"}),
    "empty rich text": rich({"type": "text", "text": ""}),
    "broadcast": rich({"type": "broadcast", "range": "channel"}),
    "broadcast in mrkdwn": {"type": "section", "text": {"type": "mrkdwn", "text": "<!here> Hi"}},
    "lone surrogate": rich({"type": "text", "text": "\ud800"}),
    "control character": rich({"type": "text", "text": "a\x00b"}),
    "right-to-left override": rich({"type": "text", "text": "a\u202eb"}),
    "table of 101 rows": table(101, 1),
    "table of 21 columns": table(1, 21),
    "markdown of 12,001": {"type": "markdown", "text": "x" * 12_001},
    "alert in a message": {"type": "alert", "text": PLAIN},
    "file of Slack's own": {"type": "file", "external_id": "x", "source": "remote"},
    "input without label": {"type": "input", "element": INPUT},
    "input of 3,001": {"type": "input", "label": PLAIN, "element": INPUT | {"max_length": 3001}},
}


@pytest.mark.parametrize("block", BAD.values(), ids=BAD.keys())
def test_bad_blocks(block: dict[str, Any]) -> None:
    assert problems({"text": "Hello", "blocks": [block]}) != []


MESSAGES = {
    "no text": {"blocks": [SECTION]},
    "blank text": {"text": " ", "blocks": [SECTION]},
    "text that pings": {"text": "<!everyone> Hi", "blocks": [SECTION]},
    "no blocks in the list": {"text": "x", "blocks": []},
    "blocks are none": {"text": "x", "blocks": None},
    "51 blocks": {"text": "x", "blocks": [SECTION] * 51},
    "block_id twice": {"text": "x", "blocks": [SECTION | {"block_id": "a"}] * 2},
    "two tables": {"text": "x", "blocks": [table(1, 1)] * 2},
    "13,001 characters": {"text": "x", "blocks": [{"type": "section", "text": plain(2650)}] * 5},
    "unknown key": {"text": "x", "blocks": [SECTION], "colour": "red"},
    "workflow step": {"type": "workflow_step", "blocks": [SECTION]},
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
def test_bad_messages(message: dict[str, Any]) -> None:
    assert problems(message) != []


def test_good_messages() -> None:
    assert problems({"text": "Hello"}) == []
    assert problems({"text": "Hello", "blocks": [SECTION] * 50, "thread_ts": "1.2"}) == []


MODAL = {"type": "modal", "callback_id": "c", "title": PLAIN, "close": PLAIN, "blocks": [SECTION]}
LABELLED = {"type": "input", "block_id": "draft", "label": PLAIN, "element": INPUT}
VIEWS = {
    "no title": {key: value for key, value in MODAL.items() if key != "title"},
    "title of 25": MODAL | {"title": plain(25)},
    "mrkdwn title": MODAL | {"title": TEXT},
    "submit of 25": MODAL | {"submit": plain(25)},
    "close of 25": MODAL | {"close": plain(25)},
    "metadata of 3,001": MODAL | {"private_metadata": "x" * 3001},
    "callback_id of 256": MODAL | {"callback_id": "x" * 256},
    "input without submit": MODAL | {"blocks": [LABELLED]},
    "101 blocks": MODAL | {"blocks": [SECTION] * 101},
    "no blocks": MODAL | {"blocks": []},
    "no list": {"type": "home"},
    "message's block": MODAL | {"blocks": [{"type": "markdown", "text": "x"}]},
    "text": MODAL | {"text": "Hello"},
    "home with a title": {"type": "home", "title": PLAIN, "blocks": [SECTION]},
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_bad_views(view: dict[str, Any]) -> None:
    assert problems(view) != []


def test_good_views() -> None:
    assert problems(MODAL | {"blocks": [SECTION] * 100}) == []
    assert problems(MODAL | {"blocks": [LABELLED], "submit": PLAIN}) == []
    assert problems(MODAL | {"blocks": [{"type": "alert", "text": PLAIN}]}) == []
    assert problems({"type": "home", "blocks": [SECTION]}) == []


def test_the_payload_is_left_alone() -> None:
    message = {"text": "Hello", "blocks": list(GOOD.values())}
    before = copy.deepcopy(message)
    problems(message)
    assert message == before
