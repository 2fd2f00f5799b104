"""The runner: claims jobs, runs their handlers in threads of its own, hands calls to the poster."""

from __future__ import annotations

import os
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from slack_sdk.errors import SlackApiError

from onbrand.errors import OnbrandError
from onbrand_slack.log import describe, logger
from onbrand_slack.model import Request
from onbrand_slack.services import Services
from onbrand_slack.store.jobs import MAX_ATTEMPTS, Job, Lane
from onbrand_slack.work.calls import Call
from onbrand_slack.work.errors import Kind, NotInstalledError, Outcome, classify, words
from onbrand_slack.work.poster import Poster

POSTING_THREADS = 3
"""That run handlers which score nothing."""
HEARTBEAT = 8.0
"""Seconds between renewals: a lease survives two that fail."""
POLL = 0.75
"""Seconds until jobs that another replica put in the queue are seen, plus a third at most."""
MOST_ON_THEIR_WAY = 1000
"""Jobs whose calls wait for Slack; beyond it the queue waits in the database."""
OUR_FAULT = (
    "Something went wrong on our side, and trying again did not help. Nothing was lost: "
    "please try once more, and tell whoever runs onbrand if it persists."
)


class Handler(Protocol):
    """What does one kind of job: see `onbrand_slack.handlers`."""

    @property
    def run(self) -> Callable[[Job, Services], Sequence[Call]]:
        """Return the calls that answer a job."""


Complain = Callable[[Job, str], Sequence[Call]]
"""Makes the calls that tell a job's user one sentence; none where nobody waits for an answer."""


@dataclass
class _Lane:
    """The threads that work on one lane. One of them looks for work at a time."""

    name: Lane
    threads: int
    looking: threading.Lock = field(default_factory=threading.Lock)
    woken: threading.Event = field(default_factory=threading.Event)


