"""The tables of the Slack app."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True)
SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _queue()
    _checks()
    _reviews()
    _settings()
    _installations()


def downgrade() -> None:
    """Remove the tables and all that is in them."""
    for name in (
        "onbrand_slack_events",
        "onbrand_slack_jobs",
        "onbrand_slack_checks",
        "onbrand_slack_sentences",
        "onbrand_slack_sealed",
        "onbrand_slack_reviews",
        "onbrand_slack_decisions",
        "onbrand_slack_workspace_settings",
        "onbrand_slack_brand_settings",
        "onbrand_slack_channel_settings",
        "onbrand_slack_user_settings",
        "onbrand_slack_audit",
        "onbrand_slack_installations",
        "onbrand_slack_bots",
        "onbrand_slack_states",
    ):
        op.drop_table(name)


def _index(table: str, *columns: str) -> None:
    op.create_index(
        f"ix_onbrand_slack_{table}_{'_'.join(columns)}", f"onbrand_slack_{table}", columns
    )


def _queue() -> None:
    """Make what deliveries and jobs wait in."""
    op.create_table(
        "onbrand_slack_events",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("time", TIME, nullable=False),
    )
    _index("events", "time")
    op.create_table(
        "onbrand_slack_jobs",
        sa.Column("id", SEQUENCE, primary_key=True),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("enterprise", sa.Text),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("turn", sa.BigInteger, nullable=False),
        sa.Column("worker", sa.Text),
        sa.Column("lease", TIME),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("again", sa.Boolean, nullable=False),
        sa.Column("due", TIME, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("ended", TIME),
        sa.Column("error", sa.Text),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'posting', 'done', 'failed')",
            name="ck_onbrand_slack_jobs_state",
        ),
    )
    _index("jobs", "workspace", "created")
    _index("jobs", "lane", "state", "turn", "id", "workspace", "due")
    _index("jobs", "ended")
    _index("jobs", "state", "lease")


def _checks() -> None:
    """Make what is kept of checked drafts."""
    op.create_table(
        "onbrand_slack_checks",
        sa.Column("workspace", sa.Text, primary_key=True),
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
        sa.Column("previous", sa.Text),
        sa.Column("time", TIME, nullable=False),
    )
    _index("checks", "workspace", "user", "time")
    _index("checks", "workspace", "time")
    _index("checks", "workspace", "brand", "time")
    op.create_table(
        "onbrand_slack_sentences",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("check_id", sa.Text, primary_key=True),
        sa.Column("index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("probability", sa.Double),
        sa.Column("flagged", sa.Boolean, nullable=False),
        sa.Column("habits", sa.JSON, nullable=False),
    )
    op.create_table(
        "onbrand_slack_sealed",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("check_id", sa.Text, primary_key=True),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("enterprise", sa.Text),
        sa.Column("box", sa.LargeBinary, nullable=False),
        sa.Column("key", sa.LargeBinary),
        sa.Column("expires", TIME, nullable=False),
    )
    _index("sealed", "expires")


def _reviews() -> None:
    """Make the review queue."""
    op.create_table(
        "onbrand_slack_reviews",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("brand", sa.Text, nullable=False),
        sa.Column("check_id", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("channel", sa.Text),
        sa.Column("ts", sa.Text),
        sa.Column("sender", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("probability", sa.Double),
        sa.Column("opened", TIME, nullable=False),
        sa.CheckConstraint(
            "status IN ('open', 'approved', 'rejected', 'changes')",
            name="ck_onbrand_slack_reviews_status",
        ),
        sa.UniqueConstraint("workspace", "check_id", name="uq_onbrand_slack_reviews_check"),
    )
    _index("reviews", "workspace", "status", "opened")
    _index("reviews", "workspace", "author", "opened")
    op.create_table(
        "onbrand_slack_decisions",
        sa.Column("seq", SEQUENCE, primary_key=True),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("review", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.CheckConstraint(
            "decision IN ('approve', 'reject', 'changes', 'reopen')",
            name="ck_onbrand_slack_decisions_decision",
        ),
        sa.UniqueConstraint("workspace", "key", name="uq_onbrand_slack_decisions_key"),
    )
    _index("decisions", "workspace", "time")
    _index("decisions", "workspace", "review", "seq")


def _settings() -> None:
    """Make the settings, and the record of who changed them."""
    op.create_table(
        "onbrand_slack_workspace_settings",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("retention_days", sa.Integer, nullable=False),
        sa.Column("admins", sa.JSON, nullable=False),
    )
    op.create_table(
        "onbrand_slack_brand_settings",
        sa.Column("workspace", sa.Text, primary_key=True),
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
    op.create_table(
        "onbrand_slack_channel_settings",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("brand", sa.Text, nullable=False),
    )
    op.create_table(
        "onbrand_slack_user_settings",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("user", sa.Text, primary_key=True),
        sa.Column("brand", sa.Text, nullable=False),
    )
    op.create_table(
        "onbrand_slack_audit",
        sa.Column("seq", SEQUENCE, primary_key=True),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    _index("audit", "workspace", "time")


def _installations() -> None:
    """Make what the Slack SDK's stores expect, under our names."""
    op.create_table(
        "onbrand_slack_installations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("client_id", sa.String(32), nullable=False),
        sa.Column("app_id", sa.String(32), nullable=False),
        sa.Column("enterprise_id", sa.String(32)),
        sa.Column("enterprise_name", sa.String(200)),
        sa.Column("enterprise_url", sa.String(200)),
        sa.Column("team_id", sa.String(32)),
        sa.Column("team_name", sa.String(200)),
        sa.Column("bot_token", sa.String(200)),
        sa.Column("bot_id", sa.String(32)),
        sa.Column("bot_user_id", sa.String(32)),
        sa.Column("bot_scopes", sa.String(1000)),
        sa.Column("bot_refresh_token", sa.String(200)),
        sa.Column("bot_token_expires_at", sa.DateTime),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("user_token", sa.String(200)),
        sa.Column("user_scopes", sa.String(1000)),
        sa.Column("user_refresh_token", sa.String(200)),
        sa.Column("user_token_expires_at", sa.DateTime),
        sa.Column("incoming_webhook_url", sa.String(200)),
        sa.Column("incoming_webhook_channel", sa.String(200)),
        sa.Column("incoming_webhook_channel_id", sa.String(200)),
        sa.Column("incoming_webhook_configuration_url", sa.String(200)),
        sa.Column("is_enterprise_install", sa.Boolean, nullable=False),
        sa.Column("token_type", sa.String(32)),
        sa.Column("installed_at", sa.DateTime, nullable=False),
    )
    op.create_index(
        "onbrand_slack_installations_idx",
        "onbrand_slack_installations",
        ["client_id", "enterprise_id", "team_id", "user_id", "installed_at"],
    )
    op.create_table(
        "onbrand_slack_bots",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("client_id", sa.String(32), nullable=False),
        sa.Column("app_id", sa.String(32), nullable=False),
        sa.Column("enterprise_id", sa.String(32)),
        sa.Column("enterprise_name", sa.String(200)),
        sa.Column("team_id", sa.String(32)),
        sa.Column("team_name", sa.String(200)),
        sa.Column("bot_token", sa.String(200)),
        sa.Column("bot_id", sa.String(32)),
        sa.Column("bot_user_id", sa.String(32)),
        sa.Column("bot_scopes", sa.String(1000)),
        sa.Column("bot_refresh_token", sa.String(200)),
        sa.Column("bot_token_expires_at", sa.DateTime),
        sa.Column("is_enterprise_install", sa.Boolean, nullable=False),
        sa.Column("installed_at", sa.DateTime, nullable=False),
    )
    op.create_index(
        "onbrand_slack_bots_idx",
        "onbrand_slack_bots",
        ["client_id", "enterprise_id", "team_id", "installed_at"],
    )
    op.create_table(
        "onbrand_slack_states",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("expire_at", sa.DateTime, nullable=False),
    )
