"""The tables of the Slack app, all keyed by workspace, and bringing a database to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from onbrand.database import PREFIX as ONBRAND
from onbrand.database import Schema
from onbrand.labels.store import UtcDateTime

PREFIX = f"{ONBRAND}slack_"
VERSION_TABLE = f"{PREFIX}version"
SCHEMA = Schema(
    version_table=VERSION_TABLE,
    head="0001",
    migrations=Path(__file__).parent / "migrations",
    absent="there is no store of the Slack app here; start the app to make one",
)
# Made by the Slack SDK's stores, which define their columns.
INSTALLATIONS = f"{PREFIX}installations"
BOTS = f"{PREFIX}bots"
STATES = f"{PREFIX}states"

metadata = sa.MetaData()


def _table(name: str, *parts: sa.Column[Any] | sa.Constraint | sa.Index) -> sa.Table:
    return sa.Table(f"{PREFIX}{name}", metadata, *parts)


def _workspace() -> sa.Column[str]:
    """The first column of every key, so that no query can mix two workspaces by leaving it out."""
    return sa.Column("workspace", sa.Text, primary_key=True)


def _sequence(name: str = "seq") -> sa.Column[int]:
    # SQLite counts up only in a column of exactly this type.
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


def _index(table: str, *columns: str) -> sa.Index:
    return sa.Index(f"ix_{PREFIX}{table}_{'_'.join(columns)}", *columns)


# --- the queue --------------------------------------------------------------------------------

# Whatever Slack delivers more than once, known by its key.
events = _table(
    "events",
    _workspace(),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("time", UtcDateTime, nullable=False),
    _index("events", "time"),
)

jobs = _table(
    "jobs",
    _sequence("id"),
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("enterprise", sa.Text),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("turn", sa.BigInteger, nullable=False),
    sa.Column("worker", sa.Text),
    sa.Column("lease", UtcDateTime),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("again", sa.Boolean, nullable=False),
    sa.Column("due", UtcDateTime, nullable=False),
    sa.Column("created", UtcDateTime, nullable=False),
    sa.Column("ended", UtcDateTime),
    sa.Column("error", sa.Text),
    sa.CheckConstraint(
        "state IN ('queued', 'running', 'posting', 'done', 'failed')", name=f"ck_{PREFIX}jobs_state"
    ),
    _index("jobs", "workspace", "created"),
    # Who is next, and how many wait, without a look at the table or at jobs that have ended.
    _index("jobs", "lane", "state", "turn", "id", "workspace", "due"),
    _index("jobs", "state", "lease"),
    _index("jobs", "ended"),
)

# --- checks -----------------------------------------------------------------------------------

checks = _table(
    "checks",
    _workspace(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("brand", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("channel", sa.Text),
    sa.Column("ts", sa.Text),
    sa.Column("thread", sa.Text),
    sa.Column("probability", sa.Double),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("gate", sa.Double, nullable=False),
    sa.Column("judged", sa.Integer, nullable=False),
    sa.Column("flagged", sa.Integer, nullable=False),
    # The id of the version before.
    sa.Column("previous", sa.Text),
    sa.Column("time", UtcDateTime, nullable=False),
    _index("checks", "workspace", "user", "time"),
    _index("checks", "workspace", "brand", "time"),
    _index("checks", "workspace", "time"),
)

sentences = _table(
    "sentences",
    _workspace(),
    sa.Column("check_id", sa.Text, primary_key=True),
    sa.Column("index", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("probability", sa.Double),
    sa.Column("flagged", sa.Boolean, nullable=False),
    # Names of habits, for the digest.
    sa.Column("habits", sa.JSON, nullable=False),
)

# Drafts and reports, unreadable without the key that is in the message's buttons. Of a draft that
# waits for its brand there is no check yet.
sealed = _table(
    "sealed",
    _workspace(),
    sa.Column("check_id", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, nullable=False),
    # The organisation that may have installed the app for the workspace, and may remove it.
    sa.Column("enterprise", sa.Text),
    sa.Column("box", sa.LargeBinary, nullable=False),
    # Only where the workspace keeps drafts.
    sa.Column("key", sa.LargeBinary),
    sa.Column("expires", UtcDateTime, nullable=False),
    _index("sealed", "expires"),
)

# --- the review queue -------------------------------------------------------------------------

reviews = _table(
    "reviews",
    _workspace(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("brand", sa.Text, nullable=False),
    sa.Column("check_id", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("channel", sa.Text),
    sa.Column("ts", sa.Text),
    # The key of the job that posts it, or has tried to.
    sa.Column("sender", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("probability", sa.Double),
    sa.Column("opened", UtcDateTime, nullable=False),
    sa.UniqueConstraint("workspace", "check_id", name=f"uq_{PREFIX}reviews_check"),
    sa.CheckConstraint(
        "status IN ('open', 'approved', 'rejected', 'changes')", name=f"ck_{PREFIX}reviews_status"
    ),
    _index("reviews", "workspace", "status", "opened"),
    _index("reviews", "workspace", "author", "opened"),
)

# Every decision ever made, never changed.
decisions = _table(
    "decisions",
    _sequence(),
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("review", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("time", UtcDateTime, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.UniqueConstraint("workspace", "key", name=f"uq_{PREFIX}decisions_key"),
    sa.CheckConstraint(
        "decision IN ('approve', 'reject', 'changes', 'reopen')",
        name=f"ck_{PREFIX}decisions_decision",
    ),
    _index("decisions", "workspace", "review", "seq"),
    _index("decisions", "workspace", "time"),
)

# --- settings ---------------------------------------------------------------------------------

workspace_settings = _table(
    "workspace_settings",
    _workspace(),
    sa.Column("retention_days", sa.Integer, nullable=False),
    sa.Column("admins", sa.JSON, nullable=False),
)

brand_settings = _table(
    "brand_settings",
    _workspace(),
    sa.Column("brand", sa.Text, primary_key=True),
    sa.Column("enterprise", sa.Text),
    sa.Column("review_channel", sa.Text),
    sa.Column("gate", sa.Double),
    sa.Column("labellers", sa.JSON, nullable=False),
    sa.Column("reviewers", sa.JSON, nullable=False),
    sa.Column("own_drafts", sa.Boolean, nullable=False),
    sa.Column("digest_channel", sa.Text),
    sa.Column("digest_day", sa.Integer, nullable=False),
    sa.Column("digest_hour", sa.Integer, nullable=False),
)

channel_settings = _table(
    "channel_settings",
    _workspace(),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("brand", sa.Text, nullable=False),
)

user_settings = _table(
    "user_settings",
    _workspace(),
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("brand", sa.Text, nullable=False),
)

# Who did what when; ids and settings, never text.
audit = _table(
    "audit",
    _sequence(),
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("time", UtcDateTime, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    _index("audit", "workspace", "time"),
)
