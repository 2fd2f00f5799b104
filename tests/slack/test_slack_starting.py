"""What the app cannot start with: one line that says so, and nothing else."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from slack_peer import SlackPeer
from slack_sender import SIGNING_SECRET
from slack_web_api import APP_TOKEN, BOT_TOKEN

from onbrand_slack.store import Store, schema

SECRETS = (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, "xoxb-other", "hunter2")


class Start:
    """The command line and the environment of a start; tests spoil one thing of it."""

    def __init__(self, peer: SlackPeer, folder: Path, voices: Path) -> None:
        self.database = str(folder / "slack.db")
        self.voices = voices
        self.options = ["--http"]
        self.ports = ["0", "0"]
        self.environment = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "ONBRAND_SLACK_API_URL": peer.api_url,
        }
        self._folder = folder

    def fails(self) -> str:
        """Start, and return the one line of its failure."""
        command = [sys.executable, "-m", "onbrand", "slack", *self.options]
        command += ["--voices", str(self.voices), "--database", self.database]
        command += ["--port", self.ports[0], "--admin-port", self.ports[1]]
        done = subprocess.run(
            command,
            cwd=self._folder,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (done.returncode, done.stdout) == (2, "")
        told = [line for line in done.stderr.splitlines() if not line.startswith("{")]
        assert "Traceback" not in done.stderr
        assert [secret for secret in SECRETS if secret in done.stderr] == []
        [error] = told
        assert error.startswith("error: ")
        return error


@pytest.fixture
def start(peer: SlackPeer, tmp_path: Path, example_voices: Path) -> Start:
    return Start(peer, tmp_path, example_voices)


@pytest.mark.parametrize(
    ("options", "unset", "says"),
    [
        (["--http"], ["SLACK_SIGNING_SECRET"], "SLACK_SIGNING_SECRET in the environment"),
        (["--http"], ["SLACK_BOT_TOKEN"], "SLACK_CLIENT_ID, SLACK_CLIENT_SECRET"),
        (["--socket-mode"], ["SLACK_APP_TOKEN"], "SLACK_APP_TOKEN"),
        (["--socket-mode"], ["SLACK_APP_TOKEN", "SLACK_BOT_TOKEN"], "SLACK_BOT_TOKEN, SLACK_APP"),
        ([], [], "--socket-mode"),
        (["--http", "--socket-mode"], [], "--socket-mode"),
    ],
)
def test_what_is_not_in_the_environment_is_named(
    start: Start, options: list[str], unset: list[str], says: str
) -> None:
    start.options = options
    start.environment |= dict.fromkeys(unset, "")
    assert says in start.fails()


def test_a_token_of_another_kind_is_not_shown(start: Start) -> None:
    start.environment["SLACK_BOT_TOKEN"] = "xoxp-hunter2"
    assert "SLACK_BOT_TOKEN must begin with xoxb-" in start.fails()


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked"])
def test_a_token_that_slack_does_not_take(peer: SlackPeer, start: Start, error: str) -> None:
    peer.refuse("auth.test", error, times=100)
    assert f"Slack does not take SLACK_BOT_TOKEN ({error})" in start.fails()
    assert len(peer.calls) == 1


@pytest.mark.parametrize("which", [0, 1])
def test_a_port_that_is_taken(start: Start, which: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        start.ports[which] = str(taken.getsockname()[1])
        assert f"cannot listen on 127.0.0.1:{start.ports[which]}" in start.fails()


# --- voices -------------------------------------------------------------------------------------


def test_a_folder_of_voices_that_is_not_there(start: Start, tmp_path: Path) -> None:
    start.voices = tmp_path / "nowhere"
    assert "no such folder of voices" in start.fails()


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ("hype,hpye", "no register is named 'hpye' (known: hype, corporate, legalese, "),
        (" , ", "--avoid needs names of registers (known: hype, "),
    ],
)
def test_a_register_to_avoid_that_is_none(start: Start, names: str, says: str) -> None:
    start.environment["ONBRAND_SLACK_AVOID"] = names
    assert says in start.fails()


# --- the database -------------------------------------------------------------------------------


def _folder(start: Start) -> None:
    Path(start.database).mkdir()


def _damaged(start: Start) -> None:
    Store.open(start.database).close()
    with Path(start.database).open("r+b") as file:
        file.seek(20)
        file.write(os.urandom(50_000))


def _no_database(start: Start) -> None:
    Path(start.database).write_text("Dear diary,\n" * 1000)


def _newer(start: Start) -> None:
    Store.open(start.database).close()
    with closing(sqlite3.connect(start.database)) as connection, connection:
        connection.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = 'of-next-year'")


def _of_another_program(start: Start) -> None:
    with closing(sqlite3.connect(start.database)) as connection, connection:
        connection.execute("CREATE TABLE recipes (id, recipe)")


def _unknown_kind(start: Start) -> None:
    start.database = "mysql://onbrand:hunter2@db.example/onbrand"


def _server_away(start: Start) -> None:
    start.database = "postgresql://onbrand:hunter2@127.0.0.1:1/onbrand"


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_folder, "cannot be opened"),
        (_damaged, ("is damaged", "is no SQLite database")),
        (_no_database, "is no SQLite database"),
        (_newer, "newer onbrand"),
        (_of_another_program, "another program"),
        (_unknown_kind, "mysql"),
        pytest.param(_server_away, "refused", marks=pytest.mark.heavy("psycopg")),
    ],
)
def test_a_database_that_cannot_be_used(
    start: Start, spoil: Callable[[Start], None], says: str | tuple[str, ...]
) -> None:
    spoil(start)
    error = start.fails()
    assert any(words in error for words in ([says] if isinstance(says, str) else says)), error


@pytest.mark.heavy("postgres")
def test_a_server_that_may_only_be_read(start: Start, postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = sa.make_url(postgres_url).database
        setting = f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'
        connection.exec_driver_sql(setting)
    engine.dispose()
    start.database = postgres_url
    assert "is read-only" in start.fails()


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nobody can write, root included, where that can be had."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount")
    if mounted:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", folder], check=False)
        mounted = made.returncode == 0
    elif os.geteuid() != 0:
        folder.chmod(0o500)
    yield folder
    if mounted:
        subprocess.run(["umount", folder], check=True)


def test_a_folder_that_cannot_be_written(start: Start, read_only: Path) -> None:
    if os.access(read_only, os.W_OK):
        pytest.skip("root may write everywhere here")
    start.database = str(read_only / "slack.db")
    error = start.fails()
    assert "cannot be opened" in error or "is read-only" in error


@pytest.mark.slow
def test_a_database_that_another_program_keeps_locked(start: Start) -> None:
    with closing(sqlite3.connect(start.database, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        assert "is locked by another program" in start.fails()
