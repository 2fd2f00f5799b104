"""What tests of Slack messages share: golden files, and ways to read a payload."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from block_kit import problems

GOLDEN = Path(__file__).parent / "golden" / "slack"
Json = dict[str, Any]


def check_golden(name: str, payload: Json) -> None:
    """Compare a payload word for word; Slack must take it, too.

    `ONBRAND_UPDATE_GOLDEN=1` writes the files anew; read the difference before committing it.
    """
    made = json.dumps(payload, ensure_ascii=False, indent=1) + "\n"
    golden = GOLDEN / f"{name}.json"
    if os.environ.get("ONBRAND_UPDATE_GOLDEN"):
        golden.write_text(made, encoding="utf-8")
    assert made == golden.read_text(encoding="utf-8")
    assert problems(payload) == []


def nodes(payload: object) -> Iterator[Json]:
    """Every object in a payload."""
    if isinstance(payload, dict):
        yield payload
        payload = list(payload.values())
    for value in payload if isinstance(payload, list) else ():
        yield from nodes(value)


def offered(payload: Json) -> list[str]:
    """The action ids, in order."""
    return [str(node["action_id"]) for node in nodes(payload) if "action_id" in node]


def said(payload: Json) -> str:
    """All that can be read in the blocks."""
    texts = (node["text"] for node in nodes(payload["blocks"]) if "text" in node)
    return "\n".join(text for text in texts if isinstance(text, str))


def find(payload: Json, action: str) -> Json:
    """The one element with an action id."""
    (found,) = [node for node in nodes(payload) if node.get("action_id") == action]
    return found
