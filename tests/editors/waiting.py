"""Waiting for what another process will do: by looking again, never by sleeping and hoping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120
"""Seconds; a loaded machine of two cores gets there in a tenth of it."""


def until(look: Callable[[], T], what: str, *, seconds: float = PATIENCE) -> T:
    """Look until there is something to see, and return it.

    Raises:
        AssertionError: nothing came; the message says what was awaited and what was seen last.
    """
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}; last seen: {seen!r}")
        time.sleep(0.05)


def until_equal(look: Callable[[], T], wanted: T, *, seconds: float = PATIENCE) -> None:
    """Look until ``wanted`` is what is seen.

    Raises:
        AssertionError: it never was; the message shows both.
    """
    deadline = time.monotonic() + seconds
    while (seen := look()) != wanted:
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s\n for {wanted!r}\n saw {seen!r}")
        time.sleep(0.05)
