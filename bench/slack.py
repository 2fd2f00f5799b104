"""What a team feels of the Slack app: acknowledgements in a burst, answers, nothing lost or twice.

Real server processes on SQLite, over HTTP, against a Slack of the tests' own. Runs in any checkout
(the example brands' voices). Writes ``bench/results/slack.json`` and ``slack.md``.
Usage: ``python bench/slack.py [--help]``
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from figures import Row, write
from slack_load import (
    JSON,
    MARKER,
    Sender,
    SlackPeer,
    SlackProcess,
    Timed,
    commands,
    draft,
    mutants,
    payloads,
    send_all,
    signed,
)

from onbrand.labels.files import group_by_brand, read_labels
from onbrand.training.train import train_voices
from onbrand_cli.demo import brand_files

SEED = 20261122
WORDS = 300
INTRO = (
    "# What a team feels of the Slack app\n\nMade by `python bench/slack.py` on the example "
    "brands' voices: real processes, HTTP with signatures, SQLite, a local stand-in for Slack.\n\n"
)


def burst(folder: Path, voices: Path, count: int) -> list[Row]:
    """Send commands all at once and wait for every answer."""
    rng = random.Random(SEED)
    with SlackPeer() as peer, SlackProcess(peer, folder, voices) as app:
        sender = Sender(peer, app.url)
        urls, requests = commands(sender, [draft(WORDS, rng) for _ in range(count)])
        started = time.perf_counter()
        acks = send_all(str(app.url), requests)
        _await(peer, lambda: len(set(_answered(peer)) & set(urls)) == count, 300)
        seconds = time.perf_counter() - started
        app.stop()
        answers = Counter(_answered(peer))
    return [
        Row(
            f"{count} commands of {WORDS} words at once: slowest acknowledgement",
            _worst(acks),
            "s",
            1,
        ),
        Row("not acknowledged", sum(ack.status != 200 for ack in acks), "", 0),
        Row("never answered", sum(url not in answers for url in urls), "", 0),
        Row("answered twice", sum(times > 1 for times in answers.values()), "", 0),
        Row("seconds until the last answer", seconds, "s", 60),
    ]


def full_queue(folder: Path, voices: Path, count: int, limit: int) -> list[Row]:
    """Send more than may wait: each is either answered or told that the app is busy."""
    rng = random.Random(SEED + 1)
    with (
        SlackPeer() as peer,
        SlackProcess(peer, folder, voices, "--queue-limit", str(limit)) as app,
    ):
        urls, requests = commands(Sender(peer, app.url), [draft(WORDS, rng) for _ in range(count)])
        acks = send_all(str(app.url), requests)
        told = {url for url, ack in zip(urls, acks, strict=True) if "busy" in ack.text}
        taken = set(urls) - told
        _await(peer, lambda: taken <= set(_answered(peer)), 300)
        neither = sum(ack.status != 200 for ack in acks) + len(told & set(_answered(peer)))
    return [
        Row(f"{count} commands where {limit} may wait: neither answered nor told", neither, "", 0),
        Row("of them taken although the queue was full", 0 if told else 1, "", 0),
    ]


def idle(folder: Path, voices: Path, runs: int) -> Row:
    """Time one short draft at a time, from the command to its answer."""
    rng = random.Random(SEED + 2)
    times = []
    with SlackPeer() as peer, SlackProcess(peer, folder, voices) as app:
        sender = Sender(peer, app.url)
        for _ in range(runs + 1):
            urls, requests = commands(sender, [draft(40, rng)])
            started = time.monotonic()
            send_all(str(app.url), requests)
            _await(peer, lambda wanted=urls[0]: wanted in _answered(peer), 30)
            arrived = next(c.time for c in peer.calls if c.arguments.get("url", "") == urls[0])
            times.append((arrived - started) * 1000)
    return Row(
        f"short draft, idle: command to answer, slowest of {runs}", max(times[1:]), "ms", 700
    )


def deliveries(folder: Path, voices: Path, count: int) -> list[Row]:
    """Deliver mentions three times, shuffled, to two replicas, one of which is killed."""
    rng = random.Random(SEED + 3)
    database = str(folder / "shared.db")
    with (
        SlackPeer() as peer,
        SlackProcess(peer, folder, voices, database=database) as one,
        SlackProcess(peer, folder, voices, database=database) as other,
    ):
        sender, requests = Sender(peer, one.url), []
        for number in range(count):
            ts = sender.ts()
            event = {"type": "app_mention", "user": f"U{number:09d}", "channel": "C000000001"}
            event |= {"text": f"<@U0BRANDV> oatfolk {draft(60, rng)}", "ts": ts, "event_ts": ts}
            body = json.dumps(sender.event_payload(event))
            for retry in range(3):
                again = {"X-Slack-Retry-Num": str(retry)} if retry else {}
                requests.append((body, {**signed(body, JSON), **again}))
        rng.shuffle(requests)
        third = len(requests) // 3
        send_all(str(other.url), requests[:third])
        send_all(str(one.url), requests[third : 2 * third])
        one.kill()  # in the middle of what it has just taken
        send_all(str(other.url), requests[2 * third :])
        users = {f"U{number:09d}" for number in range(count)}
        _await(peer, lambda: users <= {c.arguments["user"] for c in _private(peer)}, 300)
        time.sleep(2)  # for an answer too many
        answers = _private(peer)
    answered = {call.arguments["user"] for call in answers}
    first = Counter(
        call.arguments["user"]
        for call in answers
        if not call.arguments["text"].startswith("Again:")
    )
    return [
        Row(
            f"{count} events three times, two replicas, kill -9: never answered",
            len(users - answered),
            "",
            0,
        ),
        Row("answered twice without saying so", sum(n > 1 for n in first.values()), "", 0),
    ]


def fuzz(folder: Path, voices: Path, count: int) -> list[Row]:
    """Send nonsense, and requests with a value spoilt: no 5xx, no crash, no text in the log."""
    rng = random.Random(SEED + 4)
    with SlackPeer() as peer, SlackProcess(peer, folder, voices) as app:
        answers: list[Timed] = []
        for start in range(0, count, 100):
            some = min(100, count - start)
            chosen = [*payloads(rng, some // 2), *mutants(rng, some - some // 2)]
            answers += send_all(str(app.url), [(body, signed(body, kind)) for body, kind in chosen])
        alive = app.process.poll() is None
        app.stop()
        logged = app.log().count(MARKER)
    return [
        Row(
            f"{count:,} fuzzed payloads: answered with 5xx",
            sum(a.status >= 500 for a in answers),
            "",
            0,
        ),
        Row("crashes", 0 if alive else 1, "", 0),
        Row("lines of text in the log", logged, "", 0),
    ]


def _answered(peer: SlackPeer) -> list[str]:
    return [call.arguments["url"] for call in peer.of("response_url")]


def _private(peer: SlackPeer) -> list[Any]:
    return peer.of("chat.postEphemeral")


def _await(peer: SlackPeer, done: Callable[[], bool], timeout: float) -> None:
    peer.wait(lambda _: done(), timeout, "the answers")


def _worst(acks: Sequence[Timed]) -> float:
    return max(ack.seconds for ack in acks)


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=200)
    parser.add_argument("--events", type=int, default=60)
    parser.add_argument("--fuzz", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=20, help="of one short draft")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        voices = root / "voices"
        train_voices(group_by_brand(read_labels(brand_files())), voices)
        parts: list[Callable[[Path], list[Row]]] = [
            lambda folder: burst(folder, voices, chosen.commands),
            lambda folder: full_queue(folder, voices, chosen.commands, chosen.commands // 4),
            lambda folder: [idle(folder, voices, chosen.runs)],
            lambda folder: deliveries(folder, voices, chosen.events),
            lambda folder: fuzz(folder, voices, chosen.fuzz),
        ]
        table: list[Row] = []
        for number, part in enumerate(parts):
            folder = root / str(number)
            folder.mkdir()
            table += part(folder)
    write("slack", INTRO, table)


if __name__ == "__main__":
    main()
