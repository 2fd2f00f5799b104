from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest
from slack_golden import Json, check_golden, find, offered, said

from onbrand_slack.answer import BrandSettings, WorkspaceSettings
from onbrand_slack.names import Action
from onbrand_slack.render import settings
from onbrand_slack.render.inputs import Remembered

BARE = BrandSettings("acme")
SET = BrandSettings(
    "acme",
    review_channel="C7",
    gate=0.75,
    labellers=("U1",),
    reviewers=("U1", "U2"),
    own_drafts=True,
    digest_channel="C8",
    digest_day=4,
    digest_hour=17,
)
KEPT = WorkspaceSettings(retention_days=30, admins=("U1",))


def summary(**more: Any) -> Json:
    usual = {"channel": "C1", "channel_brand": "acme", "user_brand": None, "is_admin": True}
    return settings.summary(KEPT, [SET, replace(BARE, brand="oatfolk")], **(usual | more))


MADE = {
    "workspace": settings.workspace_modal(KEPT),
    "channel": settings.workspace_modal(WorkspaceSettings(), "C1", "acme"),
    "brand-bare": settings.brand_modal(BARE, 0.7),
    "brand-set": settings.brand_modal(SET, 0.7),
    "summary-admin": summary(),
    "summary": summary(channel_brand=None, user_brand="oatfolk", is_admin=False),
}


@pytest.mark.parametrize("name", MADE)
def test_golden(name: str) -> None:
    check_golden(f"settings-{name}", MADE[name])


def sent(view: Json, **changes: dict[str, Any]) -> Json:
    """What Slack sends back of a modal that is submitted as it was opened, but for changes."""
    values: dict[str, dict[str, Any]] = {}
    for block in view["blocks"]:
        if block["type"] == "input":
            element, id_ = block["element"], block["block_id"]
            assert element["action_id"] == id_
            values[id_] = {id_: changes.get(id_) or _state(element)}
    return view | {"state": {"values": values}}


def _state(element: Json) -> Json:
    chosen = {
        "number_input": {"value": element.get("initial_value")},
        "static_select": {"selected_option": element.get("initial_option")},
        "external_select": {"selected_option": element.get("initial_option")},
        "checkboxes": {"selected_options": element.get("initial_options", [])},
        "conversations_select": {"selected_conversation": element.get("initial_conversation")},
        "multi_users_select": {"selected_users": element.get("initial_users", [])},
    }
    return {"type": element["type"], **chosen[element["type"]]}


@pytest.mark.parametrize("stored", [BARE, SET])
def test_a_brand_saved_as_it_was_opened_is_the_same(stored: BrandSettings) -> None:
    view = settings.brand_modal(stored, 0.7)
    read = settings.read_brand(sent(view))
    assert read.errors == {}
    assert settings.brand_of("acme", read.values) == stored
    assert Remembered.of(view).brand == "acme"
    assert set(read.values) | {"brand"} == set(asdict(stored))


@pytest.mark.parametrize("stored", [KEPT, WorkspaceSettings(), WorkspaceSettings(45)])
def test_a_workspace_saved_as_it_was_opened_is_the_same(stored: WorkspaceSettings) -> None:
    read = settings.read_workspace(sent(settings.workspace_modal(stored)))
    assert read.errors == {}
    assert settings.workspace_of(read.values) == stored
    assert Action.CHANNEL_BRAND not in read.values


def test_a_channel_has_its_brand_or_none() -> None:
    view = settings.workspace_modal(KEPT, "C1", "acme")
    assert settings.read_workspace(sent(view)).values[Action.CHANNEL_BRAND] == "acme"
    emptied = sent(view, channel_brand={"selected_option": None})
    assert settings.read_workspace(emptied).values[Action.CHANNEL_BRAND] is None
    assert Remembered.of(view).channel == "C1"


@pytest.mark.parametrize("text", ["0", "1", "1.2", "-0.5", "nan", "inf", "high", "0,7,1"])
def test_a_gate_that_is_none_is_an_error_at_its_input(text: str) -> None:
    view = sent(settings.brand_modal(BARE, 0.7), gate={"value": text})
    assert list(settings.read_brand(view).errors) == [Action.GATE]


@pytest.mark.parametrize(("text", "gate"), [("0,8", 0.8), (" .55 ", 0.55), ("", None)])
def test_a_gate_is_read_as_people_write_it(text: str, gate: float | None) -> None:
    view = sent(settings.brand_modal(SET, 0.7), gate={"value": text})
    assert settings.read_brand(view).values[Action.GATE] == gate


@pytest.mark.parametrize("value", ["-1", "x", "99999", "٣٠x", None])
def test_a_retention_that_was_not_offered_is_an_error(value: str | None) -> None:
    view = sent(settings.workspace_modal(KEPT), retention={"selected_option": {"value": value}})
    assert list(settings.read_workspace(view).errors) == [Action.RETENTION]


def test_nonsense_is_read_without_a_crash() -> None:
    for view in (None, [], {"state": {"values": {"gate": {"gate": 3}, "admins": 4}}}):
        assert settings.read_workspace(view).errors
        assert settings.brand_of("acme", settings.read_brand(view).values).gate is None


def test_the_summary_shows_what_counts_here() -> None:
    text = said(MADE["summary-admin"])
    assert "<#C1>: *acme*" in text
    assert "Drafts are kept for 30 days" in text
    assert "gate 0.75 · review in <#C7> · digest in <#C8> on Fridays" in text
    assert find(MADE["summary-admin"], Action.HOME_SETTINGS)["value"] == "C1"
    assert find(MADE["summary-admin"], Action.HOME_BRAND_SETTINGS)["value"] == "acme"
    assert offered(MADE["summary"]) == []
    assert "Your own brand: *oatfolk*" in said(MADE["summary"])


def test_a_direct_message_is_no_channel() -> None:
    assert "a direct message: *acme*" in said(summary(channel="D1"))
