"""Every way to use a ticket, for somebody who should not have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slack_sender import Acknowledged
from slack_team import Member


def _pressed(action: str, **more: Any) -> Callable[[Member, str], Acknowledged]:
    def press(eve: Member, ticket: str) -> Acknowledged:
        value = f"{ticket}#0" if action.startswith("label") else ticket
        return eve.press(action, value, user=eve.user, channel=eve.channel, **more)

    return press


def _in_modal(
    action: str, metadata: str, callback: str, **more: Any
) -> Callable[[Member, str], Acknowledged]:
    def press(eve: Member, ticket: str) -> Acknowledged:
        eve.shortcut("check_draft", user=eve.user)
        opened = eve.view()
        view = opened | {"private_metadata": metadata.format(ticket), "callback_id": callback}
        return eve.press(action, user=eve.user, view=view, channel=None, **more)

    return press


def _pick_brand(eve: Member, ticket: str) -> Acknowledged:
    chosen: dict[str, Any] = {"selected_option": {"value": "oatfolk"}, "block_id": ticket}
    return eve.press("pick_brand", user=eve.user, channel=eve.channel, **chosen)


TRIES: dict[str, Callable[[Member, str], Acknowledged]] = {
    "details": _pressed("details"),
    "open from home": _pressed("home_open_check"),
    "on-brand": _pressed("label_on"),
    "off-brand": _pressed("label_off", message={"ts": "1.1"}),
    "share": _pressed("share"),
    "share from a modal": _in_modal(
        "share", "{}", "result_view", selected_conversation="C0ELSEWHERE"
    ),
    "send to review": _pressed("send_to_review"),
    "re-check": _pressed("recheck"),
    "report": _pressed("report"),
    "pick a brand": _pick_brand,
    "turn the page": _in_modal("next_page", "{}#0", "details_view", value="1"),
    "label in a modal": _in_modal("label_on", "{}#0", "details_view", value="{}#0"),
}
