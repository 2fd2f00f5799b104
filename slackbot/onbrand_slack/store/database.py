"""Connections to the Slack app's database, and the inserts and deletions that all tables need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from onbrand.database import Database, DatabaseOptions

_CHUNK = 500
_OPTIONS = DatabaseOptions(
    "the Slack app's database",
    # Replicas would queue up behind one another; rows are locked where it matters.
    one_writer=False,
    # A request is acknowledged once it is stored, and hundreds come at once: what a power cut
    # takes of the last moment, Slack's users send again.
    synchronous="NORMAL",
    private=True,
    connections=40,
)


def connect(location: str, timeout: float = 30.0) -> Database:
    """Return the database at a path or URL, not yet opened.

    Raises:
        OnbrandError: the URL is malformed or of another kind, or its driver is not installed.
    """
    return Database(location, _OPTIONS, timeout)


def insert_new(connection: Connection, table: sa.Table, row: Mapping[str, Any]) -> bool:
    """Insert a row, and tell whether it is new: not if any unique key of it is taken."""
    statement = _insert(connection, table).values(**row).on_conflict_do_nothing()
    # Not by the count of rows, which drivers do not tell alike.
    return connection.execute(statement.returning(sa.literal(1))).first() is not None


def upsert(connection: Connection, table: sa.Table, row: Mapping[str, Any]) -> None:
    """Insert a row, or change the one with the same primary key to it."""
    keys = [column.name for column in table.primary_key]
    values = {name: value for name, value in row.items() if name not in keys}
    statement = _insert(connection, table).values(**row)
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))


def delete_chunks(database: Database, table: sa.Table, which: sa.ColumnElement[bool]) -> int:
    """Delete rows a few hundred at a time, since requests that come in wait for each deletion.

    Returns:
        How many there were.
    """
    keys = list(table.primary_key)
    chunk = sa.select(*keys).where(which).limit(_CHUNK).with_for_update(skip_locked=True)
    deleted = 0
    while True:
        with database.write() as connection:
            rows = [tuple(row) for row in connection.execute(chunk)]
            if rows:
                connection.execute(sa.delete(table).where(sa.tuple_(*keys).in_(rows)))
        deleted += len(rows)
        if len(rows) < _CHUNK:
            return deleted


def _insert(connection: Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
