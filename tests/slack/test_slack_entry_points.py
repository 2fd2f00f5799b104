"""Every way in which a draft reaches the app, from a signed request to the answer in Slack."""

from __future__ import annotations

import pytest
from slack_documents import written
from slack_talk import FLAGGED, ON_BRAND, PRIVATE, Talk, element, offers, option, read
from slack_web_api import BOT_ID, BOT_USER

THREAD = "1700000000.000500"
BRANDS = ["oatfolk", "quillpot", "tallowgate-museum", "varnholt-pumps"]
BUTTONS = ["details", "share", "recheck", "report"]


# --- the command ------------------------------------------------------------------------------


def test_a_draft_with_its_brand_is_answered_in_private(talk: Talk) -> None:
    url = talk.say(f"oatfolk {FLAGGED}")
    call = talk.next("response_url")
    answer = talk.shown(call)
    assert (call.arguments["url"], answer["response_type"]) == (url, "ephemeral")
    assert "Human review: not quite oatfolk yet" in read(answer)
    assert "Nearest on-brand line" in read(answer)
    assert answer["text"].startswith("Review: ")
    assert offers(answer) == ["label_on", "label_off", *BUTTONS]
    assert talk.settle() and [one.method for one in talk.calls()] == ["response_url"]


def test_a_draft_that_passes_may_go_forward(talk: Talk) -> None:
    answer = talk.check(ON_BRAND)
    assert "Good to go: sounds like oatfolk" in read(answer)
    assert element(answer, "share")["style"] == "primary"


def test_without_a_brand_the_app_asks_and_the_answer_takes_the_questions_place(talk: Talk) -> None:
    talk.say(FLAGGED)
    question = talk.answer()
    select = question["blocks"][0]
    assert (select["accessory"]["type"], offers(question)) == ("external_select", ["pick_brand"])
    talk.press(
        "pick_brand",
        user=talk.user,
        channel=talk.channel,
        block_id=select["block_id"],
        **option("quillpot"),
    )
    call = talk.next("response_url")
    assert (call.arguments["url"], call.arguments["replace_original"]) == (talk.url, True)
    assert "not quite quillpot yet" in read(talk.shown(call))


@pytest.mark.parametrize("text", ["", "  ", "help", "HELP!"])
def test_help(talk: Talk, text: str) -> None:
    talk.say(text)
    guide = talk.answer()
    assert "Ways to check a draft" in read(guide)
    assert offers(guide) == ["home_check"]


def test_help_can_be_the_first_word_of_a_draft(talk: Talk) -> None:
    talk.say("help our customers grow and prosper in all that they do.")
    assert offers(talk.answer()) == ["pick_brand"]


def test_the_brands_are_listed(talk: Talk) -> None:
    talk.say("brands")
    listed = talk.answer()
    assert listed["text"] == "4 brands: " + ", ".join(BRANDS)
    assert all(f"*{brand}*" in read(listed) for brand in BRANDS)


def test_a_brand_of_ones_own_counts_from_then_on(talk: Talk) -> None:
    talk.say("use Quillpot")
    assert "checked as *quillpot*" in read(talk.answer())
    talk.say(FLAGGED)
    answer = read(talk.answer())
    assert "not quite quillpot yet" in answer
    assert "Judged as quillpot: your own brand" in answer
    talk.say("brands")
    assert "*quillpot* _(yours)_" in read(talk.answer())
    assert "not quite oatfolk yet" in read(talk.check(brand="oatfolk")), "one that is named"


@pytest.mark.parametrize(
    ("text", "word"), [("use oatfolc", "did you mean 'oatfolk'?"), ("use", "Say: use BRAND")]
)
def test_a_brand_that_is_none_is_told_at_once(talk: Talk, text: str, word: str) -> None:
    acknowledged = talk.command(text, user=talk.user, channel=talk.channel)
    assert word in acknowledged.json["text"]
    talk.settle()
    assert talk.calls() == []


def test_settings_are_shown_to_everybody_and_the_way_to_change_them_to_admins(talk: Talk) -> None:
    talk.say("settings")
    assert offers(talk.answer()) == []
    admin = "U1ADMIN00"
    talk.peer.users[admin] = {"is_admin": True}
    talk.command("settings", user=admin, channel=talk.channel)
    assert "home_settings" in offers(talk.answer())


