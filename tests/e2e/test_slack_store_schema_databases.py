"""The Slack app's tables, on both databases."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore

from onbrand.errors import OnbrandError
from onbrand.labels.model import Label
from onbrand.labels.store import LabelStore
from onbrand_slack.model import Say, Tenant, ToConversation
from onbrand_slack.store import Store, schema
from onbrand_slack.store.database import connect

postgres = pytest.mark.heavy("postgres")
TENANT = Tenant("T1")
HELP = Say(user="U1", topic="help", reply=ToConversation("D1"))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=postgres)])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return str(tmp_path / "slack.db")


def test_migrations_make_the_tables_that_we_and_the_sdk_use(location: str) -> None:
    Store.open(location).close()
    expected = sa.MetaData()
    for table in schema.metadata.sorted_tables:
        table.to_metadata(expected)
    SQLAlchemyInstallationStore.build_bots_table(expected, schema.BOTS)
    SQLAlchemyInstallationStore.build_installations_table(expected, schema.INSTALLATIONS)
    SQLAlchemyOAuthStateStore.build_oauth_states_table(expected, schema.STATES)
    engine = connect(location).engine
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": schema.VERSION_TABLE,
                "compare_type": True,
                "include_name": lambda name, kind, _: kind != "table" or name in expected.tables,
            },
        )
        assert compare_metadata(context, expected) == []
        assert context.get_current_revision() == schema.SCHEMA.head
    engine.dispose()


@postgres
@pytest.mark.parametrize("first", [LabelStore.open, Store.open])
def test_replicas_may_make_the_store_at_once(postgres_url: str, first: object) -> None:
    failed: list[Exception] = []
    ready = threading.Barrier(6)
    first(postgres_url).close()

    def make(number: int) -> None:
        ready.wait()
        try:
            with Store.open(postgres_url) as store:
                store.jobs.put(TENANT, HELP, key=str(number), lane="post")
                store.labels.add([Label(str(number), "acme", "on")])
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with Store.open(postgres_url) as store:
        assert store.jobs.waiting("post") == len(store.labels.history()) == 6


@postgres
def test_jobs_do_not_wait_for_who_writes_labels(postgres_url: str) -> None:
    with Store.open(postgres_url, timeout=0.2) as store, LabelStore.open(postgres_url) as labels:
        with labels._database.write():
            assert store.jobs.put(TENANT, HELP, key="k", lane="post").status == "queued"
            with pytest.raises(OnbrandError, match="is locked by another writer"):
                store.labels.add([Label("A", "acme", "on")])
        assert store.labels.add([Label("A", "acme", "on")]) == 1


@postgres
def test_errors_do_not_quote_rows_or_passwords(postgres_url: str) -> None:
    Store.open(postgres_url).close()
    url = sa.make_url(postgres_url).set(password="s3cret")
    database = connect(url.render_as_string(hide_password=False))
    row = {"workspace": "T1", "key": "xoxb-secret", "time": None}
    refused = pytest.raises(OnbrandError, match="the database refused")
    with refused as caught, database.write() as connection:
        connection.execute(sa.insert(schema.events), row)
    assert "secret" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
    database.close()
