"""Four processes write and one is killed: nothing acknowledged is lost, nothing stored twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Literal

import pytest

from onbrand.labels.model import Label
from onbrand.labels.store import LabelStore

WRITERS = 4


def ids_of(writer: int, count: int) -> list[str]:
    return [f"{writer}-{number}" for number in range(count)]


def write_all(location: str, writer: int, count: int) -> None:
    """Write a writer's labels in batches of 1 to 50; print each batch's ids once it is stored."""
    dice = random.Random(writer)
    remaining = iter(ids_of(writer, count))
    with LabelStore.open(location) as store:
        while batch := list(islice(remaining, dice.randint(1, 50))):
            store.add(_label(key, writer, dice.choice(["on", "off"])) for key in batch)
            print(*batch, flush=True)


def _label(key: str, writer: int, label: Literal["on", "off"]) -> Label:
    number = key.split("-")[1]
    # Every other text is labelled by all of them.
    text = f"Line {number if int(number) % 2 else key}."
    return Label(text, "acme", label, author=f"writer {writer}", id=key)


def write_and_kill_one(location: str, count: int) -> None:
    """The test, on an SQLite path or a URL."""
    with ExitStack() as stack:

        def start(writer: int) -> subprocess.Popen[str]:
            command = [sys.executable, __file__, location, str(writer), str(count)]
            return stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))

        victim, *others = [start(writer) for writer in range(WRITERS)]
        assert victim.stdout is not None
        acknowledged: list[str] = []
        for line in victim.stdout:
            acknowledged += line.split()
            if len(acknowledged) > count // 3:
                victim.kill()
        for process in others:
            acknowledged += process.communicate()[0].split()
        assert [process.wait() for process in (victim, *others)] == [-signal.SIGKILL, 0, 0, 0]

        with LabelStore.open(location) as store:
            stored = Counter(word.id for word in store.history())
        assert set(stored.values()) == {1}
        assert set(acknowledged) <= set(stored)
        assert not set(ids_of(0, count)) <= set(stored), "killed too late to show anything"
        assert {key for writer in (1, 2, 3) for key in ids_of(writer, count)} <= set(stored)

        # The killed one starts over, as a queue would deliver again.
        assert start(0).communicate()[0].split() == ids_of(0, count)
    with LabelStore.open(location) as store:
        again = Counter(word.id for word in store.history())
        assert store.stats()[0].authors == WRITERS
    assert again == Counter(key for writer in range(WRITERS) for key in ids_of(writer, count))


@pytest.mark.slow
def test_sqlite(tmp_path: Path) -> None:
    write_and_kill_one(str(tmp_path / "labels.db"), 4_000)


@pytest.mark.slow
@pytest.mark.heavy("postgres")
def test_postgres(postgres_url: str) -> None:
    write_and_kill_one(postgres_url, 2_000)


if __name__ == "__main__":
    write_all(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
