"""Many workspaces, each of which installs the app by OAuth."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from slack_browser import MANY, URL, Browser
from slack_installing import Team, serving_all
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_talk import read

from onbrand_slack.manifest import SCOPES

CLIENT, SECRET = MANY["SLACK_CLIENT_ID"], MANY["SLACK_CLIENT_SECRET"]


@pytest.fixture(scope="module")
def peer() -> Iterator[SlackPeer]:
    """A Slack in which nobody has the app yet."""
    with SlackPeer(tenants={"xoxb-nobody": "T0NOBODY"}) as peer:
        yield peer


@pytest.fixture(scope="module")
def app(
    peer: SlackPeer, tmp_path_factory: pytest.TempPathFactory, example_voices: Path
) -> Iterator[SlackProcess]:
    with serving_all(peer, tmp_path_factory.mktemp("oauth"), example_voices) as app:
        yield app


@pytest.fixture
def browser(app: SlackProcess) -> Iterator[Browser]:
    """Somebody who adds the app to Slack."""
    with Browser(str(app.url)) as browser:
        yield browser


@pytest.fixture
def team(peer: SlackPeer, app: SlackProcess) -> Iterator[Team]:
    """A workspace without the app."""
    team = Team(peer, app)
    with team.member:
        yield team


def test_the_link_asks_for_what_the_manifest_asks_for(browser: Browser) -> None:
    asked = browser.begin()

    assert asked["scope"].split(",") == sorted(SCOPES)
    assert asked["client_id"] == CLIENT
    assert asked["redirect_uri"] == f"{URL}/slack/oauth_redirect"
    assert asked["state"] == browser.cookie
    assert "user_scope" not in asked


def test_a_workspace_is_served_from_the_moment_it_has_the_app(
    team: Team, browser: Browser, peer: SlackPeer
) -> None:
    assert team.is_refused()

    page = browser.install(f"code-{team.id}")

    assert page.status_code == 200
    assert f"slack://app?team={team.id}" in page.text
    asked = peer.of("oauth.v2.access")[-1]
    assert asked.arguments["redirect_uri"] == f"{URL}/slack/oauth_redirect"
    answer = team.member.checks()
    assert "oatfolk" in read(answer)
    assert team.is_answered() == f"xoxb-{team.id}"


def test_an_installation_anew_brings_a_new_token(
    team: Team, browser: Browser, peer: SlackPeer
) -> None:
    browser.install(f"code-{team.id}")
    assert team.is_answered() == f"xoxb-{team.id}"

    assert browser.install(f"code-{team.id}-again").status_code == 200
    del peer.tenants[f"xoxb-{team.id}"]

    assert team.is_answered() == f"xoxb-{team.id}-again"


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"state": "of-somebody-else"}, "same browser"),
        ({"cookie": ""}, "same browser"),
        ({"code": "wrong"}, "does not take the code"),
        ({"code": ""}, "no code"),
        ({"error": "access_denied"}, "not given leave"),
        ({"error": "<script>alert(1)</script>"}, "unnamed"),
    ],
)
def test_an_installation_that_fails_says_why_and_stores_nothing(
    team: Team, browser: Browser, app: SlackProcess, query: dict[str, str], word: str
) -> None:
    given = {"state": browser.begin()["state"], "code": f"code-{team.id}", **query}
    browser.cookie = given.pop("cookie", browser.cookie)

    page = browser.come_back(**{name: value for name, value in given.items() if value})

    assert 400 <= page.status_code < 500
    assert word in page.text
    assert '<a href="/slack/install">' in page.text
    told = page.text + app.log()
    assert not [said for said in (given["state"], given["code"], SECRET) if said and said in told]
    assert not any(team.stored().values())
    assert team.is_refused()


def test_a_link_is_good_once(team: Team, browser: Browser) -> None:
    state = browser.begin()["state"]
    assert browser.come_back(code=f"code-{team.id}", state=state).status_code == 200
    team_before = team.stored()

    page = browser.come_back(code=f"code-{team.id}-again", state=state)

    assert page.status_code == 400
    assert "used already" in page.text
    assert team.stored() == team_before


def test_a_link_is_good_for_ten_minutes(team: Team, browser: Browser, app: SlackProcess) -> None:
    state = browser.begin()["state"]
    with closing(sqlite3.connect(app.database, timeout=30)) as connection, connection:
        late = "UPDATE onbrand_slack_states SET expire_at = datetime('now', '-1 second')"
        connection.execute(late)

    page = browser.come_back(code=f"code-{team.id}", state=state)

    assert page.status_code == 400
    assert "ten minutes" in page.text
    assert team.is_refused()


def test_a_slack_out_of_reach_is_a_page_with_words(
    team: Team, browser: Browser, peer: SlackPeer
) -> None:
    peer.fail("oauth.v2.access", reset=True, times=3)
    try:
        page = browser.install(f"code-{team.id}")
    finally:
        peer.mend()

    assert page.status_code == 502
    assert "cannot be reached" in page.text
    assert team.is_refused()
