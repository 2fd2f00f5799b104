"""Sentences are labelled, and answers shared and taken along, by whom may and for whom it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs
from slack_world import (
    ELSEWHERE,
    HERE,
    HOOK,
    OFF,
    ONLY,
    World,
    buttons,
    carried_out,
    refusal,
    shown,
    text_of,
    ways,
    world,
)

from onbrand_slack.answer import BrandSettings
from onbrand_slack.model import (
    Check,
    Label,
    Pasted,
    Reply,
    SendReport,
    SendToReview,
    SentenceRef,
    Share,
    Source,
    ToConversation,
    ToUser,
    ToView,
)
from onbrand_slack.names import Action
from onbrand_slack.scoring import Scoring
from onbrand_slack.work.calls import RESPOND, UPLOAD, Call

PRESSED = ToUser("C1", "UANN", response_url=HOOK)
NO_TICKET = "c0123456789abcdef." + "k" * 43


@pytest.fixture
def slack(tmp_path: Path, scoring: Scoring) -> Iterator[World]:
    with world(tmp_path, scoring) as made:
        yield made


@pytest.fixture
def ticket(slack: World) -> str:
    request = Check("UANN", Source.COMMAND, Pasted(OFF), PRESSED, channel="C1", brand=ONLY)
    (call,) = slack.run(request)
    return buttons(shown(call))[Action.DETAILS]


def label(
    slack: World,
    ticket: str,
    side: str,
    *,
    user: str = "UANN",
    reply: Reply = PRESSED,
    page: int | None = None,
    message: str | None = None,
    **more: object,
) -> Call:
    sentence = str(SentenceRef(ticket, 0))
    (call,) = slack.run(Label(user, sentence, side, reply, page, message), **more)
    return call


def words(slack: World, tenant: object = HERE) -> list[tuple[str, str]]:
    labels = slack.services.labels.workspace(tenant.workspace)
    return [(word.author, word.label) for word in labels.history()]


# --- labels -------------------------------------------------------------------------------------


def test_a_label_is_stored_with_who_where_and_of_what(slack: World, ticket: str) -> None:
    label(slack, ticket, "off", key="press1")
    (word,) = slack.services.labels.workspace("T1").history()
    assert (word.author, word.label, word.brand, word.source) == ("UANN", "off", ONLY, "slack")
    assert (word.text, word.document, word.id) == (OFF, ticket.partition(".")[0], "press1")
    assert word.time is not None


def test_the_answer_takes_the_place_of_the_one_pressed_on(slack: World, ticket: str) -> None:
    call = label(slack, ticket, "off")
    assert call.method == RESPOND
    assert call.arguments["body"]["replace_original"] is True
    assert "✓ Off-brand (1)" in text_of(call)


def test_the_answer_goes_on_to_say_why_this_brand_and_what_changed(slack: World) -> None:
    slack.store.settings.set_user_brand(HERE, "UANN", ONLY)
    request = Check("UANN", Source.COMMAND, Pasted(f"{OFF} {OFF}"), PRESSED)
    (before,) = slack.run(request)
    ticket = buttons(shown(before))[Action.DETAILS]
    (after,) = slack.run(structs.replace(request, draft=Pasted(OFF), previous=ticket))
    ticket = buttons(shown(after))[Action.DETAILS]
    told = ("since the last version", "your own brand")
    for call in (after, label(slack, ticket, "off")):
        assert all(words in text_of(call) for words in told)
    (public,) = slack.run(Share("UANN", ticket, "C1", None, PRESSED))
    others = label(slack, ticket, "on", user="UBEN", reply=ToView("V1", "UBEN"))
    for call in (public, others):
        assert "your own brand" not in text_of(call), "whose?"


def test_the_last_word_of_a_person_counts_and_conflicts_show(slack: World, ticket: str) -> None:
    label(slack, ticket, "on")
    label(slack, ticket, "off", user="UBEN")
    said = text_of(label(slack, ticket, "on", user="UCLEO"))
    assert "On-brand (2)" in said
    assert "<@UANN>" in said
    assert "<@UBEN> says off-brand; opinions differ" in said
    assert "opinions differ" not in text_of(label(slack, ticket, "on", user="UBEN"))


def test_a_label_that_is_run_twice_is_stored_once(slack: World, ticket: str) -> None:
    first = label(slack, ticket, "on", key="k")
    label(slack, ticket, "off", key="l")
    again = label(slack, ticket, "on", key="k", again=True)
    assert words(slack) == [("UANN", "on"), ("UANN", "off")]
    assert "✓ On-brand" in text_of(first)
    assert "✓ Off-brand" in text_of(again), "the later word still counts"


@pytest.mark.parametrize(("page", "title"), [(0, "Details"), (None, "onbrand")])
def test_a_modal_shows_the_label_where_it_was_given(
    slack: World, ticket: str, page: int | None, title: str
) -> None:
    call = label(slack, ticket, "off", reply=ToView("V1", "UANN"), page=page)
    assert call.method == "views.update"
    assert call.arguments["view"]["title"]["text"].startswith(title)
    assert "✓ Off-brand (1)" in text_of(call)


def test_on_a_shared_answer_all_see_the_votes_but_no_names(slack: World, ticket: str) -> None:
    pressed = ToUser("C1", "UBEN", response_url=HOOK)
    call = label(slack, ticket, "off", user="UBEN", reply=pressed, message="1.5")
    assert (call.method, call.arguments["ts"]) == ("chat.update", "1.5")
    assert "UBEN" not in text_of(call)
    assert "UANN" in text_of(call), "who shared it"
    assert Action.SHARE not in buttons(shown(call))


def test_in_direct_messages_the_answer_stays_the_users_own(slack: World, ticket: str) -> None:
    call = label(slack, ticket, "off", reply=ToUser("D1", "UANN", response_url=HOOK), message="1.5")
    assert call.arguments["body"]["replace_original"] is True
    assert Action.SHARE in buttons(shown(call))


def test_on_a_review_it_is_the_review_that_is_updated(slack: World, ticket: str) -> None:
    slack.store.settings.set_brand(HERE, BrandSettings(ONLY, review_channel="CREV"), "UBOSS")
    carried_out(slack.run(SendToReview("UANN", ticket, PRESSED)))
    pressed = ToUser("CREV", "UBEN", response_url=HOOK)
    for message in (None, "1700000000.000900"):
        call = label(slack, ticket, "off", user="UBEN", reply=pressed, message=message)
        assert (call.method, call.channel) == ("chat.update", "CREV")
        assert call.arguments["ts"] == "1700000000.000900"
        assert Action.APPROVE in buttons(shown(call))


@pytest.mark.parametrize("reply", [PRESSED, ToConversation("D1"), ToView("V1", "UANN")])
def test_a_check_that_is_no_longer_kept_cannot_be_labelled(slack: World, reply: Reply) -> None:
    call = label(slack, NO_TICKET, "on", reply=reply)
    assert "too old to label; check the draft again" in text_of(call)
    assert words(slack) == []


@pytest.mark.parametrize("sentence", ["nonsense", "{ticket}#999", "{ticket}#-1", "#0", ""])
def test_no_other_sentence_can_be_made_up(slack: World, ticket: str, sentence: str) -> None:
    (call,) = slack.run(Label("UANN", sentence.format(ticket=ticket), "on", PRESSED))
    assert "too old to label" in text_of(call)
    assert words(slack) == []


def test_only_those_who_may_label(slack: World, ticket: str) -> None:
    settings = BrandSettings(ONLY, labellers=("UBEN",))
    slack.store.settings.set_brand(HERE, settings, "UBOSS")
    assert "UBEN" in text_of(label(slack, ticket, "on"))
    assert words(slack) == []
    label(slack, ticket, "on", user="UBEN")
    assert words(slack) == [("UBEN", "on")]


@pytest.mark.parametrize("user", [{"team_id": "T9"}, {"is_stranger": True}])
def test_nobody_of_another_company_labels(slack: World, ticket: str, user: dict) -> None:
    slack.slack.users["UEVE"] = user
    call = label(slack, ticket, "on", user="UEVE")
    assert "Only members of the workspace" in text_of(call)
    assert words(slack) == []


def test_where_slack_does_not_say_who_it_is_nothing_is_stored(slack: World, ticket: str) -> None:
    slack.slack.answers["users_info"] = refusal("missing_scope")
    assert "does not say who you are" in text_of(label(slack, ticket, "on"))
    assert words(slack) == []


def test_slack_is_asked_once_who_somebody_is(slack: World, ticket: str) -> None:
    label(slack, ticket, "on")
    label(slack, ticket, "off")
    assert [method for method, _ in slack.slack.asked].count("users_info") == 1


def test_a_ticket_of_another_workspace_cannot_be_labelled(slack: World, ticket: str) -> None:
    call = label(slack, ticket, "on", tenant=ELSEWHERE)
    assert "too old to label" in text_of(call)
    assert words(slack) == words(slack, ELSEWHERE) == []


def test_votes_of_another_workspace_are_not_seen(slack: World, ticket: str) -> None:
    label(slack, ticket, "off", user="UBEN")
    request = Check("UDEE", Source.COMMAND, Pasted(OFF), PRESSED, brand=ONLY)
    (there,) = slack.run(request, tenant=ELSEWHERE)
    (here,) = slack.run(request)
    assert "UBEN" in text_of(here), "the same sentence, checked again"
    assert "UBEN" not in text_of(there)


# --- share --------------------------------------------------------------------------------------


def test_an_answer_is_shared_to_the_channel(slack: World, ticket: str) -> None:
    (call,) = slack.run(Share("UANN", ticket, "C1", "1.1", PRESSED))
    assert (call.method, call.channel) == ("chat.postMessage", "C1")
    assert call.arguments["thread_ts"] == "1.1"
    assert "UANN" in text_of(call)
    assert Action.SEND_TO_REVIEW not in buttons(shown(call))


def test_where_the_app_is_no_member_the_press_itself_reaches_the_channel(
    slack: World, ticket: str
) -> None:
    calls = slack.run(Share("UANN", ticket, "C1", None, PRESSED))
    (done,) = carried_out(calls, refused=lambda way: way.method == "chat.postMessage")
    assert done.method == RESPOND
    assert done.arguments["body"]["response_type"] == "in_channel"
    assert done.arguments["body"]["replace_original"] is False
    calls = slack.run(Share("UANN", ticket, "C2", None, PRESSED))
    (done,) = carried_out(calls, refused=lambda way: way.channel == "C2")
    assert done.arguments["body"]["response_type"] == "ephemeral", "it is another channel's"
    assert "I cannot post in <#C2>" in text_of(done)


def test_who_shares_out_of_a_modal_is_told(slack: World, ticket: str) -> None:
    calls = slack.run(Share("UANN", ticket, "C2", None, ToView("V1", "UANN")))
    posted, told = carried_out(calls)
    assert posted.channel == "C2"
    assert (told.channel, "Shared to <#C2>" in text_of(told)) == ("UANN", True)


def test_what_is_shared_twice_says_so(slack: World, ticket: str) -> None:
    (call,) = slack.run(Share("UANN", ticket, "C1"), again=True)
    assert "Again" in text_of(call)


def test_nothing_of_another_workspace_is_shared(slack: World, ticket: str) -> None:
    (call,) = slack.run(Share("UANN", ticket, "C1", None, PRESSED), tenant=ELSEWHERE)
    assert "no longer kept" in text_of(call)
    assert all(way.method != "chat.postMessage" or way.channel == "UANN" for way in ways(call))


# --- report -------------------------------------------------------------------------------------


def test_the_report_comes_as_a_file_that_only_its_user_sees(slack: World, ticket: str) -> None:
    opened, upload, told = carried_out(slack.run(SendReport("UANN", ticket, PRESSED)))
    assert opened.arguments == {"users": "UANN"}
    assert (upload.method, upload.channel) == (UPLOAD, "DUANN")
    assert "leverage" in upload.arguments["content"]
    assert upload.arguments["filename"].endswith(".md")
    assert "in your messages" in text_of(told)


def test_in_a_direct_message_the_report_is_a_reply(slack: World, ticket: str) -> None:
    (upload,) = slack.run(SendReport("UANN", ticket, ToConversation("D1", "1.1")))
    assert (upload.method, upload.channel) == (UPLOAD, "D1")
    assert upload.arguments["thread_ts"] == "1.1"


def test_nobody_else_gets_the_report(slack: World, ticket: str) -> None:
    (call,) = slack.run(SendReport("UANN", ticket, PRESSED), tenant=ELSEWHERE)
    assert "no longer kept" in text_of(call)
