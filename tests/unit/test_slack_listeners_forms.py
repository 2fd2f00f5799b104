"""Modals that are submitted: drafts, reasons and settings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slack_inbound import CHANNEL, USER, Inbound
from slack_work import wait_until

from listener_samples import TICKET, body, full, opened, stored_review
from onbrand_slack.answer import BrandSettings, WorkspaceSettings
from onbrand_slack.listeners import submissions
from onbrand_slack.model import Check, Configure, Decide, Files, Pasted, Source, ToView
from onbrand_slack.render import check_form, details, review, settings


def check_values(text: str = "We ship.", brand: str | None = "acme", **more: Any) -> dict[str, Any]:
    chosen = {"selected_option": {"value": brand} if brand else None}
    return {"brand": chosen, "draft": {"value": text}, "file": {"files": []}, **more}


def test_the_form_is_checked(slack: Inbound) -> None:
    form = check_form.view("acme", "Before.", ticket=TICKET, channel="C5")
    answer = body(slack.submit(form, check_values()))
    assert answer == {"response_action": "update", "view": details.waiting()}
    (check,) = wait_until(slack.jobs)
    assert check == Check(
        user=USER,
        source=Source.MODAL,
        draft=Pasted("We ship."),
        reply=ToView("V1", USER),
        channel="C5",
        brand="acme",
        previous=TICKET,
    )


def test_the_answer_to_the_form_waits_for_slack_to_show_that_it_is_checked(
    slack: Inbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "AFTER_WAITING", 3600.0)
    slack.submit(check_form.view("acme"), check_values())
    assert slack.jobs() == []
    assert slack.store.jobs.next_due() is not None


def test_files_in_the_form_are_checked(slack: Inbound) -> None:
    values = check_values("", file={"files": [{"id": "F1"}]})
    slack.submit(check_form.view(None), values)
    (check,) = wait_until(slack.jobs)
    assert check.draft == Files(("F1",))


@pytest.mark.parametrize(
    ("values", "place"),
    [
        (check_values(brand=None), "brand"),
        (check_values(text="  "), "draft"),
        (check_values(file={"files": [{"id": "F1"}]}), "file"),
        ({}, "brand"),
    ],
)
def test_a_form_that_is_not_filled_in_says_where(
    slack: Inbound, values: dict[str, Any], place: str
) -> None:
    answer = body(slack.submit(check_form.view(None), values))
    assert answer["response_action"] == "errors"
    assert list(answer["errors"]) == [place]
    assert slack.jobs() == []


def test_a_form_that_finds_the_queue_full_keeps_its_draft(slack: Inbound) -> None:
    full(slack)
    answer = body(slack.submit(check_form.view(None), check_values()))
    assert answer["response_action"] == "errors"
    assert "busy" in answer["errors"]["draft"]


def test_a_reason_is_a_decision(slack: Inbound) -> None:
    details_button = {"action_id": "details", "value": TICKET}
    message = {"blocks": [{"type": "divider"}, {"type": "actions", "elements": [details_button]}]}
    waiting = stored_review(slack, "U5")
    slack.press_message("reject", waiting, message=message)
    view = opened(slack)
    assert body(slack.submit(view, {"reason": {"value": "Too loud."}})) == {}
    assert slack.jobs() == [Decide(USER, waiting, "reject", "Too loud.", ticket=TICKET)]


def test_a_reason_must_be_given(slack: Inbound) -> None:
    view = review.reason_modal("R1", "changes")
    assert list(body(slack.submit(view, {"reason": {"value": " "}}))["errors"]) == ["reason"]
    assert slack.jobs() == []


def test_who_may_not_decide_is_not_asked_why(slack: Inbound) -> None:
    slack.press_message("reject", stored_review(slack, USER))
    assert "somebody else has to decide" in json.dumps(opened(slack))


def test_of_a_review_that_is_gone_nobody_is_asked_why(slack: Inbound) -> None:
    slack.press_message("ask_for_changes", "R1")
    assert "no longer there" in json.dumps(opened(slack))


def test_settings_are_stored(slack: Inbound) -> None:
    view = settings.workspace_modal(WorkspaceSettings(), CHANNEL, None)
    values = {
        "retention": {"selected_option": {"value": "30"}},
        "admins": {"selected_users": ["U5"]},
        "channel_brand": {"selected_option": {"value": "acme"}},
    }
    assert body(slack.submit(view, values)) == {}
    (stored,) = slack.jobs()
    assert isinstance(stored, Configure)
    assert (stored.user, stored.channel, stored.personal) == (USER, CHANNEL, False)
    assert stored.values == {"retention": 30, "admins": ["U5"], "channel_brand": "acme"}


def test_a_brands_settings_are_stored(slack: Inbound) -> None:
    view = settings.brand_modal(BrandSettings("acme"), 0.7)
    assert "gate" in body(slack.submit(view, {"gate": {"value": "7"}}))["errors"]
    assert body(slack.submit(view, {"gate": {"value": "0.8"}})) == {}
    (stored,) = slack.jobs()
    assert (stored.brand, stored.values["gate"]) == ("acme", 0.8)
