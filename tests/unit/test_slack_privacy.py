"""What is left of people and workspaces that asked to be forgotten, down to the file's bytes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from slack_data import ACME, OTHER, Data
from slack_sdk.oauth.installation_store.models.installation import Installation

from onbrand.errors import OnbrandError
from onbrand.labels.model import Label
from onbrand_slack.answer import BrandSettings, Review, WorkspaceSettings
from onbrand_slack.model import Check, Pasted, Source, Tenant, ToUser
from onbrand_slack.store import schema
from onbrand_slack.store.privacy import KEPT
from onbrand_slack.store.reviews import DELETED

SECRET = "A most unusual wording about zeppelins."


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "slack.db"


@pytest.fixture
def data(path: Path) -> Iterator[Data]:
    with Data.open(str(path)) as data:
        yield data


def stored_bytes(path: Path) -> bytes:
    """All that is on the disk, SQLite's log included."""
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def label(user: str, text: str = SECRET, said: Any = "on") -> Label:
    return Label(text, "acme", said, author=user, source="slack", document="c1")


def request(text: str) -> Check:
    return Check("U1", Source.COMMAND, Pasted(text), ToUser("C1", "U1"))


def install(data: Data, tenant: Tenant) -> None:
    installation = Installation(
        app_id="A1", user_id="U9", team_id=tenant.workspace, bot_token="xoxb-1", bot_id="B1"
    )
    data.installations.bolt.save(installation)


def fill(data: Data, tenant: Tenant) -> Review:
    """Let U1 check and send a draft, and everybody say something."""
    install(data, tenant)
    review, _ = data.reviews.open_for(tenant, data.check(tenant, retention_days=9), "U1")
    other, _ = data.reviews.open_for(tenant, data.check(tenant, user="U2"), "U2")
    data.reviews.decide(tenant, review.id, "U2", "reject", "U1 says too much", "k1")
    data.reviews.decide(tenant, other.id, "U1", "approve", "I like it", "k2")
    data.labels.workspace(tenant.workspace).add([label("U1"), label("U2")])
    data.settings.set_user_brand(tenant, "U1", "acme")
    data.settings.set_channel_brand(tenant, "C1", "acme", "U1")
    data.settings.set_brand(tenant, BrandSettings("acme", reviewers=("U1", "U2")), "U2")
    data.settings.set_workspace(tenant, WorkspaceSettings(9, ("U1",)), "U2")
    data.jobs.put(tenant, request("In the queue."), key="e1", lane="score")
    return review


def test_a_forgotten_user_leaves_figures_that_are_nobodys(data: Data) -> None:
    review = fill(data, ACME)
    fill(data, OTHER)
    others = data.everything(OTHER)
    counts = data.privacy.forget_user(ACME, "U1")
    assert counts == {"checks": 1, "reviews": 1, "decisions": 1, "labels": 1}

    mine = data.everything(ACME)
    assert {row["user"] for row in mine["onbrand_slack_checks"]} == {"U2"}
    assert len({row["check_id"] for row in mine["onbrand_slack_sentences"]}) == 1
    assert len(mine["onbrand_slack_sealed"]) == 1
    assert mine["onbrand_slack_user_settings"] == []
    assert [word.author for word in mine["labels"][0]] == ["U2"]
    reviews = {row["id"]: row["author"] for row in mine["onbrand_slack_reviews"]}
    assert reviews.pop(review.id) == DELETED
    assert list(reviews.values()) == ["U2"]
    # That he decided stays, and so does what was decided on his draft; the reasons do not.
    words = [
        (row["user"], row["decision"], row["reason"]) for row in data.rows(schema.decisions, ACME)
    ]
    assert words == [("U2", "reject", ""), (DELETED, "approve", "")]
    noted = mine["onbrand_slack_audit"]
    assert (noted[-1]["user"], noted[-1]["action"]) == (DELETED, "forget")
    assert {row["user"] for row in noted} == {DELETED, "U2"}
    assert "U1" not in str([(row["user"], row["subject"], row["detail"]) for row in noted])
    # To take him from the list could let everyone decide.
    assert data.settings.brand(ACME, "acme").reviewers == ("U1", "U2")
    assert data.everything(OTHER) == others
    assert data.privacy.forget_user(ACME, "U1") == dict.fromkeys(counts, 0)


