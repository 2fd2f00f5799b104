"""The Slack app's database file: its tables, its rights, its neighbours, its errors."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from onbrand.errors import OnbrandError
from onbrand.labels.model import Label
from onbrand.labels.store import LabelStore
from onbrand_slack.model import Say, Tenant, ToConversation
from onbrand_slack.store import Store, schema
from onbrand_slack.store.database import connect, delete_chunks, insert_new, upsert

TENANT = Tenant("T1")
HELP = Say(user="U1", topic="help", reply=ToConversation("D1"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "slack.db"


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_key_begins_with_the_workspace() -> None:
    for table in schema.metadata.sorted_tables:
        keys = [[column.name for column in table.primary_key]]
        keys += [
            [column.name for column in constraint.columns]
            for constraint in table.constraints
            if isinstance(constraint, sa.UniqueConstraint)
        ]
        assert all(key[0] == "workspace" for key in keys if key not in (["seq"], ["id"])), table


def test_a_store_that_is_up_to_date_opens_without_alembic(path: Path) -> None:
    Store.open(str(path)).close()
    code = (
        "import sys; from onbrand_slack.store import Store; Store.open(sys.argv[1]).close(); "
        "assert 'sqlalchemy' in sys.modules; assert 'alembic' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_nobody_else_may_read_tokens(tmp_path: Path) -> None:
    path = tmp_path / "new" / "slack.db"
    with Store.open(str(path)) as store:
        store.jobs.seen(TENANT, "key")
        assert {mode_of(file) for file in path.parent.iterdir()} == {0o600}
        assert mode_of(path.parent) == 0o700


def test_a_file_that_the_label_store_made_is_closed_to_others(path: Path) -> None:
    with LabelStore.open(path) as labels:
        path.chmod(0o644)
        labels.add([Label("A", "acme", "on")])
        with Store.open(str(path)):
            assert {mode_of(file) for file in path.parent.glob("slack.db*")} == {0o600}


@pytest.mark.parametrize("first", ["labels", "slack"])
def test_the_label_store_may_share_the_file(path: Path, first: str) -> None:
    openers = {"labels": lambda: LabelStore.open(path), "slack": lambda: Store.open(str(path))}
    openers[first]().close()
    with Store.open(str(path)) as store, LabelStore.open(path) as labels:
        labels.add([Label("A", "acme", "on")])
        assert [each.text for each in store.labels.current()] == ["A"]
        assert store.jobs.put(TENANT, HELP, key="k", lane="post").status == "queued"
    with LabelStore.open(path) as labels, Store.open(str(path)) as store:
        assert (len(labels.history()), store.jobs.waiting("post")) == (1, 1)


def test_labels_and_jobs_are_written_side_by_side(path: Path) -> None:
    failed: list[Exception] = []

    def write(number: int) -> None:
        try:
            for step in range(20):
                if number % 2:
                    store.labels.add([Label(f"{number} {step}", "acme", "on")])
                else:
                    store.jobs.put(TENANT, HELP, key=f"{number} {step}", lane="post")
        except Exception as error:
            failed.append(error)

    with Store.open(str(path), timeout=20) as store:
        in_threads(write, 8)
        assert not failed
        assert len(store.labels.history()) == store.jobs.waiting("post") == 80


def test_many_may_make_the_store_at_once(path: Path) -> None:
    failed: list[Exception] = []
    ready = threading.Barrier(6)

    def make(number: int) -> None:
        ready.wait()
        try:
            with Store.open(str(path)) as store:
                store.jobs.put(TENANT, HELP, key=str(number), lane="post")
        except Exception as error:
            failed.append(error)

    in_threads(make, 6)
    assert not failed
    with Store.open(str(path)) as store:
        assert store.jobs.waiting("post") == 6


def in_threads(work: object, count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_store_of_a_newer_onbrand_is_refused(path: Path) -> None:
    Store.open(str(path)).close()
    database = connect(str(path))
    with database.write() as connection:
        connection.execute(sa.text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"))
    database.close()
    with pytest.raises(OnbrandError, match="was written by a newer onbrand"):
        Store.open(str(path))


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (id INTEGER)")
    engine.dispose()
    path.chmod(0o644)
    with pytest.raises(OnbrandError, match="is the database of another program"):
        Store.open(str(path))
    assert mode_of(path) == 0o644


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("mysql://bob:s3cret@db/x", "the Slack app's database cannot be at a mysql URL; name an"),
        ("postgres://bob:s3cret@db:port/x", "the Slack app's database's URL cannot be read"),
    ],
)
def test_locations_that_cannot_be(location: str, said: str) -> None:
    with pytest.raises(OnbrandError, match=said) as caught:
        Store.open(location)
    assert "s3cret" not in str(caught.value)


def test_errors_do_not_quote_rows(path: Path) -> None:
    with Store.open(str(path)):
        pass
    database = connect(str(path))
    row = {"workspace": "T1", "key": "xoxb-secret", "time": None}
    with pytest.raises(OnbrandError) as caught, database.write() as connection:
        connection.execute(sa.insert(schema.events), row)
    assert str(caught.value).startswith(f"{path}: the database refused (NOT NULL")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    database.close()


def test_inserts_and_deletions_for_all_tables(path: Path) -> None:
    Store.open(str(path)).close()
    database, users = connect(str(path)), schema.user_settings
    row = {"workspace": "T1", "user": "U1", "brand": "acme"}
    with database.write() as connection:
        assert insert_new(connection, users, row)
        assert not insert_new(connection, users, {**row, "brand": "beta"})
        assert connection.execute(sa.select(users.c.brand)).scalars().all() == ["acme"]
        upsert(connection, users, {**row, "brand": "beta"})
        upsert(connection, users, {**row, "workspace": "T2"})
        brands = sa.select(users.c.workspace, users.c.brand).order_by(users.c.workspace)
        assert connection.execute(brands).all() == [("T1", "beta"), ("T2", "acme")]
        connection.execute(
            sa.insert(users),
            [{"workspace": "T3", "user": f"U{n}", "brand": "acme"} for n in range(1001)],
        )
    assert delete_chunks(database, users, users.c.workspace == "T3") == 1001
    assert delete_chunks(database, users, users.c.workspace == "T3") == 0
    with database.read() as connection:
        assert len(connection.execute(brands).all()) == 2
    database.close()
