"""Messages of a program, one value of a catalogue each: placeholders masked, markup read."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import PurePath
from typing import NamedTuple

from onbrand.document import html
from onbrand.document.blocks import BlockBuilder, Comment, Extracted
from onbrand.document.embedded import EmbeddedText, join
from onbrand.document.json_strings import Container
from onbrand.document.masking import LINE_SEPARATOR, PLACEHOLDER, REMOVED, mask

_PLACEHOLDER = re.compile(
    r"\{\{[^{}]*+\}\}|[%$#]?\{[^{}]*+\}"  # {{name}} %{name} ${name} #{name} {name} {0}
    r"|(?<![\d%])%(?:\([^()\s]*\))?(?:\d+\$)?[-+0#]*(?:[\d*]*(?:\.[\d*]+)?)"
    r"(?:hh|h|ll|l|q|j|z|t|L)?[diouxXeEfFgGcrsSa@p](?![a-z])"
    r"|(?<![\d%])%(?:\d{1,2}|n)\b|(?<![\d%])%-?[aAbBcHIjmMpyYZ](?![a-z])"  # Qt, dates
    r"|\$[A-Za-z_]\w*\$"  # Chrome's extensions
    r"|@:(?:\([^()]*\)|[\w.]+)|(?<!\S):[a-z]\w*\b(?!:)"  # Vue's linked messages, Laravel
)
_NUMBERED_TAG = re.compile(r"</?\d{1,3}\s*+/?>")
_HTML = re.compile(r"[<&]|\{[%:]")
_CHOICE = re.compile(r"\{\s*+[\w.-]++\s*+,\s*+(?:plural|select|selectordinal)\s*+,")
_BRACE = re.compile(r"[{}]")
_NUMBER_SIGN = re.compile(r"(?<![&\w])#(?!\w)")

# Keys that say something of the message beside them, for whoever translates it.
_MESSAGE_KEYS = frozenset({"message", "defaultMessage", "translation", "string", "other"})
_ABOUT_KEYS = frozenset(
    [
        "description",
        "context",
        "comment",
        "comments",
        "note",
        "notes",
        "hash",
        "id",
        "placeholders",
        "example",
        "meaning",
    ]
)
_DOCUSAURUS = "___DESCRIPTION"
_NO_MESSAGE = ("@", "$", "_comment")

_NEXT_LINE = re.compile(r"\s*onbrand-disable-next-line(?:\s|\Z)")

_FOLDERS = frozenset(
    [
        "locale",
        "locales",
        "_locales",
        "lang",
        "langs",
        "language",
        "languages",
        "i18n",
        "l10n",
        "intl",
        "translation",
        "translations",
        "messages",
        "lc_messages",
    ]
)
_MAX_FOLDERS = 3
"""Folders above a catalogue that may say that it is one: locales/en/shop/cart.json."""
_NAME = re.compile(
    r"(?:[\w.-]*[._-])?(?:messages?|translations?|strings|locales?|i18n|intl|lang)(?:[._-][\w.-]*)?",
    re.IGNORECASE,
)
_SETTINGS = re.compile(r"(?:package|tsconfig|jsconfig|composer)\b.*|.*(?:config|\.schema)", re.I)


class Message(NamedTuple):
    """A string in a catalogue."""

    container: int
    """Index of the table that holds it, -1 for the document."""
    key: str
    text: EmbeddedText


def is_catalogue(path: PurePath) -> bool:
    """Tell whether a file is a catalogue of messages, by its name or the folders that it is in."""
    if path.suffix.lower() == ".arb":
        return True
    if _SETTINGS.fullmatch(path.stem):
        return False
    folders = path.parts[:-1][-_MAX_FOLDERS:]
    return any(folder.lower() in _FOLDERS for folder in folders) or bool(_NAME.fullmatch(path.stem))


def extract_messages(
    messages: Iterable[Message],
    containers: list[Container],
    comments: Iterable[Comment],
    *,
    quotes: bool,
) -> Extracted:
    """Return the prose of messages, without what is written about them, and the comments.

    Args:
        messages: in the order of the source.
        containers: the tables of the catalogue, each after the one that it stands in.
        comments: those of the catalogue.
        quotes: whether block quotes are judged.
    """
    messages = list(messages)
    speaking = {one.container for one in messages if one.key in _MESSAGE_KEYS}

    def is_about(container: int, key: str) -> bool:
        about = key.startswith(_NO_MESSAGE) or key.endswith(_DOCUSAURUS)
        return about or (container in speaking and key in _ABOUT_KEYS)

    hidden: list[bool] = []
    for parent, key in containers:
        hidden.append((parent >= 0 and hidden[parent]) or is_about(parent, key))
    shown = [
        one
        for one in messages
        if not (one.container >= 0 and hidden[one.container])
        and not is_about(one.container, one.key)
    ]
    return extract_texts([one.text for one in shown], quotes, comments)


def extract_texts(
    texts: Iterable[EmbeddedText], quotes: bool, comments: Iterable[Comment]
) -> Extracted:
    """Return the prose of the messages of a catalogue, and its comments.

    A comment that switches off the next line switches off the next message: before it on its line
    stands its key, and it may have many lines.
    """
    texts = [one for one in texts if one.text]
    found = join(one.read(extract, quotes) for one in texts)
    starts = [one.offsets.start(0) for one in texts]
    all_comments = list(found.comments)
    for comment in comments:
        following = bisect_left(starts, comment.end)
        if not _NEXT_LINE.match(comment.body) or following == len(texts):
            all_comments.append(comment)
            continue
        text = texts[following]
        end = text.offsets.end(len(text.text) - 1)
        all_comments.append(Comment(comment.start, comment.end, "onbrand-disable"))
        all_comments.append(Comment(end, end, "onbrand-enable"))
    return found._replace(comments=sorted(all_comments))


def extract(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks of one message, its placeholders masked and its HTML read."""
    if "{" in text and _CHOICE.search(text):
        text = _mask_choices(text)
    text = _PLACEHOLDER.sub(lambda found: mask(found[0], PLACEHOLDER), text)
    if "<" in text:
        text = _NUMBERED_TAG.sub(lambda found: mask(found[0], REMOVED), text)
    text = text.replace("\n", LINE_SEPARATOR).replace("|", LINE_SEPARATOR)  # Vue's plurals
    if _HTML.search(text):
        return html.extract(text, quotes)
    builder = BlockBuilder(text)
    builder.copy(0, len(text))
    builder.flush()
    return Extracted(builder.blocks, [])


def _mask_choices(text: str) -> str:
    """Mask ICU plurals and selections but for the words of their last branch, the general one."""
    closing: dict[int, int] = {}
    last_branch: dict[int, int] = {}  # the opening brace of the last pair inside of another
    open_at: list[int] = []
    for found in _BRACE.finditer(text):
        if found[0] == "{":
            open_at.append(found.start())
        elif open_at:
            start = open_at.pop()
            closing[start] = found.start()
            if open_at:
                last_branch[open_at[-1]] = start
    parts, at, masked_to = [], 0, 0
    ends: list[tuple[int, int]] = []  # what to mask after branches that are kept
    for found in _CHOICE.finditer(text):
        start = found.start()
        if start < masked_to or start not in closing or start not in last_branch:
            continue
        masked_to = last_branch[start] + 1
        ends.append((closing[last_branch[start]], closing[start] + 1))
        parts.append((start, masked_to))
    pieces: list[str] = []
    for start, end in sorted([*parts, *ends]):
        start = max(start, at)
        if start < end:
            pieces += text[at:start], mask(text[start:end], REMOVED)
            at = end
    return _NUMBER_SIGN.sub(PLACEHOLDER, "".join(pieces) + text[at:])
