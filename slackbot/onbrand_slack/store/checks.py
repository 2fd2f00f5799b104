"""Checks: scores for as long as the workspace is there, text sealed and for a day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from onbrand.database import Database
from onbrand.labels.normalization import normalise_text
from onbrand.results import Report, SentenceVerdict
from onbrand_slack.answer import Change, PastCheck
from onbrand_slack.model import MessageAt, Pasted, Source, Tenant
from onbrand_slack.store import schema
from onbrand_slack.store.database import upsert
from onbrand_slack.store.sealing import Content, HeldDraft, Ticket, WorkingCopy, seal, unseal

WORKING_TIME = timedelta(hours=24)
"""How long the buttons of an answer work where the workspace keeps no drafts."""
_checks, _sentences, _sealed = schema.checks, schema.sentences, schema.sealed


@dataclass(frozen=True, slots=True)
class OpenCheck:
    """A check with its text, as only its ticket gives it."""

    id: str
    ticket: str = field(repr=False)
    user: str
    brand: str
    source: Source
    report: Report = field(repr=False)
    draft: Pasted = field(repr=False)
    title: str = field(repr=False)
    """The name of a file, if it was one."""
    at: MessageAt | None
    """The message that was checked, if it was one."""
    channel: str | None
    """Where it was asked."""
    time: datetime
    brand_reason: str = ""
    """See `Answer`."""
    change: Change | None = None
    """Against the version before."""


class Checks:
    """What was checked, by whom, and how it came out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        tenant: Tenant,
        *,
        user: str,
        brand: str,
        source: Source,
        report: Report,
        draft: Pasted,
        title: str = "",
        at: MessageAt | None = None,
        channel: str | None = None,
        previous: str | None = None,
        brand_reason: str = "",
        change: Change | None = None,
        retention_days: int = 0,
        key: str | None = None,
    ) -> str:
        """Store a check, and return the ticket that opens it.

        Args:
            tenant: whose it is.
            user: who asked.
            brand: by which the draft was judged.
            source: how the draft came in.
            report: the verdict.
            draft: what was judged.
            title: the name of a file, if it was one.
            at: the message that was checked, if it was one.
            channel: where it was asked; a message's own channel goes before it.
            previous: the ticket of the version before.
            brand_reason: where the brand came from, see `Answer`.
            change: against the version before.
            retention_days: how long the workspace keeps drafts; 0: `WORKING_TIME`, and then nobody
                opens the check without the ticket.
            key: what the check has in common with one that is made again since its job was taken
                over: the second one takes the place of the first, and so does its ticket.

        Raises:
            OnbrandError: the draft is too long, or the database does not take it.
        """
        ticket, now = Ticket.new(key), datetime.now(UTC)
        before = Ticket.parse(previous or "")
        copy = WorkingCopy(report, draft, title, brand_reason, change)
        box = _box(copy, ticket, tenant, user, now, retention_days)
        check = {
            "workspace": tenant.workspace,
            "id": ticket.check,
            "user": user,
            "brand": brand,
            "source": source.value,
            "channel": channel if at is None else at.channel,
            "ts": at and at.ts,
            "thread": at and at.thread,
            "probability": report.probability,
            "verdict": report.verdict,
            "gate": report.gate,
            "judged": sum(s.probability is not None for s in report.sentences),
            "flagged": len(report.flagged),
            "previous": before and before.check,
            "time": now,
        }
        own = {"workspace": tenant.workspace, "check_id": ticket.check}
        scores = [own | _scores(index, s) for index, s in enumerate(report.sentences)]
        with self._database.write() as connection:
            upsert(connection, _checks, check)
            connection.execute(sa.delete(_sentences).where(_of(_sentences, tenant, ticket.check)))
            if scores:
                connection.execute(sa.insert(_sentences), scores)
            upsert(connection, _sealed, box)
        return str(ticket)

    def hold(self, tenant: Tenant, user: str, draft: HeldDraft, key: str | None = None) -> str:
        """Keep a draft that waits for its brand, for `WORKING_TIME`, and return its ticket.

        Args:
            tenant: whose it is.
            user: who asked.
            draft: the draft.
            key: see `add`.

        Raises:
            OnbrandError: the draft is too long, or the database does not take it.
        """
        ticket = Ticket.new(key)
        box = _box(draft, ticket, tenant, user, datetime.now(UTC))
        with self._database.write() as connection:
            upsert(connection, _sealed, box)
        return str(ticket)

    def held(self, tenant: Tenant, ticket: str) -> HeldDraft | None:
        """Return a draft that waits; None if it expired, was deleted, or is not this ticket's."""
        parsed = Ticket.parse(ticket)
        if parsed is None:
            return None
        its_box = _of(_sealed, tenant, parsed.check) & (_sealed.c.expires > datetime.now(UTC))
        with self._database.read() as connection:
            box = connection.execute(sa.select(_sealed.c.box).where(its_box)).scalar()
        draft = unseal(box or b"", parsed, tenant.workspace)
        return draft if isinstance(draft, HeldDraft) else None

    def open(self, tenant: Tenant, ticket: str) -> OpenCheck | None:
        """Return a check; None if it expired, was deleted, or is not this ticket's to open."""
        parsed = Ticket.parse(ticket)
        return None if parsed is None else self._open(tenant, parsed.check, parsed)

    def open_kept(self, tenant: Tenant, check_id: str) -> OpenCheck | None:
        """Return a check by its id alone; None too where the workspace does not keep drafts.

        The caller sees to it that the user may read it.
        """
        return self._open(tenant, check_id, None)

    def recent(self, tenant: Tenant, user: str, limit: int = 5) -> list[PastCheck]:
        """Return the last checks that a user asked for, newest first."""
        query = (
            sa.select(_checks, _sealed.c.key)
            .outerjoin(_sealed, _its_box() & (_sealed.c.expires > datetime.now(UTC)))
            .where(_checks.c.workspace == tenant.workspace, _checks.c.user == user)
            .order_by(_checks.c.time.desc(), _checks.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_past(row) for row in connection.execute(query).mappings()]

    def change(self, tenant: Tenant, ticket_before: str, report: Report) -> Change | None:
        """Compare a re-check with the version before.

        Returns:
            None where that cannot be opened, or was judged by another brand.
        """
        before = self.open(tenant, ticket_before)
        if before is None or before.brand != report.brand:
            return None
        return compare(before.report, report)

    def _open(self, tenant: Tenant, check_id: str, ticket: Ticket | None) -> OpenCheck | None:
        with self._database.read() as connection:
            row = _find(connection, tenant, check_id)
        if row is not None and ticket is None and row["key"] is not None:
            ticket = Ticket(check_id, row["key"])
        if row is None or ticket is None:
            return None
        copy = unseal(row["box"], ticket, tenant.workspace)
        if not isinstance(copy, WorkingCopy):
            return None
        return OpenCheck(
            id=check_id,
            ticket=str(ticket),
            user=row["user"],
            brand=row["brand"],
            source=Source(row["source"]),
            report=copy.report,
            draft=copy.draft,
            title=copy.title,
            at=row["ts"] and MessageAt(row["channel"], row["ts"], row["thread"]),
            channel=row["channel"],
            time=row["time"],
            brand_reason=copy.brand_reason,
            change=copy.change,
        )


def compare(before: Report, now: Report) -> Change:
    """Tell what a new version changed; sentences are the same where their text is.

    A sentence that was moved is the same one, and one that stands twice counts twice.
    """
    was, is_now = _flagged(before), _flagged(now)
    still = (was & is_now).total()
    return Change(
        before=before.probability,
        verdict=before.verdict,
        mended=was.total() - still,
        still=still,
        new=is_now.total() - still,
    )


def _flagged(report: Report) -> Counter[str]:
    return Counter(normalise_text(sentence.text) for sentence in report.flagged)


def _scores(index: int, sentence: SentenceVerdict) -> dict[str, object]:
    """Return what is stored of a sentence: no text."""
    why = sentence.explanation
    return {
        "index": index,
        "probability": sentence.probability,
        "flagged": sentence.flagged,
        "habits": [] if why is None else [habit.name for habit in why.habits],
    }


def _box(
    content: Content, ticket: Ticket, tenant: Tenant, user: str, now: datetime, days: int = 0
) -> dict[str, object]:
    """Return the row of what is sealed; ``days`` are those for which the workspace keeps drafts."""
    return {
        "workspace": tenant.workspace,
        "check_id": ticket.check,
        "user": user,
        "enterprise": tenant.enterprise,
        "box": seal(content, ticket, tenant.workspace),
        "key": ticket.key if days else None,
        "expires": now + max(WORKING_TIME, timedelta(days=days)),
    }


def _of(table: sa.Table, tenant: Tenant, check_id: str) -> sa.ColumnElement[bool]:
    return (table.c.workspace == tenant.workspace) & (table.c.check_id == check_id)


def _its_box() -> sa.ColumnElement[bool]:
    return (_sealed.c.workspace == _checks.c.workspace) & (_sealed.c.check_id == _checks.c.id)


def _find(connection: Connection, tenant: Tenant, check_id: str) -> RowMapping | None:
    query = (
        sa.select(_checks, _sealed.c.box, _sealed.c.key)
        .join(_sealed, _its_box() & (_sealed.c.expires > datetime.now(UTC)))
        .where(_checks.c.workspace == tenant.workspace, _checks.c.id == check_id)
    )
    return connection.execute(query).mappings().first()


def _past(row: RowMapping) -> PastCheck:
    names = PastCheck.__dataclass_fields__.keys() - {"source", "ticket"}
    return PastCheck(
        **{name: row[name] for name in names},
        source=Source(row["source"]),
        ticket=None if row["key"] is None else str(Ticket(row["id"], row["key"])),
    )
