"""Where the app is installed: workspaces by OAuth, or the one that it was given a token of."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa
from slack_sdk.oauth.installation_store.models.installation import Installation
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore

from onbrand.database import Database
from onbrand.labels.normalization import clean_text
from onbrand_slack.model import Tenant
from onbrand_slack.store.schema import BOTS, INSTALLATIONS, STATES

CACHE_SECONDS = 60.0
"""How long another replica may go on with an installation that was changed here."""
STATE_SECONDS = 600
"""How long a user may take from "Add to Slack" to "Allow"."""
_SLACK_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True)
class Installed:
    """The app in a workspace, or in all workspaces of an organisation."""

    bot_token: str = field(repr=False)
    bot_id: str | None
    bot_user_id: str | None
    app_id: str | None
    team_id: str | None
    """None where it is installed for an organisation."""
    enterprise_id: str | None
    installer: str | None
    """The user who installed it last."""


class Installations:
    """Finds the installation that a request is for.

    Args:
        database: where they are kept.
        client_id: of the Slack app; installations of other apps are not seen.
        clock: tells seconds, for the cache.
    """

    def __init__(
        self, database: Database, client_id: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._clock = clock
        self._only: Installed | None = None
        self._lock = threading.Lock()
        self._cache: dict[tuple[str | None, str | None], tuple[float, Installed]] = {}
        self.bolt = BoltStore(database, client_id, self.refresh)
        """For Bolt's OAuth flow."""
        self.states = StateStore(database)
        """For Bolt's OAuth flow."""

    def use_only(self, installed: Installed) -> None:
        """Know this installation from now on, and no other: the app serves one workspace."""
        self._only = installed

    def find(self, enterprise: str | None, team: str | None) -> Installed | None:
        """Return the workspace's own installation, else its organisation's, else None.

        Args:
            enterprise: the organisation's id, if the workspace is of one.
            team: the workspace's id; None where an event is for the whole organisation.
        """
        # An event for a whole organisation has its id for a workspace's.
        team = None if team == enterprise else _slack_id(team)
        enterprise = _slack_id(enterprise)
        if self._only is not None:
            return self._only if _is_for(self._only, enterprise, team) else None
        now = self._clock()
        with self._lock:
            until, installed = self._cache.get((enterprise, team), (now, None))
        if installed is not None and now < until:
            return installed
        installed = self.bolt.newest(enterprise, team)
        # What is not there is asked for every time: it may be installed at any moment.
        if installed is not None:
            with self._lock:
                self._cache[enterprise, team] = now + CACHE_SECONDS, installed
        return installed

    def forget(self, tenant: Tenant) -> None:
        """Delete a workspace's installations, or an organisation's where the tenant is one."""
        self.bolt.forget(tenant.workspace)

    def refresh(self) -> None:
        """Look everything up anew from now on: Slack does not take a token that we have."""
        with self._lock:
            self._cache.clear()


class BoltStore(SQLAlchemyInstallationStore):
    """The Slack SDK's store in our database: its turns to write, its errors, our cache."""

    def __init__(
        self, database: Database, client_id: str, changed: Callable[[], None] = lambda: None
    ) -> None:
        # It reads before it writes, for which SQLite wants to know beforehand that it will.
        engine = database.engine.execution_options(begin="BEGIN IMMEDIATE")
        super().__init__(client_id, engine, BOTS, INSTALLATIONS)
        self._database = database
        self._changed = changed

    def save(self, installation: Installation) -> None:
        """Store an installation."""
        if installation.is_enterprise_install:
            # Slack may name a workspace all the same, and nobody would look for it there.
            installation.team_id = None
        with self._database.write_lock(), self._database.translate_errors():
            super().save(installation)
        self._changed()

    def newest(self, enterprise: str | None, team: str | None) -> Installed | None:
        """Return the workspace's newest installation, else its organisation's."""
        bots = self.bots.c
        of_team = sa.and_(bots.team_id == team, bots.team_id.is_not(None))
        of_all = sa.and_(
            bots.enterprise_id == enterprise,
            bots.enterprise_id.is_not(None),
            bots.team_id.is_(None),
        )
        query = (
            sa.select(self.bots)
            .where(bots.client_id == self.client_id, bots.bot_token.is_not(None))
            .where(sa.or_(of_team, of_all))
            .order_by(bots.team_id.is_(None), bots.installed_at.desc(), bots.id.desc())
        )
        with self._database.read() as connection:
            bot = connection.execute(query).first()
            if bot is None:
                return None
            installer = connection.execute(self._installer(bot.enterprise_id, bot.team_id)).scalar()
        return Installed(
            bot_token=bot.bot_token,
            bot_id=bot.bot_id,
            bot_user_id=bot.bot_user_id,
            app_id=bot.app_id,
            team_id=bot.team_id,
            enterprise_id=bot.enterprise_id,
            installer=installer,
        )

    def _installer(self, enterprise: str | None, team: str | None) -> sa.Select[str]:
        made = self.installations.c
        return (
            sa.select(made.user_id)
            .where(made.client_id == self.client_id)
            .where(made.enterprise_id == enterprise, made.team_id == team)
            .order_by(made.installed_at.desc(), made.id.desc())
        )

    def forget(self, workspace: str) -> None:
        """Delete what is installed in a workspace or for an organisation, whichever app's."""
        with self._database.write() as connection:
            for table in (self.bots, self.installations):
                of_team = table.c.team_id == workspace
                of_all = sa.and_(table.c.enterprise_id == workspace, table.c.team_id.is_(None))
                connection.execute(sa.delete(table).where(sa.or_(of_team, of_all)))
        self._database.truncate_log()
        self._changed()


class StateStore(SQLAlchemyOAuthStateStore):
    """The Slack SDK's store of OAuth states in our database, each good for one use."""

    def __init__(self, database: Database) -> None:
        super().__init__(STATE_SECONDS, database.engine, table_name=STATES)
        self._database = database

    def issue(self, *args: object, **kwargs: object) -> str:
        """Return a new state, and drop those that nobody came back with."""
        with self._database.write() as connection:
            late = self.oauth_states.c.expire_at <= _now()
            connection.execute(sa.delete(self.oauth_states).where(late))
        with self._database.write_lock(), self._database.translate_errors():
            return super().issue(*args, **kwargs)

    def consume(self, state: str) -> bool:
        """Tell whether a state is one of ours and still good; from now on it is not.

        The SDK's own looks first and deletes then, so that two at once may both have it.
        """
        mine = self.oauth_states.c.state == clean_text(state)
        with self._database.write() as connection:
            used = sa.delete(self.oauth_states).where(mine, self.oauth_states.c.expire_at > _now())
            return connection.execute(used).rowcount == 1


def _slack_id(value: str | None) -> str | None:
    """Return what can be an id; databases refuse some of the text that a request may hold."""
    return value if value is not None and _SLACK_ID.fullmatch(value) else None


def _is_for(only: Installed, enterprise: str | None, team: str | None) -> bool:
    if only.team_id is not None and team is not None:
        return only.team_id == team
    return only.enterprise_id is not None and only.enterprise_id == enterprise


def _now() -> datetime:
    """Return the time as the SDK's tables have it."""
    return datetime.now(UTC).replace(tzinfo=None)