# --- mentions ---------------------------------------------------------------------------------


def test_a_mention_in_a_channel_is_answered_to_its_author_only(talk: Talk) -> None:
    talk.ask(f"oatfolk: {FLAGGED}")
    call = talk.next("chat.postEphemeral")
    assert (call.arguments["channel"], call.arguments["user"]) == (talk.channel, talk.user)
    assert "thread_ts" not in call.arguments
    assert "not quite oatfolk yet" in read(talk.shown(call))
    assert talk.settle() and talk.calls("chat.postMessage") == []


def test_a_mention_with_nothing_else_asks_for_help(talk: Talk) -> None:
    talk.ask("")
    assert "Ways to check a draft" in read(talk.answer())


def test_a_mention_of_a_brand_that_is_none(talk: Talk) -> None:
    talk.ask("use oatfolc")
    assert "did you mean 'oatfolk'?" in read(talk.answer())


def test_a_mention_in_a_thread_is_about_its_first_message(talk: Talk) -> None:
    root = talk.peer.add_message(talk.channel, FLAGGED)
    talk.peer.add_message(talk.channel, ON_BRAND, thread_ts=root)
    talk.ask("oatfolk", thread_ts=root)
    call = talk.next("chat.postEphemeral")
    assert call.arguments["thread_ts"] == root
    answer = read(talk.shown(call))
    assert "not quite oatfolk yet" in answer and "Bold words" in answer
    assert f"archives/{talk.channel}/p{root.replace('.', '')}|The message" in answer


def test_a_draft_beside_a_mention_in_a_thread_is_meant_itself(talk: Talk) -> None:
    root = talk.peer.add_message(talk.channel, FLAGGED)
    talk.ask(f"oatfolk {ON_BRAND}", thread_ts=root)
    assert "Good to go" in read(talk.answer())


def test_a_summary_of_a_thread_lists_what_people_wrote(talk: Talk) -> None:
    root = talk.peer.add_message(talk.channel, FLAGGED)
    talk.peer.add_message(talk.channel, ON_BRAND, thread_ts=root, user="U000000222")
    talk.peer.add_message(talk.channel, FLAGGED, thread_ts=root, user=BOT_USER, bot_id=BOT_ID)
    talk.peer.add_message(talk.channel, f"<@{BOT_USER}> oatfolk summary", thread_ts=root)
    talk.peer.add_message(
        talk.channel, "has joined the channel", thread_ts=root, subtype="channel_join"
    )
    talk.ask("oatfolk summary", thread_ts=root)
    call = talk.next("chat.postEphemeral")
    summary = read(talk.shown(call))
    assert call.arguments["thread_ts"] == root
    assert "Thread: 2 messages, judged as oatfolk" in summary
    assert "1 good to go, 1 for human review" in summary
    assert talk.settle() and talk.rows(
        f"SELECT count(*) FROM onbrand_slack_checks WHERE user = '{talk.user}'"
    ) == [(0,)], "other people's messages are not kept"


def test_a_thread_that_the_app_cannot_read(talk: Talk) -> None:
    talk.peer.refuse("conversations.history", "not_in_channel", only=talk.channel)
    talk.ask("oatfolk", thread_ts=THREAD)
    assert "Invite me to the channel" in read(talk.answer())


# --- files ------------------------------------------------------------------------------------

