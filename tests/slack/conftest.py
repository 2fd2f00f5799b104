"""A Slack to test against, and the app that talks to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_fleet import Fleet, fleet_of
from slack_gate import refusals
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_sender import Sender
from slack_talk import Talk
from slack_trouble import check_log

_talks = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def gate() -> Iterator[None]:
    """Let every message and view that a Slack of these tests got be one that Slack takes."""
    leave = SlackPeer.__exit__

    def leave_and_judge(peer: SlackPeer, *exception: object) -> None:
        leave(peer, *exception)
        if not any(exception):
            assert refusals(peer.calls) == []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SlackPeer, "__exit__", leave_and_judge)
        yield


# --- a Slack and an app for one test ---------------------------------------------------------


@pytest.fixture
def peer() -> Iterator[SlackPeer]:
    """A Slack with one workspace."""
    with SlackPeer() as peer:
        yield peer


@pytest.fixture
def slack_app(peer: SlackPeer, tmp_path: Path, example_voices: Path) -> Iterator[SlackProcess]:
    """The app over HTTP, for that workspace."""
    with SlackProcess(peer, tmp_path, example_voices) as process:
        yield process


@pytest.fixture
def slack(peer: SlackPeer, slack_app: SlackProcess) -> Iterator[Sender]:
    """What the workspace's users do."""
    sender = Sender(peer, slack_app.url)
    yield sender
    sender.close()


# --- a Slack and an app for all tests of a module --------------------------------------------


@pytest.fixture(scope="module")
def shared_peer() -> Iterator[SlackPeer]:
    """A Slack with one workspace."""
    with SlackPeer() as peer:
        yield peer


@pytest.fixture(scope="module")
def shared_app(
    shared_peer: SlackPeer, tmp_path_factory: pytest.TempPathFactory, example_voices: Path
) -> Iterator[SlackProcess]:
    """The app over HTTP, for that workspace."""
    with SlackProcess(shared_peer, tmp_path_factory.mktemp("app"), example_voices) as process:
        yield process


@pytest.fixture
def talk(shared_peer: SlackPeer, shared_app: SlackProcess) -> Iterator[Talk]:
    """A user of that workspace, whom no other test knows."""
    with Talk(shared_peer, shared_app, next(_talks)) as talk:
        yield talk


@pytest.fixture
def fleet(
    peer: SlackPeer, tmp_path: Path, example_voices: Path, request: pytest.FixtureRequest
) -> Iterator[Fleet]:
    """Replicas on the database that a test names, SQLite where it names none."""
    server = getattr(request, "param", "sqlite") == "postgres"
    database = request.getfixturevalue("postgres_url") if server else None
    with fleet_of(peer, tmp_path, example_voices, database) as fleet:
        yield fleet
    for replica in fleet.replicas:
        check_log(replica)


@pytest.fixture
def nothing_runs(talk: Talk) -> Iterator[None]:
    """Nothing that this test sends may be stored, or lead to a call."""
    talk.settle()
    before = talk.stored()
    yield
    talk.settle()
    assert talk.stored() == before
    assert talk.calls() == []
