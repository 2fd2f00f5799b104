"""A job's calls on their way to Slack: what comes next, and what becomes of the job. No I/O."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Literal

from onbrand_slack.store.jobs import MAX_ATTEMPTS, Job
from onbrand_slack.work.calls import RESPOND, Call
from onbrand_slack.work.deliver import again
from onbrand_slack.work.errors import Kind, Outcome, words

PATIENCE = 900.0
"""Seconds for which a call is tried again from memory."""
NICETY_PATIENCE = 10.0
"""The same for a call that is optional: it holds up its channel for no longer."""
LONGEST_BACKOFF = 60.0

Ending = Literal["done", "failed", "retry", "lost"]


class Errand:
    """Carries the state of one job from its first call to its end.

    Calls are independent unless one is the `then` of another: what Slack refuses for good fails
    the job, but what follows is carried out all the same.

    Args:
        job: whose calls they are.
        calls: in the order in which they are to be made.
        complain: makes the calls that tell the user of a refusal nobody foresaw.
        failed: the reason why the job has failed already, where the calls only say so.
    """

    def __init__(
        self,
        job: Job,
        calls: Sequence[Call],
        *,
        complain: Callable[[str], Sequence[Call]] = lambda _: (),
        failed: str | None = None,
    ) -> None:
        self.job = job
        self.reason = failed
        self.ending: Ending | None = None
        """Set when there is nothing more to call; `lost` where another replica has the job."""
        self.begun = False
        """Whether the store knows that we are about to answer."""
        self.touched = False
        """Whether something was, or may have been, carried out."""
        self.over = False
        """Whether the store knows of the end."""
        self.retry_after = 0.0
        """With the ending "retry": in how many seconds."""
        self._complain: Callable[[str], Sequence[Call]] | None = complain
        self._calls = deque(calls)
        self._ways: deque[Call] = deque()
        self._optional = False
        self._doubtful = False
        self._tries = 0
        self._since: float | None = None
        self._next()

    @property
    def call(self) -> Call | None:
        """The call to make now; None when the job is to be ended."""
        return self._ways[0] if self._ways else None

    @property
    def key(self) -> Hashable:
        """The line it stands in: its call's channel, else none but its own."""
        call = self.call
        if call is None or call.method == RESPOND or call.channel is None:
            return self.job.id
        return self.job.tenant.workspace, call.channel

    @property
    def tries(self) -> int:
        """How often the present step has failed."""
        return self._tries

    def settle(self, outcome: Outcome, now: float, follow: Sequence[Call] = ()) -> float:
        """Take in what became of the call.

        Args:
            outcome: of the present call.
            now: the clock's time.
            follow: calls that its answer led to; they come next.

        Returns:
            Seconds until the next call is due.
        """
        if outcome.kind is Kind.LATER:
            patience = NICETY_PATIENCE if self._optional else PATIENCE
            wait = self.wait(now, outcome.retry_after, patience)
            if wait is not None:
                self._mark(outcome)
                return wait
        self._tries, self._since = 0, None
        if outcome.kind is Kind.DELIVERED:
            self.touched = True
            self._calls.extendleft(reversed(follow))
            self._next()
        elif outcome.kind is Kind.LATER:
            self._give_up(outcome)
        else:
            self._refuse(outcome)
        return 0.0

    def wait(
        self, now: float, retry_after: float | None = None, patience: float = PATIENCE
    ) -> float | None:
        """Count a failure of the present step; return seconds to wait, None when it is enough."""
        self._since = now if self._since is None else self._since
        self._tries += 1
        backoff = min(2.0 ** min(self._tries - 1, 10), LONGEST_BACKOFF)
        wait = max(backoff, retry_after or 0.0)
        # Many that were turned away together must not come back together.
        wait *= 1 + random.random() / 4  # noqa: S311 - no secret
        return wait if now + wait - self._since <= patience else None

    def lose(self) -> None:
        """Drop the job: another replica has it."""
        self._stop("lost")

    def _next(self) -> None:
        """Go on to the next call, or to the end."""
        self._doubtful = False
        self._ways.clear()
        if self._calls:
            call = self._calls.popleft()
            self._optional = call.optional
            self._ways.extend(_flat(call))
        else:
            self.ending = "done" if self.reason is None else "failed"

    def _mark(self, outcome: Outcome) -> None:
        """Make the next try of a call show that it may be the second."""
        if not outcome.doubtful:
            return
        self.touched = True
        if not self._doubtful:
            self._doubtful = True
            self._show_again()

    def _show_again(self) -> None:
        # Where a replica died with the job in hand, the answer says so itself.
        if self._doubtful and not self.job.again:
            self._ways[0] = again(self._ways[0])

    def _refuse(self, outcome: Outcome) -> None:
        """Try another way; where there is none, note it and go on."""
        refused = self._ways.popleft()
        if outcome.kind is Kind.TOKEN_GONE:
            # Only what needs no token can still reach anyone.
            self._calls = deque(call for call in self._calls if call.method == RESPOND)
            self._ways = deque(way for way in self._ways if way.method == RESPOND)
        elif outcome.kind is Kind.UNREACHABLE:
            self._ways = deque(way for way in self._ways if _place(way) != _place(refused))
        if self._ways:
            self._show_again()
            return
        if not self._optional:
            self.reason = self.reason or f"{refused.method}: {outcome.code}"
            sentence = words(outcome)
            if sentence is not None and self._complain is not None:
                self._calls.extendleft(reversed(self._complain(sentence)))
            self._complain = None
        self._next()

    def _give_up(self, outcome: Outcome) -> None:
        """End the patience: put the whole job back, or go on without this call."""
        if self._optional:
            self._next()
        elif self.reason is not None or self.job.attempts >= MAX_ATTEMPTS:
            self.reason = self.reason or f"{self._ways[0].method}: {outcome.code}"
            self._next()
        else:
            self.touched = self.touched or outcome.doubtful
            self.retry_after = max(outcome.retry_after or 0.0, LONGEST_BACKOFF)
            self._stop("retry")

    def _stop(self, ending: Ending) -> None:
        self.ending = ending
        self._calls.clear()
        self._ways.clear()


def _flat(call: Call) -> list[Call]:
    """Return a call and what is tried instead of it, in order."""
    return [call, *(way for other in call.instead for way in _flat(other))]


def _place(call: Call) -> tuple[object, ...]:
    """Return what two ways share that lead to one place."""
    arguments = call.arguments
    names = ("url", "channel", "user", "view_id", "trigger_id", "function_execution_id")
    return call.method, *(arguments.get(name) for name in names)
