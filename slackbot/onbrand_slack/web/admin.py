"""Health and metrics, on a port of their own that the world does not see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from onbrand_slack.metrics import Metrics
from onbrand_slack.web.http import Receive, Response, Scope, Send


class AdminEndpoint:
    """Answers ``/healthz`` (alive), ``/readyz`` (able to work) and ``/metrics``.

    Args:
        problem: one line on what is in the way of working, None where nothing is.
        metrics: what has been counted.
    """

    def __init__(self, problem: Callable[[], str | None], metrics: Metrics) -> None:
        self._problem = problem
        self._metrics = metrics

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        pages = {"/healthz": self._alive, "/readyz": self._ready, "/metrics": self._figures}
        page = pages.get(scope["path"])
        response = Response(404, "not found\n") if page is None else await asyncio.to_thread(page)
        await response.send(send)

    def _alive(self) -> Response:
        return Response(body="ok\n")

    def _ready(self) -> Response:
        problem = self._problem()
        return Response(body="ready\n") if problem is None else Response(503, f"{problem}\n")

    def _figures(self) -> Response:
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return Response(body=self._metrics.exposition(), headers={"content-type": kind})
