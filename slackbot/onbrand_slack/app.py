"""Builds the Bolt app: one table of listeners, a guard before it, one way to fail behind it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import Ack, App, BoltContext, BoltRequest, BoltResponse
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.oauth import OAuthFlow
from slack_sdk import WebClient

from onbrand.errors import OnbrandError
from onbrand_slack.config import Transport
from onbrand_slack.intake.guard import Guard, authorize
from onbrand_slack.intake.reading import from_http, from_socket, incoming_of
from onbrand_slack.intake.replay import ReplayGuard
from onbrand_slack.listeners import LISTENERS, Listener
from onbrand_slack.listeners.desk import Desk
from onbrand_slack.log import describe, logger
from onbrand_slack.render import words
from onbrand_slack.services import Services
from onbrand_slack.work.clients import TIMEOUT

# Bolt logs bodies: of bad signatures at INFO, of unhandled requests at WARNING.
_silent = logging.getLogger("onbrand_slack.bolt")
_silent.setLevel(logging.CRITICAL + 1)

TROUBLE = "onbrand could not take this in just now. Please send it again in a moment."


def build_app(services: Services, *, transport: Transport) -> SlackApp:
    """Return the app for a transport.

    Raises:
        OnbrandError: HTTP without a signing secret, with which anybody could send anything.
    """
    return SlackApp(services, transport)


class SlackApp(App):
    """Bolt's app, fed with what `intake.reading` has read.

    `receive` takes HTTP requests and Bolt's own adapters work, too; whatever is sent, nothing of it
    raises here or reaches a log.
    """

    def __init__(self, services: Services, transport: Transport) -> None:
        http = transport == "http"
        config = services.config
        if http and not config.signing_secret:
            raise OnbrandError(
                "HTTP needs SLACK_SIGNING_SECRET in the environment (see docs/slack.md)"
            )
        super().__init__(
            name="onbrand",
            logger=_silent,
            signing_secret=config.signing_secret or "",
            client=WebClient(base_url=config.api_url, timeout=TIMEOUT, logger=_silent),
            # Listeners do no more than to store a job: Slack hears of it when it is safe on disk.
            process_before_response=True,
            raise_error_for_unhandled_request=True,
            before_authorize=Guard(
                services.store.installations,
                app_id=config.app_id,
                replays=ReplayGuard() if http else None,
            ),
            authorize=authorize,
            # The guard knows bots, the requests of Bolt's own helpers are not made here, and
            # the token of a step is not needed to complete it.
            ignoring_self_events_enabled=False,
            attaching_conversation_kwargs_enabled=False,
            attaching_function_token_enabled=False,
            ssl_check_enabled=False,
        )
        self._http = http
        self._metrics = services.metrics
        self._desk = Desk(services)
        self.error(_answer_error)
        for listener in LISTENERS:
            self._register(listener)

    @property
    def oauth_flow(self) -> OAuthFlow | None:
        """None: Bolt makes itself one with files wherever SLACK_CLIENT_ID is set; ours is apart."""
        return None

    def receive(self, body: bytes, headers: Mapping[str, str]) -> BoltResponse:
        """Answer an HTTP request of Slack's."""
        return self.dispatch(from_http(body, headers))

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """Answer a request, as an adapter of Bolt's or `intake.reading` has made it."""
        if (req.mode == "http") != self._http:
            return BoltResponse(status=401)  # only HTTP is signed, only a socket needs no signature
        if "incoming" not in req.context:
            headers = {name: values[0] for name, values in req.headers.items() if values}
            raw = req.raw_body.encode("utf-8", "replace")
            req = from_http(raw, headers) if self._http else from_socket(req.body, headers)
        response = super().dispatch(req)
        self._metrics.requests.labels(incoming_of(req).kind, str(response.status)).inc()
        return response

    def close(self) -> None:
        """End the threads that open modals."""
        self._desk.close()

    def _register(self, listener: Listener) -> None:
        register: dict[str, Callable[..., Any]] = {
            "command": self.command,
            "event": self.event,
            "function": self.function,
            # `self.shortcut` would take either kind under either name.
            "message shortcut": self.message_shortcut,
            "global shortcut": self.global_shortcut,
            "view": self.view,
            "action": self.action,
            "options": self.options,
        }

        def run(ack: Ack, context: BoltContext) -> None:
            ack(listener.run(context["sent"], self._desk) or "")

        register[listener.kind](listener.name)(run)


def _answer_error(error: Exception, request: BoltRequest) -> BoltResponse:
    incoming = incoming_of(request)
    extra = {"kind": incoming.kind, "event": incoming.type}
    if isinstance(error, BoltUnhandledRequestError):
        # Link buttons, other apps' blocks, events that an old manifest asks for.
        logger.info("nothing to do", extra=extra)
        return BoltResponse(status=200)
    logger.error("a request was not handled", extra={**extra, "error": describe(error)})
    if incoming.kind == "command":
        return BoltResponse(status=200, body=words.notice(TROUBLE))
    if incoming.kind == "options":
        return BoltResponse(status=200, body={"options": []})
    # Events come again; a modal stays open with its draft, and Slack says that it did not work.
    return BoltResponse(status=500)
