"""The poster: carries out jobs' calls, in order and at the pace that Slack allows a channel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from onbrand_slack.log import describe, logger
from onbrand_slack.metrics import Metrics
from onbrand_slack.store.jobs import Job
from onbrand_slack.work.calls import UPLOAD, Call
from onbrand_slack.work.deliver import Sender, deliver
from onbrand_slack.work.errand import Errand
from onbrand_slack.work.errors import Kind, Outcome
from onbrand_slack.work.line import Line, Pace

THREADS = 8
_PACED = ("chat.postMessage", UPLOAD)
"""What Slack allows once a second in a channel."""


class _Jobs(Protocol):
    def posting(self, job: int, worker: str, /, *, again: bool) -> bool: ...
    def finish(self, job: int, worker: str, /) -> None: ...
    def fail(self, job: int, worker: str, reason: str, /) -> None: ...
    def retry(self, job: int, worker: str, after: float, /, *, sent: bool) -> None: ...


class _Clients(Sender, Protocol):
    def refresh(self) -> None: ...


class Poster:
    """Delivers what handlers want to say, one line a channel.

    A thread never waits for a channel's pace or for a retry: it takes what is due. A call that
    has to be tried again keeps its place, so that a channel reads in the order of the answers.

    Args:
        clients: of Slack.
        jobs: where jobs are ended.
        metrics: what is counted.
        worker: this replica's name, as jobs were claimed under it.
        complain: makes the calls that tell a job's user, in one sentence, what went wrong.
        threads: how many calls are made at once; 0: none, `step` makes them.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        clients: _Clients,
        jobs: _Jobs,
        metrics: Metrics,
        *,
        worker: str,
        complain: Callable[[Job, str], Sequence[Call]],
        threads: int = THREADS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clients = clients
        self._jobs = jobs
        self._metrics = metrics
        self._worker = worker
        self._complain = complain
        self._clock = clock
        self._line: Line[Errand] = Line(clock)
        self._pace = Pace(clock)
        metrics.watch_posting(self.__len__)
        self._threads = [
            threading.Thread(target=self._work, name=f"onbrand-post-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        """Return how many jobs are on their way."""
        return len(self._line)

    def submit(self, job: Job, calls: Sequence[Call], *, failed: str | None = None) -> None:
        """Carry out a job's calls, then end it. Returns at once.

        Args:
            job: claimed by this replica.
            calls: in order; none only ends the job.
            failed: the reason, where the job has failed and its calls only say so.
        """

        def complain(sentence: str) -> Sequence[Call]:
            return self._guarded(lambda: self._complain(job, sentence))

        errand = Errand(job, calls, complain=complain, failed=failed)
        self._line.put(errand.key, errand)

    def stop(self, timeout: float) -> bool:
        """Deliver what falls due within ``timeout`` seconds; return whether nothing was left.

        What is left belongs to its worker until the store releases it.
        """
        deadline = time.monotonic() + timeout
        self._line.close(self._clock() + timeout)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return len(self._line) == 0

    def step(self) -> bool:
        """Do one thing that is due now; return whether there was one. For tests' own clocks."""
        taken = self._line.take(wait=False)
        if taken is not None:
            self._turn(*taken)
        return taken is not None

    def next_due(self) -> float | None:
        """Return the clock's time at which something is due next."""
        return self._line.next_due()

    def _work(self) -> None:
        while (taken := self._line.take()) is not None:
            self._turn(*taken)

    def _turn(self, key: Hashable, errand: Errand) -> None:
        """Do one thing for an errand, and put it where it belongs next."""
        wait: float | None
        try:
            wait = self._do(errand)
        except Exception as error:
            # The database: the same step is taken again. Nothing of Slack's gets here.
            wait = errand.wait(self._clock())
            logger.error(
                "a job's state was not stored" if wait else "a job is given up until a restart",
                extra={"job": errand.job.id, "error": describe(error)},
            )
        if errand.over or wait is None:
            self._line.leave(key)
        elif errand.key == key:
            self._line.hold(key, wait)
        else:
            self._line.leave(key)
            self._line.put(errand.key, errand)

    def _do(self, errand: Errand) -> float:
        """Make the next call, or end the job; return seconds until there is more to do."""
        call = errand.call
        if call is None:
            self._end(errand)
            return 0.0
        if call.method in _PACED and (wait := self._pace.claim(errand.key)):
            return wait
        if not self._is_ours(errand):
            errand.lose()
            return 0.0
        outcome = deliver(self._clients, errand.job.tenant, call)
        self._count(call, outcome, errand)
        follow: Sequence[Call] = ()
        if outcome.kind is Kind.DELIVERED and call.then is not None:
            then = call.then
            follow = self._guarded(lambda: then(outcome.answer) or ())
        elif outcome.kind is Kind.TOKEN_GONE:
            self._clients.refresh()
        return errand.settle(outcome, self._clock(), follow)

    def _is_ours(self, errand: Errand) -> bool:
        """Tell whether the job may be answered by us; from then on it is `posting`."""
        if not errand.begun:
            job = errand.job
            errand.begun = self._jobs.posting(job.id, self._worker, again=job.again)
        return errand.begun

    def _end(self, errand: Errand) -> None:
        """Write down what became of a job."""
        job = errand.job
        if errand.ending == "done":
            self._jobs.finish(job.id, self._worker)
        elif errand.ending == "failed":
            self._jobs.fail(job.id, self._worker, errand.reason or "unknown")
        elif errand.ending == "retry":
            self._jobs.retry(job.id, self._worker, errand.retry_after, sent=errand.touched)
        errand.over = True
        ending = errand.ending or "lost"
        kind = str(job.request.__struct_config__.tag)
        self._metrics.jobs.labels(kind, ending).inc()
        extra = {"job": job.id, "kind": kind, "status": ending, "workspace": job.tenant.workspace}
        logger.info(
            "a job ended", extra=extra | ({"error": errand.reason} if errand.reason else {})
        )

    def _count(self, call: Call, outcome: Outcome, errand: Errand) -> None:
        self._metrics.slack_calls.labels(call.method, outcome.kind.value).inc()
        if errand.tries:
            self._metrics.retries.labels(call.method).inc()
        if outcome.kind is Kind.DELIVERED:
            return
        if outcome.retry_after is not None:
            self._metrics.rate_limits.labels(call.method).inc()
        logger.warning(
            "Slack did not take a call",
            extra={
                "job": errand.job.id,
                "method": call.method,
                "status": outcome.kind.value,
                "error": outcome.code,
            },
        )

    @staticmethod
    def _guarded(make: Callable[[], Sequence[Call]]) -> Sequence[Call]:
        """Return a callback's calls, none where it fails: the call itself was made."""
        try:
            return make()
        except Exception as error:
            logger.error("what follows a call failed", extra={"error": describe(error)})
            return ()
