"""Block Kit's pieces. Builders clip what they are given to Slack's limits and never make it empty.

Limits: https://docs.slack.dev/reference/block-kit. ``mrkdwn`` arguments are Slack's mark-up and
must hold foreign text through `text.escape` only; all other arguments may be anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

from onbrand_slack.render.text import clean, clip
from onbrand_slack.work.calls import Payload

ROOM = 13_000
"""Characters of JSON that a message's blocks may have: Slack refuses some 13,200, undocumented."""

Style = Literal["primary", "danger"]

# --- text -------------------------------------------------------------------------------------


def plain(text: str, limit: int = 3000) -> Payload:
    """Return a plain text object; ``:smile:`` stays as it is written."""
    return {"type": "plain_text", "text": _shown(text, limit), "emoji": False}


def mrkdwn(text: str, limit: int = 3000) -> Payload:
    """Return a mrkdwn text object."""
    return {"type": "mrkdwn", "text": clip(text, limit) or "–"}


def _shown(text: str, limit: int) -> str:
    return clip(clean(text), limit) or "–"


# --- rich text --------------------------------------------------------------------------------


def run(text: str, *styles: Literal["bold", "italic", "strike", "code"]) -> Payload:
    """Return a stretch of rich text, shown to the letter (edges and line ends are kept)."""
    element: Payload = {"type": "text", "text": clean(text, lines=True) or "–"}
    if styles:
        element["style"] = dict.fromkeys(styles, True)
    return element


def verbatim(text: str, limit: int = 3000) -> Payload:
    """Return a draft as rich text: its lines as they are, and nothing in it formats or pings."""
    return run(clip(clean(text, lines=True).strip(), limit))


def user(id_: str) -> Payload:
    """Return a person's name; it pings them where they can see the message."""
    return {"type": "user", "user_id": id_}


def channel(id_: str) -> Payload:
    """Return a channel's name."""
    return {"type": "channel", "channel_id": id_}


def link(url: str, text: str) -> Payload:
    """Return a link."""
    return {"type": "link", "url": url, "text": _shown(text, 200)}


def line(*runs: Payload) -> Payload:
    """Return a paragraph of rich text."""
    return {"type": "rich_text_section", "elements": list(runs)}


def lines(*paragraphs: Sequence[Payload]) -> Payload:
    """Return lines of rich text as one paragraph: clients differ in what is between two."""
    runs = list(paragraphs[0])
    for paragraph in paragraphs[1:]:
        runs += [run("\n"), *paragraph]
    return line(*runs)


def quote(*runs: Payload) -> Payload:
    """Return quoted rich text."""
    return {"type": "rich_text_quote", "elements": list(runs)}


def rich(*parts: Payload) -> Payload:
    """Return a block of `line` and `quote`."""
    return {"type": "rich_text", "elements": list(parts)}


# --- blocks -----------------------------------------------------------------------------------


def header(text: str) -> Payload:
    """Return a headline."""
    return {"type": "header", "text": {**plain(text, 150), "emoji": True}}


def section(
    text: str | Payload, *, accessory: Payload | None = None, block_id: str | None = None
) -> Payload:
    """Return a paragraph of mrkdwn, or of a text object, with an element beside it."""
    made = {"type": "section", "text": mrkdwn(text) if isinstance(text, str) else text}
    return _with(made, accessory=accessory, block_id=block_id)


def fields(*texts: str) -> Payload:
    """Return up to ten short pieces of mrkdwn in two columns."""
    return {"type": "section", "fields": [mrkdwn(text, 2000) for text in texts[:10]]}


def context(*texts: str | Payload) -> Payload:
    """Return small grey text: mrkdwn, or text objects."""
    elements = [mrkdwn(text) if isinstance(text, str) else text for text in texts[:10]]
    return {"type": "context", "elements": elements}


def divider() -> Payload:
    """Return a line across."""
    return {"type": "divider"}


def actions(*elements: Payload, block_id: str | None = None) -> Payload:
    """Return a row of buttons and selects."""
    return _with({"type": "actions", "elements": list(elements)}, block_id=block_id)


def input_block(
    label: str,
    element: Payload,
    *,
    hint: str | None = None,
    optional: bool = False,
    block_id: str | None = None,
) -> Payload:
    """Return a labelled input; its block id is the element's action id, unless one is given."""
    made = {
        "type": "input",
        "block_id": block_id or element["action_id"],
        "label": plain(label, 2000),
        "element": element,
        "optional": optional,
    }
    return _with(made, hint=None if hint is None else plain(hint, 2000))


# --- elements ---------------------------------------------------------------------------------


def button(
    text: str,
    action: str,
    value: str,
    *,
    style: Style | None = None,
    confirm: Payload | None = None,
    says: str | None = None,
) -> Payload:
    """Return a button; ``value`` is an id, never text, and ``says`` is for screen readers."""
    made = {
        "type": "button",
        "text": {**plain(text, 75), "emoji": True},
        "action_id": str(action),
        "value": value,
    }
    label = None if says is None else _shown(says, 75)
    return _with(made, style=style, confirm=confirm, accessibility_label=label)


def confirm(title: str, text: str, yes: str, no: str = "Cancel") -> Payload:
    """Return the question before something that cannot be undone."""
    return {
        "title": plain(title, 100),
        "text": plain(text, 300),
        "confirm": plain(yes, 30),
        "deny": plain(no, 30),
    }


def option(text: str, value: str) -> Payload:
    """Return one choice of a select."""
    return {"text": plain(text, 75), "value": value}


def external_select(action: str, placeholder: str, initial: Payload | None = None) -> Payload:
    """Return a select whose options we are asked for, at once and after each letter typed."""
    made = {
        "type": "external_select",
        "action_id": str(action),
        "placeholder": plain(placeholder, 150),
        # Slack's default is to ask nothing before three letters are typed.
        "min_query_length": 0,
    }
    return _with(made, initial_option=initial)


def _with(made: Payload, **optional: object) -> Payload:
    return made | {key: value for key, value in optional.items() if value is not None}


# --- whole ones -------------------------------------------------------------------------------


def message(text: str, blocks: Sequence[Payload]) -> Payload:
    """Return a message; ``text`` (escaped already) is what notifications and readers say."""
    return {"text": clip(text, 3000) or "–", "blocks": list(blocks)}


def modal(
    callback: str,
    title: str,
    blocks: Sequence[Payload],
    *,
    metadata: str = "",
    submit: str | None = None,
    close: str = "Close",
) -> Payload:
    """Return a modal."""
    made = {
        "type": "modal",
        "callback_id": str(callback),
        "title": plain(title, 24),
        "close": plain(close, 24),
        "private_metadata": metadata,
        "blocks": list(blocks),
    }
    return _with(made, submit=None if submit is None else plain(submit, 24))


def home(blocks: Sequence[Payload]) -> Payload:
    """Return an App Home."""
    return {"type": "home", "blocks": list(blocks)}


def size(blocks: Sequence[Payload]) -> int:
    """Return what blocks take of `ROOM`, counted the longest way: JSON in ASCII, as it is sent."""
    return len(json.dumps(blocks))
