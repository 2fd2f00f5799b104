"""The Slack app's data, for tests: all its stores on one database, and checks to fill them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from onbrand.database import Database
from onbrand.document.positions import Span
from onbrand.labels.store import LabelStore
from onbrand.results import Explanation, Habit, Report, SentenceVerdict
from onbrand_slack.model import MessageAt, Pasted, Source, Tenant
from onbrand_slack.store import Store, schema
from onbrand_slack.store.checks import OpenCheck

ACME = Tenant("T1")
OTHER = Tenant("T2")
GOOD, BAD = 0.9, 0.1


@cache
def _migrated() -> bytes:
    """Return an SQLite file with all tables and nothing in them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "slack.db")
        Store.open(str(path)).close()
        return path.read_bytes()


def open_store(path: Path) -> Store:
    """Open the app's stores on a file, new or not, without the migrations that a new one takes."""
    if not path.exists():
        path.write_bytes(_migrated())
    return Store.open(str(path))


def sentence(text: str, probability: float | None, *habits: str) -> SentenceVerdict:
    """A sentence, flagged below 0.5, that breaks some habits."""
    broken = tuple(Habit(name, f"{name} is unusual", 1.0, (0.0, 0.5)) for name in habits)
    return SentenceVerdict(
        span=Span(0, len(text)),
        line=1,
        column=1,
        text=text,
        brand="acme",
        probability=probability,
        flagged=probability is not None and probability < 0.5,
        threshold=0.5,
        not_judged="too short" if probability is None else None,
        explanation=Explanation(0.0, 0.0, (), broken) if broken else None,
    )


def report(
    sentences: Mapping[str, float | None] | list[SentenceVerdict], probability: float | None = 0.4
) -> Report:
    """A report on sentences with these probabilities."""
    if not isinstance(sentences, list):
        sentences = [sentence(text, p) for text, p in sentences.items()]
    forward = probability is not None and probability >= 0.5
    verdict = "not judged" if probability is None else "forward" if forward else "review"
    return Report("draft.txt", "acme", probability, verdict, 0.5, tuple(sentences))


DRAFT = "Our paradigm synergises. Oats are nice. Yes."
REPORT = report({"Our paradigm synergises.": BAD, "Oats are nice.": GOOD, "Yes.": None})


class Data(Store):
    """The store, and what tests do with it."""

    def __init__(self, database: Database, labels: LabelStore, client_id: str = "") -> None:
        super().__init__(database, labels, client_id)
        self.database = database

    def check(self, tenant: Tenant = ACME, **changes: Any) -> OpenCheck:
        """Store a check and open it."""
        values = {
            "user": "U1",
            "brand": "acme",
            "source": Source.COMMAND,
            "report": REPORT,
            "draft": Pasted(DRAFT),
            "title": "plan.txt",
            "at": MessageAt("C1", "17.01", "16.01"),
        }
        opened = self.checks.open(tenant, self.checks.add(tenant, **values | changes))
        assert opened is not None
        return opened

    def date(self, check: OpenCheck, time: datetime) -> None:
        """Let a check be of another time."""
        with self.database.write() as connection:
            mine = schema.checks.c.id == check.id
            connection.execute(sa.update(schema.checks).where(mine).values(time=time))

    def pass_time(self, time: timedelta) -> None:
        """Let drafts be sealed for so much longer than they were."""
        with self.database.write() as connection:
            for row in connection.execute(sa.select(schema.sealed)).mappings().all():
                mine = schema.sealed.c.check_id == row["check_id"]
                values = {"expires": row["expires"] - time}
                connection.execute(sa.update(schema.sealed).where(mine).values(values))

    def rows(self, table: sa.Table, *tenants: Tenant) -> list[dict[str, Any]]:
        """Return all rows of a table, of some workspaces or of all, in a fixed order."""
        query = sa.select(table).order_by(*table.primary_key)
        if tenants:
            query = query.where(table.c.workspace.in_([each.workspace for each in tenants]))
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def everything(self, *tenants: Tenant) -> dict[str, Any]:
        """Return all that is stored, labels included, to be compared."""
        tables = {table.name: self.rows(table, *tenants) for table in schema.metadata.sorted_tables}
        labels = [self.labels.workspace(each.workspace).history() for each in tenants]
        return tables | {"labels": labels}
