"""One line to stderr for what went wrong; never a word of anybody's text."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import PurePath
from typing import BinaryIO

from onbrand_lsp.wire.transport import Outbox

MAX_WAITING = 256 * 1024
"""Bytes of log that wait for an editor which does not read them; what comes then is dropped."""

_OURS = ("onbrand", "onbrand_lsp")


def start_logging(level: str, stream: BinaryIO | None = None) -> Outbox | None:
    """Send our records of ``level`` and above to stderr, and everybody else's nowhere.

    Records of libraries hold what they please: pygls' hold whole messages, asyncio's the values
    of exceptions.

    Args:
        level: "debug", "info", "warning" or "error".
        stream: where to write instead of stderr.

    Returns:
        What waits to be written; None where there is no stderr.
    """
    target = stream or (sys.stderr.buffer if sys.stderr is not None else None)
    outbox = None if target is None else Outbox(target, MAX_WAITING)
    logging.getLogger("pygls").setLevel(logging.CRITICAL + 1)  # nor need they be made
    logging.getLogger().handlers[:] = [logging.NullHandler()]
    for name in _OURS:
        logger = logging.getLogger(name)
        logger.setLevel(level.upper())
        logger.propagate = False
        logger.handlers[:] = [logging.NullHandler() if outbox is None else _LineHandler(outbox)]
    return outbox


def describe(error: BaseException) -> str:
    """Return the type of an error and the last place in our code that it passed, not its value."""
    place = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        parts = PurePath(frame.f_code.co_filename).parts
        if package in _OURS and package in parts:
            file = "/".join(parts[len(parts) - 1 - parts[::-1].index(package) :])
            place = f" at {file}:{line}"
    return type(error).__name__ + place


class _LineHandler(logging.Handler):
    """Writes ``onbrand-lsp: LEVEL message`` to an outbox: stderr may be a pipe nobody reads."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__()
        self._outbox = outbox

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = f"a message that cannot be formatted, from {record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[1] is not None:
            message += f": {describe(record.exc_info[1])}"
        line = f"onbrand-lsp: {record.levelname} {' '.join(message.split())}\n"
        self._outbox.put(line.encode("utf-8", "backslashreplace"))
