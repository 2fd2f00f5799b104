"""Text that other people wrote, made safe to show: nothing of it formats, links, pings or hides."""

from __future__ import annotations

import re
import unicodedata
from typing import TypeGuard

from onbrand.document import formats

_LINE_END = re.compile("\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")
# What would break JSON or show as nothing; lone surrogates cannot be written in UTF-8.
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufff9-\ufffb\ufffe\uffff]")
# Embeddings, overrides and isolates turn around what stands after them, our own words too. Marks
# (U+200E, U+200F) do not, and honest right-to-left text needs no more.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_LINK = re.compile(r"https://[^\s<>|\"\x00-\x20\x7f-\U0010ffff]{1,500}")
_JOINER = "\u200d"
_LONGEST_CLUSTER = 32


def endings() -> list[str]:
    """Return the usual endings of the files that Slack has a type for and onbrand reads."""
    return [form.suffixes[0] for form in formats.FORMATS.values() if form.slack_types]


def listed_endings(word: str) -> str:
    """Return these endings in a row, ``word`` before the last: ".txt, .md or .docx"."""
    *rest, last = endings()
    return f"{', '.join(rest)} {word} {last}"


def clean(text: str, *, lines: bool = False) -> str:
    """Return ``text`` without what could break or disguise a message.

    Args:
        text: anything at all.
        lines: keep its lines; else it becomes one, white space collapsed.
    """
    text = _TURNING.sub("", _LINE_END.sub("\n", text))
    if not lines:
        text = " ".join(text.split())
    # U+FFFC stands where the engine took code and the like out of a sentence.
    return _UNSEEN.sub("\ufffd", text.replace("\t", " ").replace("\ufffc", "…"))


def escape(text: str) -> str:
    """Return ``text`` for mrkdwn and for a message's ``text``: on one line, and naming nobody.

    Slack offers no way to escape ``*_~```; foreign text of any length goes into rich text instead.
    """
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def is_link(url: str | None) -> TypeGuard[str]:
    """Say whether ``url`` may stand as a link, in mrkdwn too."""
    return url is not None and _LINK.fullmatch(url) is not None


def length(text: str) -> int:
    """Return the length as Slack's clients count it, in UTF-16 units; never below ``len``."""
    return len(text) + sum(char > "\uffff" for char in text)


def clip(text: str, limit: int) -> str:
    """Return ``text``, or its beginning and an ellipsis, in no more than ``limit`` UTF-16 units.

    Cuts between words where one ends near by, and never inside an emoji or an accented letter.
    """
    if length(text) <= limit:
        return text
    room, cut = limit - 1, 0
    for cut, char in enumerate(text):  # noqa: B007 (the last one is the cut)
        room -= length(char)
        if room < 0:
            break
    cut = _cluster_start(text, cut)
    space = text.rfind(" ", max(cut - 15, cut // 2), cut + 1)
    return text[: space if space > 0 else cut].rstrip() + "…"


def _cluster_start(text: str, cut: int) -> int:
    """Return the nearest place at or before ``cut`` that is between two visible characters."""
    for place in range(cut, max(cut - _LONGEST_CLUSTER, 0), -1):
        if not (_continues(text[place]) or text[place - 1] == _JOINER or _in_flag(text, place)):
            return place
    return cut


def _continues(char: str) -> bool:
    skin_tone_or_tag = "\U0001f3fb" <= char <= "\U0001f3ff" or "\U000e0020" <= char <= "\U000e007f"
    return char == _JOINER or skin_tone_or_tag or unicodedata.category(char).startswith("M")


def _in_flag(text: str, place: int) -> bool:
    """Say whether ``place`` is between the two letters of a flag."""
    letters = re.search("[\U0001f1e6-\U0001f1ff]*$", text[max(place - 64, 0) : place])
    halves = len(letters[0]) if letters else 0
    return halves % 2 == 1 and "\U0001f1e6" <= text[place] <= "\U0001f1ff"
