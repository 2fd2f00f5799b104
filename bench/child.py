"""Processes of their own for benchmarks, which say why where they die."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

LAST_LINES = 15


class ChildError(RuntimeError):
    """A process ended that had more to do; says its exit status and its last words."""

    def __init__(self, command: Sequence[str | Path], status: int | None, stderr: str) -> None:
        said = "\n".join(stderr.rstrip().splitlines()[-LAST_LINES:])
        ended = f"ended with exit status {status}" if status is not None else "closed its output"
        super().__init__(
            f"{' '.join(map(str, command))} {ended}" + (f":\n{said}" if said else ", silently")
        )


def run(command: Sequence[str | Path]) -> str:
    """Run a command to its end and return what it printed.

    Raises:
        ChildError: its exit status is not 0.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ChildError(command, done.returncode, done.stderr)
    return done.stdout


class Child:
    """A running process that is written to and read from in bytes."""

    def __init__(
        self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None
    ) -> None:
        self._command = command
        self._death: ChildError | None = None
        # A file, not a pipe: nobody empties it, and a full pipe would stop the process.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=environment,
        )

    @property
    def output(self) -> IO[bytes]:
        """What it writes."""
        assert self.process.stdout is not None
        return self.process.stdout

    def send(self, data: bytes) -> None:
        """Write to it.

        Raises:
            ChildError: it is no more.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self.death() from None

    def read_line(self) -> bytes:
        """Wait for its next line.

        Raises:
            ChildError: it ended instead.
        """
        line = self.output.readline()
        if not line:
            raise self.death()
        return line

    def death(self) -> ChildError:
        """Return the error that says how it ended, and let go of it."""
        if self._death is None:
            try:
                status = self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                status = None
            self._stderr.seek(0)
            said = self._stderr.read().decode("utf-8", "replace")
            self._death = ChildError(self._command, status, said)
            self._let_go()
        return self._death

    def close(self) -> None:
        """End its input, and wait until it has ended.

        Raises:
            ChildError: its exit status is not 0.
        """
        if self._death is None:
            self.process.communicate()
        if self.process.returncode:
            raise self.death()
        self._let_go()

    def _let_go(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # what it never read
            self.process.stdin.close()
        self.output.close()
        self._stderr.close()
