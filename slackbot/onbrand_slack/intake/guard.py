"""Decides what goes on to a listener: ours, new, of a workspace that has the app, and no noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from slack_bolt import BoltContext, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware import Middleware

from onbrand_slack.intake.keys import key_of
from onbrand_slack.intake.payloads import (
    Challenge,
    Payload,
    RateLimited,
    Said,
    TokensRevoked,
    Uninstall,
)
from onbrand_slack.intake.reading import Incoming, incoming_of
from onbrand_slack.intake.replay import ReplayGuard
from onbrand_slack.intake.tenancy import tenant_of
from onbrand_slack.log import logger
from onbrand_slack.model import Tenant
from onbrand_slack.store.installations import Installed

P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True)
class Sent(Generic[P]):
    """A request that may run: what a listener gets."""

    payload: P
    tenant: Tenant
    installed: Installed
    key: str
    """Of the job that it becomes."""


class _Installations(Protocol):
    def find(self, enterprise: str | None, team: str | None, /) -> Installed | None: ...


class Guard(Middleware):
    """Stands behind Bolt's check of signatures and before everything else.

    Args:
        installations: who has the app.
        app_id: the only app whose requests are taken, where it is known.
        replays: signatures of the last minutes; None over Socket Mode, which has none.
    """

    def __init__(
        self, installations: _Installations, *, app_id: str | None, replays: ReplayGuard | None
    ) -> None:
        self._installations = installations
        self._app_id = app_id
        self._replays = replays

    def process(
        self,
        *,
        req: BoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - Bolt's names
        next: Callable[[], BoltResponse],  # noqa: A002
    ) -> BoltResponse:
        """Answer a request that is not to run, or pass it on with `Sent` in its context."""
        incoming = incoming_of(req)
        signature = _header(req, "x-slack-signature")
        if isinstance(incoming.payload, Challenge):
            return next()
        if self._replayed(req, incoming, signature):
            return _refused("replayed", incoming)
        if incoming.payload is None and incoming.envelope is None:
            return _unheard(incoming)
        tenant = tenant_of(incoming.payload, incoming.envelope)
        if tenant is None:
            return _nowhere(incoming)
        installed = self._installations.find(tenant.enterprise, tenant.workspace)
        if installed is None:
            return _nowhere(incoming)
        if not self._of_our_app(incoming, installed):
            return _refused("another app", incoming)
        if incoming.payload is None:
            return _unheard(incoming)
        if isinstance(incoming.payload, RateLimited):
            logger.warning("Slack holds events back", extra={"workspace": tenant.workspace})
            return _ignored()
        if _is_noise(incoming.payload, installed):
            return _ignored()
        key = key_of(incoming, signature if self._replays else None)
        req.context["sent"] = Sent(incoming.payload, tenant, installed, key)
        return next()

    def _replayed(self, req: BoltRequest, incoming: Incoming, signature: str | None) -> bool:
        if self._replays is None or signature is None:
            return False
        # Slack may deliver an event again in the same second, with the same signature, and the
        # second delivery may arrive first: its key tells that it is known, and Slack must hear
        # that it arrived.
        retry = incoming.envelope is not None and _header(req, "x-slack-retry-num") is not None
        return not retry and self._replays.seen(signature)

    def _of_our_app(self, incoming: Incoming, installed: Installed) -> bool:
        theirs = getattr(incoming.envelope or incoming.payload, "api_app_id", None)
        ours = self._app_id or installed.app_id
        return theirs is None or ours is None or theirs == ours


def authorize(context: BoltContext) -> AuthorizeResult:
    """Return whose token a listener has, for Bolt: the guard has looked it up."""
    sent: Sent[Payload] = context["sent"]
    return AuthorizeResult(
        enterprise_id=sent.installed.enterprise_id,
        team_id=sent.installed.team_id,
        bot_id=sent.installed.bot_id,
        bot_user_id=sent.installed.bot_user_id,
        bot_token=sent.installed.bot_token,
    )


def _is_noise(payload: Payload, installed: Installed) -> bool:
    """Say whether an event is none of our business: bots, edits, joins, other channels."""
    match payload:
        case Said(user=user, bot_id=bot, subtype=subtype, hidden=hidden):
            ours = bot is not None or user in (None, installed.bot_user_id)
            return ours or hidden or subtype not in (None, "file_share", "thread_broadcast")
        case TokensRevoked(tokens=tokens):
            return not tokens.bot  # users' tokens are none of ours
    return False


def _header(req: BoltRequest, name: str) -> str | None:
    return next(iter(req.headers.get(name, ())), None)


def _unheard(incoming: Incoming) -> BoltResponse:
    """Answer what nobody listens to: Slack must not try again, except what it cannot have sent."""
    logger.info("nothing to do", extra={"kind": incoming.kind, "event": incoming.type})
    return BoltResponse(status=400 if incoming.kind == "malformed" else 200)


def _nowhere(incoming: Incoming) -> BoltResponse:
    # Where the app is gone, its last event may come twice.
    if isinstance(incoming.payload, Uninstall | TokensRevoked):
        return _ignored()
    return _refused("not installed", incoming)


def _refused(reason: str, incoming: Incoming) -> BoltResponse:
    extra = {"kind": incoming.kind, "event": incoming.type, "error": reason}
    logger.warning("request refused", extra=extra)
    return BoltResponse(status=401, body={"error": "not for this app"})


def _ignored() -> BoltResponse:
    return BoltResponse(status=200)
