"""Slack fails where the app asks it something, uploads a file or opens a modal."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_talk import FLAGGED, ON_BRAND
from slack_trouble import ROUTES, Troubled, check_log

NewTalk = Callable[[], Troubled]
UPLOAD = ("files.getUploadURLExternal", "upload", "files.completeUploadExternal")
PASSING: dict[str, dict[str, Any]] = {
    "429": {"status": 429, "headers": {"Retry-After": "1"}},
    "500": {"status": 500},
    "cut": {"reset": True},
    "a page": {"body": b"<html>Down</html>", "headers": {"Content-Type": "text/html"}},
}


@pytest.fixture(scope="module")
def peer() -> Iterator[SlackPeer]:
    with SlackPeer() as peer:
        yield peer


@pytest.fixture(scope="module")
def app(
    peer: SlackPeer, tmp_path_factory: pytest.TempPathFactory, example_voices: Path
) -> Iterator[SlackProcess]:
    folder = tmp_path_factory.mktemp("faults")
    with SlackProcess(peer, folder, example_voices, "--workers", "4") as app:
        yield app
        check_log(app)


@pytest.fixture(scope="module")
def new_talk(peer: SlackPeer, app: SlackProcess) -> Iterator[NewTalk]:
    """Makes users, each with a place of their own in which things go wrong."""
    talks: list[Troubled] = []
    numbers = itertools.count(1)

    def new() -> Troubled:
        talks.append(Troubled(peer, app, next(numbers)))
        return talks[-1]

    yield new
    for talk in talks:
        talk.close()


@pytest.fixture(autouse=True)
def all_is_well_afterwards(peer: SlackPeer) -> Iterator[None]:
    yield
    peer.mend()


def ask_in_thread(talk: Troubled) -> None:
    """Ask for a check of the message under which somebody says so."""
    ts = talk.peer.add_message(talk.channel, FLAGGED)
    assert talk.ask("oatfolk", thread_ts=ts).status == 200


def ask_for_summary(talk: Troubled) -> None:
    """Ask for a summary of a thread."""
    ts = talk.peer.add_message(talk.channel, FLAGGED)
    assert talk.ask("oatfolk summary", thread_ts=ts).status == 200


def send_file(talk: Troubled) -> None:
    """Write to the app with a file."""
    file = talk.peer.add_file("draft.txt", FLAGGED.encode(), user=talk.user)
    files = [{"id": file, "name": "draft.txt"}]
    assert talk.write("oatfolk", subtype="file_share", files=files).status == 200


def ask_for_settings(talk: Troubled) -> None:
    """Ask for what only an admin may change."""
    talk.say("settings")


ASKING = {
    "conversations.history": ask_in_thread,
    "conversations.replies": ask_for_summary,
    "files.info": send_file,
    "users.info": ask_for_settings,
}
"""A request that makes the app ask Slack something first."""


def only(talk: Troubled, method: str) -> str:
    """Return what the question holds; a file's id is not known beforehand."""
    return {"users.info": talk.user, "files.info": ""}.get(method, talk.channel)


# --- questions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", PASSING)
def test_a_question_that_fails_is_asked_again(
    peer: SlackPeer, new_talk: NewTalk, trouble: str
) -> None:
    talks = {method: new_talk() for method in ASKING}
    for method, talk in talks.items():
        peer.fail(method, only=only(talk, method), **PASSING[trouble])
        ASKING[method](talk)
    talk.settle()
    for method, talk in talks.items():
        assert len(talk.told()) == 1, method
        assert "went wrong" not in talk.told()[0], method


@pytest.mark.parametrize(
    ("method", "error", "word"),
    [
        ("conversations.history", "not_in_channel", "Invite me to the channel"),
        ("conversations.history", "is_archived", "is_archived"),
        ("conversations.replies", "channel_not_found", "Invite me to the channel"),
        ("conversations.replies", "missing_scope", "missing_scope"),
        ("conversations.replies", "thread_not_found", "no longer there"),
        ("files.info", "file_not_found", "Upload it again"),
        ("files.info", "file_deleted", "Upload it again"),
        ("files.info", "missing_scope", "missing_scope"),
        ("users.info", "user_not_found", "Settings"),
        ("users.info", "missing_scope", "Settings"),
    ],
)
def test_a_question_that_is_refused_is_put_once_and_its_user_told_why(
    peer: SlackPeer, new_talk: NewTalk, method: str, error: str, word: str
) -> None:
    talk = new_talk()
    peer.refuse(method, error, times=100)
    ASKING[method](talk)
    peer.wait(lambda _: talk.told(), what="a word")
    talk.settle()
    assert len([call for call in peer.calls[talk.started :] if call.method == method]) == 1
    assert len(talk.told()) == 1
    assert word.casefold() in talk.told()[0].casefold()


