"""Requests that Slack could have sent, each with something in it that it never would.

Nonsense is turned away at the door; what is right but for one value gets as far as the listeners
and the handlers.
"""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from slack_fuzz import MARKER
from slack_sender import FORM, JSON
from slack_web_api import APP_ID, BOT_USER, TEAM, Payload

from onbrand_slack.names import BRAND_PICKERS, COMMAND, Action, Shortcut, Step, View

DRAFT = f"We leverage {MARKER} synergies to empower our stakeholders today."
# The last ones cannot be said in UTF-8: Slack's JSON could still hold them.
ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**63, 1e308, "", " ", [], {}, [None], [[[]]], {"": {}}),
    *(f"<!channel> {MARKER}", f"\u202e{MARKER}\x00", f"{MARKER} " * 3000, f"#{MARKER}", "0" * 400),
    *(f"{MARKER}.{'A' * 43}", "c0123456789abcdef", "C1", "U1", "😀" * 200, "\ud83d", "\udfff"),
)
USER = "U000000042"
_numbers = itertools.count(1)


def mutants(rng: random.Random, count: int, ticket: str = "", url: str = "") -> Iterator[Any]:
    """Yield bodies and their content types.

    Args:
        rng: decides.
        count: how many.
        ticket: of a check that is there, for buttons.
        url: a response_url that works.
    """
    for _ in range(count):
        make = rng.choice((_command, _event, _interaction))
        payload, content_type = make(rng, ticket, url)
        for _ in range(rng.choice((1, 1, 2))):
            _spoil(payload, rng)
        yield _encoded(payload, content_type)


def _encoded(payload: Payload, content_type: str) -> tuple[str, str]:
    if content_type == JSON:
        return json.dumps(payload), JSON
    if "command" in payload or "channel_id" in payload:
        texts = {key: value for key, value in payload.items() if isinstance(value, str)}
        return urlencode(texts, errors="replace"), FORM
    return urlencode({"payload": json.dumps(payload)}), FORM


def _spoil(payload: Payload, rng: random.Random) -> None:
    """Change one value, of whatever depth; whose request it is stays as it was."""
    places = [place for place in _places(payload) if place[1] not in ("team", "team_id", "type")]
    holder, key = rng.choice(places)
    if rng.random() < 0.2:
        del holder[key]
    else:
        holder[key] = copy.deepcopy(rng.choice(ODD))


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(pairs):
        yield node, key
        if isinstance(value, dict | list):
            yield from _places(value)


# --- what is spoilt ---------------------------------------------------------------------------


def _command(rng: random.Random, _ticket: str, url: str) -> tuple[Payload, str]:
    text = rng.choice((f"oatfolk {DRAFT}", DRAFT, "help", "brands", "settings", "use oatfolk"))
    given = {"command": COMMAND, "text": text, "response_url": url, "trigger_id": _trigger()}
    ids = {"team_id": TEAM, "user_id": USER, "channel_id": _channel(), "api_app_id": APP_ID}
    return {**given, **ids}, FORM


def _event(rng: random.Random, _ticket: str, _url: str) -> tuple[Payload, str]:
    ts = _trigger()
    said = {"user": USER, "text": f"<@{BOT_USER}> oatfolk {DRAFT}", "ts": ts, "blocks": [_rich()]}
    said |= {"files": rng.choice(([], [{"id": "F1", "name": MARKER}])), "attachments": [_forward()]}
    said |= rng.choice(({}, {"thread_ts": "1700000000.000100"}))
    inputs = {"text": DRAFT, "brand": "oatfolk", "report_to": _channel()}
    event = rng.choice(
        (
            {**said, "type": "app_mention", "channel": _channel()},
            {**said, "type": "message", "channel": _channel("D"), "channel_type": "im"},
            {"type": "app_home_opened", "user": USER, "channel": "D1", "tab": "home"},
            {"type": "app_home_opened", "user": USER, "channel": "D1", "tab": "messages"},
            {
                "type": "function_executed",
                "function": {"callback_id": str(Step.CHECK_COPY)},
                "function_execution_id": f"Fx{ts}",
                "inputs": inputs,
            },
        )
    )
    whole = {"type": "event_callback", "team_id": TEAM, "api_app_id": APP_ID, "event_id": f"Ev{ts}"}
    return {**whole, "event": event, "authorizations": [{"team_id": TEAM}]}, JSON


