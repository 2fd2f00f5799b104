"""Two workspaces on one database: neither sees anything of the other's, however it asks.

The worst case is tested: people and channels are called the same in both, and the second one knows
every id and every ticket of the first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from slack_browser import MANY, URL, install
from slack_forging import TRIES
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_talk import element, offers, read
from slack_team import Member, configure, in_channel, in_thread, voices_of
from slack_web_api import Payload

from onbrand_slack.model import Digest, Tenant
from onbrand_slack.store import Store
from onbrand_slack.store.digest import week_of

ACME, RIVAL = "T51", "T52"
TOKENS = {team: f"xoxb-{team}" for team in (ACME, RIVAL)}
SECRET = "zeppelins"
"""A word of the first workspace's drafts, of no other."""
DRAFT = f"We leverage best-in-class {SECRET} to unlock scalable value for our stakeholders."
REVIEWS = "C0REVIEWS"
_numbers = count(1)


@pytest.fixture(scope="module")
def peer() -> Iterator[SlackPeer]:
    with SlackPeer(tenants={"xoxb-nobody": "T0NOBODY"}) as peer:
        yield peer
        told = [call for call in peer.calls if call.token == TOKENS[RIVAL]]
        assert told
        assert not [call.method for call in told if SECRET in call.body]


@pytest.fixture(scope="module")
def apps(
    peer: SlackPeer, tmp_path_factory: pytest.TempPathFactory, example_voices: Path
) -> Iterator[list[SlackProcess]]:
    """Two replicas on one database."""
    folder = tmp_path_factory.mktemp("workspaces")
    brands = {ACME: ("oatfolk", "quillpot"), RIVAL: ("oatfolk", "varnholt-pumps")}
    voices = voices_of(folder / "voices", example_voices, **brands)
    options = ("--url", URL, "--workers", "1")
    with SlackProcess(peer, folder, voices, *options, environment=MANY) as one:
        install(one, ACME, RIVAL)
        again = {"environment": MANY, "database": one.database}
        with SlackProcess(peer, folder, voices, *options, **again) as two:
            yield [one, two]
            assert SECRET not in one.log() + two.log()


@pytest.fixture
def number() -> int:
    """Of a person in each workspace who are called the same."""
    return next(_numbers)


def _member(peer: SlackPeer, app: SlackProcess, number: int, team: str) -> Member:
    member = Member(peer, app, number, team=team)
    member.token = TOKENS[team]
    return member


@pytest.fixture
def ann(peer: SlackPeer, apps: list[SlackProcess], number: int) -> Iterator[Member]:
    """A member of the first workspace."""
    with _member(peer, apps[0], number, ACME) as ann:
        yield ann


@pytest.fixture(params=[0, 1], ids=["same process", "another process"])
def eve(
    peer: SlackPeer, apps: list[SlackProcess], number: int, request: pytest.FixtureRequest
) -> Iterator[Member]:
    """A member of the second one, who has seen the first one's screen."""
    with _member(peer, apps[request.param], number, RIVAL) as eve:
        yield eve


@pytest.fixture
def admins(peer: SlackPeer, apps: list[SlackProcess]) -> Iterator[dict[str, Member]]:
    """An admin of each workspace."""
    number = next(_numbers)
    peer.users[f"U1{number:08d}"] = {"is_admin": True}
    with (
        _member(peer, apps[0], number, ACME) as ours,
        _member(peer, apps[1], number, RIVAL) as theirs,
    ):
        yield {ACME: ours, RIVAL: theirs}


# --- tickets --------------------------------------------------------------------------------------


SHOWN = ("views.open", "views.push", "views.update", "response_url", "chat.postEphemeral")


@pytest.fixture(scope="module")
def acmes(peer: SlackPeer, apps: list[SlackProcess]) -> Payload:
    """The first workspace's answer to a check, with all of its buttons."""
    with _member(peer, apps[0], next(_numbers), ACME) as member:
        return member.checks(DRAFT)


