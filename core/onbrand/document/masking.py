"""Masking: replaces what a parser must not see by as many characters, so that offsets stay true."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

PLACEHOLDER = "\ufffc"
"""Stands in a sentence for what is not prose: code, a URL, the output of a template. The encoder
reads it as its unknown token; word counts and n-grams skip it."""
REMOVED = "\uffff"
"""Stands for markup that leaves nothing behind. It is no space, which would indent a line."""
LINE_SEPARATOR = "\u2028"
"""Stands for a line break that the writer asked for, until sentences are split."""

_NOT_BREAK = re.compile(r"[^\r\n]")
_MASKED_LINE = re.compile(
    rf"(?<![^\r\n])[ \t]*+[{PLACEHOLDER}{REMOVED}][ \t{PLACEHOLDER}{REMOVED}]*+(?![^\r\n])"
)
# Each alternative stops at its own next opener: time stays linear where tags are not closed.
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


class Replacement(NamedTuple):
    """``text`` to put in place of what is between two offsets; both have the same length."""

    start: int
    end: int
    text: str


def mask(text: str, char: str) -> str:
    """Return ``text`` with every character but the line breaks replaced by ``char``."""
    return _NOT_BREAK.sub(char, text)


def apply_replacements(text: str, replacements: Iterable[Replacement]) -> str:
    """Return ``text`` after the replacements, which are sorted and disjoint."""
    parts: list[str] = []
    at = 0
    for start, end, replacement in replacements:
        parts += text[at:start], replacement
        at = end
    return "".join(parts) + text[at:] if parts else text


def blank_masked_lines(text: str) -> str:
    """Make lines on which all is masked blank: blank lines separate paragraphs."""
    return _MASKED_LINE.sub(lambda found: " " * len(found[0]), text)


def mask_templates(text: str) -> str:
    """Mask Liquid, Jinja, Hugo, ERB, PHP and merge tags; `{% highlight %}` with its content."""
    if not any(mark in text for mark in _TEMPLATE_MARKS):
        return text
    replacements: list[Replacement] = []
    code: tuple[str, int, int] | None = None  # name, where it opens, replacements before it
    for found in _TEMPLATE.finditer(text):
        name = found["name"] or ""
        start, end = found.span()
        if code and name == f"end{code[0]}":
            del replacements[code[2] :]
            start, code = code[1], None
        elif name in _TEMPLATE_CODE and not code:
            code = name, start, len(replacements)
        replacements.append(
            Replacement(start, end, mask(text[start:end], _mask_for(found[0], name)))
        )
    return blank_masked_lines(apply_replacements(text, replacements))


def _mask_for(tag: str, name: str) -> str:
    if name in _TEMPLATE_LOGIC or name in _TEMPLATE_CODE or name.startswith("end"):
        return REMOVED
    return REMOVED if tag.startswith(("{{<", "{{%", "{:")) else PLACEHOLDER


class _AsciiClass(dict[int, str]):
    """Maps a code point to an ASCII one that Markdown treats alike, filled as it goes."""

    def __missing__(self, point: int) -> str:
        char = chr(point)
        punctuation = unicodedata.category(char)[0] in "PS"
        self[point] = "\f" if char.isspace() else "," if punctuation else "x"
        return self[point]


_ASCII_CLASS = _AsciiClass({0: "x", ord(REMOVED): ","})


def to_ascii_like(text: str) -> str:
    """Return ``text`` with each character outside ASCII replaced by an ASCII one of its class.

    A parser that counts bytes then counts code points, and meets neither lone surrogates nor NUL.
    Letters become letters, spaces form feeds, the rest commas, so emphasis opens and closes as
    it would have.
    """
    return text if text.isascii() and "\0" not in text else _NON_ASCII.sub(_shadow, text)


def _shadow(found: re.Match[str]) -> str:
    return found[0].translate(_ASCII_CLASS)
