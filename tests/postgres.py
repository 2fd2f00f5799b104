"""A PostgreSQL server of our own, and a fresh database for each test that asks for one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

_DEBIAN_BINARIES = "usr/lib/postgresql/*/bin/initdb"


def _binaries() -> Path:
    """The folder of initdb and pg_ctl; Debian keeps them off the path, one folder a version."""
    found = shutil.which("initdb") or max(Path("/").glob(_DEBIAN_BINARIES), default=None)
    assert found, "PostgreSQL is not installed (apt-get install postgresql)"
    return Path(found).parent


def _unprivileged_user() -> str:
    """The user that Debian's package makes, or the one that is on every system."""
    users = {account.pw_name for account in pwd.getpwall()}
    return "postgres" if "postgres" in users else "nobody"


def _run_server(folder: Path) -> Iterator[str]:
    binaries = _binaries()
    # PostgreSQL refuses to run as root, as which builds in containers run.
    user = _unprivileged_user() if os.geteuid() == 0 else None
    if user:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)

    def run(*command: str | Path) -> None:
        done = subprocess.run(
            command, cwd=folder, user=user, group=user, text=True, capture_output=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    data = folder / "data"
    encoding = ("--encoding=UTF8", "--locale=C", "--auth=trust", "--username=onbrand")
    run(binaries / "initdb", "--no-sync", *encoding, "--pgdata", data)
    settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    control = (binaries / "pg_ctl", "--pgdata", data, "--wait")
    run(*control, "--log", folder / "log", "--options", settings, "start")
    try:
        yield f"postgresql+psycopg://onbrand@/postgres?host={folder}"
    finally:
        run(*control, "--mode", "immediate", "stop")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server: ``ONBRAND_TEST_POSTGRES``, else a throw-away one on a socket."""
    given = os.environ.get("ONBRAND_TEST_POSTGRES")
    if given:
        yield given
        return
    # Not pytest's folder: the path of a socket may have no more than 107 bytes.
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        yield from _run_server(Path(folder))


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a fresh database, dropped after the test."""
    import sqlalchemy as sa

    name = f"onbrand_{uuid4().hex}"
    url = sa.make_url(postgres_server).set(drivername="postgresql+psycopg")
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        server.dispose()
