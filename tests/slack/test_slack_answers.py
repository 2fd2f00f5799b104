"""What can be done with an answer: label, share, re-check, take along; and hard drafts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from slack_gate import payload_of
from slack_golden import nodes
from slack_talk import FLAGGED, ON_BRAND, Talk, element, offers, option, read
from slack_web_api import Payload

ANSWER = ["details", "share", "recheck", "report"]
OTHER = "U000000777"


def message_of(talk: Talk) -> tuple[Payload, Payload]:
    """Return the next message in a conversation, and what Slack sends of it with a press."""
    call = talk.next("chat.postMessage")
    shown = talk.shown(call)
    return shown, {"ts": call.answer["ts"], "blocks": shown["blocks"]}


# --- labels -----------------------------------------------------------------------------------


def own(talk: Talk) -> str:
    """Return a sentence of this talk alone: answers count the labels of all who checked it."""
    return f"{FLAGGED[:-1]} of {talk.user}."


def test_a_private_answer_shows_the_label_and_keeps_its_buttons(talk: Talk) -> None:
    answer = talk.check(own(talk))
    talk.use(answer, "label_on")
    call = talk.next("response_url")
    labelled = talk.shown(call)
    assert (call.arguments["url"], labelled["replace_original"]) == (talk.url, True)
    assert element(labelled, "label_on")["text"]["text"] == "✓ On-brand (1)"
    assert offers(labelled) == ["label_on", "label_off", *ANSWER]
    talk.use(labelled, "label_off")
    labelled = talk.answer()
    assert element(labelled, "label_on")["text"]["text"] == "On-brand", "the last word counts"
    assert element(labelled, "label_off")["text"]["text"] == "✓ Off-brand (1)"


def test_in_direct_messages_too(talk: Talk) -> None:
    talk.write(f"oatfolk {own(talk)}")
    answer, message = message_of(talk)
    talk.use(answer, "label_on", channel=talk.direct, message=message)
    call = talk.next("chat.update", "response_url")
    assert element(talk.shown(call), "label_on")["text"]["text"] == "✓ On-brand (1)"
    assert offers(talk.shown(call)) == ["label_on", "label_off", *ANSWER]


def test_on_a_shared_answer_opinions_may_differ_and_nobody_is_named(talk: Talk) -> None:
    talk.use(talk.check("We leverage a one-of-a-kind paradigm to empower stakeholders."), "share")
    shared, message = message_of(talk)
    talk.use(shared, "label_on", message=message)
    first = talk.next("chat.update")
    assert (first.arguments["channel"], first.arguments["ts"]) == (talk.channel, message["ts"])
    talk.use(talk.shown(first), "label_off", message=message, user=OTHER)
    shown = read(talk.shown(talk.next("chat.update")))
    assert "1 says on-brand, 1 says off-brand; opinions differ" in shown
    assert OTHER not in shown


def test_a_label_is_kept_with_who_and_the_sentence_only(talk: Talk) -> None:
    odd = "We leverage a wholly unheard-of paradigm to empower many stakeholders."
    talk.use(talk.check(f"{odd} {FLAGGED}"), "label_off", nth=0)
    talk.answer()
    columns = "text, brand, label, author, source, workspace"
    rows = talk.rows(f"SELECT {columns} FROM onbrand_labels WHERE author = '{talk.user}'")
    assert len(rows) == 1
    assert rows[0][0] in (odd, FLAGGED)
    assert rows[0][1:5] == ("oatfolk", "off", talk.user, "slack")


# --- share, report, re-check ------------------------------------------------------------------


def test_an_answer_is_shared_to_its_channel(talk: Talk) -> None:
    talk.use(talk.check(), "share")
    call = talk.next("chat.postMessage")
    shared = talk.shown(call)
    assert call.arguments["channel"] == talk.channel
    assert "shared a check of a draft" in read(shared)
    assert offers(shared) == ["label_on", "label_off", "details"]


def test_out_of_a_direct_message_the_channel_is_chosen_first(talk: Talk) -> None:
    talk.write(f"oatfolk {FLAGGED}")
    answer, message = message_of(talk)
    talk.use(answer, "share", channel=talk.direct, message=message)
    view = talk.view("views.open")
    chosen = {"type": "conversations_select", "selected_conversation": talk.channel}
    talk.use_in(view, "share", **chosen)
    shared, told = talk.next("chat.postMessage"), talk.next("chat.postMessage")
    assert shared.arguments["channel"] == talk.channel
    assert told.arguments["channel"] == talk.user
    assert f"Shared to <#{talk.channel}>" in read(talk.shown(told))


def test_where_the_app_is_no_member_sharing_goes_by_the_press(talk: Talk) -> None:
    answer = talk.check()
    talk.peer.refuse("chat.postMessage", "not_in_channel", only=talk.channel)
    talk.use(answer, "share")
    call = talk.next("response_url")
    assert call.arguments["url"] == talk.url
    assert (call.arguments["response_type"], call.arguments["replace_original"]) == (
        "in_channel",
        False,
    )


def test_the_whole_report_comes_as_a_file(talk: Talk) -> None:
    draft = f"{FLAGGED} Our paradigm synergises all stakeholders. We were at lunch with Linda."
    talk.use(talk.check(draft), "report")
    call = talk.next("files.completeUploadExternal")
    (file,) = call.arguments["files"]
    report = talk.peer.files[file["id"]].content.decode()
    assert file["title"] == "onbrand-oatfolk.md"
    assert call.arguments["channel_id"] == f"D{talk.user[1:]}"
    assert report.startswith("# 👀 Human review: not quite oatfolk yet\n")
    assert len(re.findall("^## ", report, re.MULTILINE)) == 3, "every sentence"
    assert "in your messages with onbrand" in read(talk.answer())


def recheck(talk: Talk, draft: str) -> tuple[Payload, Payload]:
    talk.use(talk.check(f"{FLAGGED} Our paradigm synergises all stakeholders."), "recheck")
    view = talk.view("views.open")
    entered = {
        "brand": {"brand": {"type": "external_select", **option("oatfolk")}},
        "draft": {"draft": {"type": "plain_text_input", "value": draft}},
    }
    talk.submit(view, entered, user=talk.user)
    return view, talk.view("views.update")


def test_the_next_version_is_compared_with_the_last(talk: Talk) -> None:
    view, answer = recheck(talk, f"{ON_BRAND} Our paradigm synergises all stakeholders.")
    assert FLAGGED in element(view, "draft")["initial_value"], "the last version is in the box"
    shown = read(answer)
    assert "▲ +0." in shown
    assert "since the last version: 1 mended, 1 still off-brand; now past the gate." in shown


def test_the_same_version_again_is_no_change(talk: Talk) -> None:
    _, answer = recheck(talk, f"{FLAGGED} Our paradigm synergises all stakeholders.")
    assert "= ±0.00  since the last version: 2 still off-brand." in read(answer)


# --- long, empty, foreign, hostile ------------------------------------------------------------

LONG = "\n\n".join(
    f"{number}. We leverage scalable value for {number} stakeholders. {ON_BRAND} Fine."
    for number in range(300)
)


def test_ten_thousand_words_are_summed_up(talk: Talk) -> None:
    assert len(LONG.split()) > 10_000
    file = talk.peer.add_file("book.txt", LONG.encode())
    talk.write("oatfolk", files=[{"id": file}], subtype="file_share")
    answer, _ = message_of(talk)
    assert re.search(r"of [\d,]{4,} sentences", answer["text"])
    assert re.search(r"more off-brand sentences in Details", read(answer))
    talk.use(answer, "details", channel=talk.direct)
    assert re.search(r"Page 1 of \d{2,}", read(talk.view("views.open")))
    talk.use(answer, "report", channel=talk.direct)
    (file,) = talk.next("files.completeUploadExternal").arguments["files"]
    report = talk.peer.files[file["id"]].content.decode()
    assert len(re.findall("^## ", report, re.MULTILINE)) > 1000


@pytest.mark.parametrize("draft", ["…", "😀😀", "```\ncode only\n```", "> quoted by someone", "42"])
def test_a_draft_without_prose_is_not_judged_and_not_an_error(talk: Talk, draft: str) -> None:
    talk.write(f"oatfolk: {draft}")
    shown = read(talk.written())
    assert "Not judged" in shown or "no text to check" in shown or "not judged" in shown


FOREIGN = {
    "Japanese": "私たちは価値を創造します。お客様のために働きます。",
    "Arabic": "نحن نبني القيمة لعملائنا. نعمل كل يوم من أجلكم.",
    "German": "Wir schaffen Werte für unsere Kunden. Jeden Tag, mit Leidenschaft.",
    "Thai": "เราสร้างคุณค่าให้กับลูกค้าของเรา",
    "Zalgo": "W̶̛̖e̷͝ ̸̈́l̵̾e̴͋v̷̈́e̶͊r̸̽a̵͝g̶̓e̴͐ s̷̈́y̶̏n̸͝e̶͊r̴̾g̵͆i̴̎e̸͌s̷̈́ for you all today.",
}


@pytest.mark.parametrize("language", FOREIGN)
def test_foreign_drafts_are_answered(talk: Talk, language: str) -> None:
    talk.write(f"oatfolk: {FOREIGN[language]}")
    assert "oatfolk" in read(talk.written())


# Slack escapes what people type; a draft in a file comes as it is.
HOSTILE = (
    "We leverage <!channel> and <!here> synergies for <@U000000001> stakeholders today. "
    "We leverage @channel and @everyone synergies <https://evil.example|click> to empower you all. "
    "We leverage *bold* _italic_ ~gone~ `code` &amp; <!subteam^S1|@all> value for stakeholders. "
    "We leverage \u202eevil\u202c \x07 bell and \u2028 synergies for all our stakeholders."
)


@pytest.mark.parametrize("way", ["file", "command", "message"])
def test_what_a_draft_says_pings_nobody(talk: Talk, way: str) -> None:
    """The gate refuses broadcasts and control characters in anything that was sent, too."""
    if way == "file":
        file = talk.peer.add_file("<!channel> <@U000000001>.txt", HOSTILE.encode())
        talk.write("oatfolk", files=[{"id": file}], subtype="file_share")
    elif way == "command":
        talk.say(f"oatfolk {HOSTILE}")
    else:
        talk.write(f"oatfolk {HOSTILE}")
    call = talk.next("response_url", "chat.postMessage")
    answer = talk.shown(call)
    direct = {} if way == "command" else {"channel": talk.direct}
    talk.use(answer, "details", **direct)
    talk.view("views.open")
    talk.use(answer, "label_off", **direct)
    talk.next("response_url")
    talk.use(answer, "report", **direct)
    talk.next("files.completeUploadExternal")
    if way == "command":
        talk.use(answer, "share")
        talk.next("chat.postMessage")
    talk.settle()
    sent = [payload for call in talk.calls() if (payload := payload_of(call))]
    assert len(sent) >= 3
    for text in mrkdwn(sent):
        assert not re.search(r"<!(channel|here|everyone|subteam)", text)
        assert "<@U000000001>" not in text and "<https://evil" not in text


def mrkdwn(sent: list[Payload]) -> list[str]:
    """Return all text in which Slack would read mark-up."""
    texts = [str(payload["text"]) for payload in sent if "text" in payload]
    for node in nodes(sent):
        value: Any = node.get("text")
        if node.get("type") == "mrkdwn" and isinstance(value, str):
            texts.append(value)
    return texts
