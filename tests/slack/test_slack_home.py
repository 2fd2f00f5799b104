"""The App Home and the agent's view: what stands there, and what is done from there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slack_talk import FLAGGED, ON_BRAND, Talk, element, offers, option, read
from slack_web_api import Payload

from onbrand_slack.names import NO_BRAND

THREAD = "1700000000.000500"


def open_home(talk: Talk, user: str | None = None) -> Payload:
    """Look at the app's home tab and return what it shows."""
    user = user or talk.user
    talk.event({"type": "app_home_opened", "user": user, "channel": talk.direct, "tab": "home"})
    call = talk.next("views.publish")
    assert call.arguments["user_id"] == user
    return talk.view_of(call)


def admin(talk: Talk, **flags: Any) -> str:
    user = f"UADMIN{talk.user[3:]}"
    talk.peer.users[user] = {"is_admin": True, **flags}
    return user


# --- what stands there ------------------------------------------------------------------------


def test_a_newcomer_sees_the_brands_and_a_first_thing_to_try(talk: Talk) -> None:
    home = open_home(talk)
    shown = read(home)
    for brand in ("oatfolk", "quillpot", "tallowgate-museum", "varnholt-pumps"):
        assert f"*{brand}*" in shown
    assert "Try this in any channel:\n`/onbrand oatfolk" in shown
    assert "Drafts are not kept: only scores are." in shown
    assert offers(home) == ["home_check", "home_brand", "home_forget_me"]


def test_recent_checks_are_listed_without_their_text(talk: Talk) -> None:
    talk.check(FLAGGED)
    talk.check(ON_BRAND, brand="quillpot")
    talk.settle()
    shown = read(open_home(talk))
    assert shown.index("*quillpot*  P ") < shown.index("*oatfolk*  P "), "the latest first"
    assert "1 of 1 sentence off-brand" in shown
    assert "leverage" not in shown.partition("Your recent checks")[2].partition("Brands")[0]


def test_admins_find_the_settings(talk: Talk) -> None:
    home = open_home(talk, admin(talk))
    assert {"home_settings", "home_brand_settings", "home_audit"} <= set(offers(home))


@pytest.mark.parametrize(
    ("action", "word"),
    [("home_settings", "Keep the text of drafts"), ("home_brand_settings", "Review channel")],
)
def test_the_settings_open(talk: Talk, action: str, word: str) -> None:
    user = admin(talk)
    home = open_home(talk, user)
    talk.use_in(home, action, user=user)
    assert word in read(talk.view("views.open"))


def test_the_audit_is_for_admins(talk: Talk) -> None:
    user = admin(talk)
    home = open_home(talk, user)
    talk.check()
    talk.use_in(home, "home_audit", user=user)
    (file,) = talk.next("files.completeUploadExternal").arguments["files"]
    lines = talk.peer.files[file["id"]].content.decode().splitlines()
    assert any(talk.user in line for line in map(json.dumps, map(json.loads, lines)))
    assert not any("leverage" in line for line in lines)
    talk.press("home_audit", "audit", user=talk.user, channel=None, view=home)
    assert "for admins" in read(talk.written())


def test_the_list_can_be_looked_at_while_slack_does_not_say_who_is_admin(talk: Talk) -> None:
    talk.peer.refuse("users.info", "user_not_found", only=talk.user)
    assert "home_settings" not in offers(open_home(talk))


# --- what is done from there ------------------------------------------------------------------


def test_a_draft_is_checked_from_home(talk: Talk) -> None:
    talk.use_in(open_home(talk), "home_check")
    view = talk.view("views.open")
    entered = {
        "brand": {"brand": {"type": "external_select", **option("oatfolk")}},
        "draft": {"draft": {"type": "plain_text_input", "value": FLAGGED}},
    }
    talk.submit(view, entered, user=talk.user)
    assert "not quite oatfolk yet" in read(talk.view("views.update"))


def test_a_brand_chosen_at_home_is_ones_own(talk: Talk) -> None:
    talk.use_in(open_home(talk), "home_brand", **option("quillpot"))
    home = talk.view("views.publish")
    assert element(home, "home_brand")["initial_option"]["value"] == "quillpot"
    talk.say(FLAGGED)
    assert "Judged as quillpot: your own brand" in read(talk.answer())


