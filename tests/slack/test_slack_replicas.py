"""Several replicas on one database, some killed: all drafts are answered, twice only visibly."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import httpx
import pytest
from slack_fleet import DATABASES, Fleet, answers
from slack_peer import SlackPeer
from slack_talk import FLAGGED
from slack_trouble import AGAIN
from slack_web_api import BOT_USER, Payload

DRAFTS = 24


def written(number: int) -> Payload:
    """A draft in a direct message, or beside a mention, each of another user."""
    ts, user = f"{1_800_000_000 + number}.000100", f"U1{number:08d}"
    draft = {"user": user, "ts": ts, "event_ts": ts}
    if number % 2:
        text = f"<@{BOT_USER}> oatfolk {FLAGGED}"
        return {**draft, "type": "app_mention", "channel": f"C1{number:08d}", "text": text}
    direct = {"type": "message", "channel_type": "im", "channel": f"D1{number:08d}"}
    return {**draft, **direct, "text": f"oatfolk {FLAGGED}"}


def deliver(fleet: Fleet, number: int, retry: int, to: int) -> None:
    """Deliver a draft to a replica, and to another where that one is gone, as a balancer does."""
    count = len(fleet.senders)
    for at in range(to, to + count):
        sender = fleet.senders[at % count]
        try:
            # Between two deliveries is a minute, so that each has a signature of its own.
            time = 1_800_000_000 + 60 * retry
            sent = sender.event(written(number), id=f"Ev{number}", retry=retry, event_time=time)
        except httpx.TransportError:
            continue
        assert sent.status == 200
        return
    raise AssertionError("no replica is left")


@pytest.mark.parametrize(
    ("fleet", "size"),
    [("sqlite", 2), pytest.param("postgres", 3, marks=pytest.mark.heavy("postgres"))],
    indirect=["fleet"],
)
def test_drafts_delivered_three_times_to_dying_replicas_are_answered_once_or_visibly_again(
    peer: SlackPeer, fleet: Fleet, size: int
) -> None:
    fleet.start(size)
    chance = random.Random(7)
    deliveries = [(number, retry) for number in range(DRAFTS) for retry in range(3)]
    chance.shuffle(deliveries)
    with ThreadPoolExecutor(8) as pool:
        sent = [
            pool.submit(deliver, fleet, number, retry, chance.randrange(size))
            for number, retry in deliveries
        ]
        peer.wait_for("chat.postMessage", count=3)
        fleet.kill(fleet.replicas[0])
        for each in sent:
            each.result()
    fleet.age(fleet.replicas[0])  # it may have taken one more as it died
    assert fleet.settle() == {"done": DRAFTS}
    for number in range(DRAFTS):
        first, *others = answers(peer, str(written(number)["channel"]))
        assert len(others) <= 1
        assert all(AGAIN in other.body for other in others)
        assert first.arguments["channel"]


@pytest.mark.parametrize("fleet", DATABASES, indirect=True)
def test_killed_between_answer_and_confirmation_the_answer_comes_again_and_says_so(
    peer: SlackPeer, fleet: Fleet
) -> None:
    replica = fleet.start()
    peer.fail("chat.postMessage", after=True, delay=30)
    peer.fail("chat.postEphemeral", after=True, delay=30)
    channels = [str(written(number)["channel"]) for number in (1, 2)]
    for number in (1, 2):
        deliver(fleet, number, 0, 0)
    peer.wait_for("chat.postMessage")
    peer.wait_for("chat.postEphemeral")
    fleet.kill(replica)
    assert fleet.states() == {"posting": 2}
    fleet.start()
    assert fleet.settle() == {"done": 2}
    for channel in channels:
        first, second = answers(peer, channel)
        assert AGAIN not in first.body
        assert AGAIN in second.body


class Held(NamedTuple):
    """A draft on which a replica works: Slack holds back its file."""

    channel: str
    over: threading.Event
    """Set to let it have the file."""


@pytest.fixture
def held(peer: SlackPeer, fleet: Fleet) -> Iterator[Held]:
    fleet.start()
    over = threading.Event()
    peer.fail("files.info", until=over, late=True)
    file = peer.add_file("draft.txt", FLAGGED.encode())
    event = written(2) | {"text": "oatfolk", "subtype": "file_share", "files": [{"id": file}]}
    assert fleet.senders[0].event(event).status == 200
    peer.wait(lambda _: any(call.method == "files.info" for call in peer.calls))
    assert fleet.states() == {"running": 1}
    yield Held(str(event["channel"]), over)
    over.set()


@pytest.mark.parametrize("fleet", DATABASES, indirect=True)
def test_killed_before_the_answer_it_is_given_as_if_nothing_had_been(
    peer: SlackPeer, fleet: Fleet, held: Held
) -> None:
    fleet.kill(fleet.replicas[0])
    fleet.start()
    assert fleet.settle() == {"done": 1}
    [answer] = answers(peer, held.channel)
    assert AGAIN not in answer.body


@pytest.mark.parametrize("fleet", DATABASES, indirect=True)
def test_a_replica_that_slept_does_not_answer_what_another_has_taken_over(
    peer: SlackPeer, fleet: Fleet, held: Held
) -> None:
    sleeper = fleet.replicas[0]
    sleeper.process.send_signal(signal.SIGSTOP)
    fleet.age(sleeper)
    fleet.start()
    assert fleet.settle() == {"done": 1}
    held.over.set()
    sleeper.process.send_signal(signal.SIGCONT)
    peer.wait(lambda _: '"status": "lost"' in sleeper.log(), what="the late answer")
    assert len(answers(peer, held.channel)) == 1


@pytest.mark.slow
def test_a_job_of_a_dead_replica_is_taken_over_within_a_minute(
    peer: SlackPeer, fleet: Fleet, held: Held
) -> None:
    fleet.start()
    fleet.replicas[0].kill()
    peer.wait(lambda peer: answers(peer, held.channel), timeout=60, what="the take-over")
    assert fleet.settle() == {"done": 1}
