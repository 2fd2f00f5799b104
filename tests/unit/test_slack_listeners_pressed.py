"""What is pressed becomes a request in the queue."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slack_inbound import CHANNEL, TEAM, USER, Inbound

from listener_samples import HERE, MODAL, ROOT, TICKET, body, opened, stored_check, stored_review
from onbrand_slack.model import (
    Audit,
    Decide,
    ForgetUser,
    Label,
    SendReport,
    SendToReview,
    Share,
    ToView,
)

STRANGER = {"user": {"id": "U7", "team_id": "T7"}}


@pytest.mark.parametrize(
    ("action", "value", "job"),
    [
        ("share", TICKET, Share(USER, TICKET, CHANNEL, None, HERE)),
        ("send_to_review", TICKET, SendToReview(USER, TICKET, HERE)),
        ("report", TICKET, SendReport(USER, TICKET, HERE)),
        ("label_on", f"{TICKET}#4", Label(USER, f"{TICKET}#4", "on", HERE, message="1.1")),
        ("label_off", f"{TICKET}#4", Label(USER, f"{TICKET}#4", "off", HERE, message="1.1")),
        ("approve", "R1", Decide(USER, "R1", "approve", reply=HERE)),
        ("reopen", "R1", Decide(USER, "R1", "reopen", reply=HERE)),
    ],
)
def test_a_button_on_a_message(slack: Inbound, action: str, value: str, job: Any) -> None:
    assert body(slack.press_message(action, value)) == {}
    assert slack.jobs() == [job]


@pytest.mark.parametrize(
    ("action", "value", "job"),
    [
        ("home_forget_me", "me", ForgetUser(USER)),
        ("home_audit", "all", Audit(USER)),
        ("send_to_review", TICKET, SendToReview(USER, TICKET, ToView("V1", USER))),
        ("report", TICKET, SendReport(USER, TICKET, ToView("V1", USER))),
        ("label_on", f"{TICKET}#4", Label(USER, f"{TICKET}#4", "on", ToView("V1", USER))),
    ],
)
def test_a_button_on_a_view(slack: Inbound, action: str, value: str, job: Any) -> None:
    assert body(slack.press(action, value, view=MODAL)) == {}
    assert slack.jobs() == [job]


def test_a_label_in_the_details_knows_its_page(slack: Inbound) -> None:
    view = {**MODAL, "callback_id": "details_view", "private_metadata": f"{TICKET}#2"}
    slack.press("label_on", f"{TICKET}#4", view=view)
    assert slack.job().page == 2


def test_a_label_on_an_answer_that_only_its_user_sees(slack: Inbound) -> None:
    container = {"channel_id": CHANNEL, "message_ts": "1.1", "is_ephemeral": True}
    slack.press_message("label_on", f"{TICKET}#4", container=container)
    assert slack.job().message is None


def test_an_answer_in_a_modal_is_shared_to_the_channel_chosen(slack: Inbound) -> None:
    slack.press("share", view=MODAL, action={"selected_conversation": "C5"})
    assert slack.job() == Share(USER, TICKET, "C5", None, ToView("V1", USER))


def test_an_answer_in_a_thread_is_shared_there(slack: Inbound) -> None:
    container = {"channel_id": CHANNEL, "message_ts": "1.1", "thread_ts": ROOT}
    slack.press_message("share", TICKET, container=container)
    assert slack.job().thread == ROOT


def test_out_of_a_direct_message_an_answer_is_shared_by_a_modal(slack: Inbound) -> None:
    ticket = stored_check(slack)
    slack.press_message("share", ticket, channel={"id": "D1"})
    view = opened(slack)
    selects = [e for b in view["blocks"] for e in b.get("elements", []) if "filter" in e]
    assert [select["action_id"] for select in selects] == ["share"]
    chosen = {"selected_conversation": "C5"}
    slack.press("share", view={**view, "id": "V1"}, action=chosen)
    assert slack.job() == Share(USER, ticket, "C5", None, ToView("V1", USER))


def test_out_of_a_direct_message_nothing_is_shared_that_is_gone(slack: Inbound) -> None:
    slack.press_message("share", TICKET, channel={"id": "D1"})
    assert "no longer kept" in json.dumps(opened(slack))
    assert slack.jobs() == []


@pytest.mark.parametrize("action", ["label_on", "approve", "reopen"])
def test_who_is_a_stranger_is_for_the_job_to_tell(slack: Inbound, action: str) -> None:
    """A member of the same organisation can be at home in another workspace of it."""
    value = f"{TICKET}#4" if action.startswith("label") else "R1"
    slack.press_message(action, value, **STRANGER)
    assert slack.job().user == "U7"


@pytest.mark.parametrize(("action", "value"), [("reject", None), ("home_settings", "workspace")])
@pytest.mark.parametrize("ours", [True, False])
def test_modals_are_for_the_organisations_own(
    slack: Inbound, action: str, value: str | None, ours: bool
) -> None:
    organisation = {"teams": [TEAM] if ours else [], "is_admin": True}
    slack.client.people["U7"] = {"team_id": "T7", "enterprise_user": organisation}
    slack.press_message(action, value or stored_review(slack, "U5"), **STRANGER)
    expected = {"reject": "reason_view", "home_settings": "settings_view"}[action]
    assert opened(slack)["callback_id"] == (expected if ours else "result_view")


def test_strangers_check_drafts(slack: Inbound) -> None:
    slack.press_message("share", TICKET, **STRANGER)
    assert isinstance(slack.job(), Share)


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("label_on", "no sentence"),
        ("approve", None),
        ("share", None),
        ("pick_brand", None),
        ("next_page", "1"),
        ("draft", "typed"),
        ("gate", "0.5"),
    ],
)
def test_what_means_nothing_is_acknowledged(slack: Inbound, action: str, value: str | None) -> None:
    assert body(slack.press_message(action, value)) == {}
    assert slack.jobs() == []
