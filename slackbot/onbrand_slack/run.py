"""Runs the app until it is told to stop, then ends what it has begun."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from onbrand_slack.app import SlackApp, build_app
from onbrand_slack.config import Config
from onbrand_slack.handlers import HANDLERS, problem_calls
from onbrand_slack.log import logger
from onbrand_slack.services import Services
from onbrand_slack.web.admin import AdminEndpoint
from onbrand_slack.web.http import Server
from onbrand_slack.web.oauth import oauth_flow
from onbrand_slack.web.slack import SlackEndpoint
from onbrand_slack.web.socket import SocketEndpoint
from onbrand_slack.work.errors import UnreachableError
from onbrand_slack.work.runner import Runner
from onbrand_slack.work.schedule import Schedule

STOP_SECONDS = 20.0
"""For jobs that are being worked on; what takes longer is left to another replica."""
LONGEST_WAIT = 30.0
"""Seconds between two attempts to reach Slack at the start."""
T = TypeVar("T")


def run(config: Config) -> None:
    """Serve Slack until SIGTERM or Ctrl-C.

    Raises:
        OnbrandError: the database, the voices or a token cannot be used, or a port is taken.
    """
    stopping = threading.Event()
    with _stopped_by_signals(stopping):
        services = _patiently(stopping, lambda: Services.open(config))
        if services is not None:
            with services:
                _work(config, services, stopping)
    logger.info("stopped")


def _work(config: Config, services: Services, stopping: threading.Event) -> None:
    app = build_app(services, transport=config.transport)
    runner = Runner(services, HANDLERS, problem_calls)
    schedule = Schedule(services)
    runner.start()
    schedule.start()
    try:
        with (
            _served(config, services, app, stopping) as trouble,
            _administered(config, services, trouble),
        ):
            if not stopping.is_set():
                logger.info("ready", extra={"kind": config.transport})
            stopping.wait()
            logger.info("stopping")
    finally:
        schedule.stop()
        runner.stop(STOP_SECONDS)
        app.close()


def _patiently(stopping: threading.Event, attempt: Callable[[], T]) -> T | None:
    """Try until Slack can be reached; return None where the app is to stop before.

    A machine that is up before its network is no reason to give up; a wrong token is.
    """
    wait = 1.0
    while not stopping.is_set():
        try:
            return attempt()
        except UnreachableError as error:
            extra = {"error": error.code, "seconds": wait}
            logger.warning("Slack cannot be reached; trying again", extra=extra)
        stopping.wait(wait)
        wait = min(2 * wait, LONGEST_WAIT)
    return None


@contextmanager
def _stopped_by_signals(stopping: threading.Event) -> Iterator[None]:
    # Python runs handlers in the main thread, which two signals at a time may leave asleep: both
    # are handed to another thread. The byte for this socket is written by whichever gets one.
    woken, waker = socket.socketpair()
    waker.setblocking(False)

    def pass_on() -> None:
        woken.recv(1)
        stopping.set()

    waiting = threading.Thread(target=pass_on, name="onbrand-signals", daemon=True)
    waiting.start()
    waker_before = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    signals = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: None) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
        signal.set_wakeup_fd(waker_before)
        waker.close()
        waiting.join()
        woken.close()


@contextmanager
def _served(
    config: Config, services: Services, app: SlackApp, stopping: threading.Event
) -> Iterator[Callable[[], str | None]]:
    """Be there for Slack; give what tells in one line what is in the way of that."""
    if config.transport == "socket":
        handler = SocketEndpoint(app, config.app_token, services.right_of_way, services.metrics)
        try:
            _patiently(stopping, handler.connect)
            yield lambda: None if handler.connected else "onbrand is not connected to Slack"
        finally:
            handler.close()  # type: ignore[no-untyped-call]
        return
    oauth = oauth_flow(config, services.store.installations)
    endpoint = SlackEndpoint(app, oauth, services.right_of_way, services.metrics)
    server = Server(endpoint, config.host, config.port)
    logger.info("listening", extra={"address": f"{server.host}:{server.port}"})
    server.start()
    try:
        yield lambda: None
    finally:
        server.stop()
        endpoint.close()


@contextmanager
def _administered(
    config: Config, services: Services, trouble: Callable[[], str | None]
) -> Iterator[None]:
    if config.admin_port < 0:
        yield
        return
    endpoint = AdminEndpoint(lambda: services.problem() or trouble(), services.metrics)
    server = Server(endpoint, config.admin_host, config.admin_port)
    logger.info("health and metrics", extra={"address": f"{server.host}:{server.port}"})
    server.start()
    try:
        yield
    finally:
        server.stop()
