"""Slack's messages to draft text: what a reader would read, without ids, code and quotes.

Two steps, because a command may stand before the draft: `draft_of` and `decode` return the text
as its author typed it; `pasted` makes it a draft.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from onbrand.document.masking import PLACEHOLDER
from onbrand.document.positions import LINE_BREAK
from onbrand_slack.model import Pasted

# All in one pass, so that nothing is decoded twice: "&amp;lt;" is the text "&lt;".
_ENCODED = re.compile(
    r"<(?P<reference>[^<>]{1,4000})>"
    r"|&(?P<entity>amp|lt|gt);"
    r"|[ ]?(?<!\w):(?P<emoji>[\w+'-]{1,100}):(?!\w)"
)
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}
_BROADCASTS = ("here", "channel", "everyone")
_ADDRESSING = " \t\r\n,:"
"""What is left of "@onbrand, …" and "@onbrand: …" without the name."""

_MARKDOWN = re.compile(
    r"^[ ]{0,3}\#{1,6}[ ]+\S"  # a heading
    r"|\[[^\[\]\n]{1,500}\]\([^()\s]{1,2000}\)"  # a link
    r"|(?<![*\w])\*\*(?=[^\s*])[^*\n]{1,2000}(?<=\S)\*\*(?!\*)"  # bold is *one* star in Slack
    r"|^[ ]{0,3}\|(?:[ ]*:?-{2,}:?[ ]*\|)+[ ]*$",  # a table
    re.MULTILINE | re.VERBOSE,
)
_FENCED = re.compile(r"```.*?```", re.DOTALL)
_QUOTED = re.compile(r"^[ \t]*>(?:>>.*|[^\r\n]*)", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_STYLED = re.compile(
    r"(?<!\w)(?:\*(?=\S)([^*\n]++)(?<=\S)\*|_(?=\S)([^_\n]++)(?<=\S)_|~(?=\S)([^~\n]++)(?<=\S)~)"
    r"(?!\w)"
)


def pasted(text: str) -> Pasted:
    """Return typed text as a draft.

    Markdown stays as it is where a heading, a link, ``**bold**`` or a table gives it away. In all
    other text every line becomes a paragraph of its own, as Slack shows it.
    """
    if _MARKDOWN.search(text):
        return Pasted(text.strip(), "markdown")
    text = _QUOTED.sub("", _FENCED.sub("\n", text))
    lines = (_plain(line) for line in LINE_BREAK.split(text))
    return Pasted("\n\n".join(filter(None, lines)))


def decode(text: str, bot_user: str | None = None) -> str:
    """Return a command's text, or mrkdwn, as it was typed: entities, links and mentions as text.

    Args:
        text: as Slack sends it, ``&``, ``<`` and ``>`` escaped.
        bot_user: our own user id, whose mentions are dropped.
    """
    return _ENCODED.sub(partial(_decoded, bot_user), text)


def draft_of(message: object, bot_user: str | None = None) -> str:
    """Return what a message says, its own text and that of messages forwarded with it.

    Args:
        message: of an event or a history; any JSON at all is accepted.
        bot_user: our own user id, whose mentions are dropped.
    """
    own = _own_text(message, bot_user)
    parts = [own, *_attached(message, bot_user, everything=not own)]
    return "\n\n".join(filter(None, parts)).lstrip(_ADDRESSING).rstrip()


def _plain(line: str) -> str:
    line = _CODE.sub(PLACEHOLDER, line)
    for _ in range(3):  # *_~all three~_*
        line = _STYLED.sub(lambda found: found[found.lastindex or 0], line)
    # Within a sentence it stands for a word, as in any draft; around it, it says nothing.
    return line.strip(f" \t{PLACEHOLDER}")


# --- mrkdwn -----------------------------------------------------------------------------------


def _decoded(bot_user: str | None, found: re.Match[str]) -> str:
    if found["entity"]:
        return _ENTITIES[found["entity"]]
    if found["emoji"]:
        return ""
    target, _, label = found["reference"].partition("|")
    label = _ENCODED.sub(lambda inner: _ENTITIES.get(inner["entity"], inner[0]), label)
    return _reference(target, label, bot_user)


def _reference(target: str, label: str, bot_user: str | None) -> str:
    kind, name = target[0], target[1:]
    if kind == "@":
        return _mention(name, bot_user, f"@{label}" if label else PLACEHOLDER)
    if kind == "#":
        return f"#{label}" if label else PLACEHOLDER
    if kind == "!":
        return f"@{name}" if name in _BROADCASTS else label or PLACEHOLDER
    return label or target.removeprefix("mailto:")  # an address is no prose to onbrand


def _mention(user: str, bot_user: str | None, shown: str) -> str:
    return "" if bot_user is not None and user == bot_user else shown


# --- blocks -----------------------------------------------------------------------------------


def _own_text(message: object, bot_user: str | None) -> str:
    lines = [line for block in _list(message, "blocks") for line in _block(block, bot_user)]
    return "\n".join(lines).strip() or decode(_string(message, "text"), bot_user).strip()


def _attached(message: object, bot_user: str | None, *, everything: bool) -> Iterator[str]:
    """Yield the texts of forwarded messages; previews of links only where there is nothing else."""
    for attachment in _list(message, "attachments"):
        forwarded = _get(attachment, "is_share") or _get(attachment, "is_msg_unfurl")
        if not forwarded and not everything:
            continue
        messages = [_get(part, "message") for part in _list(attachment, "message_blocks")]
        text = "\n".join(filter(None, (_own_text(part, bot_user) for part in messages)))
        pretext = decode(_string(attachment, "pretext"), bot_user)
        yield text or "\n".join(filter(None, [pretext, _own_text(attachment, bot_user)]))


def _block(block: object, bot_user: str | None) -> Iterator[str]:
    match _get(block, "type"):
        case "rich_text":
            for part in _list(block, "elements"):
                yield from _rich_text(part, bot_user)
        case "section" | "header":
            for text in (_get(block, "text"), *_list(block, "fields")):
                yield decode(_string(text, "text"), bot_user)
        case "markdown":
            yield _string(block, "text")


def _rich_text(part: object, bot_user: str | None) -> Iterator[str]:
    """Yield the lines of a part of rich text; code and quotes have none."""
    match _get(part, "type"):
        case "rich_text_section":
            yield _inline(part, bot_user)
        case "rich_text_list":
            ordered = _get(part, "style") == "ordered"
            for number, item in enumerate(_list(part, "elements"), 1):
                yield f"{number}. " * ordered + "- " * (not ordered) + _inline(item, bot_user)


def _inline(section: object, bot_user: str | None) -> str:
    return "".join(_element(element, bot_user) for element in _list(section, "elements"))


def _element(element: object, bot_user: str | None) -> str:
    if _get(_get(element, "style"), "code"):
        return PLACEHOLDER
    match _get(element, "type"):
        case "text":
            return _string(element, "text")
        case "link":
            return _string(element, "text") or _string(element, "url")
        case "emoji":
            return _emoji(_string(element, "unicode"))
        case "user":
            return _mention(_string(element, "user_id"), bot_user, PLACEHOLDER)
        case "broadcast":
            return f"@{_string(element, 'range')}"
        case "date":
            return _string(element, "fallback") or PLACEHOLDER
        case "usergroup" | "channel" | "team" | "color":
            return PLACEHOLDER
    return ""


def _emoji(code_points: str) -> str:
    """Return the emoji of ``1f44d-1f3fd``; Slack's and the workspace's own have no code points."""
    try:
        return "".join(chr(int(point, 16)) for point in code_points.split("-"))
    except (ValueError, OverflowError):
        return ""


# --- JSON of any shape ------------------------------------------------------------------------


def _get(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _list(value: object, key: str) -> list[object]:
    found = _get(value, key)
    return found if isinstance(found, list) else []


def _string(value: object, key: str) -> str:
    found = _get(value, key)
    return found if isinstance(found, str) else ""
