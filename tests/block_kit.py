"""The gate that every message and view passes: what Slack would refuse, found without Slack.

Three judges, because each is blind to much: the JSON schema of Slack's types knows structure, the
models of slack_sdk know some lengths, and the rules here know the limits that neither does, with
some of our own (no broadcast, a fallback text, selects that answer before three letters are typed).
"""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

Json = dict[str, Any]

SCHEMA = Path(__file__).parent / "data" / "slack" / "blockkit.schema.json"
MESSAGE_ROOM = 13_000
"""Slack refuses some 13,200 characters of blocks (msg_blocks_too_long); no document says so."""
VIEW_ROOM = 250_000
MESSAGE_KEYS = {
    *("text", "blocks", "channel", "user", "thread_ts", "response_type", "replace_original"),
    *("delete_original", "unfurl_links", "unfurl_media", "metadata", "ts"),
}
ONLY_IN_MESSAGES = {"context_actions", "markdown", "task_card", "plan", "carousel", "card"}
ONLY_IN_MODALS = {"alert"}
NEVER_POSTED = {"file"}  # Slack makes these itself

LENGTHS = {
    "block_id": 255,
    "action_id": 255,
    "callback_id": 255,
    "private_metadata": 3000,
    "url": 3000,
    "alt_text": 2000,
    "accessibility_label": 75,
}
"""Longest strings, by key wherever it stands."""
TEXTS = {
    ("header", "text"): 150,
    ("section", "text"): 3000,
    ("button", "text"): 75,
    ("input", "label"): 2000,
    ("input", "hint"): 2000,
    ("modal", "title"): 24,
    ("modal", "submit"): 24,
    ("modal", "close"): 24,
}
"""Longest text objects, by the type of what holds them and the key."""
COUNTS = {
    ("actions", "elements"): 25,
    ("context", "elements"): 10,
    ("context_actions", "elements"): 5,
    ("section", "fields"): 10,
    ("overflow", "options"): 5,
    ("checkboxes", "options"): 10,
    ("radio_buttons", "options"): 10,
    ("static_select", "options"): 100,
    ("multi_static_select", "options"): 100,
    ("table", "rows"): 100,
}
"""Longest lists; none may be empty."""


def problems(payload: Json) -> list[str]:
    """Return why Slack would refuse a message or view; nothing if it would not."""
    surface = payload.get("type", "message")
    if surface not in ("message", "modal", "home"):
        return [f"neither a message nor a view: {surface!r}"]
    blocks = payload.get("blocks", [] if surface == "message" else None)
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        return ["no list of blocks"]
    found = [problem for rule in RULES for problem in rule(payload, blocks, surface)]
    return sorted(set(found))


# --- the two judges -----------------------------------------------------------------------------


@cache
def _validator(definition: str) -> Draft7Validator:
    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["definitions"]
    return Draft7Validator({"$ref": f"#/definitions/{definition}", "definitions": definitions})


@cache
def _definition_of(block_type: str) -> str | None:
    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["definitions"]
    for known in definitions["KnownBlock"]["anyOf"]:
        name = known["$ref"].rpartition("/")[2]
        for shape in definitions[name].get("anyOf", [definitions[name]]):
            if shape["properties"]["type"].get("const") == block_type:
                return str(name)
    return None


def _structure(payload: Json, blocks: list[Json], surface: str) -> Iterator[str]:
    if surface == "message":
        yield from (f"unknown key {key!r} of a message" for key in set(payload) - MESSAGE_KEYS)
    else:
        bare = {key: value for key, value in payload.items() if key != "blocks"} | {"blocks": []}
        for error in _validator(f"{surface.title()}View").iter_errors(bare):
            yield f"{surface}: {error.message[:100]}"
    for block in blocks:
        definition = _definition_of(str(block.get("type")))
        if definition is None:
            yield f"unknown block {block.get('type')!r}"
            continue
        for error in _validator(definition).iter_errors(block):
            place = ".".join(str(part) for part in error.absolute_path)
            yield f"{block['type']}: structure at {place or 'the top'}: {error.message[:100]}"


def _models(payload: Json, blocks: list[Json], surface: str) -> Iterator[str]:
    for block in blocks:
        try:
            # Parsing takes its argument apart.
            parsed = Block.parse(copy.deepcopy(block))
            if parsed is not None:
                parsed.to_dict()
        except Exception as error:  # whatever a model throws at bad input is its verdict
            yield f"{block.get('type')}: {str(error)[:100]}"
    if surface != "message":
        try:
            View(**copy.deepcopy(payload)).to_dict()
        except Exception as error:
            yield f"{surface}: {str(error)[:100]}"


# --- what neither knows -------------------------------------------------------------------------


def _walk(node: object) -> Iterator[Json]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value)


def _whole(payload: Json, blocks: list[Json], surface: str) -> Iterator[str]:
    most = 50 if surface == "message" else 100
    if not 1 <= len(blocks) <= most and "blocks" in payload:
        yield f"{len(blocks)} blocks, Slack takes 1 to {most}"
    room = MESSAGE_ROOM if surface == "message" else VIEW_ROOM
    size = len(json.dumps(blocks))
    if size > room:
        yield f"{size} characters of blocks, Slack takes {room}"
    if surface == "message":
        text = payload.get("text")
        if not isinstance(text, str) or not text.strip():
            yield "no text for notifications and screen readers"
        elif len(text) > 4000:  # Slack cuts there and takes 40,000 at most
            yield f"{len(text)} characters of text"
    has_input = any(block.get("type") == "input" for block in blocks)
    if surface == "modal" and has_input and "submit" not in payload:
        yield "a modal with an input and no submit"