@pytest.mark.parametrize("attempt", TRIES)
def test_a_ticket_opens_nothing_elsewhere(acmes: Payload, eve: Member, attempt: str) -> None:
    ticket = element(acmes, "details")["value"]

    assert TRIES[attempt](eve, ticket).status == 200

    shown = eve.shown(eve.next(*SHOWN, "chat.postMessage"))
    assert SECRET not in read(shown)
    assert "no longer kept" in read(shown) or "too old to label" in read(shown)
    eve.settle()
    assert not eve.calls("files.getUploadURLExternal")
    for table in ("labels", "slack_reviews"):
        rows = eve.rows(f"SELECT count(*) FROM onbrand_{table} WHERE workspace = '{RIVAL}'")
        assert rows == [(0,)]


def test_a_ticket_opens_on_every_replica_at_home(
    acmes: Payload, peer: SlackPeer, apps: list[SlackProcess]
) -> None:
    with _member(peer, apps[1], next(_numbers), ACME) as member:
        assert SECRET in read(member.opens(acmes, "details"))


def test_a_version_before_that_is_not_ones_own_is_none(acmes: Payload, eve: Member) -> None:
    eve.shortcut("check_draft", user=eve.user)
    form = eve.view()
    ticket = element(acmes, "details")["value"]
    forged = form | {"private_metadata": f'{{"ticket":"{ticket}"}}'}

    eve.saves(forged, brand="oatfolk", draft="Oats are nice, and so are you, most of the time.")

    answer = read(eve.view("views.update"))
    assert "oatfolk" in answer
    assert "before" not in answer.casefold()


# --- brands, settings, labels, lists --------------------------------------------------------------


def test_brands_are_a_workspaces_own(eve: Member) -> None:
    offered = eve.options("brand").json["options"]
    assert [option["value"] for option in offered] == ["oatfolk", "varnholt-pumps"]
    eve.say("brands")
    assert "quillpot" not in read(eve.answer())
    assert "quillpot" not in read(eve.home())

    eve.shortcut("check_draft", user=eve.user)
    eve.saves(eve.view(), brand="quillpot", draft="We leverage synergies.")
    assert "known: oatfolk, varnholt-pumps" in read(eve.view("views.update"))


def test_what_one_is_called_and_where_one_is_chooses_nothing_elsewhere(
    ann: Member, eve: Member
) -> None:
    ann.say("use quillpot")
    ann.answer()
    ann.checks(DRAFT)

    eve.say("settings")
    assert "none chosen" in read(eve.answer())
    home = eve.home()
    assert "Nothing yet" in read(home)


def test_settings_are_a_workspaces_own(admins: dict[str, Member], eve: Member) -> None:
    ours, theirs = admins[ACME], admins[RIVAL]
    configure(ours, "oatfolk", gate="0.99", review_channel=REVIEWS, labellers=[ours.user])

    assert read(eve.home()).count("the voice's own gate") == 2
    answer = eve.checks("We leverage synergies for our stakeholders.")
    assert "the gate is 0.99" not in read(answer)
    assert "send_to_review" not in offers(answer)
    assert "label_on" in offers(answer)
    eve.press("home_brand_settings", "quillpot", user=theirs.user, view=theirs.home(), channel=None)
    assert read(theirs.home()).count("the voice's own gate") == 2


def test_labels_are_a_workspaces_own(ann: Member, eve: Member, admins: dict[str, Member]) -> None:
    configure(admins[ACME], "oatfolk", labellers=[])
    same = "We leverage best-in-class synergies for all of our key stakeholders worldwide."
    ann.use(ann.checks(same), "label_on")
    assert f"<@{ann.user}>" in read(ann.answer())

    assert f"<@{ann.user}>" not in read(eve.checks(same))


# --- reviews --------------------------------------------------------------------------------------

DECISIONS = {
    "approve": "approve",
    "reject": "reject",
    "ask_for_changes": "changes",
    "reopen": "reopen",
}


