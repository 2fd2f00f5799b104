"""Lines of things to do, one line a key: each in its order, none before it is due."""

from __future__ import annotations

import heapq
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Line(Generic[T]):
    """Hands out the first of every line as it falls due, to one thread at a time.

    Who takes an item must `hold` it, where it is not done with, or `leave` its line. Threads wait
    for something to be due, never with an item in hand.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lines: dict[Hashable, deque[T]] = {}
        self._due: list[tuple[float, int, Hashable]] = []
        self._turn = 0
        self._length = 0
        self._changed = threading.Condition()
        self._last_due = math.inf

    def __len__(self) -> int:
        """Return how many items there are, those that are taken included."""
        with self._changed:
            return self._length

    def put(self, key: Hashable, item: T) -> None:
        """Put an item at the end of its line."""
        with self._changed:
            line = self._lines.setdefault(key, deque())
            line.append(item)
            self._length += 1
            if len(line) == 1:
                self._schedule(key, 0.0)

    def take(self, *, wait: bool = True) -> tuple[Hashable, T] | None:
        """Return the item that is due longest, with its key; None where nothing will be.

        Args:
            wait: until something is due; else return None where nothing is now.
        """
        with self._changed:
            while self._due or (wait and self._last_due == math.inf):
                ahead = self._due[0][0] - self._clock() if self._due else math.inf
                if ahead <= 0:
                    _, _, key = heapq.heappop(self._due)
                    return key, self._lines[key][0]
                if not wait or (self._due and self._due[0][0] > self._last_due):
                    return None
                self._changed.wait(None if ahead == math.inf else ahead)
            return None

    def hold(self, key: Hashable, seconds: float) -> None:
        """Keep the item that was taken at the head of its line, due after ``seconds``."""
        with self._changed:
            self._schedule(key, seconds)

    def leave(self, key: Hashable) -> None:
        """Take the item that was taken out of its line; the next one is due now."""
        with self._changed:
            line = self._lines[key]
            line.popleft()
            self._length -= 1
            if line:
                self._schedule(key, 0.0)
            else:
                del self._lines[key]

    def next_due(self) -> float | None:
        """Return the clock's time at which something is due next."""
        with self._changed:
            return self._due[0][0] if self._due else None

    def close(self, last_due: float) -> None:
        """Let threads go once nothing more is due up to ``last_due``, by the clock."""
        with self._changed:
            self._last_due = last_due
            self._changed.notify_all()

    def _schedule(self, key: Hashable, seconds: float) -> None:
        self._turn += 1
        heapq.heappush(self._due, (self._clock() + seconds, self._turn, key))
        self._changed.notify()


class Pace:
    """How fast things may follow each other, a key at a time: one a second after a short burst.

    Args:
        clock: seconds that only grow.
        every: seconds from one to the next.
        burst: how many may go at once after a quiet while.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, every: float = 1.0, burst: int = 3
    ) -> None:
        self._clock = clock
        self._every = every
        self._slack = every * (burst - 1)
        self._next: dict[Hashable, float] = {}
        self._lock = threading.Lock()

    def claim(self, key: Hashable) -> float:
        """Take the right to go now and return 0, or return the seconds until there is one."""
        now = self._clock()
        with self._lock:
            due = max(self._next.get(key, -math.inf), now - self._slack)
            if due > now:
                return due - now
            if len(self._next) > 10_000:
                self._forget(now)
            self._next[key] = due + self._every
            return 0.0

    def _forget(self, now: float) -> None:
        """Drop the keys that are as good as new."""
        self._next = {key: due for key, due in self._next.items() if due > now - self._slack}
