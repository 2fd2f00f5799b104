"""Acknowledgements before scoring: Slack waits three seconds, a writer a little longer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class RightOfWay:
    """Lets threads that score stand aside while requests are being acknowledged.

    Both need the interpreter's lock, and a burst of requests would wait for every batch.

    Args:
        patience: seconds that scoring stands aside at most each time, so that it goes on.
    """

    def __init__(self, patience: float = 0.05) -> None:
        self._patience = patience
        self._requests = 0
        self._free = threading.Condition()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have the right of way, as long as a request is being acknowledged."""
        with self._free:
            self._requests += 1
        try:
            yield
        finally:
            with self._free:
                self._requests -= 1
                if self._requests == 0:
                    self._free.notify_all()

    def step_aside(self) -> None:
        """Wait until no request is being acknowledged, or patience ends."""
        # Without the lock: a stale answer costs nothing, and most of the time nobody is there.
        if self._requests:
            with self._free:
                self._free.wait_for(lambda: self._requests == 0, self._patience)
