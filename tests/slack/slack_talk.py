"""One test's talk with an app that others talk to as well: what it sends, and what comes back."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any, Self

from block_kit import problems
from slack_gate import payload_of
from slack_golden import nodes
from slack_peer import ApiCall, SlackPeer
from slack_process import SlackProcess
from slack_sender import Acknowledged, Sender
from slack_web_api import Payload

FLAGGED = "We leverage best-in-class synergies to unlock scalable value for our stakeholders."
ON_BRAND = (
    "Your basket's empty, and it's making an echoey noise that upsets the staff. "
    "Is it milk? Our lawyer has asked us to look out of the window and hum."
)
PRIVATE = ("response_url", "chat.postEphemeral")


class Talk(Sender):
    """A user with a channel and direct messages of their own.

    Args:
        peer: the Slack.
        app: over HTTP, on SQLite.
        number: tells it from the talks of other tests.
    """

    def __init__(self, peer: SlackPeer, app: SlackProcess, number: int) -> None:
        super().__init__(peer, app.url)
        self.app = app
        self.user = f"U1{number:08d}"
        self.channel = f"C1{number:08d}"
        self.direct = f"D1{number:08d}"
        self.url: str | None = None
        """The response_url of the last interaction."""
        self.started = len(peer.calls)
        self._read = self.started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- what is sent -----------------------------------------------------------------------

    def say(self, text: str) -> str:
        """Type ``/onbrand text`` and return the response_url that is answered."""
        payload = self.command_payload(text, user=self.user, channel=self.channel)
        assert self._form("slash_commands", payload).status == 200
        return str(payload["response_url"])

    def check(self, draft: str = FLAGGED, brand: str = "oatfolk") -> Payload:
        """Check a draft by command and return the answer."""
        self.say(f"{brand} {draft}")
        return self.answer()

    def ask(self, text: str, **more: Any) -> Acknowledged:
        """Mention the app."""
        return self.mention(text, user=self.user, channel=self.channel, **more)

    def write(self, text: str, **more: Any) -> Acknowledged:
        """Write to the app."""
        return self.direct_message(text, user=self.user, channel=self.direct, **more)

    def use(self, shown: Payload, action: str, *, nth: int = 0, **more: Any) -> None:
        """Press the nth button of its kind on a private message."""
        value = element(shown, action, nth).get("value")
        self.press(action, value, **{"user": self.user, "channel": self.channel, **more})

    def use_in(self, view: Payload, action: str, **more: Any) -> None:
        """Press a button of a modal or App Home, or choose an option of a select."""
        self.use(view, action, view=view, channel=None, **more)

    def interact(self, payload: Payload, *, user: str = "") -> Acknowledged:
        """Send an interaction, by default this user's."""
        self.url = payload.get("response_url")
        return super().interact(payload, user=user or self.user)

    def post(self, body: str, content_type: str, *args: Any, **options: Any) -> Acknowledged:
        """Post a body; what the app answers at once must be what Slack takes, too."""
        acknowledged = super().post(body, content_type, *args, **options)
        shown = acknowledged.json.get("view") or acknowledged.json
        if "blocks" in shown:
            assert problems(shown) == []
        return acknowledged

    # --- what comes back --------------------------------------------------------------------

    def calls(self, *methods: str) -> list[ApiCall]:
        """Return what the app called since the talk began: all, or some methods."""
        made = list(self.peer.calls)[self.started :]
        return [call for call in made if call.ok and (not methods or call.method in methods)]

    def next(self, *methods: str) -> ApiCall:
        """Wait for the next call of some methods after the one returned last."""

        def found(peer: SlackPeer) -> tuple[int, ApiCall] | None:
            coming = enumerate(list(peer.calls)[self._read :], self._read)
            return next(((at, c) for at, c in coming if c.method in methods and c.ok), None)

        at, call = self.peer.wait(found, what=" or ".join(methods))
        self._read = at + 1
        return call

    def answer(self) -> Payload:
        """Return the next private message."""
        return self.shown(self.next(*PRIVATE))

    def written(self) -> Payload:
        """Return the next message in a conversation."""
        return self.shown(self.next("chat.postMessage"))

    def view(self, *methods: str) -> Payload:
        """Return the next modal or App Home as it is shown now, with its id."""
        return self.view_of(self.next(*(methods or ("views.open", "views.push", "views.update"))))

    def view_of(self, call: ApiCall) -> Payload:
        """Return the modal or App Home that a call showed, as it is now, with its id."""
        return self.peer.views[call.answer["view"]["id"]]

    def shown(self, call: ApiCall) -> Payload:
        """Return what a call shows."""
        payload = payload_of(call)
        assert payload is not None
        return payload

    # --- that nothing came back -------------------------------------------------------------

    def settle(self, *, but: str = "") -> Counter[str]:
        """Wait until no job is left, and return how many there are of each kind, ever.

        Args:
            but: a kind that may stay.
        """

        def ended(_: SlackPeer) -> list[tuple[str, str]] | None:
            rows = self.jobs()
            over = ("done", "failed")
            waiting = [kind for kind, state in rows if state not in over and kind != but]
            return None if waiting else [*rows, ("", "")]

        rows = self.peer.wait(ended, what="the end of all jobs")
        return Counter(kind for kind, _ in rows if kind)

    def jobs(self) -> list[tuple[str, str]]:
        """Return kind and state of all jobs, of other talks as well."""
        return self.rows("SELECT kind, state FROM onbrand_slack_jobs ORDER BY id")

    def stored(self) -> list[int]:
        """Return how much the app's database holds."""
        tables = ("jobs", "events", "checks", "user_settings")
        return [self.rows(f"SELECT count(*) FROM onbrand_slack_{one}")[0][0] for one in tables]

    def rows(self, query: str) -> list[Any]:
        """Return what the app's database says."""
        location = f"file:{self.app.database}?mode=ro"
        with closing(sqlite3.connect(location, uri=True, timeout=30)) as connection:
            return connection.execute(query).fetchall()


def read(payload: Payload) -> str:
    """Return all that can be read in a message or view, in one line."""
    return " ".join(
        str(node["text"]) for node in nodes(payload) if isinstance(node.get("text"), str)
    )


def element(payload: Payload, action: str, nth: int = 0) -> Payload:
    """Return the nth element with an action id."""
    return [node for node in nodes(payload) if node.get("action_id") == action][nth]


def offers(payload: Payload) -> list[str]:
    """Return the action ids in a message or view, each once, in order."""
    return list(dict.fromkeys(node["action_id"] for node in nodes(payload) if "action_id" in node))


def option(value: str) -> Payload:
    """Return what Slack sends of a chosen option."""
    return {"selected_option": {"text": {"type": "plain_text", "text": value}, "value": value}}
