"""Installing the app into many workspaces: Slack's OAuth 2.0 flow, by Bolt, with words of ours."""

from __future__ import annotations

import html
from urllib.parse import urljoin

from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.callback_options import CallbackOptions, FailureArgs, SuccessArgs
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk import WebClient

from onbrand_slack.config import Config
from onbrand_slack.intake.reading import loggable
from onbrand_slack.log import describe, logger
from onbrand_slack.manifest import SCOPES
from onbrand_slack.store.installations import STATE_SECONDS, Installations
from onbrand_slack.web.slack import INSTALL, REDIRECT
from onbrand_slack.work.clients import TIMEOUT

_REASONS = {
    "access_denied": (403, "Slack was not given leave, so nothing was installed."),
    "invalid_browser": (400, "The installation has to begin and end in the same browser."),
    "invalid_state": (400, "This link was used already, or is older than ten minutes."),
    "missing_code": (400, "Slack sent no code to install with."),
    "invalid_code": (400, "Slack does not take the code any more; it is good for one use."),
    "storage_error": (500, "onbrand could not store the installation. Try again in a minute."),
}
"""By Bolt's or Slack's name of what went wrong."""
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>onbrand was not installed</title></head>
<body style="font-family: sans-serif; max-width: 36em; margin: 4em auto; padding: 0 1em">
<h1>onbrand was not installed</h1>
<p>{said}</p>
<p><a href="{again}">Begin again</a></p>
</body>
</html>
"""


def oauth_flow(config: Config, installations: Installations) -> OAuthFlow | None:
    """Return the flow, None where the app serves one workspace by its token."""
    if not config.many_workspaces or config.public_url is None:
        return None
    settings = OAuthSettings(
        client_id=config.client_id,
        client_secret=config.client_secret,
        scopes=sorted(SCOPES),
        redirect_uri=config.public_url.rstrip("/") + REDIRECT,
        install_path=INSTALL,
        redirect_uri_path=REDIRECT,
        callback_options=CallbackOptions(success=_installed, failure=_refused),
        installation_store=installations.bolt,
        installation_store_bot_only=True,
        state_store=installations.states,
        state_expiration_seconds=STATE_SECONDS,
        authorization_url=_authorization_url(config.api_url),
    )
    return _Flow(client=WebClient(base_url=config.api_url, timeout=TIMEOUT), settings=settings)


class _Flow(OAuthFlow):
    """Bolt's own, with a page where Slack or the database is out of reach."""

    def handle_callback(self, request: BoltRequest) -> BoltResponse:
        try:
            return super().handle_callback(request)
        except Exception as error:  # a person looks at what comes of it
            logger.error("not installed", extra={"error": describe(error)})
            return _page(502, "Slack or the database of onbrand cannot be reached just now.")


def _installed(args: SuccessArgs) -> BoltResponse:
    made = args.installation
    logger.info("installed", extra={"workspace": made.team_id or made.enterprise_id})
    return args.default.success(args)


def _refused(args: FailureArgs) -> BoltResponse:
    logger.info("not installed", extra={"error": loggable(args.reason)})
    # Whatever else Slack may say: the address of this page is for anyone to write.
    known = (400, f"Slack says: {loggable(args.reason)}.")
    return _page(*_REASONS.get(args.reason, known))


def _page(status: int, said: str) -> BoltResponse:
    body = _PAGE.format(said=html.escape(said), again=INSTALL)
    return BoltResponse(
        status=status, body=body, headers={"Content-Type": "text/html; charset=utf-8"}
    )


def _authorization_url(api_url: str) -> str:
    # https://slack.com/api/ → https://slack.com/oauth/v2/authorize
    return urljoin(api_url, "../oauth/v2/authorize")
