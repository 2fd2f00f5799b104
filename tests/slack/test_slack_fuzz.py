"""Signed nonsense, and requests with one value spoilt: no 5xx, no crash, no word in the log."""

from __future__ import annotations

import json
import random
from collections import Counter

from slack_burst import send_all
from slack_fuzz import MARKER, payloads
from slack_mutants import mutants
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_sender import signed
from slack_talk import FLAGGED, Talk, element

SEED = 20261122
COUNT = 750


def send(talk: Talk, bodies: list[tuple[str, str]]) -> Counter[int]:
    """Send bodies, many at a time, and count the answers by status."""
    counts: Counter[int] = Counter()
    for start in range(0, len(bodies), 50):
        burst = [(body, signed(body, kind)) for body, kind in bodies[start : start + 50]]
        counts += Counter(answer.status for answer in send_all(str(talk.app.url), burst))
    return counts


def check_unharmed(talk: Talk, marker: str) -> None:
    """The app still answers, and has said nothing that is not its to say."""
    talk.peer.mend()
    url = talk.say(f"oatfolk {FLAGGED}")
    talk.peer.wait(
        lambda peer: any(c.arguments["url"] == url for c in peer.of("response_url")), what="life"
    )
    assert talk.app.process.poll() is None
    assert marker not in talk.app.log()
    lines = [json.loads(line) for line in talk.app.log().splitlines()]
    assert [line for line in lines if line["level"] in ("error", "critical")] == []


def test_nonsense(peer: SlackPeer, slack_app: SlackProcess) -> None:
    talk = Talk(peer, slack_app, 1)
    counts = send(talk, payloads(random.Random(SEED), COUNT))
    assert set(counts) <= {200, 400, 401}, counts
    assert min(counts.values()) > 50, "all sides of the door were tried"
    check_unharmed(talk, MARKER)
    talk.close()
    slack_app.kill()  # it would try response_urls for a while that lead nowhere


def test_requests_that_are_right_but_for_a_value(talk: Talk) -> None:
    answer = talk.check()
    ticket = str(element(answer, "details")["value"])
    bodies = list(mutants(random.Random(SEED), COUNT, ticket, talk.peer.response_url()))
    before = talk.settle().total()
    counts = send(talk, bodies)
    assert set(counts) <= {200, 400, 401}, counts
    assert counts[200] > COUNT / 3, "many get past the door"
    check_unharmed(talk, MARKER)
    talk.settle()
    assert talk.settle().total() > before + COUNT / 5, "and many as far as the handlers"
