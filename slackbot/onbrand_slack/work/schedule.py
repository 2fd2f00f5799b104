"""What happens by the clock: weekly digests, and the end of what is kept for a while only."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from onbrand_slack.log import describe, logger
from onbrand_slack.model import Digest
from onbrand_slack.services import Services
from onbrand_slack.store.digest import week_before

EVERY = 60.0
"""Seconds."""


class Schedule:
    """Looks once a minute what is due. Any number of replicas may: a digest has one key a week.

    Args:
        services: what handlers share.
        clock: the time, with a zone.
        every: seconds from one look to the next.
    """

    def __init__(
        self,
        services: Services,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        every: float = EVERY,
    ) -> None:
        self._services = services
        self._clock = clock
        self._every = every
        self._queued: set[tuple[str, str, str]] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="onbrand-schedule", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Look no more; what is being done is finished."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def look(self) -> None:
        """Do what is due now. Each part for itself: a failure of one is no reason for the rest."""
        now = self._clock()
        for part in (self._post_digests, self._purge):
            try:
                part(now)
            except Exception as error:
                logger.error("a scheduled part failed", extra={"error": describe(error)})

    def _work(self) -> None:
        while not self._stopping.wait(self._every):
            self.look()

    def _post_digests(self, now: datetime) -> None:
        week = week_before(now)
        # The store finds them due until the week is over, and its keys know what was queued; the
        # set only spares it the question.
        self._queued = {queued for queued in self._queued if queued[-1] == week}
        for tenant, settings in self._services.store.settings.due_digests(now):
            queued = (tenant.workspace, settings.brand, week)
            if queued not in self._queued:
                request = Digest(brand=settings.brand, week=week)
                self._services.put(tenant, request, f"digest:{settings.brand}:{week}")
                self._queued.add(queued)

    def _purge(self, now: datetime) -> None:
        self._services.store.privacy.purge(now)
