"""The app against `emulate`, which keeps what it is told and refuses what we have no scope for."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from slack_browser import MANY, URL, Browser
from slack_emulator import Emulated, Emulator
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_talk import FLAGGED, offers, read
from slack_team import configure, voices_of
from slack_web_api import TEAM

pytestmark = pytest.mark.heavy("emulate")


@pytest.fixture(scope="module")
def peer() -> Iterator[SlackPeer]:
    """What stands before the emulator, and writes down what the app asks of it."""
    with SlackPeer() as peer:
        yield peer
        refused = {call.answer.get("error") for call in peer.calls if not call.ok}
        assert "missing_scope" not in refused


@pytest.fixture(scope="module")
def emulator(peer: SlackPeer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(peer, tmp_path_factory.mktemp("emulate")) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def app(
    emulator: Emulator,
    peer: SlackPeer,
    tmp_path_factory: pytest.TempPathFactory,
    example_voices: Path,
) -> Iterator[SlackProcess]:
    with SlackProcess(peer, tmp_path_factory.mktemp("app"), example_voices) as app:
        yield app


@pytest.fixture
def dana(emulator: Emulator, peer: SlackPeer, app: SlackProcess) -> Iterator[Emulated]:
    """A writer."""
    with Emulated(emulator, peer, app, "dana", emulator.channel("copy")) as dana:
        yield dana


@pytest.fixture
def admin(emulator: Emulator, peer: SlackPeer, app: SlackProcess) -> Iterator[Emulated]:
    """An admin of the workspace."""
    with Emulated(emulator, peer, app, "admin", emulator.channel("copy-review")) as admin:
        yield admin


def test_a_mention_is_answered_for_one_pair_of_eyes(dana: Emulated, emulator: Emulator) -> None:
    before = emulator.history(dana.channel)

    dana.ask(f"oatfolk {FLAGGED}")

    said = str(dana.answer()["text"])
    # The emulator's page shows the entities in which a "<" goes to Slack.
    page = html.unescape(emulator.page("messages", channel=dana.channel))
    assert html.unescape(said) in page
    assert emulator.history(dana.channel) == before


def test_a_direct_message_is_answered_in_its_conversation(
    dana: Emulated, emulator: Emulator
) -> None:
    dana.write(f"oatfolk {FLAGGED}")
    dana.written()

    answer = emulator.history(dana.direct)[0]
    assert "synergies" in read(answer)
    assert offers(answer)[-1] == "report"


def test_a_message_is_checked_from_its_menu(dana: Emulated, emulator: Emulator) -> None:
    posted = emulator.dana.chat_postMessage(channel=dana.channel, text=FLAGGED)
    message = {"ts": posted["ts"], "text": FLAGGED, "user": dana.user}
    dana.say("use oatfolk")
    dana.answer()

    assert dana.message_shortcut("check_message", message, channel=dana.channel).status == 200

    opened = dana.view("views.open")
    assert "Checking" in read(opened)
    filled = dana.view("views.update")
    assert filled["id"] == opened["id"]
    assert "synergies" in read(filled)
    assert "synergies" in emulator.page("views")


def test_an_uploaded_file_is_fetched_and_checked(dana: Emulated, emulator: Emulator) -> None:
    uploaded = emulator.dana.files_upload_v2(
        channel=dana.channel, filename="launch.md", content=f"# Launch\n\n{FLAGGED}\n"
    )

    dana.ask("oatfolk", files=[{"id": uploaded["file"]["id"], "mode": "hosted"}])

    answer = dana.answer()
    assert "launch.md" in read(answer)
    assert "synergies" in read(answer)


def test_a_report_comes_as_a_file(dana: Emulated, emulator: Emulator) -> None:
    dana.use(dana.checks(), "report")
    dana.next("files.completeUploadExternal")

    shared = emulator.history(dana.direct)[0]
    (file,) = shared["files"]
    token = {"Authorization": f"Bearer {emulator.bot.token}"}
    report = httpx.get(file["url_private"], headers=token).raise_for_status().text
    assert "synergies" in report


def test_a_draft_goes_to_review_and_comes_back(
    dana: Emulated, admin: Emulated, emulator: Emulator
) -> None:
    configure(admin, "oatfolk", review_channel=admin.channel)
    answer = dana.checks()

    dana.use(answer, "send_to_review")

    assert "review" in read(dana.answer())
    (posted,) = emulator.history(admin.channel)
    _, draft = emulator.history(admin.channel, posted["ts"])
    assert FLAGGED in read(draft)
    admin.use(posted, "approve", message=posted)
    assert "approved your draft" in read(dana.written())
    (decided,) = emulator.history(admin.channel)
    assert decided["edited"]
    assert f"<@{admin.user}> approved it" in read(decided)
    assert "reopen" in offers(decided)


def test_the_app_home_is_published(dana: Emulated, admin: Emulated, emulator: Emulator) -> None:
    assert "home_settings" not in offers(dana.home())
    assert "home_settings" in offers(admin.home())

    homes = emulator.page("views").partition("Modals")[0]
    assert homes.count("app home") == 2


def test_details_open_on_top_of_nothing_and_turn_their_pages(dana: Emulated) -> None:
    long = " ".join(f"{FLAGGED[:-1]} number {n}." for n in range(12))

    view = dana.opens(dana.checks(long), "details")
    assert "Page 1 of 2" in read(view)
    dana.use_in(view, "next_page")

    assert "Page 2 of 2" in read(dana.view("views.update"))


def test_a_workspace_installs_the_app_at_slacks_own_page(
    emulator: Emulator,
    peer: SlackPeer,
    tmp_path: Path,
    example_voices: Path,
) -> None:
    voices = voices_of(tmp_path / "voices", example_voices, **{TEAM: ("oatfolk",)})
    with SlackProcess(peer, tmp_path, voices, "--url", URL, environment=MANY) as app:
        with Browser(str(app.url)) as browser:
            browser.begin()
            assert browser.come_back(**_allow(browser.link, "dana")).status_code == 200
        with Emulated(emulator, peer, app, "dana", emulator.channel("copy")) as dana:
            dana.ask(f"oatfolk {FLAGGED}")
            asked = dana.next("chat.postEphemeral")
    assert str(asked.token) not in (emulator.bot.token, emulator.dana.token)
    assert str(asked.token).startswith("xoxb-")


def _allow(link: str, name: str) -> dict[str, str]:
    """Allow what the link asks for, as a user of the emulator; return what Slack gives back."""
    page = httpx.get(link).raise_for_status().text
    (form,) = [form for form in page.split("<form")[1:] if f'user-login">{name}<' in form]
    fields = {
        key: html.unescape(value)
        for key, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form)
    }
    (action,) = re.findall(r'action="([^"]+)"', form)
    origin = urlsplit(link)
    allowed = httpx.post(f"{origin.scheme}://{origin.netloc}{action}", data=fields)
    assert allowed.status_code == 302
    assert allowed.headers["location"].startswith(f"{URL}/slack/oauth_redirect?")
    query = parse_qs(urlsplit(allowed.headers["location"]).query)
    return {key: values[0] for key, values in query.items()}
