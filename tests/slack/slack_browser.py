"""The browser of somebody who adds the app to Slack."""

from __future__ import annotations

import html
import re
from typing import Self
from urllib.parse import parse_qs, urlsplit

import httpx
from slack_process import SlackProcess

MANY = {
    "SLACK_BOT_TOKEN": "",
    "SLACK_APP_TOKEN": "",
    "SLACK_CLIENT_ID": "111.222",
    "SLACK_CLIENT_SECRET": "a-client-secret",
}
"""The environment of an app that many workspaces install."""
URL = "https://onbrand.example"
COOKIE = "slack-app-oauth-state"


def install(app: SlackProcess, *teams: str) -> None:
    """Let workspaces install the app."""
    with Browser(str(app.url)) as browser:
        for team in teams:
            assert browser.install(f"code-{team}").status_code == 200


class Browser:
    """Keeps the cookie by itself: it is for https only, and tests have none.

    Args:
        app: where the app listens, without a path.
    """

    def __init__(self, app: str) -> None:
        self.cookie = ""
        self._client = httpx.Client(base_url=app, timeout=30)

    def begin(self) -> dict[str, str]:
        """Open the page to install from; return what its link asks Slack for."""
        page = self._client.get("/slack/install")
        assert page.status_code == 200
        set_cookie = page.headers["set-cookie"]
        assert {"Secure", "HttpOnly"} <= set(set_cookie.split("; "))
        (self.cookie,) = re.findall(rf"{COOKIE}=([^;]+);", set_cookie)
        (link,) = re.findall(r'href="([^"]+authorize[^"]+)"', page.text)
        self.link = html.unescape(link)
        return {name: values[0] for name, values in parse_qs(urlsplit(self.link).query).items()}

    def come_back(self, **query: str) -> httpx.Response:
        """Be sent back by Slack."""
        headers = {"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {}
        return self._client.get("/slack/oauth_redirect", params=query, headers=headers)

    def install(self, code: str) -> httpx.Response:
        """Install the app; Slack gives the code."""
        return self.come_back(code=code, state=self.begin()["state"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()
