"""What is told of all that was done: the audit, exports at the command line, the weekly digest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_sender import SIGNING_SECRET
from slack_talk import FLAGGED, read
from slack_team import Member, configure, in_channel
from slack_web_api import BOT_TOKEN, TEAM

from onbrand_slack.config import Config
from onbrand_slack.services import Services
from onbrand_slack.work.schedule import Schedule

_numbers = count(1)
DIGESTS = "C0DIGESTS"


@pytest.fixture
def ann(shared_peer: SlackPeer, shared_app: SlackProcess) -> Iterator[Member]:
    with Member(shared_peer, shared_app, next(_numbers)) as ann:
        yield ann


@pytest.fixture
def admin(shared_peer: SlackPeer, shared_app: SlackProcess) -> Iterator[Member]:
    """An admin of the workspace."""
    with Member(shared_peer, shared_app, next(_numbers)) as admin:
        shared_peer.users[admin.user] = {"is_admin": True}
        yield admin


# --- the record -----------------------------------------------------------------------------------


def test_the_audit_tells_who_did_what_and_no_text(
    admin: Member, ann: Member, shared_peer: SlackPeer
) -> None:
    configure(admin, "oatfolk", review_channel="C0AUDIT", gate=None)
    answer = ann.checks()
    ann.use(answer, "label_off")
    ann.use(ann.answer(), "send_to_review")
    (posted,) = in_channel(shared_peer, "C0AUDIT")
    admin.use(posted, "reject", channel="C0AUDIT", message=posted)
    admin.saves(admin.view("views.open"), reason="Too many zeppelins.")
    admin.settle()

    admin.press("home_audit", "audit", user=admin.user, view=admin.home())

    asked = admin.next("conversations.open")
    shared = shared_peer.wait_for("files.completeUploadExternal")[-1]
    assert shared.arguments["channel_id"] == asked.answer["channel"]["id"]
    (file,) = shared.answer["files"]
    assert file["name"] == f"onbrand-audit-{TEAM}.jsonl"
    text = shared_peer.files[file["id"]].content.decode()
    entries = [json.loads(line) for line in text.splitlines()]
    said = {(entry["user"], entry["action"]) for entry in entries}
    assert said >= {
        (ann.user, "check"),
        (ann.user, "label"),
        (ann.user, "review"),
        (admin.user, "reject"),
        (admin.user, "brand_settings"),
    }
    assert [entry["time"] for entry in entries] == sorted(entry["time"] for entry in entries)
    assert "synergies" not in text
    assert "zeppelins" not in text


def test_the_audit_is_for_admins(ann: Member) -> None:
    ann.press("home_audit", "audit", user=ann.user, view=ann.home())

    assert "admins of this workspace" in read(ann.written())


def test_what_operators_ask_at_the_command_line(
    admin: Member, ann: Member, shared_app: SlackProcess
) -> None:
    ann.use(ann.checks(), "label_off")
    ann.answer()

    exported = _onbrand("labels", "export", "--workspace", TEAM, "--db", shared_app.database)
    assert FLAGGED in [json.loads(line)["text"] for line in exported.splitlines()]
    nobodys = ("labels", "export", "--workspace", "T9", "--db", shared_app.database)
    assert "holds no labels" in _onbrand(*nobodys, code=2)

    audit = _onbrand("slack", "audit", TEAM, "--database", shared_app.database)
    users = [json.loads(line)["user"] for line in audit.splitlines()]
    assert ann.user in users
    assert "synergies" not in audit

    whose = ("slack", "forget", TEAM, "--user", ann.user, "--database", shared_app.database)
    assert "say --yes" in _onbrand(*whose, code=2)
    assert ann.user in _onbrand(*whose, "--yes")
    assert "Nothing yet" in read(ann.home())
    after = _onbrand("slack", "audit", TEAM, "--database", shared_app.database)
    assert ann.user not in after

    manifest = json.loads(_onbrand("slack", "manifest", "--socket-mode"))
    assert manifest["settings"]["socket_mode_enabled"] is True


def _onbrand(*arguments: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "onbrand", *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=_plain(), check=False)
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


def _plain() -> dict[str, str]:
    return {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "200"}


# --- the weekly digest ----------------------------------------------------------------------------


@pytest.fixture
def services(peer: SlackPeer, tmp_path: Path, example_voices: Path) -> Iterator[Services]:
    """What another replica has at hand, in this process."""
    environment = {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "ONBRAND_SLACK_API_URL": peer.api_url,
    }
    database = str(tmp_path / "slack.db")
    config = Config.load("http", voices=example_voices, database=database, environment=environment)
    with Services.open(config) as services:
        yield services


def test_a_digest_is_posted_once_a_week_where_it_was_asked_for(
    peer: SlackPeer, tmp_path: Path, example_voices: Path, services: Services
) -> None:
    now = datetime.now(UTC)
    monday = now - timedelta(days=now.weekday() - 7)
    nine = monday.replace(hour=9, minute=0)

    with SlackProcess(peer, tmp_path, example_voices) as app, Member(peer, app, 1) as admin:
        peer.users[admin.user] = {"is_admin": True}
        configure(admin, "oatfolk", digest_channel=DIGESTS, digest_day=0, digest_hour=9)
        for _ in range(2):
            admin.checks()
        admin.checks(brand="quillpot")

        for time in (nine - timedelta(minutes=1), nine, nine + timedelta(days=3)):
            before = len(peer.messages.get(DIGESTS, ()))
            Schedule(services, clock=lambda time=time: time).look()
            admin.settle()
            assert before or len(peer.messages.get(DIGESTS, ())) == (time >= nine)

        (digest,) = in_channel(peer, DIGESTS)
        said = read(digest)
        sunday = now + timedelta(days=6 - now.weekday())
        assert f"{sunday.day} {sunday:%B %Y}" in said
        assert "1 person checked 2 drafts" in said
        assert "quillpot" not in said

        configure(admin, "oatfolk", digest_channel=None)
        Schedule(services, clock=lambda: nine + timedelta(days=7)).look()
        admin.settle()
        assert len(in_channel(peer, DIGESTS)) == 1