def _interaction(rng: random.Random, ticket: str, url: str) -> tuple[Payload, str]:
    whole: Payload = {
        "user": {"id": USER, "team_id": TEAM},
        "team": {"id": TEAM},
        "api_app_id": APP_ID,
        "trigger_id": _trigger(),
        "response_url": url,
    }
    metadata = rng.choice((ticket, f"{ticket}#0", json.dumps({"ticket": ticket}), ""))
    view = {"id": "V42", "type": "modal", "private_metadata": metadata}
    message = {"text": DRAFT, "ts": _trigger(), "user": USER, "blocks": [_rich()], "files": []}
    kind = rng.choice(("press", "press in a view", "submit", "options", "shortcut", "message"))
    if kind.startswith("press"):
        place: Payload = {"channel": {"id": _channel(rng.choice("CCD"))}, "message": message}
        place["container"] = {"message_ts": "1.1", "is_ephemeral": True}
        if kind == "press in a view":
            place = {"view": {**view, "callback_id": str(rng.choice([*View]))}}
        values = (ticket, f"{ticket}#0", "oatfolk", "1", _channel(), f"r{MARKER}")
        action = {"action_id": str(rng.choice([*Action])), "block_id": ticket}
        action |= {"value": rng.choice(values), "selected_option": {"value": rng.choice(values)}}
        return {**whole, "type": "block_actions", "actions": [action], **place}, FORM
    if kind == "submit":
        view |= {"callback_id": str(rng.choice([*View])), "state": {"values": _state(rng)}}
        return {**whole, "type": "view_submission", "view": view}, FORM
    if kind == "options":
        asked = {"action_id": str(rng.choice(BRAND_PICKERS)), "value": MARKER}
        return {**whole, "type": "block_suggestion", **asked}, FORM
    name = str(rng.choice([*Shortcut]))
    if kind == "shortcut":
        return {**whole, "type": "shortcut", "callback_id": name}, FORM
    place = {"channel": {"id": _channel()}, "message": message, "message_ts": message["ts"]}
    return {**whole, "type": "message_action", "callback_id": name, **place}, FORM


def _state(rng: random.Random) -> Payload:
    entered: Payload = {
        "value": rng.choice((DRAFT, "0.5")),
        "selected_option": {"value": rng.choice(("oatfolk", "30", "1"))},
        "selected_conversation": _channel(),
        "selected_users": [USER],
        "selected_options": [{"value": "yes"}],
    }
    values = {str(action): {str(action): copy.deepcopy(entered)} for action in Action}
    del values[rng.choice((Action.DRAFT, Action.FILE))]
    return values


def _rich() -> Payload:
    parts = [
        {"type": "user", "user_id": BOT_USER},
        {"type": "text", "text": f" oatfolk {DRAFT}", "style": {"bold": True}},
        {"type": "link", "url": "https://example.com", "text": MARKER},
        {"type": "emoji", "name": "wave", "unicode": "1f44b"},
    ]
    section = {"type": "rich_text_section", "elements": parts}
    items = {"type": "rich_text_list", "style": "bullet", "elements": [copy.deepcopy(section)]}
    return {"type": "rich_text", "elements": [section, items]}


def _forward() -> Payload:
    blocks = {"message": {"blocks": [_rich()]}}
    return {"is_share": True, "pretext": MARKER, "text": DRAFT, "message_blocks": [blocks]}


def _channel(kind: str = "C") -> str:
    """Return a new one: there is one message a second in each."""
    return f"{kind}{next(_numbers):09d}"


def _trigger() -> str:
    return f"{1_900_000_000 + next(_numbers)}.000100"
