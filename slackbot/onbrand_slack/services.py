"""What handlers and listeners share: settings, the store, the voices, Slack."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Self

from onbrand.errors import OnbrandError
from onbrand.labels.store import LabelStore
from onbrand_slack.config import Config
from onbrand_slack.metrics import Metrics
from onbrand_slack.model import Check, Request, Tenant
from onbrand_slack.scoring import Scoring
from onbrand_slack.store import Store
from onbrand_slack.store.jobs import Lane, Receipt
from onbrand_slack.work.clients import Clients, only_installation
from onbrand_slack.work.right_of_way import RightOfWay


def lane_of(request: Request) -> Lane:
    """Return whose threads do a job: drafts must not keep a label or a decision waiting."""
    return "score" if isinstance(request, Check) else "post"


def _nobody(lane: Lane) -> None:
    """Wake nobody: a runner finds the job by itself."""


@dataclass
class Services:
    """Everything that lives as long as the app. Open it with `open`; close it at the end."""

    config: Config
    store: Store
    labels: LabelStore
    """Of all workspaces: take ``labels.workspace(tenant.workspace)``."""
    scoring: Scoring
    clients: Clients
    metrics: Metrics
    right_of_way: RightOfWay = field(default_factory=RightOfWay)
    """Requests from Slack take it while they are acknowledged."""
    wake: Callable[[Lane], None] = _nobody
    """Tells the runner of a new job; a runner that starts puts itself here."""

    @classmethod
    def open(cls, config: Config) -> Self:
        """Open what the configuration names, making or updating the database where it is due.

        Raises:
            OnbrandError: the database, the voices or the token cannot be used.
        """
        with ExitStack() as opened:
            store = opened.enter_context(
                Store.open(config.database, client_id=config.client_id or "")
            )
            installed = None if config.many_workspaces else only_installation(config)
            if installed is not None:
                store.installations.use_only(installed)
            right_of_way = RightOfWay()
            services = cls(
                config=config,
                store=store,
                labels=store.labels,
                scoring=Scoring(config, step_aside=right_of_way.step_aside),
                clients=Clients(config, store.installations),
                metrics=Metrics(),
                right_of_way=right_of_way,
            )
            if installed is not None:
                enterprise = installed.enterprise_id
                services.scoring.warm(Tenant(installed.team_id or enterprise or "", enterprise))
            opened.pop_all()
        return services

    def put(self, tenant: Tenant, request: Request, key: str, *, delay: float = 0.0) -> Receipt:
        """Queue a job; when this returns it is safe on disk.

        Args:
            tenant: whose job it is.
            request: what is to be done.
            key: what a repetition of the same request has in common with it.
            delay: seconds until it is due.
        """
        lane = lane_of(request)
        limit = self.config.queue_limit if lane == "score" else None
        receipt = self.store.jobs.put(tenant, request, key=key, lane=lane, limit=limit, delay=delay)
        if receipt.status == "queued":
            self.wake(lane)
        return receipt

    def problem(self) -> str | None:
        """Return what is in the way of working, in one line; None where nothing is."""
        if self.wake is _nobody:
            return "onbrand is not working on its queue"
        try:
            self.store.jobs.next_due()
        except OnbrandError as error:
            return str(error)
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.store.close()
