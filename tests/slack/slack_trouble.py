"""For tests of trouble: what an app has done while much went wrong, and what it must never do."""

from __future__ import annotations

from collections import Counter
from typing import Any

from slack_peer import ApiCall, SlackPeer
from slack_process import SlackProcess
from slack_sender import SIGNING_SECRET, Acknowledged
from slack_talk import FLAGGED, Talk, option, read
from slack_web_api import APP_TOKEN, BOT_TOKEN, Payload

AGAIN = "Again: "
ROUTES = ("response_url", "chat.postEphemeral", "chat.postMessage", "views.update")
"""How an answer reaches its user: of a command, a mention, a direct message and a modal."""


class Troubled(Talk):
    """A talk that looks at what failed, too."""

    def __init__(self, peer: SlackPeer, app: SlackProcess, number: int) -> None:
        super().__init__(peer, app, number)
        self._response_url = peer.response_url()
        self._own = [self.user, self.channel, self.direct, f'{self._response_url}"']

    @property
    def modal(self) -> str:
        """The id of the modal that this user has open."""
        return f"V{self.user}"

    def place(self, route: str) -> str:
        """Return what the first call of a route holds, and no call of another talk."""
        places = {
            "response_url": f'{self._response_url}"',
            "chat.postEphemeral": self.channel,
            "chat.postMessage": self.direct,
            "views.update": self.modal,
        }
        return places[route]

    def send(self, route: str, draft: str = f"oatfolk {FLAGGED}") -> None:
        """Send a draft whose answer goes a certain way."""
        if route == "response_url":
            command = self.command_payload(draft, user=self.user, channel=self.channel)
            sent = self._form("slash_commands", {**command, "response_url": self._response_url})
        elif route == "chat.postEphemeral":
            sent = self.ask(draft)
        elif route == "chat.postMessage":
            sent = self.write(draft)
        else:
            sent = self._submit(draft)
        assert sent.status == 200

    def command_payload(self, text: str, **more: Any) -> Payload:
        """Return a slash command, and remember where it is answered."""
        command = super().command_payload(text, **more)
        self._own.append(f'{command["response_url"]}"')
        return command

    def interact(self, payload: Payload, *, user: str = "") -> Acknowledged:
        """Send an interaction, and remember where it is answered."""
        if url := payload.get("response_url"):
            self._own.append(f'{url}"')
        return super().interact(payload, user=user)

    def made(self, *methods: str) -> list[ApiCall]:
        """Return what the app called for this user, well or not, in order."""
        calls = list(self.peer.calls)[self.started :]
        calls = [call for call in calls if any(name in call.body for name in self._own)]
        return [call for call in calls if not methods or call.method in methods]

    def told(self) -> list[str]:
        """Return all that reached the user, a text each."""
        return [read(self.shown(call)) for call in self.made(*ROUTES) if call.ok]

    def ending(self) -> tuple[str, str]:
        """Wait for the end of the job that was queued last; return its state and the reason."""
        query = "SELECT state, error FROM onbrand_slack_jobs ORDER BY id DESC LIMIT 1"

        def ended(_: SlackPeer) -> tuple[str, str] | None:
            state, error = self.rows(query)[0]
            return (state, error or "") if state in ("done", "failed") else None

        state, error = self.peer.wait(ended, what="the end of the job")
        return state, error

    def _submit(self, draft: str) -> Acknowledged:
        brand, _, text = draft.partition(" ")
        values = {"brand": {"brand": option(brand)}, "draft": {"draft": {"value": text}}}
        view = {"id": self.modal, "callback_id": "check_view", "private_metadata": ""}
        return self.submit(view, values, user=self.user)


def endings(app: SlackProcess) -> list[dict[str, Any]]:
    """Return what the app's log says of the ends of jobs."""
    return [line for line in app.lines() if line.get("message") == "a job ended"]


def check_log(app: SlackProcess, *words: str) -> None:
    """Check that every job ended once, and that no draft, name or secret is in the log."""
    ended = Counter(line["job"] for line in endings(app) if line["status"] in ("done", "failed"))
    assert [job for job, times in ended.items() if times > 1] == []
    log = app.log()
    secrets = (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, "/hooks/", "stakeholders", *words)
    assert [secret for secret in secrets if secret in log] == []
    assert "Traceback" not in log
