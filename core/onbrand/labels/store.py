"""The label store: labels with author and time, in SQLite or PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path
from types import TracebackType
from typing import Any

from onbrand.errors import missing_extra

try:
    import sqlalchemy as sa
except ModuleNotFoundError:
    raise missing_extra("the label store", "labels") from None
from sqlalchemy.engine import Connection, Dialect, Row, RowMapping
from sqlalchemy.types import TypeDecorator

from onbrand.database import PREFIX, DatabaseOptions, Schema
from onbrand.database import Database as AnyDatabase
from onbrand.labels.files import LabelLine
from onbrand.labels.model import (
    BrandStats,
    Label,
    LabelHistory,
    LabelKey,
    ResolvedLabel,
    default_location,
)
from onbrand.labels.normalization import clean_text, text_key

VERSION_TABLE = f"{PREFIX}labels_version"


class UtcDateTime(TypeDecorator[datetime]):
    """Microsecond UTC times: ``timestamptz`` on PostgreSQL, sortable text on SQLite."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert an aware time to UTC; SQLite's text has no zone."""
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# An append-only log of labels: the current ones are computed from it when they are needed, so that
# concurrent writers do not conflict.
label_table = sa.Table(
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


SCHEMA = Schema(
    version_table=VERSION_TABLE,
    head="0001",
    migrations=Path(__file__).parent / "migrations",
    absent="there is no label store here; `onbrand labels import FILE` makes one",
)


class Database(AnyDatabase):
    """The label database: one writer at a time, and safe from power cuts.

    Args:
        location: a path or a URL, as for any database.
        timeout: how long to wait for another writer, in seconds.
    """

    def __init__(self, location: str, timeout: float) -> None:
        super().__init__(location, DatabaseOptions("the label database"), timeout)


_CHUNK = 500


class LabelStore:
    """Labels by many authors, safe under concurrent writers and threads.

    Every label is kept. An author's latest label of a text counts; between authors the majority
    does, and a tie is undecided. Open a store with `open`; it is a context manager.
    """

    def __init__(self, database: Database, workspace: str = "") -> None:
        self._database = database
        self._workspace = workspace

    @classmethod
    def open(
        cls, location: str | Path | None = None, *, create: bool = True, timeout: float = 30.0
    ) -> LabelStore:
        """Open a store, making it or bringing it up to date where that is due.

        Args:
            location: a path or a URL; None for `default_location`.
            create: make a store that is not there, instead of refusing.
            timeout: how long to wait for another writer, in seconds.

        Raises:
            OnbrandError: it is not there, locked, read-only, damaged, of a newer onbrand or no
                label store.
        """
        database = Database(default_location() if location is None else str(location), timeout)
        try:
            SCHEMA.prepare(database, create=create)
        except BaseException:
            database.close()
            raise
        return cls(database)

    @property
    def display_name(self) -> str:
        """The path, or the URL without user and password, for messages."""
        return self._database.display_name

    def workspace(self, name: str) -> LabelStore:
        """Return this store with the labels of one workspace only."""
        return LabelStore(self._database, clean_text(name))

    def add(self, labels: Iterable[Label]) -> int:
        """Store labels, all or none; when this returns they survive a crash.

        Not stored again is a label whose id is known, one that its author gave at the same time
        already, and one without id and time that equals its author's latest label.

        Returns:
            How many were new.

        Raises:
            OnbrandError: the store is locked, read-only, full, …; nothing was stored.
        """
        remaining = iter(labels)
        added = 0
        with self._database.write() as connection:
            while chunk := list(islice(remaining, _CHUNK)):
                rows = self._new_rows(connection, chunk)
                if rows:
                    connection.execute(sa.insert(label_table), rows)
                added += len(rows)
        return added

    def current(self, brand: str | None = None) -> list[ResolvedLabel]:
        """Return the current label of each text, by brand and time."""
        query = self._select(label_table).order_by(
            *(label_table.c.brand, label_table.c.text_key, label_table.c.time, label_table.c.seq)
        )
        if brand is not None:
            query = query.where(label_table.c.brand == brand)
        with self._database.read() as connection:
            texts = groupby(connection.execute(query), key=lambda row: (row.brand, row.text_key))
            resolved = [_resolve(list(words)) for _, words in texts]
        return sorted(resolved, key=lambda label: (label.brand, label.time, label.text))

    def disputed(self, brand: str | None = None) -> list[ResolvedLabel]:
        """Return the texts on which authors disagree, by brand and time."""
        return [label for label in self.current(brand) if label.disputed]

    def training_lines(self, brand: str | None = None) -> list[LabelLine]:
        """Return the decided labels as if read from a file, for training."""
        decided = [label for label in self.current(brand) if label.label is not None]
        return [
            LabelLine(
                text=label.text,
                label=label.label,
                brand=label.brand,
                doc=label.document,
                author=None,
                source=None,
                time=None,
                path=self.display_name,
                line=number,
            )
            for number, label in enumerate(decided, start=1)
        ]

    def history(self, brand: str | None = None) -> list[Label]:
        """Return all labels ever given, oldest first."""
        query = self._select(label_table).order_by(label_table.c.time, label_table.c.seq)
        if brand is not None:
            query = query.where(label_table.c.brand == brand)
        with self._database.read() as connection:
            return [_label(row) for row in connection.execute(query).mappings()]

    def entries(self, brand: str, texts: Iterable[str]) -> list[Label]:
        """Return all labels ever given to some texts, oldest first; faster than `history`.

        Args:
            brand: the brand of the labels.
            texts: the texts, in any form that counts as the same.
        """
        keys = iter({text_key(text) for text in texts})
        rows: list[RowMapping] = []
        with self._database.read() as connection:
            while chunk := list(islice(keys, _CHUNK)):
                said = label_table.c.brand == brand, label_table.c.text_key.in_(chunk)
                rows += connection.execute(self._select(label_table).where(*said)).mappings()
        return [_label(row) for row in sorted(rows, key=lambda row: (row["time"], row["seq"]))]

    def stats(self) -> list[BrandStats]:
        """Return the counts of each brand's labels, by brand."""
        brands = groupby(self.current(), key=lambda label: label.brand)
        return [_count(brand, list(labels)) for brand, labels in brands]

    def take_back(self, brand: str, text: str, author: str, source: str) -> bool:
        """Delete an author's latest label of a text, if it came from ``source``.

        What the author said before counts again.

        Args:
            brand: the brand of the label.
            text: the text, in any form that counts as the same.
            author: whose label it is.
            source: one of `onbrand.labels.model.SOURCES`.

        Returns:
            Whether there was one.
        """
        said = (
            label_table.c.workspace == self._workspace,
            label_table.c.brand == brand,
            label_table.c.text_key == text_key(text),
            label_table.c.author == clean_text(author),
        )
        order = label_table.c.time.desc(), label_table.c.seq.desc()
        with self._database.write() as connection:
            latest = connection.execute(
                sa.select(label_table.c.seq, label_table.c.source)
                .where(*said)
                .order_by(*order)
                .limit(1)
            ).first()
            if latest is None or latest.source != source:
                return False
            connection.execute(sa.delete(label_table).where(label_table.c.seq == latest.seq))
        return True

    def forget(self, author: str) -> int:
        """Delete all labels of an author for good, and return how many there were."""
        own = label_table.c.workspace == self._workspace, label_table.c.author == clean_text(author)
        with self._database.write() as connection:
            forgotten = connection.execute(sa.delete(label_table).where(*own)).rowcount
        self._database.truncate_log()
        return forgotten

    def close(self) -> None:
        """Close the store, for all workspaces."""
        self._database.close()

    def __enter__(self) -> LabelStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _select(self, *what: Any) -> sa.Select[Any]:  # noqa: ANN401 - SQLAlchemy's own type
        return sa.select(*what).where(label_table.c.workspace == self._workspace)

    def _new_rows(self, connection: Connection, chunk: Sequence[Label]) -> list[dict[str, object]]:
        """Return the rows that a chunk adds; must run inside the writing transaction."""
        keys = [LabelKey(label.brand, text_key(label.text), label.author) for label in chunk]
        history = self._history(connection, chunk, keys)
        return [
            self._row(label, key, time)
            for label, key in zip(chunk, keys, strict=True)
            if (time := history.accept(key, label)) is not None
        ]

    def _history(
        self, connection: Connection, chunk: Sequence[Label], keys: Sequence[LabelKey]
    ) -> LabelHistory:
        """Read the stored labels of a chunk's texts, and which of its ids are stored."""
        ids = {label.id for label in chunk if label.id is not None}
        stored = self._select(label_table.c.id).where(label_table.c.id.in_(ids))
        history = LabelHistory(set(connection.execute(stored).scalars()) if ids else set())
        columns = (
            label_table.c.brand,
            label_table.c.text_key,
            label_table.c.author,
            label_table.c.time,
            label_table.c.label,
        )
        said = (
            self._select(*columns)
            # The condition on brands lets the database use its index.
            .where(label_table.c.brand.in_({key.brand for key in keys}))
            .where(label_table.c.text_key.in_({key.text_key for key in keys}))
            .order_by(label_table.c.time, label_table.c.seq)
        )
        for brand, text, author, time, label in connection.execute(said):
            history.add(LabelKey(brand, text, author), time, label)
        return history

    def _row(self, label: Label, key: LabelKey, time: datetime) -> dict[str, object]:
        return {
            "workspace": self._workspace,
            "id": label.id,
            **key._asdict(),
            "time": time,
            "label": label.label,
            "source": label.source,
            "document": label.document,
            "text": label.text,
        }


def _label(row: RowMapping) -> Label:
    return Label(**{name: row[name] for name in Label.__dataclass_fields__})


def _resolve(words: Sequence[Row[Any]]) -> ResolvedLabel:
    """Return the current label of one text from all its labels, oldest first."""
    latest = words[-1]
    last = {word.author: word for word in words}.values()
    on = sum(word.label == "on" for word in last)
    off = len(last) - on
    return ResolvedLabel(
        text=latest.text,
        brand=latest.brand,
        label=None if on == off else "on" if on > off else "off",
        votes_on=on,
        votes_off=off,
        authors=tuple(sorted(word.author for word in last)),
        sources=tuple(sorted({word.source for word in last})),
        document=latest.document,
        time=latest.time,
    )


def _count(brand: str, labels: Sequence[ResolvedLabel]) -> BrandStats:
    return BrandStats(
        brand=brand,
        on=sum(label.label == "on" for label in labels),
        off=sum(label.label == "off" for label in labels),
        undecided=sum(label.label is None for label in labels),
        disputed=sum(label.disputed for label in labels),
        authors=len({author for label in labels for author in label.authors}),
        sources=dict(sorted(Counter(s for label in labels for s in label.sources).items())),
        last=max(label.time for label in labels),
    )
