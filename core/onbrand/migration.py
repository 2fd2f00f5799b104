"""Making the tables in a database, or bringing them up to date, once, whoever comes first."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from onbrand.database import Database
from onbrand.errors import OnbrandError

PREFIX = "onbrand_"
"""Of all tables of ours, so that they can share a database with each other and with others."""

# Alembic keeps what it works on in its module.
_one_upgrade = threading.Lock()


@dataclass(frozen=True, slots=True)
class Tables:
    """A set of tables with migrations of its own."""

    version_table: str
    head: str
    """The newest migration; a database at it is opened without importing Alembic."""
    migrations: Path
    """Alembic's folder."""
    absent: str
    """What to say where they are not there and shall not be made."""

    def prepare(self, database: Database, *, create: bool) -> None:
        """Make the tables or bring them up to date.

        Raises:
            OnbrandError: there are none and ``create`` is false, they are of a newer onbrand, or
                the file is another program's.
        """
        absent = OnbrandError(self.absent, path=database.place)
        if not create and not database.exists():
            raise absent
        database.make_file()
        with database.read() as connection:
            at = self._version(connection)
            if at == self.head:
                return
            if at is None and not create:
                raise absent
            if at is None and database.path is not None and _foreign(connection):
                raise OnbrandError(
                    "is the database of another program; name a new file", path=database.place
                )
        database.close_to_others()
        database.use_write_ahead_log()
        with database.write_alone() as connection:
            if self._version(connection) != self.head and not self._upgrade(connection):
                raise OnbrandError(
                    "was written by a newer onbrand; upgrade this one",
                    path=database.place,
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
        # Here, since Alembic takes longer to import than tables that are up to date to open.
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


def _foreign(connection: Connection) -> bool:
    """Tell whether the database has tables, and none of onbrand's."""
    tables = sa.inspect(connection).get_table_names()
    return bool(tables) and not any(name.startswith(PREFIX) for name in tables)
