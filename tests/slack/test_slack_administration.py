"""What admins set and everybody can ask for: brands, gates, retention, deletion, the audit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from slack_browser import MANY, URL, install
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_talk import FLAGGED, ON_BRAND, element, offers, read
from slack_team import Member, configure, voices_of
from slack_web_api import USER, Payload

from onbrand_slack.names import NO_BRAND

_numbers = count(1)


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


def settings(admin: Member, **chosen: Any) -> str:
    """Change the settings of the workspace, and of the channel where the admin is."""
    admin.say("settings")
    form = admin.opens(admin.answer(), "home_settings")
    assert admin.saves(form, **chosen).text == ""
    said = read(admin.written())
    admin.view("views.publish")
    return said


# --- brands and gates -----------------------------------------------------------------------------


def test_a_channels_brand_comes_before_ones_own(admin: Member, ann: Member) -> None:
    ann.channel = admin.channel
    ann.say("use varnholt-pumps")
    ann.answer()
    assert "is checked as quillpot" in settings(admin, channel_brand="quillpot").replace("*", "")

    ann.say(FLAGGED)
    assert "Judged as quillpot: this channel's brand" in read(ann.answer())
    ann.say(f"oatfolk {FLAGGED}")
    assert "quillpot" not in read(ann.answer())

    assert "no brand of its own" in settings(admin, channel_brand=NO_BRAND)
    ann.say(FLAGGED)
    assert "Judged as varnholt-pumps: your own brand" in read(ann.answer())


def test_a_gate_is_what_a_verdict_is_measured_by(admin: Member, ann: Member) -> None:
    configure(admin, "tallowgate-museum", gate="0.01")
    assert "Forward" in read(ann.checks(ON_BRAND, brand="tallowgate-museum"))

    configure(admin, "tallowgate-museum", gate="0,99", review_channel="C0REVIEWS")
    answer = ann.checks(ON_BRAND, brand="tallowgate-museum")
    assert "Human review" in read(answer)
    assert "0.99" in read(answer)
    assert "send_to_review" in offers(answer)

    configure(admin, "tallowgate-museum", gate=None, review_channel=None)


def test_a_gate_that_is_none_stays_in_its_modal(admin: Member) -> None:
    admin.press("home_brand_settings", "oatfolk", user=admin.user, view=admin.home())
    form = admin.view("views.open")

    for gate in ("2", "half", "nan"):
        assert list(admin.saves(form, gate=gate).json["errors"]) == ["gate"]


# --- admins ---------------------------------------------------------------------------------------


def test_others_change_nothing(ann: Member, shared_peer: SlackPeer) -> None:
    assert "home_settings" not in offers(ann.home())
    ann.press("home_settings", "workspace", user=ann.user, channel=ann.channel)
    assert "cannot change settings" in read(ann.view("views.open"))
    # And where the press is left out:
    form = {"id": "V1", "callback_id": "settings_view", "private_metadata": "{}", "blocks": []}
    ann.saves(form, retention="365", admins=[ann.user])
    assert "cannot change settings" in read(ann.written())
    brand = form | {"callback_id": "brand_settings_view", "private_metadata": '{"brand":"oatfolk"}'}
    ann.saves(brand, gate="0.01")
    assert "cannot change settings" in read(ann.written())

    changes = f"SELECT count(*) FROM onbrand_slack_audit WHERE user = '{ann.user}'"
    assert ann.rows(changes) == [(0,)]


def test_who_is_named_an_admin_is_one(admin: Member, ann: Member) -> None:
    settings(admin, admins=[ann.user])

    assert "home_settings" in offers(ann.home())
    configure(ann, "oatfolk", gate="0.70")

    settings(admin, admins=[])
    assert "home_settings" not in offers(ann.home())


def test_who_installed_the_app_is_one(
    peer: SlackPeer, tmp_path: Path, example_voices: Path
) -> None:
    voices = voices_of(tmp_path / "voices", example_voices, T77=("oatfolk",))
    with SlackProcess(peer, tmp_path, voices, "--url", URL, environment=MANY) as app:
        install(app, "T77")
        with Member(peer, app, 1, team="T77") as installer, Member(peer, app, 2, team="T77") as ann:
            installer.user = USER
            assert "home_settings" in offers(installer.home())
            assert "home_settings" not in offers(ann.home())


# --- what is kept, and what is deleted ------------------------------------------------------------


def _opened(member: Member) -> Payload:
    home = member.home()
    opens = element(home, "home_open_check")
    member.press("home_open_check", opens["value"], user=member.user, view=home)
    return member.view("views.open")


def test_drafts_are_kept_as_long_as_the_workspace_says(
    peer: SlackPeer, tmp_path: Path, example_voices: Path
) -> None:
    with SlackProcess(peer, tmp_path, example_voices) as app, Member(peer, app, 1) as admin:
        peer.users[admin.user] = {"is_admin": True}
        admin.checks()
        assert "home_open_check" not in offers(admin.home())
        assert "kept for 30 days" in settings(admin, retention="30")
        admin.checks()
        assert "synergies" in read(_opened(admin))

    with SlackProcess(peer, tmp_path, example_voices) as app, Member(peer, app, 1) as admin:
        assert "synergies" in read(_opened(admin))
        assert "not kept" in settings(admin, retention="0")
        home = admin.home()
        assert "home_open_check" not in offers(home)
        assert "Drafts are not kept" in read(home)
        assert admin.rows("SELECT DISTINCT key FROM onbrand_slack_sealed") == [(None,)]


def _on_disk(database: str) -> bytes:
    """All that the database's files hold, SQLite's log included."""
    path = Path(database)
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def test_who_asks_to_be_forgotten_is_not_to_be_found_in_any_byte(
    peer: SlackPeer, tmp_path: Path, example_voices: Path
) -> None:
    rare = "We leverage best-in-class zeppelins to unlock scalable value for stakeholders."
    with (
        SlackProcess(peer, tmp_path, example_voices) as app,
        Member(peer, app, 1) as ann,
        Member(peer, app, 2) as bob,
    ):
        ann.use(ann.checks(rare), "label_off")
        ann.answer()
        ann.say("use oatfolk")
        ann.answer()
        bob.use(bob.checks(), "label_off")
        bob.answer()
        assert ann.user.encode() in _on_disk(app.database)
        assert rare.encode() in _on_disk(app.database)

        ann.press("home_forget_me", ann.user, user=ann.user, view=ann.home())
        assert "1 check" in read(ann.written())
        ann.view("views.publish")
        ann.settle()

        assert b"zeppelins" not in _on_disk(app.database)
    # The request itself named them until it was done, and SQLite's log did for a minute.
    left = _on_disk(app.database)
    assert ann.user.encode() not in left
    assert bob.user.encode() in left
    assert FLAGGED.encode() in left
