"""Socket Mode: the app connects to Slack, and no port is open to the world."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_talk import FLAGGED, offers, read
from slack_team import Member
from slack_web_api import APP_TOKEN

_numbers = count(1)
Start = Callable[..., SlackProcess]


@pytest.fixture(scope="module")
def app(
    shared_peer: SlackPeer, tmp_path_factory: pytest.TempPathFactory, example_voices: Path
) -> Iterator[SlackProcess]:
    folder = tmp_path_factory.mktemp("socket")
    with SlackProcess(shared_peer, folder, example_voices, transport="socket-mode") as app:
        yield app


@pytest.fixture
def member(shared_peer: SlackPeer, app: SlackProcess) -> Iterator[Member]:
    with Member(shared_peer, app, next(_numbers)) as member:
        yield member


# --- what Slack sends ---------------------------------------------------------------------------


def test_a_command_is_answered(member: Member) -> None:
    assert "synergies" in read(member.checks())
    # The same words again are another command, not the same one delivered twice.
    assert "synergies" in read(member.checks())


def test_an_acknowledgement_may_say_something(member: Member) -> None:
    payload = member.command_payload("use nothing-of-ours", user=member.user)

    acknowledged = member._form("slash_commands", payload)

    assert "No voice for brand" in acknowledged.json["text"]


def test_an_event_that_is_delivered_again_is_answered_once(member: Member) -> None:
    said = {"ts": member.ts(), "id": f"Ev{member.user}"}

    for attempt in range(4):
        assert member.ask(f"oatfolk {FLAGGED}", retry=attempt, **said).status == 200

    assert "synergies" in read(member.answer())
    member.settle()
    assert len(member.calls("chat.postEphemeral")) == 1


def test_buttons_menus_and_modals_work(member: Member) -> None:
    view = member.opens(member.checks(), "details")
    assert "synergies" in read(view)

    offered = member.options("brand", "oat").json["options"]
    assert [option["value"] for option in offered] == ["oatfolk"]

    assert member.shortcut("check_draft", user=member.user).text == ""
    form = member.view()
    refused = member.saves(form, brand="oatfolk").json
    assert refused["response_action"] == "errors"
    assert list(refused["errors"]) == ["draft"]
    taken = member.saves(form, brand="oatfolk", draft=FLAGGED).json
    assert taken["response_action"] == "update"
    assert "share" in offers(member.view("views.update"))


def test_another_workspace_is_not_heard(member: Member) -> None:
    member.team = "T0SOMEBODY"
    payload = member.command_payload(f"oatfolk {FLAGGED}", user=member.user)

    with pytest.raises(TimeoutError):  # Slack is told nothing, as over HTTP by a 401
        member.peer.push({"type": "slash_commands", "payload": payload}, timeout=2)

    jobs = "SELECT count(*) FROM onbrand_slack_jobs WHERE workspace = 'T0SOMEBODY'"
    assert member.rows(jobs) == [(0,)]


# --- the connection -----------------------------------------------------------------------------


def test_a_connection_that_slack_renews_goes_on(member: Member) -> None:
    opened = len(member.peer.of("apps.connections.open"))

    member.peer.disconnect()

    member.peer.wait_for("apps.connections.open", count=opened + 1)
    member.peer.wait(lambda peer: peer.connected() == 1, what="the end of the old connection")
    assert "synergies" in read(member.checks())


def test_a_connection_that_breaks_is_made_anew(member: Member) -> None:
    member.peer.fail("apps.connections.open", status=503)

    member.peer.cut()

    member.peer.wait(lambda peer: peer.connected() == 1, what="another connection")
    assert "synergies" in read(member.checks())


def test_it_knows_whether_it_is_connected(member: Member) -> None:
    member.peer.wait(lambda peer: peer.connected() == 1, what="a connection")
    assert _ready(member.app) == (200, "ready\n")


def _ready(app: SlackProcess) -> tuple[int, str]:
    answer = httpx.get(f"{app.admin_url}/readyz", timeout=30)
    return answer.status_code, answer.text


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="Linux tells who listens")
def test_only_health_and_metrics_listen(app: SlackProcess) -> None:
    process = Path(f"/proc/{app.process.pid}")
    own = {path.readlink().name for path in (process / "fd").iterdir() if path.is_symlink()}
    ports = []
    for table in ("tcp", "tcp6"):
        for line in (process / "net" / table).read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and f"socket:[{rest[5]}]" in own:
                ports.append(int(local.rpartition(":")[2], 16))
    assert ports == [httpx.URL(app.admin_url).port]


# --- beginning and ending -----------------------------------------------------------------------


@pytest.fixture
def start(peer: SlackPeer, tmp_path: Path, example_voices: Path) -> Start:
    def started(**options: object) -> SlackProcess:
        given = {"transport": "socket-mode", **options}
        return SlackProcess(peer, tmp_path, example_voices, **given)  # type: ignore[arg-type]

    return started


def test_it_waits_for_a_connection_that_slack_does_not_give_yet(
    peer: SlackPeer, start: Start
) -> None:
    peer.fail("apps.connections.open", reset=True, times=2)

    with start() as app:
        waited = [line for line in app.lines() if "cannot be reached" in str(line.get("message"))]
        assert [line["level"] for line in waited] == ["warning"]
        with Member(peer, app, 1) as member:
            assert "synergies" in read(member.checks())


def test_a_wrong_token_ends_it(peer: SlackPeer, start: Start) -> None:
    peer.refuse("apps.connections.open", "invalid_auth")

    with pytest.raises(AssertionError, match="did not start") as error:
        start()

    said = str(error.value)
    expected = r"\(2\).*Slack does not take SLACK_APP_TOKEN \(invalid_auth\)"
    assert re.search(expected, said, re.DOTALL)
    assert APP_TOKEN not in said
    assert "Traceback" not in said


def test_it_stops_when_it_is_told_to(peer: SlackPeer, start: Start) -> None:
    app = start()
    with Member(peer, app, 1) as member:
        member.say(f"oatfolk {FLAGGED}")

        assert app.stop() == 0

        # What was taken in is answered, or waits for the next start.
        assert dict(member.jobs())["check"] in ("done", "queued")
    peer.wait(lambda peer: peer.connected() == 0, what="the end of the connection")
    messages = [line.get("message") for line in app.lines()]
    assert "stopping" in messages
    assert messages[-1] == "stopped"
