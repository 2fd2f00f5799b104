"""Who did what when in a workspace: ids and figures, never text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from onbrand.labels.model import Label
from onbrand_slack.store import schema

Entry = tuple[datetime, dict[str, Any]]


def note(
    connection: Connection,
    workspace: str,
    user: str,
    action: str,
    subject: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Keep what somebody did just now, where no other table tells of it."""
    row = {
        "workspace": workspace,
        "time": datetime.now(UTC),
        "user": user,
        "action": action,
        "subject": subject,
        "detail": dict(detail or {}),
    }
    connection.execute(sa.insert(schema.audit), row)


def stored(connection: Connection, workspace: str) -> Iterator[Entry]:
    """Yield what the app's own tables tell, in no order."""
    for row in _rows(connection, schema.checks, workspace):
        subject, figures = row["id"], ("source", "probability", "verdict", "gate", "previous")
        yield _entry(row["time"], row["user"], "check", subject, row["brand"], _some(row, figures))
    brands = {}
    for row in _rows(connection, schema.reviews, workspace):
        brands[row["id"]] = row["brand"]
        detail = {"check": row["check_id"]}
        yield _entry(row["opened"], row["author"], "review", row["id"], row["brand"], detail)
    for row in _rows(connection, schema.decisions, workspace):
        review, action = row["review"], row["decision"]
        yield _entry(row["time"], row["user"], action, review, brands.get(review), {})
    for row in _rows(connection, schema.audit, workspace):
        action, subject = row["action"], row["subject"]
        brand = subject if action == "brand_settings" else None
        yield _entry(row["time"], row["user"], action, subject, brand, row["detail"])


def labelled(words: Sequence[Label]) -> Iterator[Entry]:
    """Yield what people said of sentences, whose text is left out."""
    for word in words:
        if word.time is not None:
            detail = {"label": word.label, "source": word.source}
            yield _entry(word.time, word.author, "label", word.document, word.brand, detail)


def _entry(
    time: datetime,
    user: str,
    action: str,
    subject: str | None,
    brand: str | None,
    detail: Mapping[str, Any],
) -> Entry:
    return time, {
        "time": time.isoformat(timespec="milliseconds"),
        "user": user,
        "action": action,
        "subject": subject,
        "brand": brand,
        "detail": dict(detail),
    }


def _rows(connection: Connection, table: sa.Table, workspace: str) -> Iterator[RowMapping]:
    query = sa.select(table).where(table.c.workspace == workspace)
    yield from connection.execute(query).mappings()


def _some(row: RowMapping, names: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}
