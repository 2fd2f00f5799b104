"""A review channel, and the people around it."""

from __future__ import annotations

import re
from contextlib import ExitStack
from itertools import count
from typing import Any

from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_talk import FLAGGED, read
from slack_team import Member, configure, in_channel
from slack_web_api import Payload

BRAND = "oatfolk"
DECISIONS = (
    "SELECT user, decision, reason FROM onbrand_slack_decisions WHERE review IN "
    "(SELECT id FROM onbrand_slack_reviews WHERE channel = '{posted}') ORDER BY seq"
)
STATUS = "SELECT status FROM onbrand_slack_reviews WHERE channel = '{posted}'"
_numbers = count(1)


class Queue:
    """A review channel of its own, whose brand's settings are as the test wants them."""

    def __init__(self, peer: SlackPeer, app: SlackProcess, people: ExitStack) -> None:
        self.peer = peer
        self.app = app
        self._people = people
        self.channel = f"C0REVIEW{next(_numbers)}"
        self.author, self.reviewer, self.admin = self.member(), self.member(), self.member()
        self.peer.users[self.admin.user] = {"is_admin": True}

    def member(self) -> Member:
        """Return somebody new."""
        return self._people.enter_context(Member(self.peer, self.app, next(_numbers)))

    def set(self, **chosen: Any) -> None:
        """Change the brand's settings."""
        given = {"reviewers": [], "labellers": [], "own_drafts": False, "gate": None}
        configure(self.admin, BRAND, review_channel=self.channel, **given | chosen)

    def send(self, draft: str = FLAGGED) -> Payload:
        """Let the author send a draft; return the message in the review channel."""
        self.author.use(self.author.checks(draft), "send_to_review")
        assert "review" in read(self.author.answer()).casefold()
        return in_channel(self.peer, self.channel)[-1]

    def press(self, who: Member, action: str, posted: Payload) -> None:
        """Press a button of a review."""
        who.use(posted, action, channel=self.channel, message=posted)

    def ask_why(self, who: Member, action: str, posted: Payload) -> Payload:
        """Press what asks for a reason, and return the modal."""
        self.press(who, action, posted)
        return who.view("views.open")

    def shown(self, word: str) -> Payload:
        """Wait until the last review says something, and return it."""

        def says(peer: SlackPeer) -> Payload | None:
            last = next(m for m in reversed(peer.messages[self.channel]) if "thread_ts" not in m)
            return last if word in read(last) else None

        return dict(self.peer.wait(says, what=word))

    def is_listed(self, who: Member) -> bool:
        """Say whether an App Home lists what waits here."""
        return bool(re.search(rf"/{self.channel}/p\d+\|Decide>", read(who.home())))

    def rows(self, query: str) -> list[Any]:
        """Ask the database."""
        return self.admin.rows(query.format(posted=self.channel))
