"""The one table of the label store, and bringing a database to it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.types import TypeDecorator

from onbrand.errors import OnbrandError
from onbrand.labels.database import Database

HEAD = "0001"
"""The newest migration; a store at it is opened without importing Alembic."""
PREFIX = "onbrand_"
"""Of all tables, so that the store can share a database."""
VERSION_TABLE = f"{PREFIX}labels_version"


class UtcDateTime(TypeDecorator[datetime]):
    """Microsecond UTC times: ``timestamptz`` on PostgreSQL, sortable text on SQLite."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Bring an aware time to UTC; SQLite's text has no zone."""
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Every word ever said, never changed: the present is worked out from it when it is asked for, so
# that concurrent writers only ever append.
labels = sa.Table(
    f"{PREFIX}labels",
    sa.MetaData(),
    # SQLite counts up only in a column of exactly this type.
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("id", sa.Text),
    sa.Column("brand", sa.Text, nullable=False),
    sa.Column("text_key", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("time", UtcDateTime, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("document", sa.Text),
    sa.Column("text", sa.Text, nullable=False),
    sa.UniqueConstraint("workspace", "id", name=f"uq_{PREFIX}labels_id"),
    sa.UniqueConstraint(
        *("workspace", "brand", "text_key", "author", "time", "label"),
        name=f"uq_{PREFIX}labels_word",
    ),
    sa.CheckConstraint("label IN ('on', 'off')", name=f"ck_{PREFIX}labels_label"),
)


def prepare(database: Database, *, create: bool) -> None:
    """Make the tables or bring them up to date, once, whoever comes first.

    Raises:
        OnbrandError: there is no store and ``create`` is false, it is of a newer onbrand, or the
            file is another program's.
    """
    place = database.place
    absent = OnbrandError(
        "there is no label store here; `onbrand labels import FILE` makes one", path=place
    )
    if not create and not database.exists():
        raise absent
    database.make_folder()
    with database.read() as connection:
        at = _version(connection)
        if at == HEAD:
            return
        if at is None and not create:
            raise absent
        if at is None and database.path is not None and _foreign(connection):
            raise OnbrandError("is the database of another program; name a new file", path=place)
    database.use_write_ahead_log()
    with database.write() as connection:
        if _version(connection) != HEAD and not _upgrade(connection):
            raise OnbrandError(
                "was written by a newer onbrand; upgrade this one (pip install -U onbrand)",
                path=place,
            )


def _version(connection: Connection) -> str | None:
    """Return the migration that a database is at, None where there is no label store yet."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(
        sa.select(sa.column("version_num")).select_from(sa.table(VERSION_TABLE))
    ).scalar()


def _foreign(connection: Connection) -> bool:
    """Tell whether the database has tables, and none of onbrand's."""
    tables = sa.inspect(connection).get_table_names()
    return bool(tables) and not any(name.startswith(PREFIX) for name in tables)


def _upgrade(connection: Connection) -> bool:
    """Run the migrations that are due, inside the connection's transaction.

    Returns:
        False where the database is at a migration that this onbrand does not have.
    """
    # Here, since Alembic takes longer to import than a store that is up to date to open.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    revisions = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if _version(connection) not in {None, *revisions}:
        return False
    command.upgrade(config, "head")
    return True
