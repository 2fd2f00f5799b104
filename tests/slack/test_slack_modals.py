"""Modals: the form for a check, the result, and all sentences page by page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from block_kit import problems
from slack_documents import written
from slack_talk import FLAGGED, ON_BRAND, Talk, element, offers, option, read
from slack_web_api import Payload

from onbrand_slack.names import NO_BRAND

OPENED = "views.open"
FILLED = "views.update"


def form(
    talk: Talk, *, brand: str | None = "oatfolk", text: str = "", files: tuple[str, ...] = ()
) -> tuple[Payload, Payload]:
    """Open the form by its shortcut, submit it, and return it with the acknowledgement."""
    talk.shortcut("check_draft", user=talk.user)
    view = talk.view(OPENED)
    return view, talk.submit(view, values(brand, text, files), user=talk.user).json


def values(brand: str | None, text: str = "", files: tuple[str, ...] = ()) -> Payload:
    """Return what Slack sends of the form's inputs; an empty one is null or missing."""
    chosen = option(brand) if brand else {"selected_option": None}
    dropped: dict[str, Any] = {"type": "file_input"}
    if files:
        dropped["files"] = [{"id": file, "name": "plan.md"} for file in files]
    return {
        "brand": {"brand": {"type": "external_select", **chosen}},
        "draft": {"draft": {"type": "plain_text_input", "value": text or None}},
        "file": {"file": dropped},
    }


# --- the form ---------------------------------------------------------------------------------


def test_a_draft_typed_into_the_form_is_answered_in_it(talk: Talk) -> None:
    view, acknowledged = form(talk, text=FLAGGED)
    assert acknowledged["response_action"] == "update"
    assert "Checking…" in read(acknowledged["view"])
    answer = talk.view(FILLED)
    assert answer["id"] == view["id"]
    assert "not quite oatfolk yet" in read(answer)
    assert offers(answer) == ["label_on", "label_off", "details", "recheck", "report", "share"]


@pytest.mark.parametrize("name", ["plan.md", "plan.docx"])
def test_a_file_dropped_into_the_form(talk: Talk, name: str) -> None:
    content = written(ON_BRAND) if name.endswith("docx") else ON_BRAND.encode()
    form(talk, files=(talk.peer.add_file(name, content),))
    answer = read(talk.view(FILLED))
    assert f"📄 {name}" in answer and "Good to go" in answer


def test_of_several_files_the_others_are_answered_in_direct_messages(talk: Talk) -> None:
    form(talk, files=tuple(talk.peer.add_file(f"{n}.txt", FLAGGED.encode()) for n in range(3)))
    assert "0.txt" in read(talk.view(FILLED))
    others = [talk.next("chat.postMessage") for _ in range(2)]
    assert {call.arguments["channel"] for call in others} == {talk.user}
    assert [f"{n}.txt" in read(talk.shown(call)) for n, call in enumerate(others, 1)] == [True] * 2


@pytest.mark.parametrize(
    ("entered", "place", "word"),
    [
        ({}, "draft", "Paste a draft"),
        ({"text": " \n"}, "draft", "Paste a draft"),
        ({"brand": None, "text": FLAGGED}, "brand", "Choose the brand"),
        ({"text": FLAGGED, "files": ("F1",)}, "file", "Either the box or files"),
    ],
)
def test_a_form_with_a_mistake_stays_open(
    talk: Talk, entered: dict[str, Any], place: str, word: str
) -> None:
    before = talk.settle()
    _, acknowledged = form(talk, **entered)
    assert acknowledged["response_action"] == "errors"
    assert list(acknowledged["errors"]) == [place] and word in acknowledged["errors"][place]
    assert talk.settle() == before


def test_a_brand_that_is_gone_is_told_in_the_modal(talk: Talk) -> None:
    form(talk, brand="oatfolc", text=FLAGGED)
    assert "did you mean 'oatfolk'" in read(talk.view(FILLED))


def test_the_form_from_help_knows_the_users_brand(talk: Talk) -> None:
    talk.say("use quillpot")
    talk.answer()
    talk.say("help")
    talk.use(talk.answer(), "home_check")
    view = talk.view(OPENED)
    assert element(view, "brand")["initial_option"]["value"] == "quillpot"
    assert json.loads(view["private_metadata"])["channel"] == talk.channel


# --- external selects -------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["brand", "pick_brand", "home_brand", "channel_brand"])
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["oatfolk", "quillpot", "tallowgate-museum", "varnholt-pumps"]),
        ("QUI", ["quillpot"]),
        ("o", ["oatfolk", "quillpot", "tallowgate-museum", "varnholt-pumps"]),
        ("pumps", ["varnholt-pumps"]),
        ("nothing like it", []),
        ("<!channel> \x00 \u202e" + "x" * 5000, []),
    ],
)
def test_a_brand_is_found_by_any_part_of_its_name(
    talk: Talk, action: str, typed: str, found: list[str]
) -> None:
    options = talk.options(action, typed).json["options"]
    assert [one["value"] for one in options if one["value"] != NO_BRAND] == found
    select = {"type": "static_select", "action_id": "a", "options": options}
    shown = {"text": "-", "blocks": [{"type": "actions", "elements": [select]}]}
    assert not found or problems(shown) == []


