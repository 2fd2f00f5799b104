"""Clients of Slack: one a token, with time limits, and silent about what they carry."""

from __future__ import annotations

import json
import logging
from functools import lru_cache, partial
from typing import Protocol
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from slack_sdk import WebClient
from slack_sdk.http_retry import HttpResponse, RetryHandler
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)
from slack_sdk.proxy_env_variable_loader import load_http_proxy_from_env

from onbrand.errors import OnbrandError
from onbrand_slack.config import Config
from onbrand_slack.model import Tenant
from onbrand_slack.store.installations import Installed
from onbrand_slack.work.calls import Payload
from onbrand_slack.work.errors import (
    Kind,
    NotInstalledError,
    ResponseUrlError,
    UnreachableError,
    classify,
)
from onbrand_slack.work.redirects import NoRedirects

TIMEOUT = 10
"""Seconds."""
PATIENCE = 10.0
"""Seconds that a handler's call waits where Slack limits the rate; a longer wait is the job's."""
_LONGEST_ANSWER = 64 * 1024
_LARGEST_CACHE = 1000

# slack_sdk logs whole answers where they are no JSON, and requests at DEBUG: drafts, that is.
_silent = logging.getLogger("onbrand_slack.slack_sdk")
_silent.setLevel(logging.CRITICAL + 1)


class _Installations(Protocol):
    def find(self, enterprise: str | None, team: str | None, /) -> Installed | None: ...
    def refresh(self) -> None: ...


class Clients:
    """Hands out clients. Safe to use from several threads.

    Args:
        config: where Slack's API is.
        installations: whose tokens there are.
    """

    def __init__(self, config: Config, installations: _Installations) -> None:
        self._installations = installations
        self._client = lru_cache(_LARGEST_CACHE)(partial(_client, config.api_url))
        self._hooks = _origins_of_hooks(config.api_url)
        self._opener = _opener()

    def of(self, tenant: Tenant) -> WebClient:
        """Return the client for handlers, which retries what a moment's patience mends.

        Raises:
            NotInstalledError: the workspace has removed the app, or never had it.
        """
        return self._client(self._token(tenant), True)

    def once(self, tenant: Tenant) -> WebClient:
        """Return the client that tries a call once: the poster retries, without a thread's sleep.

        Raises:
            NotInstalledError: the workspace has removed the app, or never had it.
        """
        return self._client(self._token(tenant), False)

    def refresh(self) -> None:
        """Look tokens up anew: Slack does not take one that we have."""
        self._installations.refresh()

    def respond(self, url: str, body: Payload) -> Payload:
        """Send a message to a response_url and return Slack's answer.

        Raises:
            ResponseUrlError: Slack did not take it, or the address is not one of Slack's.
            OSError: no answer came.
        """
        self._check(url)
        # Checked: https, or the API's own host in tests.
        request = Request(  # noqa: S310
            url, json.dumps(body).encode(), {"Content-Type": "application/json; charset=utf-8"}
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT) as response:
                answer = _parse(response.read(_LONGEST_ANSWER))
                status = response.status
        except HTTPError as error:
            with error:
                code = _code(_parse(error.read(_LONGEST_ANSWER)))
            raise ResponseUrlError(error.code, code, error.headers.get("Retry-After")) from None
        if answer.get("ok") is not True:
            raise ResponseUrlError(status, _code(answer))
        return answer

    def _token(self, tenant: Tenant) -> str:
        installed = self._installations.find(tenant.enterprise, tenant.workspace)
        if installed is None:
            raise NotInstalledError(
                f"onbrand is not installed in workspace {tenant.workspace}; install it again"
            )
        return installed.bot_token

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        # No user, no backslash: parsers disagree on where the host of such an address is.
        odd = not url.isascii() or any(character in url for character in "@\\ ")
        if odd or (parts.scheme, parts.hostname) not in self._hooks:
            raise ResponseUrlError(403, "not_of_slack")


def only_installation(config: Config) -> Installed:
    """Ask Slack which workspace the one token is of.

    Raises:
        UnreachableError: Slack does not answer now.
        OnbrandError: Slack does not take the token.
    """
    try:
        answer = _client(config.api_url, config.bot_token or "", True).auth_test()
    except Exception as error:
        outcome = classify(error)
        if outcome.kind is Kind.LATER:
            raise UnreachableError(outcome.code) from None
        raise OnbrandError(
            f"Slack does not take SLACK_BOT_TOKEN ({outcome.code}); copy it again"
        ) from None
    everywhere = bool(answer.get("is_enterprise_install"))
    return Installed(
        bot_token=config.bot_token or "",
        bot_id=answer.get("bot_id"),
        bot_user_id=answer.get("user_id"),
        app_id=config.app_id,
        team_id=None if everywhere else answer.get("team_id"),
        enterprise_id=answer.get("enterprise_id"),
        installer=None,
    )


def _client(api_url: str, token: str, retries: bool) -> WebClient:
    return WebClient(
        token=token,
        base_url=api_url,
        timeout=TIMEOUT,
        logger=_silent,
        retry_handlers=_handlers() if retries else [],
    )


class _BriefRateLimits(RateLimitErrorRetryHandler):
    """Waits as long as Slack says, but not for long, and not where Slack does not say."""

    def _can_retry(self, *, response: HttpResponse | None = None, **_: object) -> bool:
        if response is None or response.status_code != 429:
            return False
        headers = {name.lower(): values for name, values in response.headers.items()}
        wait = next(iter(headers.get("retry-after", ["1"])), "")
        # The SDK takes it for a whole number, unseen.
        return wait.isdecimal() and len(wait) < 4 and int(wait) <= PATIENCE


def _handlers() -> list[RetryHandler]:
    return [
        ConnectionErrorRetryHandler(),
        _BriefRateLimits(max_retry_count=3),
        ServerErrorRetryHandler(),
    ]


def _opener() -> OpenerDirector:
    proxy = load_http_proxy_from_env(_silent)
    proxies = [] if proxy is None else [ProxyHandler({"http": proxy, "https": proxy})]
    return build_opener(NoRedirects, *proxies)


def _origins_of_hooks(api_url: str) -> frozenset[tuple[str, str]]:
    """Return where response_urls may lead: to Slack's hooks, or where another API has its own."""
    api = urlsplit(api_url)
    host = api.hostname or ""
    slack = ("https", "hooks.slack.com")
    if host == "slack.com":
        return frozenset({slack})
    return frozenset({slack, ("https", f"hooks.{host}"), (api.scheme, host)})


def _parse(body: bytes) -> Payload:
    """Return a response_url's answer, "ok" or an error code or JSON, as JSON."""
    text = body.decode("utf-8", "replace").strip()
    if text in ("ok", ""):
        return {"ok": True}
    try:
        answer = json.loads(text)
    except ValueError:
        return {"ok": False, "error": text}
    return answer if isinstance(answer, dict) else {"ok": False}


def _code(answer: Payload) -> str:
    return str(answer.get("error") or "")
