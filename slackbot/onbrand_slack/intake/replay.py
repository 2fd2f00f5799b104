"""Refuses a request that was overheard and is sent again within the life of its signature."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

KEPT = 360.0
"""Seconds: a signature is valid for five minutes either way of its time stamp."""


class ReplayGuard:
    """Signatures of the last minutes, in memory; replicas are covered by the keys of jobs."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def seen(self, signature: str) -> bool:
        """Remember a valid signature; say whether it was known."""
        now = self._clock()
        with self._lock:
            while self._seen and next(iter(self._seen.values())) < now - KEPT:
                self._seen.popitem(last=False)
            if signature in self._seen:
                return True
            self._seen[signature] = now
            return False