# --- a message's menu -------------------------------------------------------------------------


def test_a_message_is_checked_from_its_menu(talk: Talk) -> None:
    talk.say("use oatfolk")
    talk.answer()
    ts = talk.peer.add_message(talk.channel, FLAGGED)
    talk.message_shortcut("check_message", {"ts": ts, "text": FLAGGED}, channel=talk.channel)
    waiting = talk.view(OPENED)
    assert "Checking…" in read(waiting)
    answer = talk.view(FILLED)
    assert answer["id"] == waiting["id"]
    assert "not quite oatfolk yet" in read(answer)
    assert talk.calls("conversations.history") == [], "the app may not be in that channel"


def test_the_brand_is_asked_for_in_the_modal(talk: Talk) -> None:
    message = {"ts": talk.ts(), "text": FLAGGED}
    talk.message_shortcut("check_message", message, channel=talk.channel)
    talk.view(OPENED)
    question = talk.view(FILLED)
    ticket = question["private_metadata"]
    talk.use_in(question, "pick_brand", block_id=ticket, **option("oatfolk"))
    answer = talk.view(FILLED)
    assert answer["id"] == question["id"]
    assert "not quite oatfolk yet" in read(answer)


def test_a_file_is_checked_from_the_menu_of_its_message(talk: Talk) -> None:
    talk.say("use oatfolk")
    talk.answer()
    file = talk.peer.add_file("plan.txt", FLAGGED.encode())
    message = {"ts": talk.ts(), "text": "", "files": [{"id": file}]}
    talk.message_shortcut("check_message", message, channel=talk.channel)
    talk.view(OPENED)
    assert "📄 plan.txt" in read(talk.view(FILLED))


def test_where_no_modal_opens_the_answer_comes_to_the_channel(talk: Talk) -> None:
    talk.peer.refuse("views.open", "expired_trigger_id")
    message = {"ts": talk.ts(), "text": f"oatfolk: {FLAGGED}"}
    talk.message_shortcut("check_message", message, channel=talk.channel)
    call = talk.next("response_url")
    assert call.arguments["url"] == talk.url


# --- details ----------------------------------------------------------------------------------

LONG = " ".join(f"We met for lunch, all {n} valued friends of oats." for n in range(10, 34))


def test_all_sentences_are_there_page_by_page(talk: Talk) -> None:
    talk.use(talk.check(LONG), "details")
    view = talk.view(OPENED)
    first = view["id"]
    seen: list[str] = []
    for page in range(3):
        assert f"Page {page + 1} of 3" in read(view)
        seen.append(read(view))
        if page < 2:
            talk.use_in(view, "next_page")
            view = talk.view(FILLED)
            assert view["id"] == first
    pages = [[n for n in range(10, 34) if f"{n} valued" in text] for text in seen]
    assert pages == [[*range(10, 20)], [*range(20, 30)], [*range(30, 34)]]
    talk.use_in(view, "previous_page")
    assert "Page 2 of 3" in read(talk.view(FILLED))


@pytest.mark.parametrize("page", ["99999999", "-1", "x", ""])
def test_a_page_that_is_none_is_not_shown(talk: Talk, page: str) -> None:
    talk.use(talk.check(LONG), "details")
    view = talk.view(OPENED)
    talk.press("next_page", page, user=talk.user, channel=None, view=view)
    talk.use_in(view, "next_page")
    assert "Page 2 of 3" in read(talk.view(FILLED)), "the next press works"


def test_a_sentence_is_labelled_on_the_page_where_it_stands(talk: Talk) -> None:
    talk.use(talk.check(LONG), "details")
    talk.use_in(talk.view(OPENED), "next_page")
    view = talk.view(FILLED)
    talk.use_in(view, "label_off", nth=3)
    labelled = talk.view(FILLED)
    assert labelled["id"] == view["id"] and "Page 2 of 3" in read(labelled)
    assert [n for n in range(10) if "✓" in element(labelled, "label_off", n)["text"]["text"]] == [3]


def test_the_details_of_a_draft_that_is_gone(talk: Talk) -> None:
    talk.press("details", "c0123456789abcdef." + "A" * 43, user=talk.user, channel=talk.channel)
    assert "no longer kept" in read(talk.view(OPENED))


def test_what_is_pressed_in_a_modal_opens_on_top_of_it(talk: Talk) -> None:
    form(talk, text=FLAGGED)
    talk.use_in(talk.view(FILLED), "details")
    assert "Details: oatfolk" in read(talk.view("views.push"))
