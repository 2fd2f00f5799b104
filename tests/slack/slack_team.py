"""A team in Slack: several people who use the app at once, each of whom sees their own part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slack_peer import ApiCall, SlackPeer
from slack_process import SlackProcess
from slack_sender import Acknowledged
from slack_talk import FLAGGED, Talk
from slack_web_api import TEAM, Payload


class Member(Talk):
    """One person; `next` and all that builds on it see only what Slack shows to them.

    Args:
        peer: the Slack.
        app: the app.
        number: tells them, their channel and their direct messages from all others.
        team: their workspace.
        channel: where they are; by default a channel of their own.
    """

    def __init__(
        self,
        peer: SlackPeer,
        app: SlackProcess,
        number: int,
        *,
        team: str = TEAM,
        channel: str | None = None,
    ) -> None:
        super().__init__(peer, app, number)
        self.team = team
        self.channel = channel or self.channel
        self.token: str | None = None
        """Where they see nothing that was said with another token, whoever it names."""
        self._given: set[str] = set()
        """The response_urls, triggers and modals that are theirs."""

    # --- what they do -----------------------------------------------------------------------

    def command_payload(self, text: str, **who: str) -> Payload:
        """Return the fields of a slash command."""
        payload = super().command_payload(text, **who)
        self._given.add(payload["response_url"])
        return payload

    def interact(self, payload: Payload, *, user: str = "") -> Acknowledged:
        """Send an interaction."""
        self._given.add(str(payload.get("response_url")))
        return super().interact(payload, user=user)

    def home(self) -> Payload:
        """Open the App Home and return it."""
        event = {"type": "app_home_opened", "user": self.user, "channel": self.direct}
        assert self.event({**event, "tab": "home"}).status == 200
        return self.view("views.publish")

    def opens(self, shown: Payload, action: str, **more: Any) -> Payload:
        """Press what opens a modal, and return the modal."""
        press = self.use_in if shown.get("type") in ("home", "modal") else self.use
        press(shown, action, **more)
        return self.view("views.open", "views.push")

    def saves(self, view: Payload, **chosen: Any) -> Acknowledged:
        """Submit a modal with the inputs that differ from what it shows."""
        values = _shown(view) | {name: _entered(name, value) for name, value in chosen.items()}
        by_block = {name: {name: value} for name, value in values.items()}
        return self.submit(view, by_block, user=self.user)

    def checks(self, draft: str = FLAGGED, brand: str = "oatfolk") -> Payload:
        """Check a draft by command and return the answer."""
        return self.check(draft, brand)

    # --- what they see ----------------------------------------------------------------------

    def next(self, *methods: str) -> ApiCall:
        """Wait for what this person is shown next, by one of some methods."""

        def found(peer: SlackPeer) -> tuple[int, ApiCall] | None:
            coming = enumerate(list(peer.calls)[self._read :], self._read)
            mine = ((at, c) for at, c in coming if c.ok and self._sees(c))
            return next(((at, c) for at, c in mine if c.method in methods), None)

        at: int
        call: ApiCall
        at, call = self.peer.wait(found, what=f"{' or '.join(methods)} for {self.user}")
        self._read = at + 1
        return call

    def view(self, *methods: str) -> Payload:
        """Return the next modal or App Home, with its id."""
        call = self.next(*(methods or ("views.open", "views.push", "views.update")))
        shown: Payload = call.answer["view"]
        return self.peer.views.get(shown["id"]) or shown

    def _sees(self, call: ApiCall) -> bool:
        said = call.arguments
        if self.token and call.token and call.token != self.token:
            return False
        if call.method in ("views.open", "views.push") and said["trigger_id"] in self._given:
            self._given.add(call.answer["view"]["id"])
        named = ("url", "trigger_id", "view_id", "user_id", "user", "users", "channel_id")
        places = {self.user, self.direct} | self._given
        if "channel" in said and "user" not in said:
            return said["channel"] in {self.channel} | places
        return any(said.get(name) in places for name in named)

    def _trigger(self) -> str:
        trigger = super()._trigger()
        self._given.add(trigger)
        return trigger


def configure(admin: Member, brand: str, **chosen: Any) -> None:
    """Set a brand's settings as an administrator does, in the modal behind the App Home."""
    home = admin.home()
    (button,) = [
        each["accessory"]
        for each in home["blocks"]
        if each.get("accessory", {}).get("value") == brand
    ]
    admin.press(button["action_id"], brand, user=admin.user, view=home)
    assert admin.saves(admin.view("views.open"), **chosen).text == ""
    assert brand in str(admin.written()["text"])
    admin.view("views.publish")


def in_channel(peer: SlackPeer, channel: str, count: int = 1) -> list[Payload]:
    """Wait until so many messages are in a channel, replies apart, and return them."""

    def posted(peer: SlackPeer) -> list[Payload] | None:
        said = [m for m in list(peer.messages.get(channel, ())) if "thread_ts" not in m]
        return said if len(said) >= count else None

    return list(peer.wait(posted, what=f"{count} messages in {channel}"))


def in_thread(peer: SlackPeer, channel: str, ts: str, count: int = 1) -> list[Payload]:
    """Wait until so many replies are in a thread, and return them."""

    def posted(peer: SlackPeer) -> list[Payload] | None:
        said = [m for m in list(peer.messages.get(channel, ())) if m.get("thread_ts") == ts]
        return said if len(said) >= count else None

    return list(peer.wait(posted, what=f"{count} replies in {channel}"))


def voices_of(folder: Path, example_voices: Path, **brands: tuple[str, ...]) -> Path:
    """Return a folder of voices in which each workspace has some brands of its own."""
    for team, names in brands.items():
        (folder / team).mkdir(parents=True)
        for name in names:
            (folder / team / name).symlink_to(example_voices / name, target_is_directory=True)
    return folder


def _shown(view: Payload) -> dict[str, Payload]:
    """Return the inputs of a modal as Slack sends them where nobody touched them."""
    elements = [block["element"] for block in view["blocks"] if block["type"] == "input"]
    return {element["action_id"]: _untouched(element) for element in elements}


def _untouched(element: Payload) -> Payload:
    kept = {
        "initial_value": "value",
        "initial_option": "selected_option",
        "initial_options": "selected_options",
        "initial_users": "selected_users",
        "initial_conversation": "selected_conversation",
    }
    found = {now: element[first] for first, now in kept.items() if first in element}
    return {"type": element["type"], **found}


_BOXES = {"gate": "value", "reason": "value", "draft": "value"}
_CHANNELS = ("review_channel", "digest_channel")


def _entered(name: str, value: Any) -> Payload:
    if name in _BOXES:
        return {"value": value}
    if name in _CHANNELS:
        return {"selected_conversation": value}
    if name == "own_drafts":
        return {"selected_options": [{"value": "yes"}] if value else []}
    if isinstance(value, list):
        return {"selected_users": value}
    return {"selected_option": None if value is None else {"value": str(value)}}
