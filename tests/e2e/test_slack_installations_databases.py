"""Whose token a request gets, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from slack_sdk.oauth.installation_store.models.installation import Installation

from onbrand.database import Database
from onbrand.errors import OnbrandError
from onbrand_slack.model import Tenant
from onbrand_slack.store import schema
from onbrand_slack.store.database import connect
from onbrand_slack.store.installations import CACHE_SECONDS, Installations, Installed, StateStore


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.heavy("postgres"))])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    postgres = request.param == "postgres"
    database = connect(
        str(request.getfixturevalue("postgres_url") if postgres else tmp_path / "slack.db")
    )
    schema.SCHEMA.prepare(database, create=True)
    yield database
    database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def installations(database: Database, clock: Clock) -> Installations:
    return Installations(database, "client", clock)


def installation(
    team: str | None,
    enterprise: str | None = None,
    *,
    token: str = "xoxb-1",
    user: str = "U1",
    day: int = 1,
) -> Installation:
    return Installation(
        app_id="A1",
        enterprise_id=enterprise,
        team_id=team,
        user_id=user,
        bot_token=token,
        bot_id="B1",
        bot_user_id="UBOT",
        bot_scopes=["commands", "chat:write"],
        is_enterprise_install=team is None,
        installed_at=datetime(2026, 1, day, tzinfo=UTC).timestamp(),
    )


def token_of(found: Installed | None) -> str | None:
    return found and found.bot_token


def test_a_workspace_finds_its_newest_installation(installations: Installations) -> None:
    assert installations.find(None, "T1") is None
    installations.bolt.save(installation("T1", token="xoxb-new", user="U2", day=2))
    installations.bolt.save(installation("T1", token="xoxb-old"))
    assert installations.find(None, "T1") == Installed(
        bot_token="xoxb-new",
        bot_id="B1",
        bot_user_id="UBOT",
        app_id="A1",
        team_id="T1",
        enterprise_id=None,
        installer="U2",
    )
    assert installations.find(None, "T2") is None
    assert installations.find(None, None) is None


def test_an_organisations_installation_is_for_all_of_its_workspaces(
    installations: Installations,
) -> None:
    installations.bolt.save(installation(None, "E1", token="xoxb-all"))
    installations.bolt.save(installation("T1", "E1", token="xoxb-one"))
    found = {
        where: token_of(installations.find(*where))
        for where in [
            ("E1", "T1"),
            (None, "T1"),
            ("E1", "T2"),
            ("E1", None),
            ("E1", "E1"),
            ("E2", "T2"),
            ("E2", None),
            (None, "T2"),
            (None, "E1"),
        ]
    }
    assert found == {
        ("E1", "T1"): "xoxb-one",
        (None, "T1"): "xoxb-one",
        ("E1", "T2"): "xoxb-all",
        ("E1", None): "xoxb-all",
        ("E1", "E1"): "xoxb-all",
        ("E2", "T2"): None,
        ("E2", None): None,
        (None, "T2"): None,
        (None, "E1"): None,
    }


@pytest.mark.parametrize("odd", ["", "T1\0", "\ud800", "T1' OR 1=1", "T" * 10_000])
def test_what_is_no_id_finds_nothing(installations: Installations, odd: str) -> None:
    installations.bolt.save(installation("T1"))
    installations.bolt.save(installation(None, "E1"))
    assert installations.find(None, odd) is None
    assert installations.find(odd, odd) is None
    assert token_of(installations.find(odd, "T1")) == "xoxb-1"


def test_what_was_found_is_known_for_a_minute(
    installations: Installations, database: Database, clock: Clock
) -> None:
    other = Installations(database, "client", clock)
    assert other.find(None, "T1") is None
    installations.bolt.save(installation("T1"))
    assert token_of(other.find(None, "T1")) == "xoxb-1", "what is not there is not remembered"
    installations.bolt.save(installation("T1", token="xoxb-2", day=2))
    assert token_of(installations.find(None, "T1")) == "xoxb-2"
    assert token_of(other.find(None, "T1")) == "xoxb-1"
    clock.now = CACHE_SECONDS
    assert token_of(other.find(None, "T1")) == "xoxb-2"
    installations.forget(Tenant("T1"))
    assert installations.find(None, "T1") is None
    assert token_of(other.find(None, "T1")) == "xoxb-2"
    other.refresh()
    assert other.find(None, "T1") is None


def test_forgetting_leaves_nothing_of_a_workspace_and_all_of_others(
    installations: Installations, database: Database
) -> None:
    for each in (
        installation("T1", "E1", token="xoxb-secret-1"),
        installation("T2", "E1", token="xoxb-2"),
        installation(None, "E1", token="xoxb-all"),
    ):
        installations.bolt.save(each)
    # Who deletes by the command line does not know the client's id.
    Installations(database).forget(Tenant("T1", "E1"))
    installations.refresh()
    assert token_of(installations.find("E1", "T1")) == "xoxb-all"
    assert token_of(installations.find("E1", "T2")) == "xoxb-2"
    if database.path:
        files = database.path.parent.glob(f"{database.path.name}*")
        assert all(b"xoxb-secret-1" not in file.read_bytes() for file in files)
    installations.forget(Tenant("E1", "E1"))
    assert installations.find("E1", "T1") is None
    assert token_of(installations.find("E1", "T2")) == "xoxb-2"


def test_installations_of_another_app_are_not_seen(
    installations: Installations, database: Database
) -> None:
    Installations(database, "another").bolt.save(installation("T1"))
    assert installations.find(None, "T1") is None


def test_the_app_may_serve_one_workspace_only(installations: Installations) -> None:
    installations.bolt.save(installation("T2"))
    only = Installed("xoxb-only", "B1", "UBOT", "A1", "T1", "E1", None)
    installations.use_only(only)
    assert installations.find(None, "T1") is only
    assert installations.find("E1", "T1") is only
    assert installations.find("E1", "E1") is only
    assert installations.find("E1", "T2") is None
    assert installations.find(None, "T2") is None
    assert installations.find(None, None) is None


def test_tokens_are_not_shown(
    installations: Installations, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    installations.bolt.save(installation("T1", token="xoxb-secret"))
    assert "xoxb" not in repr(installations.find(None, "T1"))
    bots = sa.Table(schema.BOTS, sa.MetaData(), sa.Column("bot_token"))
    with database.write() as connection:
        connection.execute(sa.DDL(f"DROP TABLE {bots.name}"))
    with pytest.raises(OnbrandError) as caught:
        installations.bolt.save(installation("T1", token="xoxb-secret", day=2))
    assert "secret" not in f"{caught.value!r} {caught.value.__cause__!r} {caplog.text}"


def test_an_oauth_state_is_good_for_one_use(database: Database) -> None:
    states = StateStore(database)
    one, two = states.issue(), states.issue()
    assert one != two
    assert states.consume(one)
    assert not states.consume(one)
    assert states.consume(two)
    for odd in ("", "\0", "\ud800", "x" * 10_000):
        assert not states.consume(odd)


def test_an_oauth_state_is_good_for_ten_minutes(database: Database) -> None:
    states = StateStore(database)
    state = states.issue()
    expires = states.oauth_states.c.expire_at
    with database.write() as connection:
        at = connection.execute(sa.select(expires)).scalar_one()
        assert abs(at - datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=10)) < (
            timedelta(minutes=1)
        )
        connection.execute(
            sa.update(states.oauth_states).values(expire_at=at - timedelta(minutes=10, seconds=1))
        )
    assert not states.consume(state)
    states.issue()
    with database.read() as connection:
        assert len(connection.execute(sa.select(expires)).all()) == 1, "the late one is dropped"


def test_two_who_come_back_with_one_state(database: Database) -> None:
    states = [StateStore(database), StateStore(database)]
    for _ in range(10):
        state, ready = states[0].issue(), threading.Barrier(2)
        good: list[bool] = []

        def consume(store: StateStore, state=state, ready=ready, good=good) -> None:
            ready.wait()
            good.append(store.consume(state))

        threads = [threading.Thread(target=consume, args=(store,)) for store in states]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(good) == [False, True]
