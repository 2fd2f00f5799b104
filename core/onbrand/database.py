"""Databases in SQLite or PostgreSQL: write locks, errors in one line, migrations."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from weakref import WeakValueDictionary

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from onbrand.errors import OnbrandError, missing_extra

# An arbitrary number; it must be the same in all versions of onbrand.
_WRITER_LOCK = 0x0B2A_4D1A
_LOCKED = "is locked by another program; close it or try again"
_SQLITE_REASONS = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
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


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """What sets one kind of database apart from others."""

    name: str
    """Its name in errors, say "the label database"."""
    one_writer: bool = True
    """Allow one writer at a time on PostgreSQL, too, instead of row locks."""
    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    """SQLite: whether commits survive a power cut ("FULL") or only a crash of the process."""
    private: bool = False
    """SQLite: only the owner may read the file, as it holds secrets."""
    connections: int = 15
    """Limit on open connections."""


class Database:
    """An SQLite file or a PostgreSQL database.

    Args:
        location: a path, or a URL ``sqlite:///…``, ``postgresql://…`` or ``postgres://…``.
        options: its name, locking and safety.
        timeout: how long to wait for another writer, in seconds.

    Raises:
        OnbrandError: the URL is malformed or of another kind, or its driver is not installed.
    """

    def __init__(self, location: str, options: DatabaseOptions, timeout: float) -> None:
        url = _parse(location, options)
        self.path = Path(url.database or "") if url.drivername == "sqlite" else None
        """The file, for SQLite."""
        self.display_name = str(self.path) if self.path else _without_secrets(url)
        """Its name in errors: the path, or the URL without user and password."""
        self.engine = (
            _sqlite(url, options, timeout) if self.path else _postgres(url, options, timeout)
        )
        """For libraries with statements of their own; wrap them in `translate_errors`."""
        self._options = options
        self._timeout = timeout
        self._lock = _lock_of(self.path) if self.path else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that sees one state of the database."""
        with self.translate_errors(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in a writing transaction; committed at the end.

        It is the only one at a time, unless the options allow several on PostgreSQL. So what a
        writer reads does not change before it has written; the wait is short where people click.
        """
        with self.exclusive_write() if self._options.one_writer else self._write() as connection:
            yield connection

    @contextmanager
    def exclusive_write(self) -> Iterator[Connection]:
        """Yield a connection in a writing transaction, the only one at a time on any database."""
        with self._write() as connection:
            if self.path is None:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITER_LOCK)))
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with (
            self.write_lock(),
            self.translate_errors(),
            self.engine.connect() as connection,
            connection.execution_options(begin="BEGIN IMMEDIATE").begin(),
        ):
            if self.path is None:
                wait = f"{self._timeout * 1000:.0f}ms"
                connection.execute(sa.select(sa.func.set_config("lock_timeout", wait, True)))
            yield connection

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        """Hold this process's lock for writing to the SQLite file.

        SQLite has a lock of its own, but sleeps up to 100 ms between two attempts to get it.
        """
        if self._lock is None:
            yield
            return
        if not self._lock.acquire(timeout=self._timeout):
            raise OnbrandError(_LOCKED, path=self.display_name)
        try:
            yield
        finally:
            self._lock.release()

    def exists(self) -> bool:
        """Tell whether the SQLite file exists; True for PostgreSQL, where connecting will tell."""
        return self.path is None or self.path.exists()

    def make_file(self) -> None:
        """Make the folder of the SQLite file, and the file itself if it must be private."""
        if self.path is None:
            return
        mode = 0o700 if self._options.private else 0o777
        try:
            self.path.parent.mkdir(mode, parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise OnbrandError(
                f"its folder cannot be made ({reason})", path=self.display_name
            ) from None
        if self._options.private:
            # SQLite reports what is wrong with the file itself.
            with suppress(OSError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL, 0o600))

    def close_to_others(self) -> None:
        """Allow only the owner to read an SQLite file that must be private and exists already."""
        if self.path is not None and self._options.private:
            for suffix in ("", "-wal", "-shm"):
                with suppress(OSError):
                    Path(f"{self.path}{suffix}").chmod(0o600)

    def use_write_ahead_log(self) -> None:
        """Switch the SQLite file to a write-ahead log, so that readers do not wait for a writer.

        SQLite does not always wait for its lock here, so this tries again.
        """
        if self.path is None:
            return
        until = time.monotonic() + self._timeout
        while True:
            try:
                self._pragma("journal_mode = WAL")
            except sqlite3.Error as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise OnbrandError(self._reason(error), path=self.display_name) from None
                time.sleep(0.01)
            else:
                return

    def truncate_log(self) -> None:
        """Empty SQLite's log, so that deleted rows are gone; ``secure_delete`` clears the file."""
        if self.path is not None:
            with self.write_lock(), self.translate_errors():
                self._pragma("wal_checkpoint(TRUNCATE)")

    def _pragma(self, pragma: str) -> None:
        """Run a pragma that must run outside of a transaction."""
        connection = self.engine.raw_connection()
        try:
            connection.cursor().execute(f"PRAGMA {pragma}")
        finally:
            connection.close()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Turn errors of the database driver into `OnbrandError`."""
        # "from None": the driver's error quotes the statement with customers' text.
        try:
            yield
        except DBAPIError as error:
            raise OnbrandError(self._reason(error.orig), path=self.display_name) from None
        except sqlite3.Error as error:
            raise OnbrandError(self._reason(error), path=self.display_name) from None
        except PoolTimeout:
            raise OnbrandError(
                "all connections are in use; try again", path=self.display_name
            ) from None

    def _reason(self, cause: BaseException | None) -> str:
        if isinstance(cause, sqlite3.Error):
            code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
            reason = _SQLITE_REASONS.get(code)
        else:
            reason = _POSTGRES_REASONS.get(getattr(cause, "sqlstate", None) or "")
        # PostgreSQL's details quote the row.
        primary = getattr(getattr(cause, "diag", None), "message_primary", None)
        said = " ".join(str(primary or cause).split())
        url = self.engine.url
        for secret in filter(None, (url.password, url.query.get("password"))):
            said = said.replace(str(secret), "***")
        return reason or f"the database refused ({said})"


_locks: WeakValueDictionary[Path, threading.Lock] = WeakValueDictionary()
_locks_guard = threading.Lock()


def _lock_of(path: Path) -> threading.Lock:
    """Return the lock of a file, shared within this process."""
    with _locks_guard:
        return _locks.setdefault(path.resolve(), threading.Lock())


def _parse(location: str, options: DatabaseOptions) -> URL:
    if "://" not in location:
        return URL.create("sqlite", database=location)
    try:
        url = make_url(location)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        # The URL itself is not shown: it may hold a password.
        raise OnbrandError(
            f"{options.name}'s URL cannot be read; write postgresql://USER@HOST:PORT/NAME"
        ) from None
    if backend == "sqlite" and url.database not in (None, "", ":memory:"):
        return URL.create("sqlite", database=url.database)
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise OnbrandError(
        f"{options.name} cannot be at a {backend} URL; name an SQLite file or postgresql://…"
    )


def _without_secrets(url: URL) -> str:
    # Built anew from harmless parts, as the query may hold a password, too.
    bare = URL.create("postgresql", host=url.host, port=url.port, database=url.database)
    return bare.render_as_string()


def _sqlite(url: URL, options: DatabaseOptions, timeout: float) -> Engine:
    engine = sa.create_engine(url, connect_args={"timeout": timeout}, **_pool(options, timeout))

    @sa.event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        # Else the sqlite3 module begins transactions itself, and too late.
        connection.isolation_level = None
        for pragma in (
            f"synchronous = {options.synchronous}",
            "secure_delete = ON",  # overwrite what is deleted
            "trusted_schema = OFF",  # a project's file may come from anyone
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


def _postgres(url: URL, options: DatabaseOptions, timeout: float) -> Engine:
    try:
        return sa.create_engine(
            url, pool_pre_ping=True, connect_args={"connect_timeout": 10}, **_pool(options, timeout)
        )
    except ImportError:
        raise missing_extra(f"{options.name} on PostgreSQL", "postgres") from None


def _pool(options: DatabaseOptions, timeout: float) -> dict[str, Any]:
    return {
        "pool_size": options.connections,
        "max_overflow": 0,
        "pool_timeout": timeout,
        "hide_parameters": True,
    }


PREFIX = "onbrand_"
"""Prefix of onbrand's tables, so that they can share a database with other tables."""

# Alembic keeps its state in a module: one upgrade at a time.
_one_upgrade = threading.Lock()


@dataclass(frozen=True, slots=True)
class Schema:
    """A set of tables with its own migrations."""

    version_table: str
    head: str
    """The newest migration; a database at it is opened without importing Alembic."""
    migrations: Path
    """Alembic's folder."""
    absent: str
    """The error where the tables do not exist and must not be made."""

    def prepare(self, database: Database, *, create: bool) -> None:
        """Make the tables, or migrate them to the newest version.

        Raises:
            OnbrandError: there are none and ``create`` is false, they are of a newer onbrand, or
                the file is another program's.
        """
        absent = OnbrandError(self.absent, path=database.display_name)
        if not create and not database.exists():
            raise absent
        database.make_file()
        with database.read() as connection:
            at = self._version(connection)
            if at == self.head:
                return
            if at is None and not create:
                raise absent
            if at is None and database.path is not None and _is_foreign(connection):
                raise OnbrandError(
                    "is the database of another program; name a new file",
                    path=database.display_name,
                )
        database.close_to_others()
        database.use_write_ahead_log()
        with database.exclusive_write() as connection:
            if self._version(connection) != self.head and not self._upgrade(connection):
                raise OnbrandError(
                    "was written by a newer onbrand; upgrade this one",
                    path=database.display_name,
                )

    def _version(self, connection: Connection) -> str | None:
        """Return the migration that a database is at, None where the tables are not there yet."""
        if not sa.inspect(connection).has_table(self.version_table):
            return None
        return connection.execute(
            sa.select(sa.column("version_num")).select_from(sa.table(self.version_table))
        ).scalar()

    def _upgrade(self, connection: Connection) -> bool:
        """Run the migrations that are due, inside the connection's transaction.

        Returns:
            False where the database is at a migration that this onbrand does not have.
        """
        # Imported here: opening up-to-date tables takes less time than importing Alembic.
        from alembic import command
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(self.migrations).replace("%", "%%"))
        scripts = ScriptDirectory.from_config(config).walk_revisions()
        if self._version(connection) not in {None, *(script.revision for script in scripts)}:
            return False
        with _one_upgrade:
            command.upgrade(config, "head")
        return True


def _is_foreign(connection: Connection) -> bool:
    """Tell whether the database has tables, and none of onbrand's."""
    tables = sa.inspect(connection).get_table_names()
    return bool(tables) and not any(name.startswith(PREFIX) for name in tables)
