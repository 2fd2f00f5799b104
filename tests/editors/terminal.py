"""A program in a terminal of its own, that a test can type into and look at."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from waiting import until


class Terminal:
    """A tmux server with one pane. Use `terminal`, which ends it."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def tmux(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """Run a tmux command and return what it prints."""
        command = ["tmux", "-u", "-f", os.devnull, "-S", str(self._socket), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def type(self, text: str) -> None:
        """Type characters as they are."""
        self.tmux("send-keys", "-l", "--", text)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names of them, such as Enter, Escape or M-x."""
        self.tmux("send-keys", "--", *keys)

    def screen(self, *, colours: bool = False) -> str:
        """Return what stands on the screen."""
        return self.tmux("capture-pane", "-p", *(["-e", "-N"] if colours else []))

    def shows(self, text: str) -> None:
        """Wait until a text stands on the screen."""
        until(lambda: text in self.screen(), f"{text!r} on the screen")


@contextmanager
def terminal(
    command: Sequence[str | Path],
    *,
    folder: Path,
    env: Mapping[str, str],
    columns: int = 120,
    lines: int = 36,
) -> Iterator[Terminal]:
    """Run a command in a terminal, and end it and its children in the end."""
    # The path of a socket must be short, and those of pytest's folders are not.
    home = Path(tempfile.mkdtemp(prefix="onbrand-"))
    screen = Terminal(home / "tmux")
    options = ["-x", str(columns), "-y", str(lines), "-c", str(folder)]
    try:
        screen.tmux("new-session", "-d", *options, *map(str, command), env=env)
        screen.tmux("set-option", "-g", "remain-on-exit", "on")
        yield screen
    finally:
        _end(screen)
        shutil.rmtree(home, ignore_errors=True)


def _end(screen: Terminal) -> None:
    with suppress(AssertionError):
        leader = int(screen.tmux("display-message", "-p", "#{pane_pid}"))
        screen.tmux("kill-server")
        with suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)
