"""Gettext catalogues to blocks: the texts of a program, and translations into English.

The voices speak English, so a text is judged as the program's authors wrote it (``msgid``), unless
that is a mere key or the translation is in English, too. A template (``.pot``) has nothing else.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from onbrand.document import messages
from onbrand.document.blocks import Comment, Extracted
from onbrand.document.embedded import EmbeddedText
from onbrand.document.positions import LineIndex

_FIELD = re.compile(r"[ \t]*(?P<name>msgid_plural|msgid|msgstr|msgctxt)(?:\[\d+\])?[ \t]*(?=\")")
_STRING = re.compile(r"[ \t]*\"(?P<text>(?:[^\"\\]|\\.)*+)\"?[ \t]*")
_LANGUAGE = re.compile(r"^Language:[ \t]*([A-Za-z]+)", re.MULTILINE)


class _Field(NamedTuple):
    name: str
    text: EmbeddedText


def extract(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks of a gettext catalogue, and its translator comments (``# comment``).

    Obsolete entries (``#~``) and the header are left out.

    Args:
        text: the catalogue.
        quotes: whether block quotes are judged.
    """
    entries, comments = _read(text)
    shown: list[EmbeddedText] = []
    left_out = 0
    english = _is_english(entries)
    for entry in entries:
        sources = [one.text for one in entry if one.name in ("msgid", "msgid_plural")]
        translations = [one.text for one in entry if one.name == "msgstr" and one.text.text]
        source = sources[0].text if sources else ""
        if not source:
            continue
        is_key = not any(map(str.isspace, source.strip())) and any(c in source for c in "._-:/")
        judged = translations if translations and (english or is_key) else sources
        shown += judged
        left_out += sum(len(one.text) for one in translations if judged is sources)
    found = messages.extract_texts(shown, quotes, comments)
    return found._replace(skipped={"translations": left_out} if left_out else {})


def _is_english(entries: list[list[_Field]]) -> bool:
    """Tell whether the header says that the translations are in English."""
    for entry in entries:
        source = next((one.text.text for one in entry if one.name == "msgid"), "")
        header = next((one.text.text for one in entry if one.name == "msgstr"), "")
        if not source and header:
            language = _LANGUAGE.search(header)
            return language is not None and language[1].lower() == "en"
    return False


def _read(source: str) -> tuple[list[list[_Field]], list[Comment]]:
    lines = LineIndex(source)
    entries: list[list[_Field]] = []
    comments: list[Comment] = []
    fresh = True  # the next field begins an entry
    for number in range(lines.line_count):
        start, line = lines.line_start(number), lines.line_text(number)
        if line.startswith("#"):
            fresh = True
            if line[1:2] in ("", " ", "\t"):
                comments.append(Comment(start, start + len(line), line[1:]))
            continue
        at = 0
        if field := _FIELD.match(line):
            if fresh or (field["name"] == "msgid" and entries[-1][-1].name == "msgstr"):
                entries.append([])
            entries[-1].append(_Field(field["name"], EmbeddedText(source)))
            fresh, at = False, field.end()
        string = _STRING.fullmatch(line, at)
        if string and not fresh:
            entries[-1][-1].text.unescape(start + string.start("text"), start + string.end("text"))
        elif not line.strip():
            fresh = True
    return entries, comments
