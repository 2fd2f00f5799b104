"""The line: who waits is told, who finds it full is told, and nobody holds up another workspace."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from slack_browser import MANY, URL, install
from slack_fleet import Fleet, answers
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_sender import FORM, Sender
from slack_talk import FLAGGED, option, read
from slack_team import voices_of

DRAFT = f"oatfolk {FLAGGED}"
BUSY = "onbrand is busy"
LIMIT = 6
OWN = LIMIT // 2
"""Of one workspace."""


@contextmanager
def occupied(peer: SlackPeer, sender: Sender) -> Iterator[threading.Event]:
    """Keep the one thread that scores busy until an event is set: Slack is slow with a file."""
    over = threading.Event()
    file = peer.add_file("draft.txt", FLAGGED.encode())
    peer.fail("files.info", until=over, late=True, only=file)
    sender.direct_message("oatfolk", user="U0FIRST", subtype="file_share", files=[{"id": file}])
    peer.wait(lambda peer: any(file in call.body for call in peer.of("files.info")))
    try:
        yield over
    finally:
        over.set()


@dataclass(frozen=True)
class Full:
    """A line that is full, of drafts that all came from one workspace."""

    sender: Sender
    over: threading.Event
    """Set to let it go on."""


@pytest.fixture
def full(peer: SlackPeer, fleet: Fleet) -> Iterator[Full]:
    fleet.start(1, "--workers", "1", "--queue-limit", str(LIMIT))
    sender = fleet.senders[0]
    with occupied(peer, sender) as over:
        for _ in range(OWN):
            assert BUSY not in sender.command(DRAFT).text
        yield Full(sender, over)


def test_what_does_not_fit_is_refused_in_words_and_all_that_did_is_answered(
    peer: SlackPeer, fleet: Fleet, full: Full
) -> None:
    refused = full.sender.command(DRAFT)
    assert (refused.status, BUSY in refused.text) == (200, True)
    assert re.search(r"try again in about \d+ (seconds|minutes?)", refused.text)
    full.over.set()
    assert fleet.settle() == {"done": 1 + OWN}
    urls = [str(call.arguments["url"]) for call in peer.of("response_url")]
    assert len(urls) == len(set(urls)) == OWN
    assert BUSY not in full.sender.command(DRAFT).text
    assert fleet.settle() == {"done": 2 + OWN}


def test_who_finds_the_line_full_is_told_wherever_they_ask(peer: SlackPeer, full: Full) -> None:
    full.sender.mention(DRAFT, user="U0MENTION")
    full.sender.direct_message(DRAFT, user="U0DIRECT")
    values = {"brand": {"brand": option("oatfolk")}, "draft": {"draft": {"value": FLAGGED}}}
    view = {"id": "V1", "callback_id": "check_view", "private_metadata": ""}
    submitted = full.sender.submit(view, values, user="U0MODAL")
    full.sender.message_shortcut(
        "check_message", {"ts": "1.1", "text": FLAGGED}, channel="C0SHORTCUT"
    )
    step = {"function": {"callback_id": "check_copy"}, "function_execution_id": "Fx1"}
    inputs = {"text": FLAGGED, "brand": "oatfolk"}
    full.sender.event({"type": "function_executed", "inputs": inputs, "event_ts": "1.1", **step})

    assert submitted.json["response_action"] == "errors", "so that the draft stays in its box"
    assert BUSY in submitted.json["errors"]["draft"]
    assert BUSY in peer.wait_for("chat.postEphemeral")[0].body
    told = peer.wait(lambda peer: answers(peer, "D0DIRECT"), what="a word")
    assert BUSY in told[0].body
    assert BUSY in peer.wait_for("functions.completeError")[0].body
    assert BUSY in peer.wait_for("views.update")[0].body


def test_what_needs_no_scoring_is_answered_beside_a_full_line(
    peer: SlackPeer, fleet: Fleet, full: Full
) -> None:
    full.sender.command("brands", user="U0BRANDS")
    answer = peer.wait_for("response_url")[0].arguments
    assert "quillpot" in read(answer)
    assert fleet.states()["queued"] == OWN


def test_who_waits_is_told_how_many_are_before(peer: SlackPeer, fleet: Fleet) -> None:
    fleet.start(1, "--workers", "1")
    sender = fleet.senders[0]
    with occupied(peer, sender):
        acknowledged = [sender.command(DRAFT).text for _ in range(40)]
    assert acknowledged[0] == ""
    lines = [re.search(r"(\d+) drafts before yours", text) for text in acknowledged]
    told = [number for number, line in enumerate(lines) if line]
    assert told == list(range(told[0], 40))
    assert [int(lines[number][1]) for number in told] == told
    assert "your answer is here in about" in acknowledged[-1]
    assert fleet.settle() == {"done": 41}


# --- two workspaces -----------------------------------------------------------------------------


@pytest.fixture
def many(tmp_path: Path, example_voices: Path) -> Iterator[tuple[SlackPeer, Sender, Sender]]:
    """A busy workspace and a quiet one, and one thread that scores for both."""
    voices = voices_of(tmp_path / "voices", example_voices, T10=("oatfolk",), T11=("oatfolk",))
    options = ("--url", URL, "--workers", "1", "--queue-limit", "40")
    with (
        SlackPeer(tenants={"xoxb-nobody": "T0NOBODY"}) as peer,
        SlackProcess(peer, tmp_path, voices, *options, environment=MANY) as app,
    ):
        install(app, "T10", "T11")
        busy, quiet = (Sender(peer, app.url, team=team) for team in ("T10", "T11"))
        yield peer, busy, quiet
        busy.close()
        quiet.close()


def test_a_workspace_with_many_drafts_does_not_hold_up_another(
    many: tuple[SlackPeer, Sender, Sender],
) -> None:
    peer, busy, quiet = many
    with occupied(peer, busy):
        acknowledged = [busy.command(DRAFT).text for _ in range(25)]
        assert sum(BUSY in text for text in acknowledged) == 5, "half of the line is for others"
        payload = quiet.command_payload(DRAFT)
        assert BUSY not in quiet.post(urlencode(payload), FORM).text
    last = peer.wait_for("response_url", count=21)
    urls = [call.arguments["url"] for call in last]
    assert urls.index(payload["response_url"]) <= 2