class Runner:
    """Works on the queue until it is stopped.

    Args:
        services: what handlers share.
        handlers: by the type of request.
        complain: see `Complain`.
        worker: this replica's name; None: a new one.
    """

    def __init__(
        self,
        services: Services,
        handlers: Mapping[type[Request], Handler],
        complain: Complain,
        *,
        worker: str | None = None,
    ) -> None:
        self.worker = worker or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._services = services
        self._jobs = services.store.jobs
        self._handlers = handlers
        self._complain = complain
        self._poster = Poster(
            services.clients,
            self._jobs,
            services.metrics,
            worker=self.worker,
            complain=complain,
        )
        self._lanes = {
            "score": _Lane("score", services.config.workers),
            "post": _Lane("post", POSTING_THREADS),
        }
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to work."""
        self._services.wake = self.wake
        for lane in self._lanes.values():
            self._services.metrics.watch_queue(lane.name, partial(self._jobs.waiting, lane.name))
            for number in range(lane.threads):
                name = f"onbrand-{lane.name}-work-{number}"
                thread = threading.Thread(target=self._work, args=(lane,), name=name, daemon=True)
                self._threads.append(thread)
        heart = threading.Thread(target=self._beat, name="onbrand-lease", daemon=True)
        for thread in [*self._threads, heart]:
            thread.start()

    def wake(self, lane: Lane) -> None:
        """Look for work at once: there is a new job."""
        self._lanes[lane].woken.set()

    def stop(self, timeout: float = 20.0) -> bool:
        """Take up nothing new, finish what is begun, hand the rest back to the queue.

        Args:
            timeout: seconds for all of it.

        Returns:
            Whether all that was begun was finished.
        """
        deadline = time.monotonic() + timeout
        self._stopping.set()
        for lane in self._lanes.values():
            lane.woken.set()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        finished = self._poster.stop(max(0.0, deadline - time.monotonic()))
        finished = finished and not any(thread.is_alive() for thread in self._threads)
        self._stopped.set()
        try:
            self._jobs.release(self.worker)
        except Exception as error:
            logger.error("jobs stay leased until that runs out", extra=_about(error))
        return finished

    def _beat(self) -> None:
        """Renew the leases of what is being worked on."""
        while not self._stopped.wait(HEARTBEAT):
            try:
                self._jobs.renew(self.worker)
            except Exception as error:
                logger.error("leases were not renewed", extra=_about(error))

    def _work(self, lane: _Lane) -> None:
        while (job := self._next(lane)) is not None:
            started = time.monotonic()
            self._run(job)
            if lane.name == "score":
                self._services.metrics.scored(time.monotonic() - started)

    def _next(self, lane: _Lane) -> Job | None:
        """Wait for a job; None when it is time to stop."""
        with lane.looking:
            while not self._stopping.is_set():
                # Before looking: a job that is put in the queue meanwhile is not overlooked.
                lane.woken.clear()
                if self._stopping.is_set():
                    break
                if jobs := self._claim(lane.name):
                    return jobs[0]
                lane.woken.wait(POLL * random.uniform(1.0, 4 / 3))  # noqa: S311 - no secret
        return None

    def _claim(self, lane: Lane) -> list[Job]:
        if len(self._poster) >= MOST_ON_THEIR_WAY:
            return []
        try:
            return self._jobs.claim(self.worker, lane)
        except Exception as error:
            logger.error("no jobs can be claimed", extra=_about(error))
            return []

    def _run(self, job: Job) -> None:
        """Run a job's handler; whatever it does, the job goes on to its end."""
        if job.attempts > MAX_ATTEMPTS:
            self._end(job, OUR_FAULT, "too many attempts")
            return
        try:
            calls = self._handlers[type(job.request)].run(job, self._services)
            self._poster.submit(job, calls)
        except NotInstalledError:
            self._poster.submit(job, (), failed="not installed")
        except SlackApiError as error:
            self._refused(job, classify(error))
        except OnbrandError as error:
            if error.path is None:
                self._poster.submit(job, self._told(job, error.message))
            else:
                # About a file of ours, the database most likely: it means nothing to the user.
                self._failed(job, describe(error))
        except Exception as error:
            self._failed(job, describe(error))

    def _refused(self, job: Job, outcome: Outcome) -> None:
        """Go on from a handler whose question Slack did not answer."""
        place = f"Slack: {outcome.code}"
        if outcome.kind is Kind.LATER:
            self._failed(job, place, outcome.retry_after or 0.0)
            return
        if outcome.kind is Kind.TOKEN_GONE:
            self._services.clients.refresh()
        self._end(job, words(outcome), place)

    def _failed(self, job: Job, place: str, wait: float = 0.0) -> None:
        """Try a job again whose handler failed, or end it."""
        kind = str(job.request.__struct_config__.tag)
        extra = {"job": job.id, "kind": kind, "attempt": job.attempts, "error": place}
        logger.error("a job failed", extra=extra)
        if job.attempts >= MAX_ATTEMPTS:
            self._end(job, OUR_FAULT, place)
            return
        try:
            self._jobs.retry(job.id, self.worker, max(wait, 2.0**job.attempts))
        except Exception as error:
            logger.error("a job cannot be put back", extra={"job": job.id, **_about(error)})
            # The poster tries for longer.
            self._end(job, OUR_FAULT, place)
        else:
            self._services.metrics.jobs.labels(kind, "retry").inc()

    def _end(self, job: Job, sentence: str | None, reason: str) -> None:
        """Tell a job's user that it has failed, and end it."""
        calls = () if sentence is None else self._told(job, sentence)
        self._poster.submit(job, calls, failed=reason)

    def _told(self, job: Job, sentence: str) -> Sequence[Call]:
        try:
            return self._complain(job, sentence)
        except Exception as error:
            logger.error("a user cannot be told", extra={"job": job.id, **_about(error)})
            return ()


def _about(error: Exception) -> dict[str, str]:
    return {"error": describe(error)}
