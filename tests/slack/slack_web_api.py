"""What a Slack of our own answers: just enough state for an app to work against."""
# ruff: noqa: A001, A002, N802 - methods and arguments are named as Slack names them

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

Payload = dict[str, Any]

BOT_TOKEN = "xoxb-local-bot"
APP_TOKEN = "xapp-local"
BOT_USER = "U0BRANDV"
BOT_ID = "B0BRANDV"
APP_ID = "A000000001"
TEAM = "T000000001"
USER = "U000000001"


@dataclass(slots=True)
class StoredFile:
    """A file, as the app downloads it."""

    info: Payload
    content: bytes
    headers: Mapping[str, str]
    status: int = 200
    open: bool = False
    """Served without a token, as a login page is."""


class WebApi:
    """The state of a few workspaces, and the methods that read and change it.

    Args:
        tenants: bot tokens and the teams they belong to.
    """

    def __init__(self, tenants: Mapping[str, str] | None = None) -> None:
        self.url = ""
        self.tenants = dict(tenants or {BOT_TOKEN: TEAM})
        self.messages: dict[str, list[Payload]] = {}
        """By channel, oldest first."""
        self.files: dict[str, StoredFile] = {}
        self.users: dict[str, Payload] = {}
        self.views: dict[str, Payload] = {}
        self._numbers = itertools.count(1)

    def answer(self, method: str, arguments: Payload, token: str | None) -> Payload:
        """Carry out a method and return Slack's answer."""
        if method == "apps.connections.open":
            if not (token or "").startswith("xapp-"):
                return {"ok": False, "error": "invalid_auth"}
            return {"ok": True, "url": f"{self.url.replace('http', 'ws', 1)}/link"}
        if method != "oauth.v2.access" and token not in self.tenants:
            return {"ok": False, "error": "invalid_auth"}
        handler = getattr(self, "do_" + method.replace(".", "_"), None)
        return {"ok": True, **(handler(arguments, token) if handler else {})}

    def next_number(self) -> int:
        """Return a number that was not returned before."""
        return next(self._numbers)

    def add_message(self, channel: str, text: str, **more: Any) -> str:
        """Put a message into a channel and return its ``ts``."""
        ts = more.pop("ts", None) or self._ts()
        message = {"type": "message", "user": "U000000001", "text": text, "ts": ts, **more}
        self.messages.setdefault(channel, []).append(message)
        return ts

    def add_file(self, name: str, content: bytes, **more: Any) -> str:
        """Put up a file and return its id. ``headers``, ``status``, ``open``: how it is served."""
        id = f"F{self.next_number():09d}"
        served = {key: more.pop(key) for key in ("headers", "status", "open") if key in more}
        url = f"{self.url}/files-pri/{id}/{quote(name)}"
        info = {
            "id": id,
            "name": name,
            "title": name,
            "filetype": name.rpartition(".")[2],
            "mimetype": "application/octet-stream",
            "size": len(content),
            "mode": "hosted",
            "is_external": False,
            "url_private": url,
            "url_private_download": url,
            "user": "U000000001",
            **more,
        }
        headers = served.pop("headers", {"Content-Type": "application/octet-stream"})
        self.files[id] = StoredFile(info, content, headers, **served)
        return id

    def sees(self, token: str | None, stored: StoredFile) -> bool:
        """Say whether a token's workspace has a file; one that is nobody's is everybody's."""
        return stored.info.get("user_team") in (None, self.tenants.get(str(token)))

    def _ts(self) -> str:
        return f"{1_700_000_000 + self.next_number()}.000100"

    def do_auth_test(self, arguments: Payload, token: str | None) -> Payload:
        team = self.tenants[str(token)]
        found: Payload = {"user_id": BOT_USER, "bot_id": BOT_ID, "url": self.url, "team": "Local"}
        if team.startswith("E"):
            return {**found, "team_id": team, "enterprise_id": team, "is_enterprise_install": True}
        return {**found, "team_id": team}

    def do_chat_postMessage(self, arguments: Payload, token: str | None) -> Payload:
        channel, ts = str(arguments.get("channel")), self._ts()
        self.messages.setdefault(channel, []).append({**arguments, "ts": ts, "bot_id": BOT_ID})
        return {"channel": channel, "ts": ts, "message": {"ts": ts}}

    def do_chat_postEphemeral(self, arguments: Payload, token: str | None) -> Payload:
        return {"message_ts": self._ts()}

    def do_chat_update(self, arguments: Payload, token: str | None) -> Payload:
        channel, ts = str(arguments.get("channel")), arguments.get("ts")
        for message in self.messages.get(channel, ()):
            if message["ts"] == ts:
                message.update(arguments)
        return {"channel": channel, "ts": ts}

    def do_chat_getPermalink(self, arguments: Payload, token: str | None) -> Payload:
        channel, ts = arguments["channel"], str(arguments["message_ts"]).replace(".", "")
        return {"permalink": f"https://local.slack.com/archives/{channel}/p{ts}"}

    def do_conversations_history(self, arguments: Payload, token: str | None) -> Payload:
        found = self.messages.get(str(arguments.get("channel")), [])
        latest = arguments.get("latest")
        if latest:
            found = [message for message in found if message["ts"] <= latest]
        limit = int(arguments.get("limit", 100))
        return {"messages": list(reversed(found))[:limit]}

    def do_conversations_replies(self, arguments: Payload, token: str | None) -> Payload:
        ts = arguments.get("ts")
        found = self.messages.get(str(arguments.get("channel")), [])
        thread = [m for m in found if ts in (m["ts"], m.get("thread_ts"))]
        return {"messages": thread, "has_more": False}

    def do_conversations_open(self, arguments: Payload, token: str | None) -> Payload:
        return {"channel": {"id": f"D{str(arguments.get('users'))[1:]}"}}

    def do_users_info(self, arguments: Payload, token: str | None) -> Payload:
        user = str(arguments.get("user"))
        team = self.tenants[str(token)]
        default = {"id": user, "team_id": team, "is_admin": False, "is_owner": False, "tz": "UTC"}
        return {"user": {**default, **self.users.get(user, {})}}

    def do_files_info(self, arguments: Payload, token: str | None) -> Payload:
        stored = self.files.get(str(arguments.get("file")))
        if stored is None or not self.sees(token, stored):
            return {"ok": False, "error": "file_not_found"}
        return {"file": stored.info}

    def do_files_getUploadURLExternal(self, arguments: Payload, token: str | None) -> Payload:
        id = self.add_file(str(arguments.get("filename", "file")), b"")
        return {"upload_url": f"{self.url}/upload/{id}", "file_id": id}

    def do_files_completeUploadExternal(self, arguments: Payload, token: str | None) -> Payload:
        files = arguments.get("files", [])
        listed = json.loads(files) if isinstance(files, str) else files
        return {"files": [self.files[str(file["id"])].info for file in listed]}

    def do_views_open(self, arguments: Payload, token: str | None) -> Payload:
        return {"view": self._show(f"V{self.next_number()}", arguments)}

    def do_views_push(self, arguments: Payload, token: str | None) -> Payload:
        return {"view": self._show(f"V{self.next_number()}", arguments)}

    def do_views_update(self, arguments: Payload, token: str | None) -> Payload:
        return {"view": self._show(str(arguments.get("view_id")), arguments)}

    def do_views_publish(self, arguments: Payload, token: str | None) -> Payload:
        return {"view": self._show(f"VH{arguments.get('user_id')}", arguments)}

    def _show(self, id: str, arguments: Payload) -> Payload:
        view = arguments.get("view", {})
        shown = json.loads(view) if isinstance(view, str) else view
        self.views[id] = {**shown, "id": id, "hash": f"h{self.next_number()}"}
        return self.views[id]

    def do_oauth_v2_access(self, arguments: Payload, token: str | None) -> Payload:
        # "code-T1" installs into a workspace, "code-T1-2" once more, "code-E1" into all of E1.
        code = str(arguments.get("code"))
        if not code.startswith("code-"):
            return {"ok": False, "error": "invalid_code"}
        bot, team = code.replace("code", "xoxb", 1), code.split("-")[1]
        everywhere = team.startswith("E")
        self.tenants[bot] = team
        return {
            "access_token": bot,
            "token_type": "bot",
            "scope": "commands,chat:write",
            "bot_user_id": BOT_USER,
            "app_id": APP_ID,
            "team": None if everywhere else {"id": team, "name": team},
            "enterprise": {"id": team, "name": team} if everywhere else None,
            "is_enterprise_install": everywhere,
            "authed_user": {"id": USER},
        }
