"""Modals that open: by a shortcut, or by what is pressed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from block_kit import problems
from slack_data import DRAFT
from slack_inbound import ACME, CHANNEL, USER, Inbound
from slack_work import wait_until

from listener_samples import MODAL, ROOT, TICKET, URL, body, full, opened, stored_check
from onbrand_slack.answer import BrandSettings, WorkspaceSettings
from onbrand_slack.model import Check, Files, Pasted, Source, ToUser, ToView
from onbrand_slack.render.inputs import Remembered

# --- shortcuts -------------------------------------------------------------------------------


def message_shortcut(**message: Any) -> dict[str, Any]:
    return {
        "type": "message_action",
        "callback_id": "check_message",
        "channel": {"id": CHANNEL},
        "message": {"ts": ROOT, "user": "U5", **message},
        "response_url": URL,
    }


def test_a_message_is_checked_in_a_modal(slack: Inbound) -> None:
    assert body(slack.interact(message_shortcut(text="We ship."))) == {}
    assert opened(slack)["callback_id"] == "result_view"
    assert wait_until(slack.jobs) == [
        Check(
            user=USER,
            source=Source.SHORTCUT,
            draft=Pasted("We ship."),
            reply=ToView("V100", USER),
            channel=CHANNEL,
        )
    ]


def test_a_message_of_files_is_checked(slack: Inbound) -> None:
    slack.interact(message_shortcut(text="", files=[{"id": "F1"}]))
    (check,) = wait_until(slack.jobs)
    assert check.draft == Files(("F1",))


def test_a_message_is_checked_where_the_modal_does_not_open(slack: Inbound) -> None:
    slack.client.fail("views_open", "expired_trigger_id")
    slack.interact(message_shortcut(text="We ship."))
    (check,) = wait_until(slack.jobs)
    assert check.reply == ToUser(CHANNEL, USER, response_url=URL)


def test_a_message_that_finds_the_queue_full_is_told_so(slack: Inbound) -> None:
    full(slack)
    slack.interact(message_shortcut(text="We ship."))
    _, (_, update) = slack.client.called("views_open", "views_update")
    assert update["view_id"] == "V100"
    assert "busy" in json.dumps(update["view"])


def test_an_interaction_opens_one_modal_however_often_it_comes(tmp_path: Path) -> None:
    slack = Inbound(tmp_path, "socket")
    payload = slack.interaction(message_shortcut(text="We ship."))
    for _ in range(3):
        slack.push(payload)
    assert len(wait_until(slack.jobs)) == 1
    slack.push(slack.interaction({"type": "shortcut", "callback_id": "check_draft"}))
    wait_until(lambda: slack.client.calls[1:])
    slack.client.calls.pop()
    assert [name for name, _ in slack.client.calls] == ["views_open"]
    slack.close()


# --- the form --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "names", "brand"),
    [
        (None, ("acme", "bolt"), None),
        (None, ("acme",), "acme"),
        ("bolt", ("acme", "bolt"), "bolt"),
        ("gone", ("acme", "bolt"), None),
    ],
)
def test_the_form_knows_the_usual_brand(
    slack: Inbound, stored: str | None, names: tuple[str, ...], brand: str | None
) -> None:
    slack.scoring.names = names
    slack.store.settings.set_user_brand(ACME, USER, stored)
    slack.interact({"type": "shortcut", "callback_id": "check_draft"})
    view = opened(slack)
    (element,) = [b["element"] for b in view["blocks"] if b.get("block_id") == "brand"]
    chosen = element.get("initial_option", {}).get("value")
    assert (view["callback_id"], chosen) == ("check_view", brand)


def test_the_forms_channel_has_the_first_word(slack: Inbound) -> None:
    slack.store.settings.set_user_brand(ACME, USER, "acme")
    slack.store.settings.set_channel_brand(ACME, CHANNEL, "bolt", USER)
    slack.press_message("home_check", "help")
    view = opened(slack)
    assert '"value": "bolt"' in json.dumps(view)
    assert Remembered.of(view).channel == CHANNEL


# --- what is pressed -------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["details", "home_open_check"])
def test_all_sentences_are_shown(slack: Inbound, action: str) -> None:
    slack.press_message(action, stored_check(slack))
    view = opened(slack)
    assert view["callback_id"] == "details_view"
    assert "Our paradigm synergises." in json.dumps(view)


def test_what_is_pressed_in_a_modal_opens_on_top_of_it(slack: Inbound) -> None:
    slack.press("details", stored_check(slack), view=MODAL)
    assert opened(slack, "views_push")["callback_id"] == "details_view"


def test_what_is_pressed_at_home_opens_a_modal(slack: Inbound) -> None:
    slack.press("home_check", "home", view={"id": "V1", "type": "home"})
    assert opened(slack)["callback_id"] == "check_view"


def test_the_page_is_turned(slack: Inbound) -> None:
    ticket = stored_check(slack)
    view = {**MODAL, "private_metadata": f"{ticket}#0"}
    slack.press("next_page", "1", view=view)
    ((_, update),) = slack.client.called("views_update")
    assert update["view_id"] == "V1"
    assert problems(update["view"]) == []


def test_a_draft_is_checked_again(slack: Inbound) -> None:
    ticket = stored_check(slack)
    slack.press_message("recheck", ticket)
    view = opened(slack)
    assert DRAFT in json.dumps(view)
    assert Remembered.of(view) == Remembered(ticket=ticket, channel=CHANNEL)


@pytest.mark.parametrize("action", ["details", "recheck"])
def test_a_draft_that_is_no_longer_kept(slack: Inbound, action: str) -> None:
    slack.press_message(action, TICKET)
    assert "no longer kept" in json.dumps(opened(slack))


def test_another_workspaces_ticket_opens_nothing(slack: Inbound) -> None:
    ticket = stored_check(slack)
    other = {"team": {"id": "T2"}, "user": {"id": USER, "team_id": "T2"}}
    assert slack.press_message("details", ticket, **other).status == 401


@pytest.fixture
def admin(slack: Inbound) -> None:
    slack.client.people[USER] = {"is_admin": True}


@pytest.mark.parametrize(
    ("action", "value"), [("home_settings", "workspace"), ("home_brand_settings", "acme")]
)
def test_settings_are_opened_for_admins_only(slack: Inbound, action: str, value: str) -> None:
    slack.store.settings.set_workspace(ACME, WorkspaceSettings(admins=("U5",)), "U9")
    slack.press_message(action, value)
    view = opened(slack)
    assert view["callback_id"] == "result_view"
    assert "<@U5> can" in json.dumps(view)


@pytest.mark.usefixtures("admin")
def test_settings_are_opened_for_the_channel_that_a_button_names(slack: Inbound) -> None:
    slack.store.settings.set_channel_brand(ACME, "C5", "bolt", USER)
    slack.press_message("home_settings", "C5")
    view = opened(slack)
    assert (view["callback_id"], Remembered.of(view).channel) == ("settings_view", "C5")
    assert '"bolt"' in json.dumps(view)


@pytest.mark.usefixtures("admin")
def test_settings_are_opened_for_the_workspace(slack: Inbound) -> None:
    slack.press("home_settings", "workspace", view={"id": "V1", "type": "home"})
    assert Remembered.of(opened(slack)) == Remembered()


@pytest.mark.usefixtures("admin")
def test_a_brands_settings_are_opened(slack: Inbound) -> None:
    slack.store.settings.set_brand(ACME, BrandSettings("acme", review_channel="C5"), USER)
    slack.press_message("home_brand_settings", "acme")
    view = opened(slack)
    assert (view["callback_id"], Remembered.of(view).brand) == ("brand_settings_view", "acme")
    assert '"C5"' in json.dumps(view)


@pytest.mark.usefixtures("admin")
def test_a_modal_that_cannot_be_made_says_why(slack: Inbound) -> None:
    slack.press_message("home_brand_settings", "gone")
    assert "No voice is called that" in json.dumps(opened(slack))
