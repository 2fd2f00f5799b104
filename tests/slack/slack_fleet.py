"""Several processes of the app on one database, of which some are killed."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from slack_peer import ApiCall, SlackPeer
from slack_process import SlackProcess
from slack_sender import Sender

from onbrand_slack.store import schema

DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.heavy("postgres"))]
LONG_AGO = timedelta(hours=1)


class Fleet:
    """Replicas of the app. Use it with `fleet_of`.

    Args:
        peer: the Slack that they talk to.
        folder: of their logs, and of the database where that is SQLite.
        voices: what they judge by.
        database: a URL; by default an SQLite file.
    """

    def __init__(
        self, peer: SlackPeer, folder: Path, voices: Path, database: str | None = None
    ) -> None:
        self.peer = peer
        self._folder = folder
        self._voices = voices
        self.database = database or str(folder / "slack.db")
        self.replicas: list[SlackProcess] = []
        self.senders: list[Sender] = []
        url = self.database if "://" in self.database else f"sqlite:///{self.database}"
        self._engine = sa.create_engine(url)

    def start(self, count: int = 1, *options: str) -> SlackProcess:
        """Start more replicas and return the last."""
        with ThreadPoolExecutor(count) as pool:
            self.replicas += pool.map(lambda _: self._started(options), range(count))
        self.senders += [Sender(self.peer, each.url) for each in self.replicas[-count:]]
        return self.replicas[-1]

    def kill(self, replica: SlackProcess) -> None:
        """Kill one with no warning, and let so much time pass that others may have its jobs."""
        replica.kill()
        self.age(replica)

    def age(self, replica: SlackProcess) -> None:
        """Let the leases of a replica run out."""
        jobs = schema.jobs
        theirs = jobs.c.worker.like(f"%-{replica.process.pid}-%") & jobs.c.lease.is_not(None)
        past = datetime.now(UTC) - LONG_AGO
        with self._engine.begin() as connection:
            connection.execute(sa.update(jobs).where(theirs).values(lease=past))

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Return what a table of the app's holds."""
        query = sa.select(*map(sa.column, columns)).select_from(sa.table(f"onbrand_slack_{table}"))
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def states(self) -> Counter[str]:
        """Return how many jobs are in which state."""
        return Counter(state for (state,) in self.rows("jobs", "state"))

    def settle(self) -> Counter[str]:
        """Wait until no job is left, and return what became of them all."""

        def ended(_: SlackPeer) -> Counter[str] | None:
            states = self.states()
            return states if states.keys() <= {"done", "failed"} else None

        return self.peer.wait(ended, timeout=120, what=f"the end of all jobs: {self.states()}")

    def close(self) -> None:
        """Stop those that still run."""
        for sender in self.senders:
            sender.close()
        for replica in self.replicas:
            if replica.process.poll() is None:
                replica.process.send_signal(signal.SIGTERM)
        for replica in self.replicas:
            replica.__exit__()
        self._engine.dispose()

    def _started(self, options: tuple[str, ...]) -> SlackProcess:
        return SlackProcess(self.peer, self._folder, self._voices, *options, database=self.database)


@contextmanager
def fleet_of(
    peer: SlackPeer, folder: Path, voices: Path, database: str | None = None
) -> Iterator[Fleet]:
    """Yield a fleet without replicas, and stop them all at the end."""
    fleet = Fleet(peer, folder, voices, database)
    try:
        yield fleet
    finally:
        fleet.close()


def answers(peer: SlackPeer, channel: str) -> list[ApiCall]:
    """Return what was posted in a channel."""
    posted = peer.of("chat.postMessage", "chat.postEphemeral")
    return [call for call in posted if call.arguments["channel"] == channel]
