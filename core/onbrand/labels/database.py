"""Connections to the label store's database."""

from __future__ import annotations

from onbrand.database import Database as AnyDatabase
from onbrand.database import Use


class Database(AnyDatabase):
    """Where labels are kept: every word in its turn, and safe from power cuts.

    Args:
        location: a path or a URL, as for any database.
        timeout: how long to wait for another writer, in seconds.
    """

    def __init__(self, location: str, timeout: float) -> None:
        super().__init__(location, Use("the label database"), timeout)
