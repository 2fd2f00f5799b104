"""Brands that are offered, chosen and given up."""

from __future__ import annotations

from typing import Any

import pytest
from slack_inbound import CHANNEL, USER, Inbound

from listener_samples import HERE, TICKET, body
from onbrand_slack.answer import WorkspaceSettings
from onbrand_slack.model import Configure, Sealed, ToConversation
from onbrand_slack.names import AVOIDED, NO_BRAND
from onbrand_slack.render import settings


def options(slack: Inbound, typed: str, action: str = "brand") -> list[str]:
    payload = {"type": "block_suggestion", "action_id": action, "block_id": "b", "value": typed}
    return [option["value"] for option in body(slack.interact(payload))["options"]]


def test_the_brands_that_begin_with_what_was_typed_come_first(slack: Inbound) -> None:
    slack.scoring.names = ("boldacre", "acre", "Acme", "zest")
    assert options(slack, "AC") == ["Acme", "acre", "boldacre"]
    assert options(slack, "") == ["Acme", "acre", "boldacre", "zest"]
    assert options(slack, "", "home_brand") == [NO_BRAND, "Acme", "acre", "boldacre", "zest"]
    assert options(slack, "ac", "home_brand") == ["Acme", "acre", "boldacre"]
    assert options(slack, "nothing") == []


def test_no_brand_is_the_last_choice_where_registers_judge(slack: Inbound) -> None:
    slack.scoring.avoided = "avoid: hype, corporate"
    assert options(slack, "") == ["acme", "bolt", AVOIDED]
    assert options(slack, "speak", "pick_brand") == [AVOIDED]
    assert options(slack, "ac") == ["acme"]
    # Channels and users who have no brand are judged so.
    assert options(slack, "", "channel_brand") == [NO_BRAND, "acme", "bolt"]
    slack.scoring.names = tuple(f"brand-{number:03}" for number in range(250))
    assert options(slack, "") == [*slack.scoring.names[:99], AVOIDED]


def test_no_more_than_a_hundred_brands_are_offered(slack: Inbound) -> None:
    slack.scoring.names = tuple(f"brand-{number:03}" for number in range(250))
    assert options(slack, "brand") == list(slack.scoring.names[:100])
    assert options(slack, "", "channel_brand") == [NO_BRAND, *slack.scoring.names[:99]]


def test_without_voices_no_brand_is_offered(slack: Inbound) -> None:
    slack.scoring.names = None
    assert options(slack, "", "pick_brand") == []


@pytest.mark.parametrize(
    ("place", "reply"),
    [
        ({}, HERE),
        ({"channel": {"id": "D1"}}, ToConversation("D1")),
    ],
)
def test_a_brand_is_picked_for_a_draft_that_waits(
    slack: Inbound, place: dict[str, Any], reply: Any
) -> None:
    option = {"selected_option": {"value": "bolt"}}
    slack.press_message("pick_brand", block_id=TICKET, action=option, **place)
    check = slack.job()
    assert (check.draft, check.brand, check.reply) == (Sealed(TICKET), "bolt", reply)


def test_an_own_brand_is_chosen(slack: Inbound) -> None:
    slack.press("home_brand", action={"selected_option": {"value": "bolt"}})
    assert slack.job() == Configure(USER, {"brand": "bolt"}, personal=True)


@pytest.mark.parametrize("action", ["home_brand", "channel_brand"])
def test_a_brand_that_was_chosen_can_be_given_up(slack: Inbound, action: str) -> None:
    assert options(slack, "", action)[0] == NO_BRAND
    none = {"selected_option": {"value": NO_BRAND}}
    if action == "home_brand":
        slack.press(action, action=none)
        assert slack.job().values == {"brand": None}
        return
    view = settings.workspace_modal(WorkspaceSettings(), CHANNEL, "acme")
    slack.submit(view, {action: none, "retention": {"selected_option": {"value": "0"}}})
    assert slack.job().values[action] is None
