"""Same-length edits: what a parser must not see is covered, so that every offset stays true."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

OBJECT = "\ufffc"
"""Stands in a sentence for what is not prose: code, a URL, a template's output. The encoder reads
its unknown token; word counts and n-grams pass over it."""
GONE = "\uffff"
"""Covers markup that leaves nothing behind. It is no space, which would indent a line."""
LINE_SEPARATOR = "\u2028"
"""A line break that the writer asked for, in text on its way to the segmenter."""

_NOT_BREAK = re.compile(r"[^\r\n]")
_COVERED_LINE = re.compile(rf"(?<![^\r\n])[ \t]*+[{OBJECT}{GONE}][ \t{OBJECT}{GONE}]*+(?![^\r\n])")
# Each alternative stops at its own next opener, so unclosed ones cost no second look.
_TEMPLATE = re.compile(
    r"\{\{[<%][^{}]*+\}\}"
    r"|\{\{\{?(?:[^{}]|\{(?!\{)|\}(?!\}))*+\}\}\}?"
    r"|\{%-?\s*+(?P<name>\w*+)(?:[^%{]|%(?!\})|\{(?!%))*+%\}"
    r"|\{:[^{}\r\n]*+\}"
    r"|<%(?:[^%<]|%(?!>)|<(?!%))*+%>"
    r"|<\?(?:[^?<]|\?(?!>)|<(?!\?))*+\?>"
    r"|\*\|[^|*\r\n]{1,200}\|\*"
)
_TEMPLATE_MARKS = ("{{", "{%", "{:", "<%", "<?", "*|")
_TEMPLATE_CODE = frozenset({"highlight", "codeblock", "code", "comment", "filename", "mermaid"})
_LOGIC_NAMES = """
if elsif elif else unless case when for while break continue assign capture set block
extends include import load macro raw verbatim tabs tab call with hint
"""
_TEMPLATE_LOGIC = frozenset(_LOGIC_NAMES.split())
_NON_ASCII = re.compile(r"[^\x01-\x7f]+")


class Edit(NamedTuple):
    """Put ``text`` over ``start`` to ``end``; both have the same length."""

    start: int
    end: int
    text: str


def cover(text: str, char: str) -> str:
    """Return ``text`` with every character but the line breaks replaced."""
    return _NOT_BREAK.sub(char, text)


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return ``text`` after the edits, which are sorted and disjoint."""
    parts: list[str] = []
    at = 0
    for start, end, replacement in edits:
        parts += text[at:start], replacement
        at = end
    return "".join(parts) + text[at:] if parts else text


def blank_covered_lines(text: str) -> str:
    """Turn lines on which nothing but covers is left into blank ones, which part paragraphs."""
    return _COVERED_LINE.sub(lambda found: " " * len(found[0]), text)


def cover_templates(text: str) -> str:
    """Cover Liquid, Jinja, Hugo, ERB, PHP and merge tags; `{% highlight %}` with its content."""
    if not any(mark in text for mark in _TEMPLATE_MARKS):
        return text
    edits: list[Edit] = []
    code: tuple[str, int, int] | None = None  # name, where it opens, edits before it
    for found in _TEMPLATE.finditer(text):
        name = found["name"] or ""
        start, end = found.span()
        if code and name == f"end{code[0]}":
            del edits[code[2] :]
            start, code = code[1], None
        elif name in _TEMPLATE_CODE and not code:
            code = name, start, len(edits)
        edits.append(Edit(start, end, cover(text[start:end], _cover_for(found[0], name))))
    return blank_covered_lines(apply(text, edits))


def _cover_for(tag: str, name: str) -> str:
    if name in _TEMPLATE_LOGIC or name in _TEMPLATE_CODE or name.startswith("end"):
        return GONE
    return GONE if tag.startswith(("{{<", "{{%", "{:")) else OBJECT


class _AsciiClass(dict[int, str]):
    """Maps a code point to an ASCII one that Markdown treats alike, filled as it goes."""

    def __missing__(self, point: int) -> str:
        char = chr(point)
        punctuation = unicodedata.category(char)[0] in "PS"
        self[point] = "\f" if char.isspace() else "," if punctuation else "x"
        return self[point]


_ASCII_CLASS = _AsciiClass({0: "x", ord(GONE): ","})


def ascii_shadow(text: str) -> str:
    """Return ``text`` with each character outside ASCII replaced by an ASCII one of its class.

    A parser that counts bytes then counts code points, and meets neither lone surrogates nor NUL.
    Letters become letters, spaces form feeds, the rest commas, so emphasis opens and closes as
    it would have.
    """
    return text if text.isascii() and "\0" not in text else _NON_ASCII.sub(_shadow, text)


def _shadow(found: re.Match[str]) -> str:
    return found[0].translate(_ASCII_CLASS)