def test_reviews_of_a_forgotten_users_drafts_are_closed(data: Data) -> None:
    his = data.check()
    review, _ = data.reviews.open_for(ACME, his, "U1")
    # Someone else may send what he was shown.
    shared, _ = data.reviews.open_for(ACME, data.check(), "U2")
    data.privacy.forget_user(ACME, "U1")
    for closed in (review, shared):
        assert data.reviews.get(ACME, closed.id) is None
        assert data.reviews.by_check(ACME, closed.check) is None
        with pytest.raises(OnbrandError, match="no longer there"):
            data.reviews.decide(ACME, closed.id, "U2", "approve", "", "k1")
    assert data.reviews.waiting(ACME) == data.reviews.of_author(ACME, DELETED) == []
    assert data.rows(schema.decisions) == []


def test_a_forgotten_workspace_leaves_nothing(data: Data, path: Path) -> None:
    fill(data, ACME)
    fill(data, OTHER)
    others = data.everything(OTHER)
    data.privacy.forget_workspace(ACME)
    left = data.everything(ACME)
    assert left.pop("labels") == [[]]
    assert {name: rows for name, rows in left.items() if rows} == {}
    assert data.installations.find(None, "T1") is None
    assert data.everything(OTHER) == others
    assert data.installations.find(None, "T2") is not None


def test_an_uninstalled_app_keeps_scores_and_drops_what_needs_slack(data: Data) -> None:
    fill(data, ACME)
    fill(data, OTHER)
    (running,) = data.jobs.claim("w1", "score")
    assert running.tenant == ACME
    before, others = data.everything(ACME), data.everything(OTHER)
    data.jobs.put(ACME, request("Waits."), key="e2", lane="score")
    data.privacy.uninstall(ACME)
    after = data.everything(ACME)
    assert after.pop("onbrand_slack_sealed") == []
    assert [row["state"] for row in after.pop("onbrand_slack_jobs")] == ["running"]
    changed = {"onbrand_slack_sealed", "onbrand_slack_jobs", "onbrand_slack_events"}
    assert {name: after[name] for name in before if name not in changed} == {
        name: rows for name, rows in before.items() if name not in changed
    }
    assert data.installations.find(None, "T1") is None
    assert data.everything(OTHER)["onbrand_slack_sealed"] == others["onbrand_slack_sealed"]
    assert data.installations.find(None, "T2") is not None


def test_purging_drops_what_had_its_time(data: Data) -> None:
    data.check()
    kept = data.check(retention_days=2)
    state = data.installations.states.issue()
    assert data.privacy.purge(datetime.now(UTC)) == {"sealed": 0, "states": 0, "jobs": 0}
    assert data.privacy.purge(datetime.now(UTC) + timedelta(hours=25)) == {
        "sealed": 1,
        "states": 1,
        "jobs": 0,
    }
    assert not data.installations.states.consume(state)
    assert data.checks.open_kept(ACME, kept.id) == kept
    assert len(data.rows(schema.checks)) == 2


def test_purging_drops_old_jobs_and_events(data: Data) -> None:
    for key in ("old", "new"):
        data.jobs.put(ACME, request("Text."), key=key, lane="score")
    for job in data.jobs.claim("w1", "score", 2):
        data.jobs.finish(job.id, "w1")
    with data.database.write() as connection:
        for table, column in ((schema.jobs, "ended"), (schema.events, "time")):
            old = sa.update(table).where(table.c.key == "old")
            connection.execute(
                old.values({column: datetime.now(UTC) - KEPT - timedelta(seconds=1)})
            )
    assert data.privacy.purge(datetime.now(UTC))["jobs"] == 2
    assert [row["key"] for row in data.rows(schema.jobs)] == ["new"]
    assert [row["key"] for row in data.rows(schema.events)] == ["new"]


