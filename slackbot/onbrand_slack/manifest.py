"""The manifest that creates the app in Slack, made from names and listeners."""

from __future__ import annotations

import json
import sys
from typing import Any

from onbrand_slack.listeners import LISTENERS
from onbrand_slack.names import COMMAND, Shortcut, Step
from onbrand_slack.render.text import listed_endings
from onbrand_slack.render.words import TRY
from onbrand_slack.web.slack import EVENTS, REDIRECT
from onbrand_slack.work.calls import Payload

SCOPES: dict[str, str] = {
    "app_mentions:read": "hears that somebody mentions @onbrand",
    "assistant:write": "offers prompts to begin with, beside a conversation with the app",
    "channels:history": "reads a thread in which it is mentioned, in public channels that it is in",
    "chat:write": "answers, and posts drafts and decisions in the review channel",
    "commands": "has the slash command and the shortcuts",
    "files:read": f"downloads the {listed_endings('and')} files that it is given to check",
    "files:write": "uploads the whole report of a check, and the audit",
    "groups:history": "as channels:history, in private channels that it is in",
    "im:history": "hears direct messages to it",
    "im:write": "opens the direct message to which it uploads a report",
    "mpim:history": "as channels:history, in group messages that it is in",
    "users:read": "asks whether a user is an admin, and of this workspace, where that matters",
}
"""What the app may do in a workspace, and why it must: nothing else is asked for."""

_EVENTS = {"message": "message.im"}
"""Events that are subscribed to by another name than the one that they arrive with."""
_DESCRIPTION = "Checks drafts against your brand's voice, sentence by sentence"
_LONG_DESCRIPTION = (
    "onbrand reads a draft as your brand would: which sentences do not sound like it, which words "
    "did it, and the nearest line of your own that does. Drafts below the gate can go to a human "
    "review queue. It answers privately first, keeps no drafts unless you say so, and runs on a "
    "machine of your own: no draft leaves it but for Slack."
)


def manifest(*, url: str | None, socket_mode: bool) -> dict[str, Any]:
    """Return the app's manifest.

    Args:
        url: where Slack reaches the app over HTTP, without a path; None with Socket Mode.
        socket_mode: the app connects to Slack instead.
    """
    endpoint = None if url is None or socket_mode else url.rstrip("/") + EVENTS
    redirect = {} if url is None else {"redirect_urls": [url.rstrip("/") + REDIRECT]}
    interactivity = {"request_url": endpoint, "message_menu_options_url": endpoint}
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "onbrand",
            "description": _DESCRIPTION,
            "long_description": _LONG_DESCRIPTION,
            "background_color": "#1f3a5f",
        },
        "features": _features(endpoint),
        "oauth_config": {**redirect, "scopes": {"bot": list(SCOPES)}},
        "functions": {str(Step.CHECK_COPY): _check_copy()},
        "settings": {
            "event_subscriptions": {
                **_given(request_url=endpoint),
                "bot_events": sorted(_bot_events()),
            },
            "interactivity": {"is_enabled": True, **_given(**interactivity)},
            "org_deploy_enabled": True,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": False,
            "function_runtime": "remote",
        },
    }


def text(*, url: str | None, socket_mode: bool) -> str:
    """Return the manifest as JSON to paste into "Create an app from a manifest"."""
    return json.dumps(manifest(url=url, socket_mode=socket_mode), indent=2) + "\n"


def _features(endpoint: str | None) -> Payload:
    return {
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        },
        "bot_user": {"display_name": "onbrand", "always_online": True},
        "agent_view": {
            "agent_description": "Send a draft or a file: I say which sentences do not sound like "
            "your brand, which words did it, and the nearest line that does.",
            "suggested_prompts": [
                {"title": "See what an answer looks like", "message": TRY},
                {"title": "What can you do?", "message": "help"},
                {"title": "Which brands are there?", "message": "brands"},
            ],
        },
        "slash_commands": [
            {
                "command": COMMAND,
                **_given(url=endpoint),
                "description": "Check a draft against your brand's voice",
                "usage_hint": "[brand] draft, or: help, brands, use BRAND, settings",
                # Names of users and channels come as ids, which nobody can forge by typing.
                "should_escape": True,
            }
        ],
        "shortcuts": [
            {
                "name": "Check brand voice",
                "type": "message",
                "callback_id": str(Shortcut.CHECK_MESSAGE),
                "description": "Check this message against your brand's voice",
            },
            {
                "name": "Check a draft",
                "type": "global",
                "callback_id": str(Shortcut.CHECK_DRAFT),
                "description": "Paste a draft or drop files, and see what is off-brand",
            },
        ],
    }


def _check_copy() -> Payload:
    return {
        "title": "Check copy",
        "description": "Check a text against a brand's voice",
        "input_parameters": _parameters(
            ("text", "string", "Text", "The copy to check", True),
            ("brand", "string", "Brand", "Needed where there are several", False),
            ("report_to", "slack#/types/channel_id", "Report to", "Channel for the report", False),
            (
                *("report_to_user", "slack#/types/user_id", "Report to a person"),
                *("Who gets the report in a direct message", False),
            ),
        ),
        "output_parameters": _parameters(
            ("verdict", "string", "Verdict", "forward, review or not judged", True),
            ("probability", "number", "Probability", "P(on-brand), from 0 to 1", False),
            ("report_link", "string", "Report", "Link to the report, if it was sent", False),
        ),
    }


def _parameters(*rows: tuple[str, str, str, str, bool]) -> Payload:
    return {
        name: {
            "name": name,
            "type": kind,
            "title": title,
            "description": description,
            "is_required": required,
        }
        for name, kind, title, description, required in rows
    }


def _bot_events() -> set[str]:
    events = {one.name for one in LISTENERS if one.kind == "event"}
    steps = {"function_executed" for one in LISTENERS if one.kind == "function"}
    return {_EVENTS.get(name, name) for name in events} | steps


def _given(**fields: str | None) -> Payload:
    return {name: value for name, value in fields.items() if value is not None}


if __name__ == "__main__":
    sys.stdout.write(text(url=None, socket_mode=True))
