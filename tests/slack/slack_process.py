"""The real app in a process of its own, started as an operator starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx
from slack_peer import SlackPeer
from slack_sender import SIGNING_SECRET
from slack_web_api import APP_TOKEN, BOT_TOKEN


class SlackProcess:
    """``onbrand slack`` against a peer.

    Args:
        peer: the Slack that it talks to.
        folder: of its database and its log.
        voices: what it judges by; None: nothing says where they are.
        options: of the command line, ``--http`` and ports aside.
        environment: over the defaults; an empty string unsets.
        transport: ``http`` or ``socket-mode``.
        database: a URL; by default an SQLite file in the folder.
        ready: wait until it can work.
    """

    def __init__(
        self,
        peer: SlackPeer,
        folder: Path,
        voices: Path | None,
        *options: str,
        environment: Mapping[str, str] | None = None,
        transport: str = "http",
        database: str | None = None,
        ready: bool = True,
    ) -> None:
        self.log_path = folder / f"app-{time.monotonic_ns()}.log"
        self.database = database or str(folder / "slack.db")
        variables = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "ONBRAND_SLACK_API_URL": peer.api_url,
            "ONBRAND_LABELS_DB": "",
            **(environment or {}),
        }
        command = [sys.executable, "-m", "onbrand", "slack", f"--{transport}"]
        command += [] if voices is None else ["--voices", str(voices)]
        command += ["--database", self.database, "--port", "0", "--admin-port", "0", *options]
        self._log = self.log_path.open("wb")
        self.process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **variables}, stderr=self._log, stdout=self._log
        )
        self.url: str | None = None
        self.admin_url = ""
        try:
            if ready:
                self._wait_until_ready(transport)
        except BaseException:
            self.kill()
            raise

    def log(self) -> str:
        """Return all that it has logged."""
        return self.log_path.read_text("utf-8", "replace")

    def lines(self) -> list[dict[str, Any]]:
        """Return its log, line by line; every line must be JSON."""
        return [json.loads(line) for line in self.log().splitlines()]

    def metrics(self) -> dict[str, float]:
        """Return the samples of its metrics, by name with labels."""
        text = httpx.get(f"{self.admin_url}/metrics", timeout=30).raise_for_status().text
        samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in samples}

    def stop(self) -> int:
        """Ask it to stop, as systemd does, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def kill(self) -> None:
        """Kill it, as a power cut does."""
        self.process.kill()
        self._ended()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        error = exception[1] if exception else None
        if isinstance(error, BaseException) and self.process.poll() is not None:
            last = "\n".join(self.log().splitlines()[-15:])
            error.add_note(f"the app had ended with {self.process.returncode}:\n{last}")
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        killer = threading.Timer(60, self.process.kill)
        killer.start()
        self._ended()
        killer.cancel()

    def _ended(self) -> int:
        code = self.process.wait(120)
        self._log.close()
        return code

    def _wait_until_ready(self, transport: str) -> None:
        until = time.monotonic() + 120
        while True:
            if self.process.poll() is not None or time.monotonic() > until:
                code = self.process.poll()
                raise AssertionError(f"the app did not start ({code}): {self.log()}")
            told = [line for line in self.log().splitlines() if line.startswith("{")]
            lines = [json.loads(line) for line in told if line.endswith("}")]
            found = {line.get("message"): line.get("address") for line in lines}
            if "ready" in found:
                self.admin_url = f"http://{found['health and metrics']}"
                self.url = f"http://{found['listening']}" if transport == "http" else None
                return
            time.sleep(0.05)
