"""What whoever runs the app sees of it, and what it does where its database or voices change."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from slack_fleet import Fleet, answers
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_sender import Sender
from slack_talk import FLAGGED, read
from slack_trouble import check_log

DRAFT = f"oatfolk {FLAGGED}"


def ready(app: SlackProcess) -> tuple[int, str]:
    """Ask whether the app can work."""
    answer = httpx.get(f"{app.admin_url}/readyz", timeout=60)
    return answer.status_code, answer.text


# --- metrics ------------------------------------------------------------------------------------


def figures(app: SlackProcess) -> Callable[..., float]:
    """Read the metrics as Prometheus does; return what looks one up by name and labels."""
    text = httpx.get(f"{app.admin_url}/metrics", timeout=60).raise_for_status().text
    samples = {
        (sample.name.removeprefix("onbrand_slack_"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    return lambda name, **labels: samples.get((name, frozenset(labels.items())), 0.0)


def test_metrics_count_what_happened(peer: SlackPeer, fleet: Fleet) -> None:
    app = fleet.start()
    sender = fleet.senders[0]
    peer.fail("response_url", status=429, headers={"Retry-After": "1"})
    for _ in range(3):
        assert sender.command(DRAFT).status == 200
    sender.event({"type": "app_mention"})  # of nobody, nowhere
    for retry in range(3):
        sender.mention(DRAFT, id="EvTwice", ts="1.5", retry=retry)
    assert sender.post("payload=1", "application/json", secret="wrong").status == 401
    fleet.settle()
    peer.wait(lambda _: figures(app)("posting") == 0, what="the end of all posting")

    figure = figures(app)
    assert figure("requests_total", kind="command", status="200") == 3
    assert figure("jobs_total", kind="check", outcome="done") == 4
    assert figure("jobs_total", kind="check", outcome="failed") == 0
    delivered, later = {"outcome": "delivered"}, {"outcome": "later"}
    assert figure("slack_calls_total", method="response_url", **delivered) == 3
    assert figure("slack_calls_total", method="response_url", **later) == 1
    assert figure("slack_calls_total", method="chat.postEphemeral", **delivered) == 1
    assert figure("rate_limits_total", method="response_url") == 1
    assert figure("queue", lane="score") == figure("queue", lane="post") == 0
    assert figure("score_seconds_count") == 4
    assert figure("ack_seconds_count") == 8
    assert figure("ack_seconds_bucket", le="+Inf") == 8


# --- the database goes away ---------------------------------------------------------------------


@contextmanager
def away(database: str) -> Iterator[None]:
    """Let a PostgreSQL database take no connections, and end those that there are."""
    url = sa.make_url(database)
    server = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")

    def allow(connections: bool) -> None:
        with server.connect() as connection:
            change = f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS {connections}"
            connection.exec_driver_sql(change)

    allow(False)
    with server.connect() as connection:
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        connection.execute(sa.text(end), {"name": url.database})
    try:
        yield
    finally:
        allow(True)
        server.dispose()


@pytest.mark.parametrize(
    "fleet", [pytest.param("postgres", marks=pytest.mark.heavy("postgres"))], indirect=True
)
def test_a_database_that_goes_away_and_comes_back(peer: SlackPeer, fleet: Fleet) -> None:
    app = fleet.start()
    sender = fleet.senders[0]
    assert ready(app) == (200, "ready\n")
    with away(fleet.database):
        status, words = ready(app)
        assert status == 503
        assert words.count("\n") == 1
        assert "postgres" in words
        assert httpx.get(f"{app.admin_url}/healthz").status_code == 200
        assert "onbrand_slack_queue" in httpx.get(f"{app.admin_url}/metrics").text
        event = {"id": "EvLost", "ts": "1.5", "user": "U0LOST", "channel": "D0LOST"}
        assert sender.direct_message(DRAFT, **event).status == 500, "so that Slack tries again"
        told = sender.command(DRAFT)
        assert (told.status, "Please send it again" in told.text) == (200, True)
    peer.wait(lambda _: ready(app) == (200, "ready\n"), what="readiness")
    assert sender.direct_message(DRAFT, **event, retry=1).status == 200
    assert sender.command(DRAFT).status == 200
    assert fleet.settle() == {"done": 2}
    assert len(answers(peer, "D0LOST")) == 1
    assert "pool" not in app.log()


@pytest.mark.parametrize(
    "fleet", [pytest.param("postgres", marks=pytest.mark.heavy("postgres"))], indirect=True
)
def test_an_answer_whose_end_cannot_be_stored_is_given_once(peer: SlackPeer, fleet: Fleet) -> None:
    fleet.start()
    peer.fail("response_url", delay=1, late=True)
    fleet.senders[0].command(DRAFT)
    peer.wait_for("response_url")
    with away(fleet.database):
        peer.wait(
            lambda _: "a job's state was not stored" in fleet.replicas[0].log(), what="the failure"
        )
    assert fleet.settle() == {"done": 1}
    assert len(peer.of("response_url")) == 1


def test_a_database_that_another_program_has_locked_for_a_moment(
    peer: SlackPeer, fleet: Fleet
) -> None:
    fleet.start()
    with (
        closing(sqlite3.connect(fleet.database, isolation_level=None)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("BEGIN IMMEDIATE")
        sent = pool.submit(fleet.senders[0].command, DRAFT)
        peer.wait(lambda _: sent.running(), what="the command")
        assert fleet.states() == {}
        other.execute("COMMIT")
        assert sent.result().status == 200
    assert fleet.settle() == {"done": 1}


# --- voices -------------------------------------------------------------------------------------


@pytest.fixture
def voices(tmp_path: Path, example_voices: Path) -> Path:
    """A folder with one voice."""
    folder = tmp_path / "voices"
    shutil.copytree(example_voices / "oatfolk", folder / "oatfolk")
    return folder


@pytest.fixture
def app(peer: SlackPeer, tmp_path: Path, voices: Path) -> Iterator[SlackProcess]:
    with SlackProcess(peer, tmp_path, voices) as app:
        yield app
    check_log(app)


@pytest.fixture
def sender(peer: SlackPeer, app: SlackProcess) -> Iterator[Sender]:
    sender = Sender(peer, app.url)
    yield sender
    sender.close()


def told(sender: Sender, text: str) -> str:
    """Say something and return what is answered."""
    payload = sender.command_payload(text)
    before = len(sender.peer.of("response_url"))
    assert sender._form("slash_commands", payload).text == ""
    return read(sender.peer.wait_for("response_url", count=before + 1)[-1].arguments)


def test_voices_that_come_and_go_are_noticed_in_a_moment(
    peer: SlackPeer, sender: Sender, voices: Path, example_voices: Path
) -> None:
    assert "for oatfolk" in told(sender, DRAFT)
    aside = voices.parent / "quillpot"
    shutil.copytree(example_voices / "quillpot", aside)
    aside.rename(voices / "quillpot")
    shutil.rmtree(voices / "oatfolk")
    brands = peer.wait(lambda _: (said := told(sender, "brands")) and "quillpot" in said and said)
    assert "oatfolk" not in brands
    assert "for quillpot" in told(sender, f"quillpot {FLAGGED}")


def test_without_voices_everybody_is_told_what_to_do_until_there_are_some(
    peer: SlackPeer, tmp_path: Path, example_voices: Path
) -> None:
    folder = tmp_path / "voices"
    (folder / "oatfolk").mkdir(parents=True)
    (folder / "oatfolk" / "voice.json").write_text("{")
    with SlackProcess(peer, tmp_path, folder) as app:
        sender = Sender(peer, app.url)
        assert "no voices yet" in told(sender, FLAGGED)
        sender.mention(FLAGGED)
        assert "no voices yet" in peer.wait_for("chat.postEphemeral")[0].body
        shutil.rmtree(folder / "oatfolk")
        shutil.copytree(example_voices / "oatfolk", folder / "oatfolk")
        peer.wait(lambda _: "for oatfolk" in told(sender, DRAFT), what="the voice")
        sender.close()
        warnings = [line for line in app.lines() if line["level"] == "warning"]
    assert any("voice.json" in str(line) for line in warnings)