def test_a_brand_of_ones_own_can_be_given_up(talk: Talk) -> None:
    talk.use_in(open_home(talk), "home_brand", **option("quillpot"))
    home = talk.view("views.publish")
    offered = talk.options("home_brand").json["options"]
    assert NO_BRAND in [one["value"] for one in offered]
    talk.use_in(home, "home_brand", **option(NO_BRAND))
    talk.view("views.publish")
    talk.say(FLAGGED)
    assert offers(talk.answer()) == ["pick_brand"]


def test_a_brand_that_is_none_cannot_be_ones_own(talk: Talk) -> None:
    talk.use_in(open_home(talk), "home_brand", **option("oatfolc"))
    assert "did you mean 'oatfolk'" in read(talk.written())


def test_who_deletes_their_data_is_told_what_it_was_and_nothing_is_left(talk: Talk) -> None:
    talk.say("use quillpot")
    talk.answer()
    answer = talk.check("We leverage a paradigm of our own making for stakeholders.")
    talk.use(answer, "label_off")
    talk.answer()
    talk.use_in(open_home(talk), "home_forget_me")
    told = read(talk.written())
    assert told.startswith("Deleted: ")
    assert "1 check" in told and "1 label" in told
    assert "Nothing yet" in read(talk.view("views.publish"))
    assert talk.rows(f"SELECT * FROM onbrand_slack_checks WHERE user = '{talk.user}'") == []
    assert talk.rows(f"SELECT * FROM onbrand_labels WHERE author = '{talk.user}'") == []
    talk.use(answer, "details")
    assert "no longer kept" in read(talk.view("views.open")), "the buttons are dead"
    talk.say(FLAGGED)
    assert offers(talk.answer()) == ["pick_brand"], "no brand of their own"


def test_who_has_nothing_stored_is_told_so(talk: Talk) -> None:
    talk.use_in(open_home(talk), "home_forget_me")
    assert "Nothing of yours is stored" in read(talk.written())


# --- the agent's view -------------------------------------------------------------------------


def open_messages(talk: Talk) -> list[dict[str, str]]:
    talk.event(
        {"type": "app_home_opened", "user": talk.user, "channel": talk.direct, "tab": "messages"}
    )
    call = talk.next("assistant.threads.setSuggestedPrompts")
    assert call.arguments["channel_id"] == talk.direct
    assert "thread_ts" not in call.arguments
    return list(call.arguments["prompts"])


def test_a_conversation_begins_with_prompts_that_work(talk: Talk) -> None:
    prompts = open_messages(talk)
    assert 1 <= len(prompts) <= 4
    answers = []
    for prompt in prompts:
        talk.write(prompt["message"])
        answers.append(read(talk.written()))
    assert all("⚠️" not in answer for answer in answers)
    assert [prompt["message"] for prompt in prompts][1:] == ["help", "brands", "use oatfolk"]
    assert [prompt["message"] for prompt in open_messages(talk)][3] == "use quillpot"


def test_a_file_in_a_conversation_is_read_under_a_status(talk: Talk) -> None:
    file = talk.peer.add_file("plan.txt", FLAGGED.encode())
    talk.write("oatfolk", files=[{"id": file}], subtype="file_share", thread_ts=THREAD)
    status = talk.next("assistant.threads.setStatus")
    assert (status.arguments["channel_id"], status.arguments["thread_ts"]) == (talk.direct, THREAD)
    assert "reading" in status.arguments["status"]
    answer = talk.next("chat.postMessage")
    assert answer.arguments["thread_ts"] == THREAD
    assert talk.settle() and len(talk.calls("assistant.threads.setStatus")) == 1


@pytest.mark.parametrize("method", ["setStatus", "setSuggestedPrompts"])
def test_where_slack_has_no_agents_all_else_works(talk: Talk, method: str) -> None:
    talk.peer.refuse(f"assistant.threads.{method}", "not_allowed", only=talk.direct)
    if method == "setSuggestedPrompts":
        event = {"type": "app_home_opened", "user": talk.user, "channel": talk.direct}
        talk.event({**event, "tab": "messages"})
        talk.settle()
    talk.write(f"oatfolk {FLAGGED}", thread_ts=THREAD)
    assert "not quite oatfolk yet" in read(talk.written())
