"""What listeners have at hand: the queue, and a few threads for calls that Slack cannot wait for.

A listener's answer goes out when it returns, and a modal must be open within three seconds of the
press: so it is opened beside the answer, not before it and not by way of the queue.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from onbrand.errors import OnbrandError
from onbrand.report.message import capitalised
from onbrand_slack.intake.guard import Sent
from onbrand_slack.intake.payloads import Interaction
from onbrand_slack.log import describe, logger
from onbrand_slack.model import Request, Tenant, ToConversation, ToUser
from onbrand_slack.render import details, words
from onbrand_slack.services import Services
from onbrand_slack.store.jobs import Receipt
from onbrand_slack.work.calls import Payload

TRIGGER_SECONDS = 3.0
"""How long Slack lets a modal be opened after a press."""
PATIENCE = 3.0
"""Seconds from which on a user is told that there is a line."""
_THREADS = 8


class Desk:
    """Passed to every listener."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="slack-modals")

    def close(self) -> None:
        """End the threads, after what they have begun."""
        self._pool.shutdown(cancel_futures=True)

    def put(self, sent: Sent[Any], request: Request, *, delay: float = 0) -> Receipt:
        """Queue a request; it is safe when this returns."""
        return self.services.put(sent.tenant, request, sent.key, delay=delay)

    def brands(self, tenant: Tenant) -> tuple[str, ...]:
        """Return a workspace's brands; none where its voices cannot be read."""
        try:
            return self.services.scoring.brands(tenant)
        except OnbrandError:
            return ()

    def refusal(self, receipt: Receipt) -> Payload | None:
        """Return what to say where a request was not taken."""
        if receipt.status != "full":
            return None
        return words.queue_full(self._seconds(receipt) / 60)

    def acknowledgement(self, receipt: Receipt) -> Payload | None:
        """Return what to say where a request was not taken or has to wait; None: no need."""
        if receipt.status == "queued" and (seconds := self._seconds(receipt)) > PATIENCE:
            return words.in_line(receipt.ahead, seconds)
        return self.refusal(receipt)

    def call(self, sent: Sent[Any], work: Callable[[WebClient], object]) -> None:
        """Call Slack beside the answer; a failure is logged and otherwise without effect."""

        def run() -> None:
            try:
                work(self.services.clients.once(sent.tenant))
            except Exception as error:
                _log(sent, error)

        self._pool.submit(run)

    def say(self, sent: Sent[Any], reply: ToUser | ToConversation, message: Payload) -> None:
        """Tell a user something beside the answer."""

        def work(client: WebClient) -> None:
            if isinstance(reply, ToUser):
                client.chat_postEphemeral(
                    channel=reply.channel, user=reply.user, thread_ts=reply.thread, **message
                )
            else:
                client.chat_postMessage(channel=reply.channel, thread_ts=reply.thread, **message)

        self.call(sent, work)

    def open(
        self,
        sent: Sent[Any],
        view: Callable[[], Payload],
        *,
        then: Callable[[WebClient, str], object] | None = None,
        otherwise: Callable[[], object] | None = None,
    ) -> None:
        """Open a modal beside the answer.

        Args:
            sent: the press that allows it.
            view: makes the modal.
            then: goes on with the id of the open modal.
            otherwise: is done in its stead where Slack does not open it.
        """
        pressed = time.monotonic()
        interaction: Interaction = sent.payload
        trigger, under = interaction.trigger_id, interaction.view

        def run(client: WebClient) -> None:
            if self.services.store.jobs.seen(sent.tenant, f"open:{sent.key}"):
                return
            try:
                made = _made(view)
                if time.monotonic() - pressed > TRIGGER_SECONDS:
                    raise TimeoutError
                # What is pressed in a modal opens on top of it.
                on_top = under is not None and under.type == "modal"
                show = client.views_push if on_top else client.views_open
                opened = show(trigger_id=trigger, view=made)
            except (SlackApiError, OSError) as error:
                _log(sent, error)
                if otherwise is not None:
                    otherwise()
                return
            if then is not None:
                then(client, str(opened["view"]["id"]))

        self.call(sent, run)

    def _seconds(self, receipt: Receipt) -> float:
        services = self.services
        return receipt.ahead * services.metrics.seconds_a_draft / services.config.workers


def _made(view: Callable[[], Payload]) -> Payload:
    try:
        return view()
    except OnbrandError as error:
        return details.trouble(capitalised(str(error)))


def _log(sent: Sent[Any], error: Exception) -> None:
    code = error.response.get("error") if isinstance(error, SlackApiError) else describe(error)
    logger.warning(
        "a modal or message could not be shown",
        extra={"workspace": sent.tenant.workspace, "error": code},
    )
