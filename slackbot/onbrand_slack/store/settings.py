"""Settings of workspaces, brands, channels and users; every change is kept with who and when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from onbrand.database import Database
from onbrand.errors import OnbrandError
from onbrand.labels.normalization import check_brand
from onbrand_slack.answer import BrandSettings, WorkspaceSettings
from onbrand_slack.model import Tenant
from onbrand_slack.store import audit, schema
from onbrand_slack.store.checks import WORKING_TIME
from onbrand_slack.store.database import upsert

MAX_RETENTION = 365
"""In days."""
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
Row = RowMapping | dict[str, Any]


class SettingsStore:
    """What administrators and users chose; defaults where nobody did."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def workspace(self, tenant: Tenant) -> WorkspaceSettings:
        """Return how a workspace is handled."""
        row = self._row(tenant, schema.workspace_settings)
        return WorkspaceSettings() if row is None else _workspace(row)

    def set_workspace(self, tenant: Tenant, settings: WorkspaceSettings, by: str) -> None:
        """Change how a workspace is handled.

        Where drafts are to be kept for a shorter time than before, that holds for those that are
        already kept.

        Raises:
            OnbrandError: a value is out of its range.
        """
        days = settings.retention_days
        _check_number("the retention of drafts", days, MAX_RETENTION, "days")
        _check_ids("administrators", settings.admins)
        with self._database.write() as connection:
            _change(connection, tenant, schema.workspace_settings, {}, asdict(settings), by)
            shortened = _shorten(connection, tenant, days)
        if shortened:
            self._database.truncate_log()

    def brand(self, tenant: Tenant, brand: str) -> BrandSettings:
        """Return how a brand is handled."""
        row = self._row(tenant, schema.brand_settings, brand=brand)
        return BrandSettings(brand) if row is None else _brand(row)

    def set_brand(self, tenant: Tenant, settings: BrandSettings, by: str) -> None:
        """Change how a brand is handled.

        Raises:
            OnbrandError: a value is out of its range.
        """
        key = {"brand": check_brand(settings.brand)}
        if settings.gate is not None and not 0 <= settings.gate <= 1:
            raise OnbrandError(f"the gate cannot be {settings.gate}; choose a number from 0 to 1")
        _check_number("the digest's day", settings.digest_day, 6, "(0 is Monday)")
        _check_number("the digest's hour", settings.digest_hour, 23, "(UTC)")
        _check_ids("people who may label", settings.labellers)
        _check_ids("reviewers", settings.reviewers)
        channels = (settings.review_channel, settings.digest_channel)
        _check_ids("channels", filter(None, channels))
        # The organisation is kept since a digest is due without anyone asking for it.
        values = asdict(settings) | {"enterprise": tenant.enterprise}
        with self._database.write() as connection:
            _change(connection, tenant, schema.brand_settings, key, values, by)

    def channel_brand(self, tenant: Tenant, channel: str) -> str | None:
        """Return the brand that drafts in a channel are judged by."""
        row = self._row(tenant, schema.channel_settings, channel=channel)
        return None if row is None else str(row["brand"])

    def set_channel_brand(self, tenant: Tenant, channel: str, brand: str | None, by: str) -> None:
        """Choose a channel's brand; None: none any more.

        Raises:
            OnbrandError: no brand can be called that.
        """
        self._set_brand_of(tenant, schema.channel_settings, {"channel": channel}, brand, by)

    def user_brand(self, tenant: Tenant, user: str) -> str | None:
        """Return a user's own default brand."""
        row = self._row(tenant, schema.user_settings, user=user)
        return None if row is None else str(row["brand"])

    def set_user_brand(self, tenant: Tenant, user: str, brand: str | None) -> None:
        """Choose a user's own default brand; None: none any more.

        Raises:
            OnbrandError: no brand can be called that.
        """
        self._set_brand_of(tenant, schema.user_settings, {"user": user}, brand, user)

    def due_digests(self, now: datetime) -> list[tuple[Tenant, BrandSettings]]:
        """Return the brands of all workspaces whose hour in this week has come.

        They stay due until the week ends: the job's key, ``digest:BRAND:WEEK`` with the week
        before (see `digest.week_before`), is what makes it one digest a week.
        """
        table = schema.brand_settings
        now = now.astimezone(UTC)
        moment = table.c.digest_day * 24 + table.c.digest_hour
        query = (
            sa.select(table)
            .where(table.c.digest_channel.is_not(None), moment <= now.weekday() * 24 + now.hour)
            .order_by(table.c.workspace, table.c.brand)
        )
        with self._database.read() as connection:
            return [
                (Tenant(row["workspace"], row["enterprise"]), _brand(row))
                for row in connection.execute(query).mappings()
            ]

    def _row(self, tenant: Tenant, table: sa.Table, **key: str) -> RowMapping | None:
        query = sa.select(table).where(*_is(table, {"workspace": tenant.workspace, **key}))
        with self._database.read() as connection:
            return connection.execute(query).mappings().first()

    def _set_brand_of(
        self, tenant: Tenant, table: sa.Table, key: dict[str, str], brand: str | None, by: str
    ) -> None:
        _check_ids("channels and users", key.values())
        values = {"brand": None if brand is None else check_brand(brand)}
        with self._database.write() as connection:
            _change(connection, tenant, table, key, values, by)


