"""What people and workspaces can ask of their data: to be forgotten, to be let go, to be told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from onbrand.database import Database
from onbrand.labels.store import LabelStore
from onbrand_slack.model import Tenant
from onbrand_slack.store import audit, schema
from onbrand_slack.store.database import delete_chunks
from onbrand_slack.store.installations import Installations
from onbrand_slack.store.jobs import Jobs
from onbrand_slack.store.reviews import DELETED

KEPT = timedelta(days=7)
"""How long ended jobs and known events are kept: longer than Slack repeats itself."""
_states = sa.table(schema.STATES, sa.column("expire_at", sa.DateTime))


class Privacy:
    """Deletes for good: SQLite overwrites what it deletes, and its log is emptied."""

    def __init__(
        self, database: Database, labels: LabelStore, jobs: Jobs, installations: Installations
    ) -> None:
        self._database = database
        self._labels = labels
        self._jobs = jobs
        self._installations = installations

    def forget_user(self, tenant: Tenant, user: str) -> dict[str, int]:
        """Delete a user's checks, labels and choices, and make his decisions nobody's.

        Reviews of his drafts are closed. That others decided what stays, without reasons, which
        may quote him. Settings that name him (who may label, decide, administrate) stay: they are
        the workspace's, and an empty list there would mean everyone. That somebody was forgotten
        is in the audit, but not who.

        Returns:
            How many of each there were: checks, reviews, decisions, labels.
        """
        with self._database.write() as connection:
            counts = _User(connection, tenant.workspace, user).forget()
            audit.note(connection, tenant.workspace, DELETED, "forget")
        counts["labels"] = self._labels.workspace(tenant.workspace).forget(user)
        self._database.truncate_log()
        return counts

    def forget_workspace(self, tenant: Tenant) -> None:
        """Delete everything of a workspace: scores, decisions, settings, labels, installation."""
        self._installations.forget(tenant)
        with self._database.write() as connection:
            for table in schema.metadata.sorted_tables:
                _delete(connection, table, table.c.workspace == tenant.workspace)
        labels = self._labels.workspace(tenant.workspace)
        for author in {word.author for word in labels.history()}:
            labels.forget(author)
        self._database.truncate_log()

    def uninstall(self, tenant: Tenant) -> None:
        """Drop what needs Slack: the installation, waiting jobs, drafts. The scores stay.

        Where the tenant is an organisation, that goes for its workspaces, but for those that have
        installed the app themselves.
        """
        jobs, sealed = schema.jobs, schema.sealed
        self._installations.forget(tenant)
        teams = self._installations.bolt.bots.c.team_id
        installed = sa.select(teams).where(teams.is_not(None))
        with self._database.write() as connection:
            for table in (jobs, sealed):
                its = table.c.workspace == tenant.workspace
                its |= (table.c.enterprise == tenant.workspace) & ~table.c.workspace.in_(installed)
                waiting = jobs.c.state == "queued" if table is jobs else sa.true()
                _delete(connection, table, its & waiting)
        self._database.truncate_log()

    def purge(self, now: datetime) -> dict[str, int]:
        """Delete what has had its time: drafts, ended jobs, known events, attempts to install.

        Args:
            now: the time by which drafts and attempts are judged; the queue has a clock of its own.

        Returns:
            How many of each there were; events are counted with the jobs.
        """
        sealed = delete_chunks(self._database, schema.sealed, schema.sealed.c.expires <= now)
        # Slack's SDK stores times in UTC without saying so.
        late = _states.c.expire_at <= now.astimezone(UTC).replace(tzinfo=None)
        with self._database.write() as connection:
            states = _delete(connection, _states, late)
        counts = {"sealed": sealed, "states": states, "jobs": self._jobs.purge(KEPT)}
        # Who writes waits for the log to be emptied, so that is not done for nothing.
        if self._jobs.have_erased() or any(counts.values()):
            self._database.truncate_log()
        return counts

    def note(self, tenant: Tenant, user: str, action: str) -> None:
        """Keep in the audit what somebody did just now that is stored nowhere else."""
        with self._database.write() as connection:
            audit.note(connection, tenant.workspace, user, action)

    def audit(self, tenant: Tenant) -> Iterator[dict[str, Any]]:
        """Yield who did what when, oldest first, without any text.

        Each entry has ``time`` (ISO 8601), ``user``, ``action``, ``subject`` (an id), ``brand``
        and ``detail``.
        """
        words = self._labels.workspace(tenant.workspace).history()
        with self._database.read() as connection:
            entries = [*audit.stored(connection, tenant.workspace), *audit.labelled(words)]
        for _, entry in sorted(entries, key=itemgetter(0)):
            yield entry


class _User:
    """One user's traces, within a transaction."""

    def __init__(self, connection: Connection, workspace: str, user: str) -> None:
        self._connection = connection
        self._workspace = workspace
        self._user = user

    def forget(self) -> dict[str, int]:
        checks = schema.checks
        own = sa.select(checks.c.id).where(self._of(checks, "user"))
        # Locked first: a review of one of them waits, and then finds it gone.
        self._connection.execute(own.with_for_update()).all()
        sentences, sealed = schema.sentences, schema.sealed
        _delete(self._connection, sentences, self._of(sentences) & sentences.c.check_id.in_(own))
        _delete(self._connection, sealed, self._of(sealed, "user"))
        counts = {"reviews": self._close_reviews(own), "decisions": self._disown_decisions()}
        counts["checks"] = _delete(self._connection, checks, self._of(checks, "user"))
        settings = schema.user_settings
        _delete(self._connection, settings, self._of(settings, "user"))
        self._disown_audit()
        return counts

    def _of(self, table: sa.Table, who: str | None = None) -> sa.ColumnElement[bool]:
        mine = table.c.workspace == self._workspace
        return mine if who is None else mine & (table.c[who] == self._user)

    def _close_reviews(self, checks: sa.Select[Any]) -> int:
        reviews, decisions = schema.reviews, schema.decisions
        his = self._of(reviews) & (
            (reviews.c.author == self._user) | reviews.c.check_id.in_(checks)
        )
        ids = sa.select(reviews.c.id).where(his)
        # Locked first, too: who is deciding on one of them waits, and then finds it closed.
        self._connection.execute(ids.with_for_update()).all()
        said = decisions.c.review.in_(ids)
        self._update(decisions, self._of(decisions) & said, reason="")
        return self._update(reviews, his, author=DELETED)

    def _disown_decisions(self) -> int:
        decisions = schema.decisions
        return self._update(decisions, self._of(decisions, "user"), user=DELETED, reason="")

    def _disown_audit(self) -> None:
        notes = schema.audit
        self._update(notes, self._of(notes, "subject"), subject=DELETED)
        self._update(notes, self._of(notes, "user"), user=DELETED)
        rows = sa.select(notes.c.seq, notes.c.detail).where(self._of(notes))
        for seq, detail in self._connection.execute(rows).all():
            without = _replace(detail, self._user)
            if without != detail:
                self._update(notes, notes.c.seq == seq, detail=without)

    def _update(self, table: sa.Table, which: sa.ColumnElement[bool], **values: object) -> int:
        return self._connection.execute(sa.update(table).where(which).values(values)).rowcount


def _delete(connection: Connection, table: sa.TableClause, which: sa.ColumnElement[bool]) -> int:
    return connection.execute(sa.delete(table).where(which)).rowcount


def _replace(value: Any, user: str) -> Any:  # noqa: ANN401 - JSON
    """Return JSON with `DELETED` for a user's id."""
    if isinstance(value, list):
        return [_replace(each, user) for each in value]
    if isinstance(value, dict):
        return {key: _replace(each, user) for key, each in value.items()}
    return DELETED if value == user else value
