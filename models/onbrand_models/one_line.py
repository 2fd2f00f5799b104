"""Telling in one line what a library says in many, or in an exception of no common kind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from onbrand.errors import OnbrandError

_LONGEST = 200


def reason_of(error: BaseException) -> str:
    """Return the first line of what an exception says, and its name where that is but a key."""
    text = str(error).strip()
    if isinstance(error, KeyError) or not text:
        text = f"{type(error).__name__} {text}".strip()
    return text.splitlines()[0][:_LONGEST]


@contextlib.contextmanager
def in_one_line(problem: str, path: Path | str | None = None) -> Iterator[None]:
    """Turn what a library raises in the block into one line for the user.

    Args:
        problem: what does not work, say "cannot be loaded"; the library's reason follows it.
        path: what is at fault.

    Raises:
        OnbrandError: the block raised something. Errors of this kind, a lack of memory and Ctrl-C
            pass as they are.
    """
    try:
        yield
    except (OnbrandError, MemoryError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # no common base; a panic of Rust code is no Exception at all
        raise OnbrandError(f"{problem} ({reason_of(error)})", path=path) from error
