"""Slack Connect: people of other companies, in channels that are shared with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_queue import Queue
from slack_sender import Acknowledged
from slack_talk import element, read
from slack_team import Member
from slack_web_api import BOT_TOKEN, TEAM, Payload

THEIRS = "T0STRANGER"


@pytest.fixture
def queue(shared_peer: SlackPeer, shared_app: SlackProcess) -> Iterator[Queue]:
    with ExitStack() as people:
        queue = Queue(shared_peer, shared_app, people)
        queue.set()
        yield queue


class Stranger(Member):
    """Somebody of another company."""

    def interact(self, payload: Payload, *, user: str = "") -> Acknowledged:
        """Send an interaction."""
        who = {"id": user or self.user, "username": "stranger", "team_id": THEIRS}
        return super().interact({**payload, "user": who}, user=user)


@pytest.fixture
def stranger(shared_peer: SlackPeer, shared_app: SlackProcess) -> Iterator[Member]:
    # No number of a queue's people, who are counted from 1.
    with Stranger(shared_peer, shared_app, 0) as stranger:
        shared_peer.users[stranger.user] = {"team_id": THEIRS, "is_admin": True}
        yield stranger


def test_they_check_drafts_but_neither_label_nor_decide_nor_configure(
    queue: Queue, stranger: Member
) -> None:
    posted = queue.send()

    answer = stranger.checks()
    assert "synergies" in read(answer)
    stranger.use(answer, "label_on")
    assert "Only members" in read(stranger.answer())
    queue.press(stranger, "approve", posted)
    assert "Only members" in read(stranger.answer())
    assert "Only members" in read(queue.ask_why(stranger, "reject", posted))
    stranger.press("home_settings", "workspace", user=stranger.user, channel=stranger.channel)
    assert "cannot change settings" in read(stranger.view("views.open"))

    # And where the press is left out:
    form = {"id": "V1", "private_metadata": "{}", "blocks": []}
    stranger.saves(form | {"callback_id": "settings_view"}, retention="365", admins=[stranger.user])
    assert "cannot change settings" in read(stranger.written())
    review = element(posted, "approve")["value"]
    why = {"callback_id": "reason_view", "private_metadata": _reject(review)}
    stranger.saves(form | why, reason="Because.")
    assert "Only members" in read(stranger.written())

    stranger.settle()
    for table in (
        f"onbrand_labels WHERE author = '{stranger.user}'",
        f"onbrand_slack_decisions WHERE user = '{stranger.user}'",
        f"onbrand_slack_audit WHERE user = '{stranger.user}'",
    ):
        assert stranger.rows(f"SELECT count(*) FROM {table}") == [(0,)]


def _reject(review: str) -> str:
    return f'{{"review":"{review}","decision":"reject"}}'


def test_an_event_of_a_shared_channel_is_for_who_has_the_app(queue: Queue) -> None:
    ann = queue.author
    shared = {"is_ext_shared_channel": True, "team_id": THEIRS}
    said = {"type": "app_mention", "user": ann.user, "channel": ann.channel, "text": "help"}

    event = {**said, "ts": ann.ts()}
    assert ann.event(event, **shared, context_team_id=TEAM).status == 200
    assert ann.next("chat.postEphemeral").token == BOT_TOKEN

    nobody = {"authorizations": [{"team_id": THEIRS, "enterprise_id": None}]}
    assert ann.event({**said, "ts": ann.ts()}, **shared, **nobody).status == 401