@pytest.mark.slow
def test_slack_that_answers_no_question_is_given_up_after_three_attempts(
    peer: SlackPeer, new_talk: NewTalk
) -> None:
    talks = {method: new_talk() for method in ASKING}
    for method, talk in talks.items():
        peer.fail(method, times=1000, status=500)
        ASKING[method](talk)
    talk.settle()
    for method, talk in talks.items():
        asked = [call for call in peer.calls[talk.started :] if call.method == method]
        assert len(asked) <= 3 * 2, method  # three attempts, each with a second try at once
        assert len(talk.told()) == 1, method
        assert "went wrong" in talk.told()[0]
    assert Counter(state for _, state in talk.jobs()[-len(ASKING) :]) == {"failed": len(ASKING)}


# --- files and modals ---------------------------------------------------------------------------


@pytest.fixture
def report(new_talk: NewTalk) -> Callable[[], Troubled]:
    """Asks for the report of a check whose answer is there."""
    talk = new_talk()
    answer = talk.check()

    def ask() -> Troubled:
        talk.use(answer, "report")
        return talk

    return ask


@pytest.mark.parametrize(
    ("method", "trouble"),
    [(UPLOAD[0], "429"), (UPLOAD[1], "500"), (UPLOAD[1], "cut"), (UPLOAD[2], "a page")],
)
def test_a_report_is_uploaded_again_where_that_failed(
    peer: SlackPeer, report: Callable[[], Troubled], method: str, trouble: str
) -> None:
    peer.fail(method, **PASSING[trouble])
    talk = report()
    talk.next(UPLOAD[-1])
    talk.settle()
    assert len(talk.calls(UPLOAD[-1])) == 1
    assert "full report is in your messages" in talk.told()[-1]


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("conversations.open", "missing_scope"),
        (UPLOAD[0], "storage_limit_reached"),
        (UPLOAD[-1], "channel_not_found"),
    ],
)
def test_a_report_that_slack_does_not_take_is_not_said_to_be_there(
    peer: SlackPeer, report: Callable[[], Troubled], method: str, error: str
) -> None:
    peer.refuse(method, error, times=100)
    talk = report()
    state, reason = talk.ending()
    assert state == "failed"
    assert error in reason
    assert len([call for call in peer.calls[talk.started :] if call.method == method]) == 1
    assert error in talk.told()[-1]
    assert "is in your messages" not in "".join(talk.told())


@pytest.mark.parametrize("error", ["expired_trigger_id", "fatal_error"])
def test_a_message_whose_modal_does_not_open_is_answered_in_the_channel(
    peer: SlackPeer, new_talk: NewTalk, error: str
) -> None:
    talk = new_talk()
    peer.refuse("views.open", error)
    message = {"ts": talk.ts(), "text": ON_BRAND, "blocks": []}
    assert talk.message_shortcut("check_message", message, channel=talk.channel).status == 200
    call = talk.next("response_url")
    assert call.arguments["url"] == talk.url
    assert talk.made("views.update") == []


def test_a_home_that_cannot_be_published_is_published_later(
    peer: SlackPeer, new_talk: NewTalk
) -> None:
    talk = new_talk()
    peer.fail("views.publish", status=503)
    talk.event({"type": "app_home_opened", "user": talk.user, "channel": "D1", "tab": "home"})
    talk.next("views.publish")
    assert len(talk.made("views.publish")) == 2


def test_a_nicety_that_fails_holds_nothing_up(peer: SlackPeer, new_talk: NewTalk) -> None:
    talk = new_talk()
    peer.fail("assistant.threads.setStatus", times=100, status=500)
    peer.refuse("assistant.threads.setSuggestedPrompts", "not_allowed_token_type", times=100)
    talk.event({"type": "app_home_opened", "user": talk.user, "channel": "D1", "tab": "messages"})
    talk.write(f"oatfolk {FLAGGED * 300}", thread_ts="1.1")
    talk.next("chat.postMessage")
    talk.settle()
    assert [call.method for call in talk.made(*ROUTES)] == ["chat.postMessage"]
    assert len([c for c in peer.calls[talk.started :] if c.method.startswith("assistant.")]) == 2
