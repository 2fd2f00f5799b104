"""All that the Slack app remembers: one database, SQLite or PostgreSQL, shared by its replicas."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from onbrand.database import Database
from onbrand.labels.store import LabelStore
from onbrand_slack.store.checks import Checks
from onbrand_slack.store.database import connect
from onbrand_slack.store.digest import Digests
from onbrand_slack.store.installations import Installations
from onbrand_slack.store.jobs import Jobs
from onbrand_slack.store.privacy import Privacy
from onbrand_slack.store.reviews import Reviews
from onbrand_slack.store.schema import SCHEMA
from onbrand_slack.store.settings import SettingsStore

__all__ = ["Store"]


class Store:
    """The app's tables and, beside them, the label store. Open it with `open`.

    Args:
        database: with the app's tables.
        labels: the label store in the same place.
        client_id: of the Slack app, whose installations are used.
    """

    def __init__(self, database: Database, labels: LabelStore, client_id: str = "") -> None:
        self._database = database
        self.labels = labels
        """Of all workspaces: take ``labels.workspace(tenant.workspace)``."""
        self.jobs = Jobs(database)
        self.installations = Installations(database, client_id)
        self.checks = Checks(database)
        self.reviews = Reviews(database)
        self.settings = SettingsStore(database)
        self.privacy = Privacy(database, labels, self.jobs, self.installations)
        self.digests = Digests(database, labels)

    @classmethod
    def open(cls, location: str, *, client_id: str = "", timeout: float = 30.0) -> Self:
        """Open the store, making it or bringing it up to date where that is due.

        Args:
            location: a path or a URL.
            client_id: of the Slack app, whose installations are used.
            timeout: how long to wait for another writer, in seconds.

        Raises:
            OnbrandError: it is locked, read-only, damaged, of a newer onbrand, or another
                program's.
        """
        with ExitStack() as opened:
            database = connect(location, timeout)
            opened.callback(database.close)
            SCHEMA.prepare(database, create=True)
            labels = LabelStore.open(location, timeout=timeout)
            opened.callback(labels.close)
            store = cls(database, labels, client_id)
            opened.pop_all()
        return store

    @property
    def place(self) -> str:
        """The path, or the URL without user and password, for messages."""
        return self._database.display_name

    def close(self) -> None:
        """Close all connections."""
        self.labels.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
