"""The table of labels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "onbrand_labels",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("id", sa.Text),
        sa.Column("brand", sa.Text, nullable=False),
        sa.Column("text_key", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("document", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.UniqueConstraint("workspace", "id", name="uq_onbrand_labels_id"),
        sa.UniqueConstraint(
            *("workspace", "brand", "text_key", "author", "time", "label"),
            name="uq_onbrand_labels_word",
        ),
        sa.CheckConstraint("label IN ('on', 'off')", name="ck_onbrand_labels_label"),
    )


def downgrade() -> None:
    """Remove the table and every label in it."""
    op.drop_table("onbrand_labels")
