"""Opening a label store: where it is, what it refuses, and that migrations make the schema."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from rights import no_special_rights

from onbrand.errors import OnbrandError, install_command
from onbrand.labels import store as schema
from onbrand.labels.model import Label, default_location
from onbrand.labels.store import LabelStore

LABEL = Label("Say hello.", "acme", "on", author="ann")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with one label."""
    path = tmp_path / "labels.db"
    with LabelStore.open(path) as store:
        store.add([LABEL])
    return path


def error_of(location: str | Path, **options: float) -> str:
    with pytest.raises(OnbrandError) as caught, LabelStore.open(location, **options) as store:
        store.add([Label("Another.", "acme", "off")])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_migrations_make_the_schema_that_the_code_uses(path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, schema.label_table.metadata) == []
        assert context.get_current_revision() == schema.SCHEMA.head
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()


def test_opening_a_store_that_is_up_to_date_needs_no_alembic(path: Path) -> None:
    code = (
        "import sys; from onbrand.labels.store import LabelStore\n"
        f"with LabelStore.open({str(path)!r}) as store: assert len(store.current()) == 1\n"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_of_a_newer_onbrand(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    connection.close()
    before = path.read_bytes()
    assert error_of(path) == (f"{path}: was written by a newer onbrand; upgrade this one")
    assert path.read_bytes() == before


def test_locked(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert error_of(path, timeout=0.05) == (
        f"{path}: is locked by another program; close it or try again"
    )
    other.rollback()
    other.close()
    with LabelStore.open(path) as store:
        assert [each.text for each in store.current()] == [LABEL.text]


def test_locked_while_it_is_made(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert "is locked by another program" in error_of(path, timeout=0.05)
    other.close()


def test_made_while_another_program_is_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "labels.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        other.rollback()

    monkeypatch.setattr("onbrand.database.time.sleep", wait)
    with LabelStore.open(path) as store:
        assert store.add([LABEL]) == 1
    assert len(waits) == 1
    other.close()


def test_read_only(path: Path) -> None:
    path.chmod(0o444)
    with no_special_rights():
        assert error_of(path) == f"{path}: is read-only; allow writing to the file and its folder"


def test_folder_without_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with no_special_rights():
        path, deeper = tmp_path / "labels.db", tmp_path / "new" / "labels.db"
        assert f"{path}: cannot be opened; check the path and" in error_of(path)
        assert error_of(deeper) == f"{deeper}: its folder cannot be made (Permission denied)"
    tmp_path.chmod(0o755)


def test_no_database_and_other_databases(tmp_path: Path, path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("These are my notes. " * 100)
    assert error_of(text) == f"{text}: is no SQLite database; name another file"
    assert text.read_text() == "These are my notes. " * 100

    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE bookmarks (url)")
    connection.commit()
    connection.close()
    before = other.read_bytes()
    assert error_of(other) == f"{other}: is the database of another program; name a new file"
    assert other.read_bytes() == before

    damaged = bytearray(path.read_bytes())
    damaged[4096:] = b"\xa5" * (len(damaged) - 4096)
    path.write_bytes(damaged)
    assert "is damaged; restore it from a backup" in error_of(path)


def test_an_absent_store_is_made_only_where_one_may_be(tmp_path: Path) -> None:
    path = tmp_path / "new" / "labels.db"
    with pytest.raises(OnbrandError, match="there is no label store here; `onbrand labels import"):
        LabelStore.open(path, create=False)
    assert not path.parent.exists()
    (tmp_path / "empty.db").touch()
    with pytest.raises(OnbrandError, match="there is no label store here"):
        LabelStore.open(tmp_path / "empty.db", create=False)
    LabelStore.open(path).close()
    LabelStore.open(path, create=False).close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://bob:s3cret@db/x", "the label database cannot be at a mysql URL"),
        ("postgres://bob:s3cret@db:port/x", "the label database's URL cannot be read"),
        ("://s3cret", "the label database's URL cannot be read"),
        ("sqlite://", "the label database cannot be at a sqlite URL; name an SQLite file"),
    ],
)
def test_urls_that_will_not_do(url: str, message: str) -> None:
    assert error_of(url).startswith(message)
    assert "s3cret" not in error_of(url)


def test_sqlite_urls_are_paths(tmp_path: Path) -> None:
    with LabelStore.open(f"sqlite:///{tmp_path}/a.db") as store:
        assert store.display_name == f"{tmp_path}/a.db"


def test_parts_that_are_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert error_of("postgresql://db/x").endswith(install_command("postgres"))
    for name in [n for n in sys.modules if n.startswith("onbrand.labels")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(OnbrandError, match=r"the label store needs .*pip install '.*\[labels\]'"):
        import onbrand.labels.store  # noqa: F401


def test_default_locations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONBRAND_LABELS_DB", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    inside = tmp_path / "project" / "docs"
    inside.mkdir(parents=True)
    assert Path(default_location(inside)).name == "labels.db"
    assert tmp_path / "project" not in Path(default_location(inside)).parents

    project = tmp_path.resolve() / "project" / ".onbrand" / "labels.db"
    LabelStore.open(project).close()
    assert default_location(inside) == str(project)

    monkeypatch.setenv("ONBRAND_LABELS_DB", "postgresql://db/labels")
    assert default_location(inside) == "postgresql://db/labels"


def test_the_configuration_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONBRAND_LABELS_DB", raising=False)
    (tmp_path / "onbrand.toml").write_text('labels_db = "team.db"\n')
    (tmp_path / ".onbrand").mkdir()
    (tmp_path / ".onbrand" / "labels.db").touch()
    assert Path(default_location(tmp_path)) == tmp_path / "team.db"
    monkeypatch.setenv("ONBRAND_LABELS_DB", "elsewhere.db")
    assert default_location(tmp_path) == "elsewhere.db"


def test_words_on_many_texts_are_in_the_order_in_which_they_were_said(tmp_path: Path) -> None:
    """More than one question to the database can ask for."""
    texts = [f"Text {number}." for number in range(1200)]
    with LabelStore.open(tmp_path / "labels.db") as store:
        store.add(Label(text, "acme", "on", author="ann") for text in reversed(texts))
        store.add(Label(text, "beta", "on", author="ann") for text in texts)
        store.workspace("T1").add([Label(texts[0], "acme", "off", author="ann")])
        words = store.entries("acme", iter(texts[1:]))
        assert [word.text for word in words] == texts[:0:-1]
        assert words == [word for word in store.history("acme") if word.text != texts[0]]