def test_the_log_is_emptied_only_where_something_is_gone(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    emptied: list[int] = []
    monkeypatch.setattr(data.database, "truncate_log", lambda: emptied.append(1))

    def times(ahead: timedelta = timedelta(0)) -> int:
        data.privacy.purge(datetime.now(UTC) + ahead)
        return len(emptied)

    assert times() == 1, "whatever was done before this replica began"
    assert times() == 1
    data.check()
    data.jobs.put(ACME, request("In the queue."), key="e1", lane="score")
    assert times() == 1
    (job,) = data.jobs.claim("w1", "score")
    data.jobs.finish(job.id, "w1")
    assert times() == 2, "the draft of a job that has ended"
    assert times() == 2
    assert times(timedelta(hours=25)) == 3


def test_keys_of_drafts_that_are_kept_no_more_are_gone_at_once(data: Data, path: Path) -> None:
    data.settings.set_workspace(ACME, WorkspaceSettings(9), "U2")
    data.check(retention_days=9)
    keys = [row["key"] for row in data.rows(schema.sealed)]
    assert all(key in stored_bytes(path) for key in keys)
    data.settings.set_workspace(ACME, WorkspaceSettings(0), "U2")
    assert len(keys) == 1
    assert not any(key in stored_bytes(path) for key in keys)


def test_the_bytes_are_gone_from_the_disk(data: Data, path: Path) -> None:
    """Many of each, so that pages are split, shared and freed."""
    for number in range(60):
        check = data.check(user=f"U{number % 2}")
        review, _ = data.reviews.open_for(ACME, check, f"U{number % 2}")
        data.reviews.decide(ACME, review.id, "U8", "reject", f"{SECRET} Reason.", f"k{number}")
        data.jobs.put(ACME, request(f"{SECRET} Job {number}." * 40), key=f"e{number}", lane="score")
    said = [label(f"U{number % 2}", f"{SECRET} Label {number}.") for number in range(60)]
    data.labels.workspace("T1").add(said)
    for trace in (b"Reason.", b"Job 3.", b"Label 7."):
        assert SECRET.encode() + b" " + trace in stored_bytes(path)

    data.privacy.forget_user(ACME, "U0")
    data.privacy.forget_user(ACME, "U1")
    left = stored_bytes(path)
    assert b"Reason." not in left
    assert b"Label" not in left

    while jobs := data.jobs.claim("w1", "score", 10):
        for job in jobs:
            data.jobs.finish(job.id, "w1")
    data.privacy.purge(datetime.now(UTC))
    assert b"zeppelins" not in stored_bytes(path)
    assert len(data.rows(schema.jobs)) == 60


def test_expired_drafts_are_gone_from_the_disk(data: Data, path: Path) -> None:
    for _ in range(30):
        data.check(retention_days=1)
    boxes = [row["box"] for row in data.rows(schema.sealed)]
    keys = [row["key"] for row in data.rows(schema.sealed)]
    assert all(piece[-24:] in stored_bytes(path) for piece in (*boxes, *keys))
    data.privacy.purge(datetime.now(UTC) + timedelta(days=1, hours=1))
    left = stored_bytes(path)
    assert not any(piece[-24:] in left for piece in (*boxes, *keys))


def test_the_audit_tells_who_did_what_when_and_no_text(data: Data) -> None:
    review = fill(data, ACME)
    fill(data, OTHER)
    data.privacy.note(ACME, "U2", "export")
    entries = list(data.privacy.audit(ACME))
    told = [(entry["user"], entry["action"], entry["brand"]) for entry in entries]
    assert told == [
        ("U1", "check", "acme"),
        ("U1", "review", "acme"),
        ("U2", "check", "acme"),
        ("U2", "review", "acme"),
        ("U2", "reject", "acme"),
        ("U1", "approve", "acme"),
        ("U1", "label", "acme"),
        ("U2", "label", "acme"),
        ("U1", "user_settings", None),
        ("U1", "channel_settings", None),
        ("U2", "brand_settings", "acme"),
        ("U2", "workspace_settings", None),
        ("U2", "export", None),
    ]
    assert [entry["time"] for entry in entries] == sorted(entry["time"] for entry in entries)
    check, opened = entries[0], entries[1]
    assert check["detail"] == {
        "source": "command",
        "probability": 0.4,
        "verdict": "review",
        "gate": 0.5,
        "previous": None,
    }
    assert opened["subject"] == entries[4]["subject"] == review.id
    assert opened["detail"] == {"check": check["subject"]}
    assert entries[6]["detail"] == {"label": "on", "source": "slack"}
    assert entries[10]["detail"] == {"reviewers": [[], ["U1", "U2"]]}
    for text in (SECRET, "paradigm", "says too much", "I like it", "plan.txt"):
        assert text not in str(entries)
    assert list(data.privacy.audit(Tenant("T9"))) == []
