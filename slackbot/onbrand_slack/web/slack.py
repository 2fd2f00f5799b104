"""The paths that Slack and installing users call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.oauth import OAuthFlow

from onbrand_slack.app import SlackApp
from onbrand_slack.log import describe, logger
from onbrand_slack.metrics import Metrics
from onbrand_slack.web.http import Receive, Response, Scope, Send, Unreadable, headers_of, read_body
from onbrand_slack.work.right_of_way import RightOfWay

EVENTS = "/slack/events"
INSTALL = "/slack/install"
REDIRECT = "/slack/oauth_redirect"
ALIVE = "/healthz"
# Bolt is synchronous. A request takes milliseconds of a thread: it is checked and put into the
# database, no more.
THREADS = 16


class SlackEndpoint:
    """The public ASGI application.

    Args:
        app: handles what Slack sends.
        oauth: installs the app; None where it serves one workspace.
        right_of_way: lets scoring step aside while Slack waits for an answer.
        metrics: counts and times the answers.
    """

    def __init__(
        self, app: SlackApp, oauth: OAuthFlow | None, right_of_way: RightOfWay, metrics: Metrics
    ) -> None:
        self._app = app
        self._right_of_way = right_of_way
        self._metrics = metrics
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="slack-http")
        self._pages: dict[str, Callable[[BoltRequest], BoltResponse]] = {}
        if oauth is not None:
            self._pages = {INSTALL: oauth.handle_installation, REDIRECT: oauth.handle_callback}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            response = await self._respond(scope, receive)
            await response.send(send)

    def close(self) -> None:
        """End the threads, when the last request is answered."""
        self._pool.shutdown()

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        path, method = scope["path"], scope["method"]
        if path == ALIVE and method in ("GET", "HEAD"):
            return Response(body="ok\n")
        page = self._pages.get(path)
        if page is not None and method == "GET":
            query = scope["query_string"].decode("latin-1")
            request = BoltRequest(body="", query=query, headers=dict(headers_of(scope)))
            return await self._run(lambda: page(request))
        if path != EVENTS:
            return Response(404, "not found\n")
        if method != "POST":
            return Response(405, "POST only\n", {"allow": "POST"})
        try:
            body = await read_body(receive)
        except Unreadable as error:
            return Response(error.status)
        with self._right_of_way.held(), self._metrics.ack_seconds.time():
            return await self._run(lambda: self._app.receive(body, headers_of(scope)))

    async def _run(self, answer: Callable[[], BoltResponse]) -> Response:
        loop = asyncio.get_running_loop()
        try:
            made = await loop.run_in_executor(self._pool, answer)
        except Exception as error:  # Slack tries again, and the log says where
            logger.error("a request was not handled", extra={"error": describe(error)})
            return Response(500)
        return Response(made.status, made.body or "", made.headers)
