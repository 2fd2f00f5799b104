"""What the app counts and times, for Prometheus: kinds, methods and outcomes, never who or what."""

from __future__ import annotations

import math
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# Slack gives an acknowledgement three seconds.
_ACK_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
_SCORE_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

FIRST_GUESS = 0.1
"""Seconds that a draft of 300 words takes."""
_LATEST = 0.1
"""The share of the latest draft in what one takes as a rule."""


class Metrics:
    """Every figure of one app, on a registry of its own: two apps in a process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = self._counter("requests", "Requests from Slack", "kind", "status")
        self.ack_seconds = Histogram(
            "onbrand_slack_ack_seconds",
            "Time to acknowledge a request",
            buckets=_ACK_BUCKETS,
            registry=self._registry,
        )
        self.jobs = self._counter("jobs", "Jobs that ended", "kind", "outcome")
        self.queue = self._gauge("queue", "Jobs that wait", "lane")
        self.posting = self._gauge("posting", "Jobs whose answers are on their way to Slack")
        self.score_seconds = Histogram(
            "onbrand_slack_score_seconds",
            "Time from taking up a draft until its answer is ready",
            buckets=_SCORE_BUCKETS,
            registry=self._registry,
        )
        self.seconds_a_draft = FIRST_GUESS
        """What a draft takes as a rule: the latest ones count the most."""
        self.slack_calls = self._counter("slack_calls", "Calls to Slack", "method", "outcome")
        self.rate_limits = self._counter("rate_limits", "Calls that Slack put off", "method")
        self.retries = self._counter("retries", "Calls that were tried again", "method")

    def scored(self, seconds: float) -> None:
        """Take note of how long a draft took."""
        self.score_seconds.observe(seconds)
        self.seconds_a_draft += (seconds - self.seconds_a_draft) * _LATEST

    def watch_queue(self, lane: str, waiting: Callable[[], float]) -> None:
        """Ask ``waiting`` for the length of a lane's queue whenever the figures are read."""
        self.queue.labels(lane).set_function(_or_unknown(waiting))

    def watch_posting(self, posting: Callable[[], float]) -> None:
        """Ask ``posting`` for the number of answers on their way."""
        self.posting.set_function(_or_unknown(posting))

    def exposition(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(f"onbrand_slack_{name}", documentation, labels, registry=self._registry)

    def _gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        return Gauge(f"onbrand_slack_{name}", documentation, labels, registry=self._registry)


def _or_unknown(ask: Callable[[], float]) -> Callable[[], float]:
    """Return ``ask`` with NaN for any failure: a database that is away must not hide the rest."""

    def figure() -> float:
        try:
            return ask()
        except Exception:
            return math.nan

    return figure
