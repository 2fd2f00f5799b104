"""The queue while its users die: threads that stop anywhere, and a process that is killed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from onbrand_slack.model import Say, Tenant, ToConversation
from onbrand_slack.store import schema
from onbrand_slack.store.database import connect
from onbrand_slack.store.jobs import Job, Jobs

HELP = Say(user="U1", topic="help", reply=ToConversation("D1"))
KEYS = [f"key {number}" for number in range(60)]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.heavy("postgres"))])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return str(tmp_path / "slack.db")


class Replica:
    """One of several processes, as far as the database can tell."""

    def __init__(self, location: str) -> None:
        self.database = connect(location)
        schema.SCHEMA.prepare(self.database, create=True)
        self.jobs = Jobs(self.database, lease=timedelta(seconds=0.5))


def run(*works: Callable[[], None]) -> None:
    """Run works in threads, and raise what went wrong in one of them."""
    failed: list[Exception] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


class Trial:
    """Deliveries and workers on three replicas, and what came of them."""

    def __init__(self, location: str) -> None:
        self.replicas = [Replica(location) for _ in range(3)]
        self.accepted: list[str] = []
        self.sent: dict[str, list[bool]] = defaultdict(list)
        """Whether each answer to a job said "again"."""

    def deliver(self, replica: Replica, seed: int) -> None:
        """Slack delivers everything three times, here to three replicas at once."""
        for key in random.Random(seed).sample(KEYS, len(KEYS)):
            receipt = replica.jobs.put(Tenant(f"T{key[-1]}"), HELP, key=key, lane="post")
            assert receipt.status in ("queued", "duplicate")
            if receipt.status == "queued":
                self.accepted.append(key)

    def work(self, replica: Replica, seed: int) -> None:
        """Do jobs until there are none, and be someone else after each death."""
        dice, life, jobs = random.Random(seed), 0, replica.jobs
        while len(self.accepted) < len(KEYS) or jobs.next_due() is not None:
            worker = f"{seed} in life {life}"
            claimed = jobs.claim(worker, "post", dice.randint(1, 3))
            if not all(self.survives(jobs, job, worker, dice) for job in claimed):
                life += 1
            elif not claimed:
                time.sleep(0.01)

    def survives(self, jobs: Jobs, job: Job, worker: str, dice: random.Random) -> bool:
        if dice.random() < 0.1:
            return False
        if jobs.posting(job.id, worker, again=job.again):
            self.sent[job.key].append(job.again)
            if dice.random() < 0.1:
                return False
            if dice.random() < 0.1:
                jobs.retry(job.id, worker, 0.01)
            else:
                jobs.finish(job.id, worker)
        return True


def test_every_job_is_answered_once_or_says_again(location: str) -> None:
    trial = Trial(location)
    run(
        *(partial(trial.deliver, each, seed) for seed, each in enumerate(trial.replicas)),
        *(partial(trial.work, each, seed) for seed, each in enumerate(trial.replicas * 2)),
    )
    assert sorted(trial.accepted) == sorted(KEYS)
    assert set(trial.sent) == set(KEYS)
    assert all(said_again.count(False) == 1 for said_again in trial.sent.values()), trial.sent
    assert any(map(any, trial.sent.values())), "nobody died while it posted"
    for replica in trial.replicas:
        replica.database.close()


def test_what_was_acknowledged_survives_a_kill(location: str) -> None:
    with subprocess.Popen(
        [sys.executable, __file__, location], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        acknowledged = []
        for line in process.stdout:
            acknowledged.append(line.strip())
            if len(acknowledged) == 50:
                process.kill()
        assert process.wait() == -signal.SIGKILL
    replica = Replica(location)
    # Half of them were with the killed one, on a lease.
    waiting, left = set(acknowledged), []

    def take() -> bool:
        for job in replica.jobs.claim("w", "post", 1000):
            replica.jobs.finish(job.id, "w")
            left.append(job.key)
        return waiting <= set(left)

    until(take)
    assert len(left) == len(set(left))
    assert all(replica.jobs.seen(Tenant("T1"), key) for key in acknowledged)
    replica.database.close()


def until(done: Callable[[], bool]) -> None:
    for _ in range(600):
        if done():
            return
        time.sleep(0.05)
    pytest.fail("it never came")


def put_and_claim_until_killed(location: str) -> None:
    """Print the key of each job once it is stored; every other one is claimed at once."""
    jobs, number = Replica(location).jobs, 0
    while True:
        jobs.put(Tenant("T1"), HELP, key=str(number), lane="post")
        if number % 2:
            jobs.claim("killed", "post")
        print(number, flush=True)
        number += 1


if __name__ == "__main__":
    put_and_claim_until_killed(sys.argv[1])
