"""At its most talkative, the log holds ids: no draft, file name, token, response_url or ticket."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_sender import JSON, SIGNING_SECRET
from slack_talk import Talk, element, option
from slack_web_api import APP_TOKEN, BOT_TOKEN

WORD = "Zyzzogeton"
DRAFT = f"We leverage {WORD} synergies to empower our stakeholders across verticals."
NAME = "Unannounced-merger.txt"
TICKET = re.compile(r"c[0-9a-f]{16}\.[\w-]{43}")
TRIGGER = "Trigger-4711"


@pytest.fixture
def told(peer: SlackPeer, tmp_path: Path, example_voices: Path) -> Iterator[Talk]:
    with (
        SlackProcess(peer, tmp_path, example_voices, "--log-level", "debug") as app,
        Talk(peer, app, 1) as talk,
    ):
        yield talk


def test_nobody_learns_from_the_log_what_was_written(told: Talk) -> None:
    everything_is_tried(told)
    everything_fails(told)
    told.settle()
    tickets = set(TICKET.findall("".join(call.body for call in told.peer.calls)))
    log = told.app.log()
    assert len(tickets) > 3 and len(log.splitlines()) > 20
    secrets = [BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, TRIGGER, WORD, "leverage", NAME, "merger"]
    secrets += ["/hooks/", "/upload/", "files-pri", "xwfp-", "private_metadata", "payload="]
    secrets += [part for ticket in tickets for part in ticket.split(".")[1:]]
    assert [secret for secret in secrets if secret.lower() in log.lower()] == []
    assert not TICKET.search(log)
    for line in told.app.lines():
        assert line["level"] in ("debug", "info", "warning", "error")
        assert all(isinstance(value, str | int | float) for value in line.values())


def everything_is_tried(talk: Talk) -> None:
    talk.say(DRAFT)
    ticket = talk.answer()["blocks"][0]["block_id"]
    place = {"user": talk.user, "channel": talk.channel}
    talk.press("pick_brand", block_id=ticket, **place, **option("oatfolk"))
    answer = talk.answer()
    for action in ("label_off", "share", "report"):
        talk.use(answer, action)
        talk.settle()
    for action in ("details", "recheck"):
        talk.use(answer, action)
        talk.next("views.open")
    form = talk.peer.views[list(talk.peer.views)[-1]]
    entered = {"brand": {"brand": dict(option("oatfolk"))}, "draft": {"draft": {"value": DRAFT}}}
    talk.submit(form, entered, user=talk.user)
    talk.next("views.update")
    file = talk.peer.add_file(NAME, DRAFT.encode())
    talk.write(f"oatfolk {DRAFT}", files=[{"id": file, "name": NAME}], subtype="file_share")
    talk.next("chat.postMessage")
    root = talk.peer.add_message(talk.channel, DRAFT)
    talk.ask("oatfolk summary", thread_ts=root)
    talk.next("chat.postEphemeral")
    event = {"type": "function_executed", "function": {"callback_id": "check_copy"}}
    event |= {"function_execution_id": "Fx1", "inputs": {"text": DRAFT, "brand": "oatfolk"}}
    talk.event({**event, "bot_access_token": "xwfp-local"})
    talk.next("functions.completeSuccess")
    assert element(answer, "details")


def everything_fails(talk: Talk) -> None:
    """Slack refuses, requests are malformed or not Slack's, and what is asked for is not there."""
    for method in ("response_url", "chat.postEphemeral", "chat.postMessage", "views.open"):
        talk.peer.refuse(method, "invalid_arguments", times=2)
    talk.say(f"oatfolk {DRAFT}")
    talk.ask(f"oatfolk {DRAFT}")
    talk.interact({"type": "shortcut", "callback_id": "check_draft", "trigger_id": TRIGGER})
    talk.settle()
    talk.peer.mend()
    talk.peer.fail("response_url", body=f"<p>{WORD}</p>".encode(), status=500)
    talk.say(f"oatfolk {DRAFT}")
    talk.answer()
    broken = talk.peer.add_file(NAME.replace("txt", "docx"), b"PK\x03\x04" + DRAFT.encode())
    talk.write("oatfolk", files=[{"id": broken, "name": NAME}], subtype="file_share")
    talk.next("chat.postMessage")
    talk.command(f"use {WORD}")
    talk.press("label_on", f"{WORD}#1", user=talk.user)
    talk.press(WORD, DRAFT, user=talk.user)
    talk.event({"type": "reaction_added", "item": {"text": DRAFT}})
    event = {"type": "message", "channel_type": "im", "channel": 5, "text": DRAFT}
    assert talk.post(json.dumps(talk.event_payload(event)), JSON).status == 400
    said = json.dumps(talk.event_payload({**event, "channel": talk.direct, "ts": talk.ts()}))
    assert talk.post(said, JSON, secret="wrong").status == 401
    assert talk.post(said[:-9], JSON).status == 400
    stranger = json.dumps(json.loads(said) | {"team_id": "T666", "authorizations": []})
    assert talk.post(stranger, JSON).status == 401
    for _ in range(2):
        talk.post(said, JSON, at=1_000_000_000)