def _is(table: sa.Table, key: Mapping[str, str]) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == value for name, value in key.items()]


def _change(
    connection: Connection,
    tenant: Tenant,
    table: sa.Table,
    key: Mapping[str, str],
    values: Row,
    by: str,
) -> None:
    """Change a row, and note what was changed in the audit; a brand of None deletes the row."""
    own = {"workspace": tenant.workspace, **key}
    # Locked, so that whoever changes it at the same time is told what this change made of it.
    row = sa.select(table).where(*_is(table, own)).with_for_update()
    before = connection.execute(row).mappings().first() or _defaults(table)
    changed = {
        name: [before[name], _plain(value)]
        for name, value in values.items()
        if name not in own and name != "enterprise" and before[name] != _plain(value)
    }
    if not changed:
        return
    if values.get("brand", "") is None:
        connection.execute(sa.delete(table).where(*_is(table, own)))
    else:
        upsert(connection, table, {**values, **own})
    action = table.name.removeprefix(schema.PREFIX)
    audit.note(connection, tenant.workspace, by, action, next(iter(key.values()), ""), changed)


def _defaults(table: sa.Table) -> Row:
    """Return what holds where a table has no row."""
    if table is schema.workspace_settings:
        default = asdict(WorkspaceSettings())
    elif table is schema.brand_settings:
        default = asdict(BrandSettings(""))
    else:
        default = {"brand": None}
    return {name: _plain(value) for name, value in default.items()}


def _plain(value: object) -> object:
    """Return a value as it comes back from JSON."""
    return list(value) if isinstance(value, tuple) else value


def _workspace(row: RowMapping) -> WorkspaceSettings:
    return WorkspaceSettings(row["retention_days"], tuple(row["admins"]))


def _brand(row: RowMapping) -> BrandSettings:
    values = {each.name: row[each.name] for each in fields(BrandSettings)}
    lists = {name: tuple(row[name]) for name in ("labellers", "reviewers")}
    return BrandSettings(**values | lists)


def _shorten(connection: Connection, tenant: Tenant, days: int) -> bool:
    """Let drafts that are kept expire as if they had been kept for so many days from the start.

    Returns:
        Whether there are any.
    """
    checks, sealed = schema.checks, schema.sealed
    its_check = (checks.c.workspace == sealed.c.workspace) & (checks.c.id == sealed.c.check_id)
    kept = (
        sa.select(sealed.c.check_id, sealed.c.expires, checks.c.time)
        .join(checks, its_check)
        .where(sealed.c.workspace == tenant.workspace, sealed.c.key.is_not(None))
    )
    keep = max(WORKING_TIME, timedelta(days=days))
    drafts = connection.execute(kept).all()
    for check_id, expires, time in drafts:
        values: dict[str, object] = {"expires": min(expires, time + keep)}
        if not days:
            values["key"] = None
        box = _is(sealed, {"workspace": tenant.workspace, "check_id": check_id})
        connection.execute(sa.update(sealed).where(*box).values(values))
    return bool(drafts)


def _check_number(what: str, value: int, most: int, unit: str) -> None:
    if not 0 <= value <= most:
        raise OnbrandError(f"{what} cannot be {value}; choose a number from 0 to {most} {unit}")


def _check_ids(what: str, ids: Iterable[str]) -> None:
    """See to it that nothing but ids gets into the settings, and so into the audit."""
    if not all(_ID.fullmatch(each) for each in ids):
        raise OnbrandError(f"the {what} are not ids of Slack; choose them from its menus")
