"""Socket Mode: the app connects to Slack, which sends over a WebSocket what it would post."""

from __future__ import annotations

import logging
from time import time

from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.internals import build_headers, send_response
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from onbrand.errors import OnbrandError
from onbrand_slack.app import SlackApp
from onbrand_slack.intake.reading import from_socket
from onbrand_slack.metrics import Metrics
from onbrand_slack.work.errors import Kind, UnreachableError, classify
from onbrand_slack.work.right_of_way import RightOfWay

LOOK_EVERY = 5.0
"""Seconds from one look whether the connection lives to the next; commands are lost where not."""


class SocketEndpoint(SocketModeHandler):
    """Bolt's own, but for how a request is read: any JSON may come, and must not raise.

    Args:
        app: handles what Slack sends.
        app_token: ``xapp-…``, opens the connection.
        right_of_way: lets scoring step aside while Slack waits for an answer.
        metrics: counts and times the answers.
    """

    def __init__(
        self, app: SlackApp, app_token: str | None, right_of_way: RightOfWay, metrics: Metrics
    ) -> None:
        # A logger of its own name: trouble with the connection is told, without its words.
        log = logging.getLogger("slack_sdk.socket_mode")
        super().__init__(app, app_token, logger=log, ping_interval=LOOK_EVERY)
        self._slack_app = app
        self._right_of_way = right_of_way
        self._metrics = metrics

    @property
    def connected(self) -> bool:
        """Whether Slack can send something now."""
        return self.client.is_connected()

    def connect(self) -> None:
        """Connect to Slack; from then on the connection is renewed by itself.

        Raises:
            UnreachableError: Slack does not answer now.
            OnbrandError: Slack does not take the token.
        """
        self.client.wss_uri = None  # an address is good for one attempt
        try:
            self.client.connect()
        except Exception as error:
            outcome = classify(error)
            if outcome.kind is Kind.LATER:
                raise UnreachableError(outcome.code) from None
            raise OnbrandError(
                f"Slack does not take SLACK_APP_TOKEN ({outcome.code}); copy it again, with the "
                "scope connections:write"
            ) from None

    def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        """Answer one envelope."""
        start = time()
        headers = {name: str(value) for name, value in (build_headers(req) or {}).items()}
        with self._right_of_way.held(), self._metrics.ack_seconds.time():
            answer = self._slack_app.dispatch(from_socket(req.payload, headers))
            send_response(client, req, answer, start)
