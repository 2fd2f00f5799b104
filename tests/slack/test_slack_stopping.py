"""Being stopped: what runs is finished, what waits is kept, and nothing is answered twice."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import httpx
import pytest
from slack_fleet import Fleet, answers
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_sender import Sender
from slack_talk import FLAGGED
from slack_trouble import AGAIN

WAITING = 50
PARAGRAPH = f"{FLAGGED} " * 8


def burst(sender: Sender, count: int) -> list[str]:
    """Send commands with long drafts and return where they are to be answered."""
    commands = [sender.command_payload(f"oatfolk {PARAGRAPH}{n}.") for n in range(count)]
    assert all(sender._form("slash_commands", each).status == 200 for each in commands)
    return [each["response_url"] for each in commands]


def answered(peer: SlackPeer) -> Counter[str]:
    """Return how often each response_url was answered."""
    return Counter(str(call.arguments["url"]) for call in peer.of("response_url"))


def test_what_waits_is_answered_after_a_restart(peer: SlackPeer, fleet: Fleet) -> None:
    first = fleet.start(1, "--workers", "1")
    urls = burst(fleet.senders[0], WAITING)
    peer.wait_for("response_url", count=2)
    assert first.stop() == 0
    before = answered(peer)
    assert fleet.states() == {"done": sum(before.values()), "queued": WAITING - len(before)}
    fleet.start()
    assert fleet.settle() == {"done": WAITING}
    assert answered(peer) == dict.fromkeys(urls, 1)
    assert not any(AGAIN in call.body for call in peer.of("response_url"))


def test_another_replica_goes_on(peer: SlackPeer, fleet: Fleet) -> None:
    fleet.start(2, "--workers", "1")
    urls = burst(fleet.senders[0], WAITING)
    peer.wait_for("response_url", count=2)
    assert fleet.replicas[0].stop() == 0
    assert fleet.settle() == {"done": WAITING}
    assert answered(peer) == dict.fromkeys(urls, 1)


def test_an_answer_that_is_on_its_way_is_waited_for(peer: SlackPeer, fleet: Fleet) -> None:
    app = fleet.start()
    peer.fail("response_url", delay=1, late=True)
    [url] = burst(fleet.senders[0], 1)
    peer.wait_for("response_url")
    assert app.stop() == 0
    assert fleet.states() == {"done": 1}
    assert answered(peer) == {url: 1}


def test_an_answer_that_has_to_be_tried_again_is_waited_for(peer: SlackPeer, fleet: Fleet) -> None:
    app = fleet.start()
    peer.fail("response_url", status=429, headers={"Retry-After": "2"})
    [url] = burst(fleet.senders[0], 1)
    peer.wait(lambda peer: any(call.method == "response_url" for call in peer.calls))
    assert app.stop() == 0
    assert answered(peer) == {url: 1}


@pytest.mark.slow
def test_an_answer_that_slack_holds_up_for_long_is_left_to_the_next_start(
    peer: SlackPeer, fleet: Fleet
) -> None:
    app = fleet.start()
    peer.fail("response_url", times=1000, status=503)
    [url] = burst(fleet.senders[0], 1)
    peer.wait(lambda peer: any(call.method == "response_url" for call in peer.calls))
    assert app.stop() == 0
    assert fleet.states() == {"queued": 1}
    peer.mend()
    fleet.start()
    assert fleet.settle() == {"done": 1}
    assert answered(peer) == {url: 1}


@pytest.mark.parametrize("numbers", [[signal.SIGINT], [signal.SIGTERM, signal.SIGINT] * 2])
def test_signals_may_come_as_they_like(peer: SlackPeer, fleet: Fleet, numbers: list[int]) -> None:
    app = fleet.start()
    urls = burst(fleet.senders[0], 5)
    for number in numbers:
        app.process.send_signal(number)
    assert app.process.wait(60) == 0
    assert [line["message"] for line in app.lines()][-1] == "stopped"
    fleet.start()
    fleet.settle()
    assert answered(peer) == dict.fromkeys(urls, 1)


def test_stopped_while_it_waits_for_slack(
    peer: SlackPeer, tmp_path: Path, example_voices: Path
) -> None:
    peer.fail("auth.test", times=1000, status=503)
    with SlackProcess(peer, tmp_path, example_voices, ready=False) as app:
        peer.wait(lambda _: "Slack cannot be reached; trying again" in app.log())
        assert app.stop() == 0
        assert "xoxb" not in app.log()


def test_started_before_slack_can_be_reached(
    peer: SlackPeer, tmp_path: Path, example_voices: Path
) -> None:
    peer.fail("auth.test", times=2, status=503)
    with SlackProcess(peer, tmp_path, example_voices) as app:
        sender = Sender(peer, app.url)
        [url] = burst(sender, 1)
        peer.wait_for("response_url")
        assert answered(peer) == {url: 1}
        sender.close()


def test_requests_that_came_before_the_end_are_kept_and_later_ones_refused(
    peer: SlackPeer, fleet: Fleet
) -> None:
    app = fleet.start()
    peer.fail("chat.postMessage", delay=1, late=True)
    sender = fleet.senders[0]
    sender.direct_message(f"oatfolk {FLAGGED}")
    peer.wait_for("chat.postMessage")
    app.process.send_signal(signal.SIGTERM)
    kept = 0

    def refused(_: SlackPeer) -> bool:
        nonlocal kept
        try:
            kept += sender.direct_message(f"oatfolk {FLAGGED}").status == 200
        except httpx.TransportError:
            return True
        return False

    peer.wait(refused, what="the end of the app's ears")
    assert app.process.wait(60) == 0
    fleet.start()
    assert fleet.settle() == {"done": 1 + kept}
    assert len(answers(peer, "D000000001")) == 1 + kept
