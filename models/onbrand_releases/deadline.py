"""Time limits that a server cannot put off by sending a little now and then.

The timeout of a socket begins anew with every byte that comes, so a byte every few seconds would
hold a laptop for days. Here the time counts from the beginning of a stretch, whatever comes.
"""

from __future__ import annotations

from time import monotonic

TIMEOUT = 30.0
"""Seconds of silence after which a host is given up."""
PATIENCE = 60.0
"""Seconds for an answer to begin, and then for every `SLOWEST` bytes of it."""
SLOWEST = 64 * 1024


class Interrupted(Exception):  # noqa: N818 - it is a reason to try again, not yet an error
    """The connection failed in a way that another try may mend.

    Args:
        why: a few words for people.
        after: seconds after which the server wants to be asked again, if it says so.
    """

    def __init__(self, why: str, after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


class Deadline:
    """The end of a stretch of waiting: `PATIENCE` from now on, and anew with `SLOWEST` bytes.

    Args:
        late: what to say when it has passed.
    """

    def __init__(self, late: str) -> None:
        self._late = late
        self._begin()

    def _begin(self) -> None:
        self._end = monotonic() + PATIENCE
        self._came = 0

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return monotonic() >= self._end

    def left(self) -> float:
        """Return for how many seconds to wait in silence, more than 0.

        Raises:
            Interrupted: the deadline has passed.
        """
        left = self._end - monotonic()
        if left <= 0:  # not `passed`, which would look at the clock a second time
            raise Interrupted(self._late)
        return min(left, TIMEOUT)

    def count(self, came: int) -> None:
        """Count bytes of what was waited for; enough of them begin a new stretch."""
        self._came += came
        if self._came >= SLOWEST:
            self._begin()


def reason(error: object) -> str:
    """Return why something failed, without addresses that may hold passwords."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    said = getattr(error, "strerror", None)
    return said if isinstance(said, str) and said else type(error).__name__
