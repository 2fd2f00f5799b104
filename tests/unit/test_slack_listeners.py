"""What each thing that Slack sends becomes: a request in the queue, a modal, a word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from block_kit import problems
from slack_bolt import BoltResponse
from slack_data import DRAFT, REPORT
from slack_inbound import ACME, BOT_USER, CHANNEL, TEAM, USER, Inbound
from slack_work import wait_until

from onbrand_slack.answer import BrandSettings, WorkspaceSettings
from onbrand_slack.listeners import submissions
from onbrand_slack.model import (
    Audit,
    Check,
    Configure,
    Decide,
    Files,
    ForgetUser,
    Home,
    Label,
    MessageAt,
    Pasted,
    Prompts,
    Say,
    Sealed,
    SendReport,
    SendToReview,
    Share,
    Source,
    ThreadAt,
    ToConversation,
    ToUser,
    ToView,
    ToWorkflow,
    Uninstalled,
)
from onbrand_slack.names import NO_BRAND
from onbrand_slack.render import check_form, details, review, settings
from onbrand_slack.render.inputs import Remembered

STRANGER = {"user": {"id": "U7", "team_id": "T7"}}
URL = "https://hooks.slack.com/commands/1"
TICKET = "c0123456789abcdef." + "k" * 43
ROOT = "1700000000.000100"


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Inbound]:
    inbound = Inbound(tmp_path)
    yield inbound
    inbound.close()


def body(answer: BoltResponse) -> dict[str, Any]:
    assert answer.status == 200
    return json.loads(answer.body) if answer.body else {}


def full(slack: Inbound) -> None:
    """Fill the queue."""
    slack.services.config = replace(slack.config, queue_limit=1)
    slack.command("acme The first, which waits.")


def opened(slack: Inbound, method: str = "views_open") -> dict[str, Any]:
    """Return the modal that was opened, which Slack would take."""
    ((_, arguments),) = slack.client.called(method)
    view: dict[str, Any] = arguments["view"]
    assert problems(view) == []
    return view


# --- the command -----------------------------------------------------------------------------


def test_a_command_with_a_draft(slack: Inbound) -> None:
    assert body(slack.command("acme We ship to <#C2|general> &amp; all.")) == {}
    assert slack.job() == Check(
        user=USER,
        source=Source.COMMAND,
        draft=Pasted("We ship to #general & all."),
        reply=ToUser(CHANNEL, USER, response_url=URL),
        channel=CHANNEL,
        brand="acme",
    )


@pytest.mark.parametrize(
    ("text", "topic", "brand"),
    [
        ("", "help", None),
        ("help", "help", None),
        ("brands", "brands", None),
        ("settings", "settings", None),
        ("use bolt", "use", "bolt"),
    ],
)
def test_a_command_without_a_draft(
    slack: Inbound, text: str, topic: str, brand: str | None
) -> None:
    slack.command(text)
    reply = ToUser(CHANNEL, USER, response_url=URL)
    assert slack.job() == Say(USER, topic, reply, CHANNEL, brand)


def test_a_command_that_is_wrong_is_answered_at_once(slack: Inbound) -> None:
    said = body(slack.command("use bolts"))
    assert "bolt" in said["text"]
    assert slack.jobs() == []


def test_a_command_where_there_are_no_voices_is_taken(slack: Inbound) -> None:
    slack.scoring.names = None
    slack.command("We ship.")
    assert slack.job().draft == Pasted("We ship.")


def test_a_command_says_how_long_the_line_is(slack: Inbound) -> None:
    slack.services.metrics.seconds_a_draft = 1.0
    ahead = int(3.0 * slack.config.workers) + 1
    for _ in range(ahead):
        assert body(slack.command("acme We ship.")) == {}
    said = body(slack.command("acme We ship."))
    assert f"{ahead} drafts before yours" in said["text"]
    assert "about 5 seconds" in said["text"]
    assert "response_type" not in said, "only its user sees it"


def test_a_command_that_finds_the_queue_full_says_so(slack: Inbound) -> None:
    full(slack)
    assert "busy" in body(slack.command("acme We ship."))["text"]
    assert len(slack.jobs()) == 1


# --- mentions --------------------------------------------------------------------------------


def test_a_mention_with_a_draft(slack: Inbound) -> None:
    slack.mention("bolt: We ship.")
    assert slack.job() == Check(
        user=USER,
        source=Source.MENTION,
        draft=Pasted("We ship."),
        reply=ToUser(CHANNEL, USER),
        channel=CHANNEL,
        brand="bolt",
    )


@pytest.mark.parametrize(("text", "brand"), [("", None), ("acme", "acme")])
def test_a_mention_in_a_thread_means_its_first_message(
    slack: Inbound, text: str, brand: str | None
) -> None:
    slack.mention(text, thread_ts=ROOT)
    check = slack.job()
    assert (check.draft, check.brand) == (MessageAt(CHANNEL, ROOT), brand)
    assert check.reply == ToUser(CHANNEL, USER, thread=ROOT)


def test_a_mention_in_a_thread_can_mean_the_whole(slack: Inbound) -> None:
    slack.mention("acme summary", thread_ts=ROOT)
    check = slack.job()
    assert (check.draft, check.brand) == (ThreadAt(CHANNEL, ROOT), "acme")


def test_a_mention_without_anything_gets_help(slack: Inbound) -> None:
    slack.mention("")
    assert slack.job() == Say(USER, "help", ToUser(CHANNEL, USER), CHANNEL)


def test_a_mention_with_files(slack: Inbound) -> None:
    slack.mention("bolt", files=[{"id": "F1"}, {"id": "F2"}])
    check = slack.job()
    assert (check.draft, check.brand) == (Files(("F1", "F2")), "bolt")


def test_a_mention_that_is_wrong_is_told_so_once(slack: Inbound) -> None:
    ts = slack.ts()
    slack.mention("use bolts", ts=ts)
    slack.mention("use bolts", ts=ts)
    ((_, told),) = slack.client.called("chat_postEphemeral")
    assert (told["channel"], told["user"]) == (CHANNEL, USER)
    assert slack.jobs() == []


def test_a_mention_that_finds_the_queue_full_is_told_so(slack: Inbound) -> None:
    full(slack)
    slack.mention("acme We ship.", thread_ts=ROOT)
    ((_, told),) = slack.client.called("chat_postEphemeral")
    assert "busy" in told["text"]
    assert told["thread_ts"] == ROOT


# --- direct messages, the App Home, the end --------------------------------------------------


def test_a_direct_message_is_a_draft(slack: Inbound) -> None:
    slack.direct("We ship.", thread_ts=ROOT)
    assert slack.job() == Check(
        user=USER,
        source=Source.MESSAGE,
        draft=Pasted("We ship."),
        reply=ToConversation("D1", ROOT),
    )


def test_a_file_in_a_direct_message_is_a_draft(slack: Inbound) -> None:
    slack.direct("", subtype="file_share", files=[{"id": "F1"}])
    assert slack.job().draft == Files(("F1",))


def test_a_direct_message_that_finds_the_queue_full_is_told_so(slack: Inbound) -> None:
    full(slack)
    slack.direct("acme We ship.")
    ((_, told),) = slack.client.called("chat_postMessage")
    assert told["channel"] == "D1"


@pytest.mark.parametrize(
    ("tab", "jobs"), [("home", [Home(USER)]), ("messages", [Prompts("D1", USER)]), ("about", [])]
)
def test_the_app_is_looked_at(slack: Inbound, tab: str, jobs: list[Any]) -> None:
    slack.event({"type": "app_home_opened", "user": USER, "channel": "D1", "tab": tab})
    assert slack.jobs() == jobs


def test_the_app_is_removed(slack: Inbound) -> None:
    slack.event({"type": "app_uninstalled"})
    assert slack.jobs() == [Uninstalled()]


# --- workflows -------------------------------------------------------------------------------


def step(**inputs: Any) -> dict[str, Any]:
    return {
        "type": "function_executed",
        "function": {"callback_id": "check_copy"},
        "function_execution_id": "Fx1",
        "inputs": inputs,
    }


def test_a_step_of_a_workflow(slack: Inbound) -> None:
    slack.event(step(text="Us &amp; them.", brand="acme", report_to="C5", report_to_user="U5"))
    assert slack.job() == Check(
        user=BOT_USER,
        source=Source.WORKFLOW,
        draft=Pasted("Us & them."),
        reply=ToWorkflow("Fx1", "C5"),
        brand="acme",
    )


def test_a_step_with_nothing_but_a_person(slack: Inbound) -> None:
    slack.event(step(report_to_user="U5", brand=""))
    check = slack.job()
    assert (check.draft, check.brand, check.reply) == (Pasted(""), None, ToWorkflow("Fx1", "U5"))


def test_a_step_that_finds_the_queue_full_fails_in_words(slack: Inbound) -> None:
    full(slack)
    slack.event(step(text="We ship."))
    ((_, told),) = slack.client.called("functions_completeError")
    assert told["function_execution_id"] == "Fx1"
    assert "busy" in told["error"]


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


# --- modals that are submitted ---------------------------------------------------------------


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


# --- what is pressed -------------------------------------------------------------------------

HERE = ToUser(CHANNEL, USER, response_url="https://r")
MODAL = {"id": "V1", "type": "modal", "private_metadata": TICKET}


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


# --- modals that are opened ------------------------------------------------------------------


def stored_check(slack: Inbound) -> str:
    return slack.store.checks.add(
        ACME,
        user=USER,
        brand="acme",
        source=Source.COMMAND,
        report=REPORT,
        draft=Pasted(DRAFT),
        title="",
        at=None,
        channel=CHANNEL,
        previous=None,
        retention_days=0,
    )


def stored_review(slack: Inbound, author: str) -> str:
    check = slack.store.checks.open(ACME, stored_check(slack))
    assert check is not None
    return slack.store.reviews.open_for(ACME, check, author)[0].id


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


# --- options ---------------------------------------------------------------------------------


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


def test_no_more_than_a_hundred_brands_are_offered(slack: Inbound) -> None:
    slack.scoring.names = tuple(f"brand-{number:03}" for number in range(250))
    assert options(slack, "brand") == list(slack.scoring.names[:100])
    assert options(slack, "", "channel_brand") == [NO_BRAND, *slack.scoring.names[:99]]


def test_without_voices_no_brand_is_offered(slack: Inbound) -> None:
    slack.scoring.names = None
    assert options(slack, "", "pick_brand") == []