FILES = {
    "plan.txt": FLAGGED.encode(),
    "plan.md": f"# Launch\n\n{FLAGGED}\n\n```\n{ON_BRAND}\n```\n".encode(),
    "plan.html": f"<!DOCTYPE html><title>x</title><body><p>{FLAGGED}</p></body>".encode(),
    "plan.docx": written(FLAGGED),
    "utf-16.txt": FLAGGED.encode("utf-16"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_in_a_direct_message(talk: Talk, name: str) -> None:
    file = talk.peer.add_file(name, FILES[name])
    talk.write("oatfolk", files=[{"id": file}], subtype="file_share")
    call = talk.next("chat.postMessage")
    answer = read(talk.shown(call))
    assert call.arguments["channel"] == talk.direct
    assert f"📄 {name}" in answer
    assert "1 of 1 sentence off-brand" in answer, "neither code nor mark-up is judged"


def test_a_file_beside_a_mention_is_answered_in_private(talk: Talk) -> None:
    file = talk.peer.add_file("plan.md", FILES["plan.md"])
    talk.ask("oatfolk", files=[{"id": file}])
    assert "📄 plan.md" in read(talk.shown(talk.next(*PRIVATE)))


def test_each_file_is_a_draft_and_one_that_cannot_be_read_is_told(talk: Talk) -> None:
    good, bad = (talk.peer.add_file(name, b"Fine.") for name in ("a.txt", "b.xlsx"))
    talk.write("oatfolk", files=[{"id": good}, {"id": bad}], subtype="file_share")
    answers = [read(talk.written()), read(talk.written())]
    assert "a.txt" in answers[0]
    assert "“b.xlsx”: The file is of another kind: onbrand reads .txt" in answers[1]


# --- direct messages --------------------------------------------------------------------------


def test_a_direct_message_is_answered_where_it_was_written(talk: Talk) -> None:
    talk.write(f"oatfolk {FLAGGED}")
    call = talk.next("chat.postMessage")
    assert call.arguments["channel"] == talk.direct
    assert "thread_ts" not in call.arguments
    assert "not quite oatfolk yet" in read(talk.shown(call))


def test_in_a_thread_of_direct_messages_the_answer_stays_in_it(talk: Talk) -> None:
    talk.write(f"oatfolk {FLAGGED}", thread_ts=THREAD)
    assert talk.next("chat.postMessage").arguments["thread_ts"] == THREAD


@pytest.mark.parametrize(("text", "word"), [("help", "Ways to check"), ("brands", "4 brands")])
def test_commands_work_in_direct_messages(talk: Talk, text: str, word: str) -> None:
    talk.write(text)
    assert word in read(talk.written())


def test_a_brand_is_picked_in_a_direct_message(talk: Talk) -> None:
    talk.write(FLAGGED)
    call = talk.next("chat.postMessage")
    question = talk.shown(call)
    talk.press(
        "pick_brand",
        user=talk.user,
        channel=talk.direct,
        block_id=question["blocks"][0]["block_id"],
        message={"ts": call.answer["ts"], "blocks": question["blocks"]},
        **option("oatfolk"),
    )
    call = talk.next("chat.postMessage")
    assert call.arguments["channel"] == talk.direct
    assert "not quite oatfolk yet" in read(talk.shown(call))


NOT_OURS = [
    {"subtype": "message_changed", "message": {"text": FLAGGED}, "hidden": True},
    {"subtype": "message_deleted", "deleted_ts": "1.1", "hidden": True},
    {"subtype": "bot_message", "bot_id": "B000000009"},
    {"bot_id": BOT_ID, "user": BOT_USER},
    {"user": BOT_USER},
    {"subtype": "channel_topic"},
    {"channel": "C000000009", "channel_type": "channel"},
]


@pytest.mark.parametrize("event", NOT_OURS, ids=str)
def test_what_is_no_word_to_the_app_is_left_alone(talk: Talk, event: dict[str, object]) -> None:
    before = talk.settle()
    said = {"type": "message", "channel_type": "im", "user": talk.user, "channel": talk.direct}
    said |= {"text": f"oatfolk {FLAGGED}", "ts": talk.ts()}
    assert talk.event({**said, **event}).status == 200
    assert talk.settle() == before
    assert talk.calls() == []


def test_what_arrives_as_message_and_as_mention_is_answered_once(talk: Talk) -> None:
    before, ts = talk.settle(), talk.ts()
    text = f"<@{BOT_USER}> oatfolk {FLAGGED}"
    for kind in ("message", "app_mention", "message"):
        said = {"type": kind, "channel_type": "im", "user": talk.user, "channel": talk.direct}
        assert talk.event({**said, "text": text, "ts": ts}).status == 200
    assert talk.settle()["check"] == before["check"] + 1
    assert len(talk.calls("chat.postMessage")) == 1
