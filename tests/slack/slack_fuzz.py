"""Payloads that no Slack would send, and some that other apps' messages make it send."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from slack_sender import FORM, JSON

MARKER = "Zebra-crossing-marker"
"""In every text: it must not turn up in a log."""
_ODD = (
    *("", " ", "\u202e", "\x00", "\ud83d", "😀" * 50, "<!channel>", "<@U1>", "&amp;amp;", "'; --"),
    *("../../etc/passwd", "%s%n", "\u2028\u2029\x85", "{}", "[]", "null", "A" * 20_000),
)
_NAMES = (
    *("type", "user", "user_id", "team", "team_id", "channel", "channel_id", "text", "event"),
    *("blocks", "actions", "action_id", "value", "view", "state", "values", "callback_id", "id"),
    *("message", "ts", "thread_ts", "files", "container", "trigger_id", "response_url", "inputs"),
    *("selected_option", "private_metadata", "api_app_id", "authorizations", "enterprise_id"),
)
_TYPES = (
    *("block_actions", "view_submission", "view_closed", "block_suggestion", "shortcut"),
    *("message_action", "event_callback", "dialog_submission", "interactive_message", "bogus"),
)
_EVENTS = (
    *("app_mention", "message", "app_home_opened", "function_executed", "tokens_revoked"),
    *("file_shared", "link_shared", "reaction_added", "app_rate_limited", "unheard_of"),
)
_IDS = (
    *("label_on", "details", "share", "approve", "check_message", "check_draft", "check_view"),
    *("settings_view", "brand", "pick_brand", "draft", "file", "next_page", "other_apps_button"),
)


def payloads(rng: random.Random, count: int) -> list[tuple[str, str]]:
    """Return bodies and their content types."""
    kinds: tuple[Callable[[random.Random], tuple[str, str]], ...] = (
        _event,
        _interaction,
        _command,
        _anything,
    )
    return [rng.choice(kinds)(rng) for _ in range(count)]


def _event(rng: random.Random) -> tuple[str, str]:
    event = {"type": rng.choice(_EVENTS), "text": _text(rng), **_object(rng, 2)}
    whole = {"type": "event_callback", "team_id": "T000000001", "event_id": f"Ev{rng.random()}"}
    return json.dumps({**whole, "event": event, **_some(rng)}), JSON


def _interaction(rng: random.Random) -> tuple[str, str]:
    action = {"action_id": rng.choice(_IDS), "value": _text(rng), **_some(rng)}
    view = {"id": "V1", "callback_id": rng.choice(_IDS), "state": _value(rng, 3), **_some(rng)}
    whole = {
        "type": rng.choice(_TYPES),
        "callback_id": rng.choice(_IDS),
        "team": {"id": "T000000001"},
        "user": {"id": "U000000001", "team_id": "T000000001"},
        "actions": [action],
        "view": view,
        "message": {"text": _text(rng), "blocks": _value(rng, 3)},
    }
    for name in rng.sample(sorted(whole), rng.randrange(4)):
        whole[name] = _value(rng, 3)
    return urlencode({"payload": json.dumps({**whole, **_some(rng)})}), FORM


def _command(rng: random.Random) -> tuple[str, str]:
    fields = {"command": "/onbrand", "team_id": "T000000001", "user_id": "U1", "channel_id": "C1"}
    fields |= {"text": _text(rng), "response_url": rng.choice(("", "http://127.0.0.1:1/", "x"))}
    for name in rng.sample(sorted(fields), rng.randrange(3)):
        fields[name] = _text(rng)
    # A form has no lone surrogates; Slack's never do.
    clean = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    return urlencode(clean), FORM


def _anything(rng: random.Random) -> tuple[str, str]:
    body = rng.choice((json.dumps(_value(rng, 4)), "payload=", "{", "a=b&a=c", "", "payload=[1]"))
    return body, rng.choice((JSON, FORM, "text/plain", "application/xml"))


def _some(rng: random.Random) -> dict[str, Any]:
    return _object(rng, 2) if rng.random() < 0.5 else {}


def _object(rng: random.Random, depth: int) -> dict[str, Any]:
    return {rng.choice(_NAMES): _value(rng, depth) for _ in range(rng.randrange(5))}


def _value(rng: random.Random, depth: int) -> Any:
    kind = rng.randrange(8 if depth else 5)
    if kind < 2:
        return _text(rng)
    if kind == 2:
        return rng.choice((None, True, False))
    if kind == 3:
        return rng.choice((0, -1, 2**63, 1e308, rng.random()))
    if kind == 4:
        return rng.choice(_IDS + _EVENTS)
    if kind == 5:
        return [_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return _object(rng, depth - 1)


def _text(rng: random.Random) -> str:
    return f"{rng.choice(_ODD)}{MARKER}{rng.choice(_ODD)}"