def _blocks(payload: Json, blocks: list[Json], surface: str) -> Iterator[str]:
    types = Counter(block.get("type") for block in blocks)
    if types["table"] > 1:
        yield "more than one table"
    if sum(len(b.get("text", "")) for b in blocks if b.get("type") == "markdown") > 12_000:
        yield "more than 12,000 characters of markdown"
    misplaced = ONLY_IN_MODALS if surface != "modal" else set()
    misplaced = misplaced | NEVER_POSTED | (ONLY_IN_MESSAGES if surface != "message" else set())
    yield from (f"{name} does not go into a {surface}" for name in misplaced & set(types))
    ids = Counter(block["block_id"] for block in blocks if "block_id" in block)
    yield from (f"block_id {name!r} twice" for name, count in ids.items() if count > 1)
    for block in blocks:
        actions = Counter(node["action_id"] for node in _walk(block) if "action_id" in node)
        yield from (f"action_id {name!r} twice in a block" for name, n in actions.items() if n > 1)
        if block.get("type") == "section" and not ("text" in block or block.get("fields")):
            yield "a section without text and fields"
        if block.get("type") == "table" and any(len(row) > 20 for row in block.get("rows", ())):
            yield "a table of more than 20 columns"


def _lengths(payload: Json, blocks: list[Json], surface: str) -> Iterator[str]:
    for node in _walk(payload):
        kind = node.get("type")
        for key, value in node.items():
            if isinstance(value, str) and len(value) > LENGTHS.get(key, len(value)):
                yield f"{key} of {len(value)} characters, Slack takes {LENGTHS[key]}"
            if isinstance(value, dict) and isinstance(value.get("text"), str):
                limit = 150 if key == "placeholder" else TEXTS.get((str(kind), key), 3000)
                if len(value["text"]) > limit:
                    yield f"{key} of a {kind} has {len(value['text'])} characters, limit {limit}"
            limit = COUNTS.get((str(kind), key), 0)
            if limit and isinstance(value, list) and not 1 <= len(value) <= limit:
                yield f"{len(value)} {key} of a {kind}, Slack takes 1 to {limit}"
        for text in node.get("fields", ()) if kind == "section" else ():
            if len(text.get("text", "")) > 2000:
                yield "a field of more than 2,000 characters"


def _elements(payload: Json, blocks: list[Json], surface: str) -> Iterator[str]:
    for node in _walk(payload):
        kind = node.get("type")
        # Rich text may hold a space between two words; text objects may not be blank.
        if kind in ("mrkdwn", "plain_text") and not str(node.get("text", "")).strip():
            yield f"empty {kind}"
        if kind == "text" and not node.get("text"):
            yield "empty rich text"
        if kind == "button" and len(node.get("value", "")) > 2000:
            yield "a button's value of more than 2,000 characters"
        if "external_select" in str(kind) and not isinstance(node.get("min_query_length"), int):
            yield "an external select without min_query_length asks nothing before three letters"
        if kind == "plain_text_input":
            longest = node.get("max_length", 3000)
            if not 1 <= longest <= 3000 or len(node.get("initial_value", "")) > longest:
                yield "max_length of an input: 1 to 3,000, and no less than its initial value"
        if "title" in node and "confirm" in node and "deny" in node:
            yield from _confirmation(node)
        if "options" in node or "initial_option" in node:
            yield from _options([*node.get("options", ()), node.get("initial_option")])


def _confirmation(node: Json) -> Iterator[str]:
    for key, limit in {"title": 100, "text": 300, "confirm": 30, "deny": 30}.items():
        if len(node.get(key, {}).get("text", "")) > limit:
            yield f"{key} of a confirmation has more than {limit} characters"


def _options(options: list[Json | None]) -> Iterator[str]:
    for option in filter(None, options):
        if len(option.get("value", "")) > 150:
            yield "an option's value of more than 150 characters"
        if not 1 <= len(option.get("text", {}).get("text", "")) <= 75:
            yield "an option's text: 1 to 75 characters"
        if len(option.get("description", {}).get("text", "")) > 75:
            yield "an option's description of more than 75 characters"


_PING = re.compile(r"<!(channel|here|everyone|subteam)")
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def _strings(payload: Json, blocks: list[Json], surface: str) -> Iterator[str]:
    for node in _walk(payload):
        if node.get("type") in ("broadcast", "usergroup"):
            yield "a broadcast mention"
        if node.get("type") == "mrkdwn" and _PING.search(str(node.get("text"))):
            yield "a broadcast mention in mrkdwn"
        if any(isinstance(value, str) and _UNWRITABLE.search(value) for value in node.values()):
            yield "a control character, lone surrogate or turn of direction"
    if surface == "message" and _PING.search(str(payload.get("text"))):
        yield "a broadcast mention in text"


RULES: tuple[Callable[[Json, list[Json], str], Iterator[str]], ...] = (
    _structure,
    _models,
    _whole,
    _blocks,
    _lengths,
    _elements,
    _strings,
)