@pytest.fixture
def review(ann: Member, admins: dict[str, Member], peer: SlackPeer) -> Payload:
    """The message of a review in the first workspace."""
    before = len(peer.messages.get(REVIEWS, ()))
    configure(admins[ACME], "oatfolk", review_channel=REVIEWS, labellers=[])
    ann.use(ann.checks(DRAFT), "send_to_review")
    ann.answer()
    posted = next(m for m in peer.messages[REVIEWS][before:] if "thread_ts" not in m)
    in_thread(peer, REVIEWS, posted["ts"])
    return posted


def test_a_review_is_decided_at_home_only(review: Payload, eve: Member, peer: SlackPeer) -> None:
    value = element(review, "approve")["value"]
    for action, decision in DECISIONS.items():
        eve.press(action, value, user=eve.user, channel=REVIEWS, message=review)
        assert "no longer there" in read(eve.shown(eve.next(*SHOWN)))
        # And where the press is left out:
        metadata = f'{{"review":"{value}","decision":"{decision}"}}'
        form = {"id": "V1", "callback_id": "reason_view", "private_metadata": metadata}
        eve.saves(form | {"blocks": []}, reason="Because.")
        assert "no longer there" in read(eve.written())

    assert SECRET in read(in_channel(peer, REVIEWS)[-1])
    status = f"SELECT status FROM onbrand_slack_reviews WHERE id = '{value}'"
    assert eve.rows(status) == [("open",)]
    assert "waiting" not in read(eve.home())


# --- files ----------------------------------------------------------------------------------------


def test_a_file_is_asked_for_in_the_name_of_who_asked(eve: Member, peer: SlackPeer) -> None:
    file = peer.add_file("plan.txt", DRAFT.encode(), user_team=ACME)

    eve.ask("oatfolk", files=[{"id": file}])

    assert "cannot read that file" in read(eve.answer())
    asked = [call for call in peer.calls if file in call.body and call.method == "files.info"]
    assert {call.token for call in asked} == {TOKENS[RIVAL]}


# --- records --------------------------------------------------------------------------------------


def test_the_audit_is_of_ones_own_workspace(
    review: Payload, admins: dict[str, Member], ann: Member, peer: SlackPeer
) -> None:
    theirs = admins[RIVAL]
    theirs.checks()

    theirs.press("home_audit", "audit", user=theirs.user, view=theirs.home(), channel=None)

    theirs.next("conversations.open")
    shared = peer.wait_for("files.completeUploadExternal")[-1]
    assert shared.token == TOKENS[RIVAL]
    told = peer.files[shared.answer["files"][0]["id"]].content.decode()
    seen = {json.loads(line)["subject"] for line in told.splitlines()}
    known = ann.rows(f"SELECT id FROM onbrand_slack_checks WHERE workspace = '{RIVAL}'")
    assert {subject for subject in seen if subject.startswith("c")} == {row[0] for row in known}
    assert element(review, "approve")["value"] not in told


def test_a_digest_counts_ones_own_workspace(
    acmes: Payload, admins: dict[str, Member], apps: list[SlackProcess], peer: SlackPeer
) -> None:
    theirs = admins[RIVAL]
    configure(theirs, "oatfolk", digest_channel="C0DIGEST")
    theirs.checks()
    with Store.open(apps[0].database, client_id=MANY["SLACK_CLIENT_ID"]) as store:
        digest = Digest("oatfolk", week_of(datetime.now(UTC)))
        store.jobs.put(Tenant(RIVAL), digest, key="digest", lane="post")

    said = read(in_channel(peer, "C0DIGEST")[0])

    count = "SELECT count(*) FROM onbrand_slack_checks WHERE brand = 'oatfolk' AND workspace = '{}'"
    (own,), (others,) = (theirs.rows(count.format(team))[0] for team in (RIVAL, ACME))
    assert own and others
    assert f"checked {own} draft" in said
