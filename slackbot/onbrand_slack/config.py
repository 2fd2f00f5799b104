"""How the app is set up: options of the command line, and secrets from the environment only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from onbrand.errors import OnbrandError
from onbrand.voice.storage import DEFAULT_VOICES

Transport = Literal["socket", "http"]

SECRETS = {
    "bot_token": "SLACK_BOT_TOKEN",
    "app_token": "SLACK_APP_TOKEN",
    "signing_secret": "SLACK_SIGNING_SECRET",
    "client_id": "SLACK_CLIENT_ID",
    "client_secret": "SLACK_CLIENT_SECRET",
    "app_id": "SLACK_APP_ID",
}
"""Fields that are read from the environment, and the variables they are read from."""
_PREFIXES = {"bot_token": "xoxb-", "app_token": "xapp-"}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Config:
    """All that a running app was told. Secrets do not show in its ``repr``."""

    transport: Transport
    voices: Path
    database: str = field(repr=False)
    """A path for SQLite, or a URL ``postgresql://…``, which may hold a password."""
    bot_token: str | None = field(default=None, repr=False)
    """Of the one workspace that the app serves; None where workspaces install it by OAuth."""
    app_token: str | None = field(default=None, repr=False)
    signing_secret: str | None = field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    app_id: str | None = None
    api_url: str = "https://slack.com/api/"
    public_url: str | None = None
    """Where Slack reaches the app over HTTP, without a path."""
    host: str = "127.0.0.1"
    port: int = 3000
    admin_host: str = "127.0.0.1"
    admin_port: int = 3001
    """Of health and metrics; -1: not served."""
    avoid: tuple[str, ...] = ()
    """Registers that drafts must not read like where nothing names a brand."""
    workers: int = 2
    """Threads that score."""
    queue_limit: int = 1000
    """Drafts that may wait to be scored, for all workspaces together."""

    @property
    def many_workspaces(self) -> bool:
        """Whether workspaces install the app by OAuth, each with voices of its own."""
        return self.bot_token is None

    @classmethod
    def load(
        cls,
        transport: Transport,
        *,
        voices: Path | None,
        database: str,
        environment: Mapping[str, str] = os.environ,
        **options: object,
    ) -> Self:
        """Put options and the environment together and check that nothing is missing.

        Args:
            transport: Socket Mode or HTTP.
            voices: folder of voices; None stands for ``voices``, which need not be there where
                registers are to be avoided.
            database: path or URL.
            environment: where the secrets are, named in `SECRETS`.
            options: any other field; None stands for its default.

        Raises:
            OnbrandError: a variable is missing or malformed; the message names it, not its value.
        """
        secrets: dict[str, Any] = {
            name: _read(environment, variable) for name, variable in SECRETS.items()
        }
        for name, prefix in _PREFIXES.items():
            value = secrets[name]
            if value is not None and not value.startswith(prefix):
                raise OnbrandError(f"{SECRETS[name]} must begin with {prefix}; copy it again")
        given: dict[str, Any] = {
            name: value for name, value in options.items() if value is not None
        }
        if (api_url := _api_url(_read(environment, "ONBRAND_SLACK_API_URL"))) is not None:
            given["api_url"] = api_url
        config = cls(
            transport=transport,
            voices=DEFAULT_VOICES if voices is None else voices,
            database=database,
            **secrets,
            **given,
        )
        if voices is not None or not config.avoid:
            config._check_voices()
        config._check()
        return config

    def _check_voices(self) -> None:
        if not self.voices.is_dir():
            raise OnbrandError(
                "no such folder of voices; train some with onbrand train, or judge without any "
                "by --avoid corporate,hype,chatbot",
                path=self.voices,
            )

    def _check(self) -> None:
        if self.transport == "socket":
            self._need("Socket Mode", "bot_token", "app_token")
        elif self.many_workspaces:
            self._need("HTTP", "signing_secret", "client_id", "client_secret")
            if self.public_url is None:
                raise OnbrandError(
                    "workspaces install the app at its public address; give --url https://…"
                )
        else:
            self._need("HTTP", "signing_secret")

    def _need(self, what: str, *names: str) -> None:
        missing = [SECRETS[name] for name in names if getattr(self, name) is None]
        if missing:
            hint = "; or SLACK_BOT_TOKEN for one workspace" if "SLACK_CLIENT_ID" in missing else ""
            raise OnbrandError(
                f"{what} needs {', '.join(missing)} in the environment{hint} (see docs/slack.md)"
            )


def _read(environment: Mapping[str, str], variable: str) -> str | None:
    return environment.get(variable, "").strip() or None


def _api_url(url: str | None) -> str | None:
    """Return another address of Slack's API, for tests, ending in a slash."""
    if url is None:
        return None
    parts = urlsplit(url)
    # Tokens travel there: in the clear on this machine only.
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise OnbrandError("ONBRAND_SLACK_API_URL must be https, or on this machine")
    return url.rstrip("/") + "/"
