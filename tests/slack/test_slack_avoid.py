"""Drafts judged by what they must not read like, without any voice and beside some."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_talk import FLAGGED, ON_BRAND, Talk, offers, option, read
from slack_team import Member
from slack_web_api import Payload

from onbrand_slack.names import AVOIDED, NO_BRAND

SETTING = {"ONBRAND_SLACK_AVOID": "corporate, hype,chatbot"}
AVOID = "Must not read like hype, corporate-speak, a chatbot"
BUTTONS = ["details", "share", "recheck", "report"]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def bare_app(
    shared_peer: SlackPeer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SlackProcess]:
    """An app that was told of no voices at all."""
    folder = tmp_path_factory.mktemp("bare")
    with SlackProcess(shared_peer, folder, None, environment=SETTING) as process:
        yield process


@pytest.fixture
def bare(shared_peer: SlackPeer, bare_app: SlackProcess) -> Iterator[Member]:
    """A user of it, whom no other test knows."""
    with Member(shared_peer, bare_app, 700 + next(_numbers)) as member:
        yield member


@pytest.fixture(scope="module")
def voiced_app(
    shared_peer: SlackPeer, tmp_path_factory: pytest.TempPathFactory, example_voices: Path
) -> Iterator[SlackProcess]:
    """An app with voices, too."""
    folder = tmp_path_factory.mktemp("voiced")
    with SlackProcess(shared_peer, folder, example_voices, environment=SETTING) as process:
        yield process


@pytest.fixture
def voiced(shared_peer: SlackPeer, voiced_app: SlackProcess) -> Iterator[Member]:
    """A user of that one."""
    with Member(shared_peer, voiced_app, 800 + next(_numbers)) as member:
        yield member


# --- without voices ---------------------------------------------------------------------------


def test_a_draft_in_a_wrong_voice_is_stopped(bare: Talk) -> None:
    bare.say(FLAGGED)
    answer = bare.answer()
    shown = read(answer)
    assert "👀 Human review: reads like corporate-speak" in shown
    assert f"{AVOID}: no brand is named" in shown
    assert "1 of 1 sentence in a voice to avoid" in shown
    assert "off-brand" not in shown.casefold()
    assert answer["text"].startswith("Review: 1 of 1 sentence in a voice to avoid; ")
    assert offers(answer) == BUTTONS, "neither labels nor a review"


def test_a_draft_in_a_good_voice_goes_forward(bare: Talk) -> None:
    bare.say(ON_BRAND)
    shown = read(bare.answer())
    assert "✅ Good to go: reads like nothing to avoid" in shown
    assert "Nothing to mend: 0 of 3 sentences in a voice to avoid" in shown


def test_the_first_word_of_a_draft_is_no_brand(bare: Talk) -> None:
    bare.say(f"oatfolk: {FLAGGED}")
    assert AVOID in read(bare.answer())


def test_a_draft_whose_front_matter_names_a_brand_is_not_judged_without(bare: Talk) -> None:
    file = bare.peer.add_file("plan.md", f"---\nbrand: acme\n---\n\n{FLAGGED}".encode())
    bare.write("", files=[{"id": file}], subtype="file_share")
    assert "no voice for brand 'acme' (known: none)" in read(bare.written())


def test_details_and_report(bare: Member) -> None:
    bare.say(f"{FLAGGED} {ON_BRAND}")
    answer = bare.answer()
    details = bare.opens(answer, "details")
    assert details["title"]["text"] == "Details"
    shown = read(details)
    assert "1 · in a voice to avoid" in shown and "Reads like corporate-speak" in shown
    assert not {"label_on", "label_off"} & set(offers(details))
    bare.use(answer, "report")
    (file,) = bare.next("files.completeUploadExternal").arguments["files"]
    report = bare.peer.files[file["id"]].content.decode()
    assert file["title"] == "onbrand-avoid-hype-corporate-chatbot.md"
    assert f"\n{AVOID}: no brand is named\n" in report
    assert "## 1. In a voice to avoid, reads like corporate-speak, P " in report
    assert "off-brand" not in report.casefold()


def test_the_form_and_its_next_version(bare: Member) -> None:
    bare.shortcut("check_draft", user=bare.user)
    form = bare.view("views.open")
    assert "No brand: must not read like hype, corporate-speak, a chatbot" in read(form)
    bare.saves(form, draft=FLAGGED)
    answer = bare.view("views.update")
    assert "reads like corporate-speak" in read(answer) and AVOID in read(answer)
    again = bare.opens(answer, "recheck")
    bare.saves(again, draft=ON_BRAND)
    changed = read(bare.view("views.update"))
    assert "Good to go: reads like nothing to avoid" in changed
    assert "1 mended; now past the gate" in changed


def test_a_thread(bare: Talk) -> None:
    root = bare.peer.add_message(bare.channel, FLAGGED)
    bare.peer.add_message(bare.channel, ON_BRAND, thread_ts=root)
    bare.ask("summary", thread_ts=root)
    shown = read(bare.shown(bare.next("chat.postEphemeral")))
    assert "Thread: 2 messages, judged without a brand" in shown
    assert "1 of 1 sentence in a voice to avoid" in shown and f"{AVOID}." in shown


def test_home_and_brands_say_that_none_is_needed(bare: Member) -> None:
    none = "There are no brands yet, and none is needed: drafts must not read like hype,"
    home = bare.home()
    assert none in read(home)
    assert "Try this in any channel:\n`/onbrand We leverage" in read(home)
    assert offers(home) == ["home_check", "home_forget_me"]
    bare.say("brands")
    assert none in read(bare.answer())
    bare.say(FLAGGED)
    bare.answer()
    bare.settle()
    assert "👀 *no brand*  P " in read(bare.home())


def test_labels_and_reviews_that_are_forced_are_refused(bare: Talk) -> None:
    bare.say(FLAGGED)
    answer = bare.answer()
    ticket = next(one for one in _values(answer, "details"))
    who = {"user": bare.user, "channel": bare.channel}
    bare.press("label_off", f"{ticket}#0", **who)
    assert "Labels teach a brand's voice" in read(bare.answer())
    bare.press("send_to_review", ticket, **who)
    assert "Reviewers are a brand's" in read(bare.answer())
    bare.settle()
    assert bare.rows("SELECT count(*) FROM onbrand_slack_reviews") == [(0,)]
    assert bare.rows("SELECT count(*) FROM onbrand_labels") == [(0,)]


# --- beside voices ----------------------------------------------------------------------------


def test_who_names_a_brand_is_judged_by_it(voiced: Talk) -> None:
    answer = voiced.check(brand="oatfolk")
    assert "not quite oatfolk yet" in read(answer) and AVOID not in read(answer)
    assert offers(answer)[:2] == ["label_on", "label_off"]


def test_who_names_none_is_not_asked(voiced: Talk) -> None:
    voiced.say(FLAGGED)
    assert f"{AVOID}: no brand is named" in read(voiced.answer())
    voiced.say("brands")
    assert "Where nothing names a brand, drafts must not read like hype," in read(voiced.answer())


def test_an_own_brand_comes_first_and_can_be_left_out_in_the_form(voiced: Member) -> None:
    voiced.say("use quillpot")
    voiced.answer()
    voiced.say(FLAGGED)
    assert "Judged as quillpot: your own brand" in read(voiced.answer())
    voiced.shortcut("check_draft", user=voiced.user)
    form = voiced.view("views.open")
    chosen = {"type": "external_select", **option(AVOIDED)}
    draft = {"type": "plain_text_input", "value": FLAGGED}
    values = {"brand": {"brand": chosen}, "draft": {"draft": draft}}
    voiced.submit(form, values, user=voiced.user)
    shown = read(voiced.view("views.update"))
    assert "reads like corporate-speak" in shown and "no brand is named" not in shown


@pytest.mark.parametrize(
    ("action", "first", "last"),
    [("brand", "oatfolk", AVOIDED), ("home_brand", NO_BRAND, "varnholt-pumps")],
)
def test_the_choices(voiced: Talk, action: str, first: str, last: str) -> None:
    values = [one["value"] for one in voiced.options(action).json["options"]]
    assert (values[0], values[-1]) == (first, last)


def _values(payload: Payload, action: str) -> Iterator[str]:
    for block in payload["blocks"]:
        for one in block.get("elements", []):
            if one.get("action_id") == action:
                yield one["value"]
