"""What is not Slack's, not new or not for this app is refused, and nothing of it runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_sender import FORM, JSON, SIGNING_SECRET, Sender, signed
from slack_talk import FLAGGED, Talk, element, read
from slack_web_api import APP_ID, BOT_USER, Payload

OTHER_TEAM = "T000000666"


@pytest.fixture(scope="module")
def shared_app(
    shared_peer: SlackPeer, tmp_path_factory: pytest.TempPathFactory, example_voices: Path
) -> Iterator[SlackProcess]:
    """The app, which knows its own id."""
    environment = {"SLACK_APP_ID": APP_ID}
    folder = tmp_path_factory.mktemp("app")
    with SlackProcess(shared_peer, folder, example_voices, environment=environment) as process:
        yield process


def command(talk: Talk, **more: str) -> str:
    payload = talk.command_payload(f"oatfolk {FLAGGED}", user=talk.user, channel=talk.channel)
    return urlencode(payload | more)


def event(talk: Talk, **more: object) -> str:
    said = {"type": "message", "channel_type": "im", "user": talk.user, "channel": talk.direct}
    said |= {"text": f"oatfolk {FLAGGED}", "ts": talk.ts()}
    return json.dumps(talk.event_payload(said) | more)


def press(talk: Talk) -> str:
    payload: Payload = {"type": "block_actions", "actions": [{"action_id": "home_forget_me"}]}
    payload |= {"user": {"id": talk.user}, "team": {"id": talk.team}, "trigger_id": "1"}
    return urlencode({"payload": json.dumps(payload)})


BODIES: dict[str, tuple[Callable[[Talk], str], str]] = {
    "command": (command, FORM),
    "event": (event, JSON),
    "press": (press, FORM),
    "challenge": (lambda _: json.dumps({"type": "url_verification", "challenge": "abc"}), JSON),
}
every_body = pytest.mark.parametrize(("body", "kind"), BODIES.values(), ids=BODIES)
Body = Callable[[Talk], str]


def send(talk: Talk, body: str | bytes, headers: dict[str, str]) -> httpx.Response:
    content = body.encode() if isinstance(body, str) else body
    return httpx.post(f"{talk.app.url}/slack/events", content=content, headers=headers, timeout=30)


# --- signatures -------------------------------------------------------------------------------


@every_body
@pytest.mark.parametrize("secret", ["another secret", SIGNING_SECRET.upper(), SIGNING_SECRET + " "])
@pytest.mark.usefixtures("nothing_runs")
def test_signed_with_another_secret(talk: Talk, body: Body, kind: str, secret: str) -> None:
    assert talk.post(body(talk), kind, secret=secret).status == 401


@every_body
@pytest.mark.parametrize("minutes", [-6, 6, -60 * 24 * 365, 60 * 24 * 365])
@pytest.mark.usefixtures("nothing_runs")
def test_signed_too_long_ago_or_in_the_future(
    talk: Talk, body: Body, kind: str, minutes: int
) -> None:
    assert talk.post(body(talk), kind, at=time.time() + 60 * minutes).status == 401


MANGLED: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "no signature": lambda h: {k: v for k, v in h.items() if k != "X-Slack-Signature"},
    "no time": lambda h: {k: v for k, v in h.items() if k != "X-Slack-Request-Timestamp"},
    "neither": lambda h: {"Content-Type": h["Content-Type"]},
    "empty": lambda h: {**h, "X-Slack-Signature": ""},
    "of version 1": lambda h: {
        **h,
        "X-Slack-Signature": h["X-Slack-Signature"].replace("v0", "v1"),
    },
    "cut": lambda h: {**h, "X-Slack-Signature": h["X-Slack-Signature"][:-1]},
    "of another time": lambda h: {
        **h,
        "X-Slack-Request-Timestamp": str(int(h["X-Slack-Request-Timestamp"]) + 1),
    },
    "no number": lambda h: {**h, "X-Slack-Request-Timestamp": "now"},
    "a huge number": lambda h: {**h, "X-Slack-Request-Timestamp": "9" * 4000},
    "not a number": lambda h: {**h, "X-Slack-Request-Timestamp": "nan"},
}


@every_body
@pytest.mark.parametrize("mangle", MANGLED.values(), ids=MANGLED)
@pytest.mark.usefixtures("nothing_runs")
def test_with_headers_that_are_not_slacks(
    talk: Talk, body: Body, kind: str, mangle: Callable[[dict[str, str]], dict[str, str]]
) -> None:
    text = body(talk)
    assert send(talk, text, mangle(signed(text, kind))).status_code == 401


@every_body
@pytest.mark.usefixtures("nothing_runs")
def test_a_body_that_was_changed(talk: Talk, body: Body, kind: str) -> None:
    text = body(talk)
    assert send(talk, text + " ", signed(text, kind)).status_code == 401


# --- whose request ----------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_runs")
def test_of_another_workspace(talk: Talk) -> None:
    stranger = Sender(talk.peer, talk.app.url, team=OTHER_TEAM)
    assert stranger.command(f"oatfolk {FLAGGED}").status == 401
    assert stranger.mention(f"oatfolk {FLAGGED}").status == 401
    assert stranger.press("home_forget_me", user=talk.user).status == 401
    assert stranger.shortcut("check_draft").status == 401
    assert stranger.options("brand").status == 401
    stranger.close()


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize("team", ["", "T000000001x", "t000000001", "' OR 1=1 --"])
def test_of_no_workspace(talk: Talk, team: str) -> None:
    assert talk.post(command(talk, team_id=team), FORM).status in (400, 401)
    body = event(talk, team_id=team, authorizations=[])
    assert talk.post(body, JSON).status in (400, 401)


@pytest.mark.usefixtures("nothing_runs")
def test_for_another_app(talk: Talk) -> None:
    assert talk.post(command(talk, api_app_id="A000000666"), FORM).status == 401
    assert talk.post(event(talk, api_app_id="A000000666"), JSON).status == 401


# --- replays ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["command", "event", "press"])
def test_what_was_overheard_does_not_run_again(talk: Talk, kind: str) -> None:
    make, content_type = BODIES[kind]
    body = make(talk)
    headers = signed(body, content_type)
    assert send(talk, body, headers).status_code == 200
    talk.settle()
    before, said = talk.stored(), len(talk.calls())
    assert said >= 1
    for _ in range(3):
        assert send(talk, body, headers).status_code == 401
    shouted = {name.upper(): value for name, value in headers.items()}
    assert send(talk, body, shouted).status_code == 401
    talk.settle()
    assert (talk.stored(), len(talk.calls())) == (before, said)


@pytest.mark.parametrize("same_second", [True, False])
def test_an_event_that_slack_delivers_again_is_answered_once(talk: Talk, same_second: bool) -> None:
    body = event(talk)
    now = time.time()
    first = signed(body, JSON, at=now)
    assert send(talk, body, first).status_code == 200
    talk.settle()
    before = talk.stored()
    for number in range(1, 4):
        again = first if same_second else signed(body, JSON, at=now + number)
        more = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_timeout"}
        assert send(talk, body, again | more).status_code == 200
    talk.settle()
    assert talk.stored() == before
    assert len(talk.calls("chat.postMessage")) == 1


def test_a_word_of_slack_on_retries_does_not_open_a_command_again(talk: Talk) -> None:
    body = command(talk)
    headers = signed(body, FORM)
    assert send(talk, body, headers).status_code == 200
    assert send(talk, body, headers | {"X-Slack-Retry-Num": "1"}).status_code == 401
    talk.settle()
    assert len(talk.calls()) == 1


def test_slack_may_ask_twice_whether_the_address_is_ours(talk: Talk) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "abc"})
    headers = signed(body, JSON)
    answers = [send(talk, body, headers) for _ in range(2)]
    assert [(answer.status_code, "abc" in answer.text) for answer in answers] == [(200, True)] * 2


# --- secrets ----------------------------------------------------------------------------------


def test_whom_the_app_was_asked_by_is_nobody_elses_matter(talk: Talk) -> None:
    """A user of the workspace cannot open what another one was told, without its ticket."""
    ticket = element(talk.check(), "share")["value"]
    check, _ = ticket.split(".")
    unknown = "c" + "0" * 16
    guesses = (f"{unknown}.{'A' * 43}", f"{check}.{'A' * 43}", check, BOT_USER)
    for guess in (*guesses, ""):
        talk.press("share", guess, user="U000000666", channel=talk.channel)
    talk.settle()
    told = [read(talk.shown(call)) for call in talk.calls("response_url")[1:]]
    assert talk.calls("chat.postMessage") == []
    assert len(told) == len(guesses), "an empty one is no ticket at all, and not answered"
    assert all("no longer kept" in text for text in told)
    talk.press("share", ticket, user=talk.user, channel=talk.channel)
    assert talk.written()
