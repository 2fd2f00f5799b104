"""The one table of the label store, and bringing a database to it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from onbrand.migration import PREFIX, Tables

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


TABLES = Tables(
    version_table=VERSION_TABLE,
    head="0001",
    migrations=Path(__file__).parent / "migrations",
    absent="there is no label store here; `onbrand labels import FILE` makes one",
)
