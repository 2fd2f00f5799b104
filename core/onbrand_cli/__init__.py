"""The command line. Commands are imported inside `main`, so that it handles Ctrl-C meanwhile."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
TERMINATED = 143
"""Exit code after SIGTERM."""
_ENDS = {INTERRUPTED: "interrupted", TERMINATED: "terminated"}


def main() -> None:
    """Run the command line and exit: 0 fine, 1 findings, 2 error."""
    for stream in (sys.stdout, sys.stderr):
        # Copy is full of quotes, dashes and emoji that a C or cp1252 locale cannot print.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        with _orderly_termination():
            from onbrand_cli.app import run

            code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as end:
        if end.code != TERMINATED:
            raise
        code = TERMINATED
    if code in _ENDS:
        print(f"{_ENDS[code]}; no file is half-written", file=sys.stderr)  # noqa: T201
    sys.exit(code)


@contextlib.contextmanager
def _orderly_termination() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that unfinished files are removed, as with Ctrl-C."""
    known = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not known or threading.current_thread() is not threading.main_thread():
        yield  # another handler is installed, say by a test runner
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is _terminate:  # else it is ignored until the end
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(*_: object) -> NoReturn:
    # A second SIGTERM, as to the process group, must interrupt neither the removal of files nor the
    # way to the exit code.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(TERMINATED)
