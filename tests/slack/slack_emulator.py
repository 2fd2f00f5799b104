"""`emulate`, which emulates Slack's Web API and keeps messages, files, views and installations."""

from __future__ import annotations

import html
import json
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import httpx
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_sdk import WebClient
from slack_sender import Acknowledged
from slack_team import Member
from slack_web_api import BOT_TOKEN, Payload

from onbrand_slack.manifest import SCOPES

ROOT = Path(__file__).parents[2]
SEED = ROOT / "tests/data/slack/emulate.yaml"
DANA = "xoxp-dana"


class Emulator:
    """Stands behind a peer, which passes on to it what it does not do itself.

    Args:
        peer: whose address the emulator calls its own.
        folder: of its log and its seed.
    """

    def __init__(self, peer: SlackPeer, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        seed = folder / "emulate.yaml"
        seed.write_text(SEED.read_text().replace("SCOPES", json.dumps(list(SCOPES))))
        command = [str(ROOT / ".editors/bin/emulate"), "start", "--service", "slack"]
        command += ["--port", str(port), "--base-url", peer.url, "--seed", str(seed)]
        self._log = (folder / "emulate.log").open("w+b")
        self._process = subprocess.Popen(
            command, cwd=folder, stdout=self._log, stderr=subprocess.STDOUT
        )
        self._url = f"http://127.0.0.1:{port}"
        self._wait_until_ready()
        peer.emulator = self._url
        self.bot = WebClient(token=BOT_TOKEN, base_url=f"{self._url}/api/")
        self.dana = WebClient(token=DANA, base_url=f"{self._url}/api/")

    def user(self, name: str) -> str:
        """Return a user's id."""
        (found,) = [u["id"] for u in self.dana.users_list()["members"] if u["name"] == name]
        return str(found)

    def channel(self, name: str) -> str:
        """Return a channel's id."""
        listed = self.dana.conversations_list()["channels"]
        (found,) = [channel["id"] for channel in listed if channel["name"] == name]
        return str(found)

    def direct(self, user: str) -> str:
        """Return the id of a user's direct messages with the app."""
        return str(self.bot.conversations_open(users=user)["channel"]["id"])

    def history(self, channel: str, thread: str | None = None) -> list[Payload]:
        """Return the messages of a channel, newest first, or of a thread, oldest first."""
        if thread is None:
            return list(self.bot.conversations_history(channel=channel)["messages"])
        return list(self.bot.conversations_replies(channel=channel, ts=thread)["messages"])

    def page(self, tab: str, **query: str) -> str:
        """Return what the emulator's own page shows of what no method tells."""
        shown = httpx.get(self._url, params={"tab": tab, **query}).raise_for_status().text
        return html.unescape(re.sub(r"<[^>]+>", " ", shown))

    def trigger(self, **given: Any) -> str:
        """Return an id that lets the app open a modal for three seconds."""
        return str(self.bot.api_call("views.generateTriggerId", json=given)["trigger_id"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        self._process.wait(30)
        self._log.close()

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                httpx.get(self._url, timeout=10).raise_for_status()
            except httpx.HTTPError:
                if self._process.poll() is not None or time.monotonic() > until:
                    self._log.seek(0)
                    raise AssertionError(f"emulate: {self._log.read()[-2000:]!r}") from None
                time.sleep(0.05)
            else:
                return


class Emulated(Member):
    """A member of the emulator's workspace.

    Args:
        emulator: the Slack.
        peer: in front of it.
        app: the app.
        name: theirs.
        channel: where they are.
    """

    def __init__(
        self, emulator: Emulator, peer: SlackPeer, app: SlackProcess, name: str, channel: str
    ) -> None:
        super().__init__(peer, app, 0, channel=channel)
        self.user = emulator.user(name)
        self.direct = emulator.direct(self.user)
        self._emulator = emulator

    def ts(self) -> str:
        """Return a new time stamp, which no former test with the same people had."""
        return f"{time.time():.6f}"

    def interact(self, payload: Payload, *, user: str = "") -> Acknowledged:
        """Send an interaction, with a trigger that the emulator knows."""
        given = {"user_id": self.user}
        view = payload.get("view")
        if view is not None and view["type"] == "modal":
            given["view_id"] = view["id"]
        trigger = self._emulator.trigger(**given)
        self._given.add(trigger)
        return super().interact({**payload, "trigger_id": trigger}, user=user)
