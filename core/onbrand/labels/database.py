"""Connections to the label store's database: where it is, one writer at a time, errors in words."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from onbrand.errors import OnbrandError, missing_extra

# Any number will do, so long as all versions of onbrand use the same.
_WRITER_LOCK = 0x0B2A_4D1A
_SQLITE_REASONS = {
    sqlite3.SQLITE_BUSY: "is locked by another program; close it or try again",
    sqlite3.SQLITE_LOCKED: "is locked by another program; close it or try again",
    sqlite3.SQLITE_READONLY: "is read-only; allow writing to the file and its folder",
    sqlite3.SQLITE_PERM: "cannot be opened; check the rights on the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check the path and the rights on the folder",
    sqlite3.SQLITE_NOTADB: "is no SQLite database; name another file",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore it from a backup",
    sqlite3.SQLITE_FULL: "cannot grow, the disk is full; free some space",
}
_POSTGRES_REASONS = {
    "55P03": "is locked by another writer; try again",
    "25006": "is read-only; connect to the primary server",
    "42501": "does not let this user write; grant the rights on the schema",
}


class Database:
    """An SQLite file or a PostgreSQL database.

    Args:
        location: a path, or a URL ``sqlite:///…``, ``postgresql://…`` or ``postgres://…``.
        timeout: how long to wait for another writer, in seconds.

    Raises:
        OnbrandError: the URL is malformed or of another kind, or its driver is not installed.
    """

    def __init__(self, location: str, timeout: float) -> None:
        url = _parse(location)
        self.path = Path(url.database or "") if url.drivername == "sqlite" else None
        """The file, for SQLite."""
        self.place = str(self.path) if self.path else _without_secrets(url)
        """What errors call it."""
        self._timeout = timeout
        self._engine = _sqlite(url, timeout) if self.path else _postgres(url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that sees one state of the store."""
        with self._in_words(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in the one writing transaction there is; committed at the end.

        Taking turns costs little where people click, and makes "the last word" mean the same
        everywhere: what a writer reads holds until it has written.
        """
        with (
            self._in_words(),
            self._engine.connect() as connection,
            connection.execution_options(begin="BEGIN IMMEDIATE").begin(),
        ):
            if self.path is None:
                wait = f"{self._timeout * 1000:.0f}ms"
                connection.execute(sa.select(sa.func.set_config("lock_timeout", wait, True)))
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITER_LOCK)))
            yield connection

    def exists(self) -> bool:
        """Tell whether the SQLite file is there; of PostgreSQL, connecting will tell."""
        return self.path is None or self.path.exists()

    def make_folder(self) -> None:
        """Make the folder that the SQLite file goes in."""
        try:
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise OnbrandError(f"its folder cannot be made ({reason})", path=self.place) from None

    def use_write_ahead_log(self) -> None:
        """Let SQLite's readers go on while someone writes; the file remembers it.

        SQLite does not always wait for its turn here, so this does.
        """
        if self.path is None:
            return
        until = time.monotonic() + self._timeout
        while True:
            try:
                self._pragma("journal_mode = WAL")
            except sqlite3.Error as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise OnbrandError(self._reason(error), path=self.place) from None
                time.sleep(0.01)
            else:
                return

    def scrub(self) -> None:
        """Empty SQLite's log of deleted rows; ``secure_delete`` sees to the file itself."""
        if self.path is not None:
            with self._in_words():
                self._pragma("wal_checkpoint(TRUNCATE)")

    def _pragma(self, pragma: str) -> None:
        """Run a pragma that must stand outside of transactions."""
        connection = self._engine.raw_connection()
        try:
            connection.cursor().execute(f"PRAGMA {pragma}")
        finally:
            connection.close()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        # "from None": the driver's error has the statement, and customers' text in it.
        try:
            yield
        except DBAPIError as error:
            raise OnbrandError(self._reason(error.orig), path=self.place) from None
        except sqlite3.Error as error:
            raise OnbrandError(self._reason(error), path=self.place) from None

    def _reason(self, cause: BaseException | None) -> str:
        if isinstance(cause, sqlite3.Error):
            code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
            reason = _SQLITE_REASONS.get(code)
        else:
            reason = _POSTGRES_REASONS.get(getattr(cause, "sqlstate", None) or "")
        said = " ".join(str(cause).split())
        url = self._engine.url
        for secret in filter(None, (url.password, url.query.get("password"))):
            said = said.replace(str(secret), "***")
        return reason or f"the database refused ({said})"


def _parse(location: str) -> URL:
    if "://" not in location:
        return URL.create("sqlite", database=location)
    try:
        url = make_url(location)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        # The URL itself is not shown: it may hold a password.
        raise OnbrandError(
            "the label database's URL cannot be read; write postgresql://USER@HOST:PORT/NAME"
        ) from None
    if backend == "sqlite" and url.database not in (None, "", ":memory:"):
        return URL.create("sqlite", database=url.database)
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise OnbrandError(
        f"labels cannot be kept at a {backend} URL; name an SQLite file or postgresql://…"
    )


def _without_secrets(url: URL) -> str:
    # A password may stand in the query, too; what is not copied is not shown.
    bare = URL.create("postgresql", host=url.host, port=url.port, database=url.database)
    return bare.render_as_string()


def _sqlite(url: URL, timeout: float) -> Engine:
    engine = sa.create_engine(url, connect_args={"timeout": timeout}, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        # The sqlite3 module would begin transactions by itself, and too late.
        connection.isolation_level = None
        for pragma in (
            "synchronous = FULL",  # committed is on the disk, through a power cut too
            "secure_delete = ON",  # forgotten is overwritten
            "trusted_schema = OFF",  # a project's file may come from anyone
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


def _postgres(url: URL) -> Engine:
    try:
        return sa.create_engine(
            url, pool_pre_ping=True, connect_args={"connect_timeout": 10}, hide_parameters=True
        )
    except ImportError:
        raise missing_extra("a label store on PostgreSQL", "postgres") from None
