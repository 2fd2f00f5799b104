"""What the label store promises, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from onbrand.errors import OnbrandError
from onbrand.labels import store as schema
from onbrand.labels.model import Label
from onbrand.labels.store import Database, LabelStore

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.heavy("postgres"))])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty database is, or may be made."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return str(tmp_path / "labels.db")


@pytest.fixture
def store(location: str) -> Iterator[LabelStore]:
    with LabelStore.open(location) as store:
        yield store


def test_the_last_word_of_an_author_wins(store: LabelStore) -> None:
    assert store.add([Label("A line.", "acme", "on", author="ann")]) == 1
    assert store.add([Label(" A  line. ", "acme", "off", author="ann")]) == 1
    assert store.add([Label("A line.", "acme", "off", author="ann")]) == 0
    (only,) = store.current()
    assert (only.label, only.votes_on, only.votes_off, only.authors) == ("off", 0, 1, ("ann",))
    assert only.text == " A  line. "
    assert [word.label for word in store.history()] == ["on", "off"]


def test_an_older_word_that_arrives_late_does_not_count(store: LabelStore) -> None:
    store.add([Label("A", "acme", "off", author="ann", time=NOON)])
    store.add([Label("A", "acme", "on", author="ann", time=NOON - timedelta(microseconds=1))])
    assert [each.label for each in store.current()] == ["off"]


def test_who_speaks_now_speaks_last_though_another_clock_was_fast(store: LabelStore) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    store.add([Label("A", "acme", "off", author="ann", time=tomorrow)])
    store.add([Label("A", "acme", "on", author="ann")])
    assert [(each.label, each.time > tomorrow) for each in store.current()] == [("on", True)]


def test_disagreement_is_kept_and_counted(store: LabelStore) -> None:
    store.add(
        [
            Label("Tied", "acme", "on", author="ann", source="editor"),
            Label("Tied", "acme", "off", author="bob", source="slack"),
            Label("Most", "acme", "on", author="ann"),
            Label("Most", "acme", "on", author="bob"),
            Label("Most", "acme", "off", author="cy"),
            Label("All", "acme", "off", author="cy", document="d.md"),
            Label("Tied", "beta", "on", author="ann"),
        ]
    )
    assert [(each.brand, each.text, each.label) for each in store.disputed()] == [
        ("acme", "Most", "on"),
        ("acme", "Tied", None),
    ]
    acme, beta = store.stats()
    assert (acme.on, acme.off, acme.undecided, acme.disputed, acme.authors) == (1, 1, 1, 2, 3)
    assert acme.sources == {"editor": 1, "import": 2, "slack": 1}
    assert (beta.brand, beta.on, beta.off, beta.disputed) == ("beta", 1, 0, 0)
    lines = store.training_lines("acme")
    assert sorted((line.text, line.label, line.doc) for line in lines) == [
        ("All", "off", "d.md"),
        ("Most", "on", None),
    ]


def test_a_delivery_that_comes_twice_is_stored_once(store: LabelStore) -> None:
    click = Label("A", "acme", "on", author="ann", id="click-1")
    assert store.add([click, click]) == 1
    store.add([Label("A", "acme", "off", author="ann", id="click-2")])
    assert store.add([click]) == 0
    assert [each.label for each in store.current()] == ["off"]


def test_times_keep_their_instant_and_microseconds(store: LabelStore) -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    time = datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=east)
    store.add([Label("A", "acme", "on", time=time)])
    (word,) = store.history()
    assert word.time == time
    assert word.time.tzinfo is UTC
    assert store.add([Label("A", "acme", "on", time=time.astimezone(UTC))]) == 0


def test_workspaces_see_only_their_own(store: LabelStore) -> None:
    one, two = store.workspace("T1"), store.workspace("T2")
    one.add([Label("A", "acme", "on", author="ann", id="1")])
    assert two.add([Label("A", "acme", "off", author="ann", id="1")]) == 1
    assert [each.label for each in one.current()] == ["on"]
    assert [each.label for each in two.history()] == ["off"]
    assert store.stats() == []
    assert one.forget("ann") == 1
    assert len(two.current()) == 1


def test_an_author_can_be_forgotten(store: LabelStore, location: str) -> None:
    secret = "A sentence that shall not stay on the disk."
    store.add([Label(secret, "acme", "on", author="ann"), Label("B", "acme", "on", author="bob")])
    assert store.forget("ann") == 1
    assert [word.author for word in store.history()] == ["bob"]
    if "://" not in location:
        left = Path(location).parent.glob("labels.db*")
        assert all(secret.encode() not in file.read_bytes() for file in left)


def test_characters_that_databases_refuse(store: LabelStore) -> None:
    odd = "nul \0, half \ud83d, sep \u2028, 👋🏽 שלום"
    store.add([Label(odd, "acme", "on", author="a\0b", document="\udfff")])
    assert store.add([Label(odd, "acme", "on", author="a\0b")]) == 0
    (word,) = store.history()
    assert word.text == "nul \ufffd, half \ufffd, sep \u2028, 👋🏽 שלום"
    assert (word.author, word.document) == ("a\ufffdb", "\ufffd")


def test_all_or_nothing(store: LabelStore) -> None:
    def broken() -> Iterator[Label]:
        yield from (Label(f"line {n}", "acme", "on") for n in range(1200))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.add(broken())
    assert store.current() == []
    assert store.add([Label("line 1", "acme", "on")]) == 1


def test_threads_share_a_store(store: LabelStore) -> None:
    def write(worker: int) -> None:
        for number in range(20):
            store.add([Label(f"{worker} {number}", "acme", "on", id=f"{worker}-{number}")])

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.history()) == 80


def test_many_may_make_the_store_at_once(location: str) -> None:
    ready = threading.Barrier(6)
    failed: list[Exception] = []

    def open_and_add(worker: int) -> None:
        ready.wait()
        try:
            with LabelStore.open(location) as store:
                store.add([Label(f"from {worker}", "acme", "on")])
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=open_and_add, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with LabelStore.open(location) as store:
        assert len(store.current()) == 6


def test_another_writer_is_not_waited_for_for_ever(store: LabelStore, location: str) -> None:
    holder = Database(location, timeout=5)
    with holder.write(), LabelStore.open(location, timeout=0.05) as waiting:
        with pytest.raises(OnbrandError, match="is locked by another"):
            waiting.add([Label("A", "acme", "on")])
        assert waiting.current() == []
    holder.close()
    assert store.add([Label("A", "acme", "on")]) == 1


def test_a_store_of_a_newer_onbrand_is_refused(store: LabelStore, location: str) -> None:
    database = Database(location, timeout=5)
    with database.write() as connection:
        connection.execute(sa.text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"))
    database.close()
    with pytest.raises(OnbrandError, match="was written by a newer onbrand"):
        LabelStore.open(location)


@pytest.mark.heavy("postgres")
def test_postgres_errors_are_one_line_without_secrets(postgres_url: str) -> None:
    LabelStore.open(postgres_url).close()
    url = sa.make_url(postgres_url).set(password="s3cret")
    for broken in (
        url.set(database="nowhere"),
        url.update_query_dict({"host": "/nowhere", "password": "s3cret"}),
        url.update_query_dict({"options": "-c default_transaction_read_only=on"}),
    ):
        location = broken.render_as_string(hide_password=False)
        with pytest.raises(OnbrandError) as caught, LabelStore.open(location) as store:
            store.add([Label("A", "acme", "on")])
        assert "\n" not in str(caught.value)
        assert "s3cret" not in str(caught.value)
    assert str(caught.value).endswith("is read-only; connect to the primary server")


@pytest.mark.heavy("postgres")
def test_postgres_matches_the_schema(postgres_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    LabelStore.open(postgres_url).close()
    engine = sa.create_engine(postgres_url)
    with engine.connect() as connection:
        options = {"version_table": schema.VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, schema.label_table.metadata) == []
    engine.dispose()
