"""Message catalogues in JSON, YAML and TOML to blocks: the values, not the keys.

None of the parsers at hand tells where a string stands, so the strings are found here: those of
YAML by the lines of the block style, which catalogues are written in.
"""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

from onbrand.document import json_strings
from onbrand.document.blocks import Comment, Extracted
from onbrand.document.embedded import EmbeddedText
from onbrand.document.json_strings import Container
from onbrand.document.messages import Message, extract_messages
from onbrand.document.positions import LineIndex

_NOTHING = "nothing in it is judged"


def extract_json(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks of a catalogue in JSON."""
    try:
        containers, strings = json_strings.read(text)
    except ValueError as error:
        return Extracted([], [], (f"is no JSON ({error}); {_NOTHING}",))
    messages = []
    for container, key, start, end in strings:
        message = EmbeddedText(text)
        message.unescape(start, end)
        nearest = container
        while not key and nearest >= 0:  # in an array: the key of the array
            key, nearest = containers[nearest].key, containers[nearest].parent
        messages.append(Message(container, key, message))
    return extract_messages(messages, containers, [], quotes=quotes)


# --- TOML -------------------------------------------------------------------------------------

_TOML_TOKEN = re.compile(
    r"#(?P<comment>[^\r\n]*)"
    r'|"""(?:\r\n|\n)?(?P<long>(?:[^"\\]|\\.|"(?!""))*+"{0,2})"""'
    r"|'''(?:\r\n|\n)?(?P<raw>(?:[^']|'(?!''))*+'{0,2})'''"
    r'|"(?P<basic>(?:[^"\\\r\n]|\\.)*+)"'
    r"|'(?P<literal>[^'\r\n]*+)'"
    r"|(?<![^\r\n])[ \t]*+\[\[?(?P<table>[^\]\r\n]*+)\]\]?(?=[ \t]*+(?:#|[\r\n]|\Z))"
    r"|(?P<key>[\w-]++)(?=[ \t]*+=)",
    re.DOTALL,
)
_KEY_AFTER = re.compile(r"[ \t]*[=.]")


def extract_toml(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks of a catalogue in TOML, and its comments."""
    try:
        tomllib.loads(re.sub(r"\r\n?", "\n", text.replace("\ufeff", " ", 1)))
    except (ValueError, RecursionError) as error:
        return Extracted([], [], (f"is no TOML ({error or 'nested too deeply'}); {_NOTHING}",))
    return extract_messages(*toml_messages(text), quotes=quotes)


class _Found(NamedTuple):
    """What a catalogue holds."""

    messages: list[Message]
    containers: list[Container]
    comments: list[Comment]


def toml_messages(text: str) -> _Found:
    """Return the strings of a TOML document that are values, its tables and its comments."""
    containers: list[Container] = []
    messages: list[Message] = []
    comments: list[Comment] = []
    key = ""
    for token in _TOML_TOKEN.finditer(text):
        name = token.lastgroup or ""
        start, end = token.span(name)
        if name == "comment":
            comments.append(Comment(token.start(), token.end(), token[name]))
        elif name == "table":
            containers.append(Container(-1, token[name].strip(" \t\"'")))
        elif name == "key" or _KEY_AFTER.match(text, token.end()):
            key = token[name]
        else:
            message = EmbeddedText(text)
            (message.unescape if name in ("long", "basic") else message.copy)(start, end)
            messages.append(Message(len(containers) - 1, key, message))
    return _Found(messages, containers, comments)


# --- YAML -------------------------------------------------------------------------------------

_YAML_KEY = re.compile(
    r"(?:\"(?P<double>(?:[^\"\\\r\n]|\\.)*+)\"|'(?P<single>(?:[^'\r\n]|'')*+)'"
    r"|(?P<plain>[^\s#\"'&*!|>%@`{}\[\],:-](?:[^:\r\n]|:(?=\S))*+|-(?=\S)(?:[^:\r\n]|:(?=\S))*+))"
    r"[ \t]*:(?=[ \t\r\n]|\Z)"
)
_YAML_COMMENT = re.compile(r"[ \t]*#(.*)")
_YAML_PROPERTIES = re.compile(r"(?:[&!][^\s]*[ \t]*)*")
_YAML_BLOCK = re.compile(r"([|>])[-+\d]*[ \t]*(?:#.*)?")
_YAML_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*+\"|'(?:[^']|'')*+'", re.DOTALL)
_YAML_FOLD = re.compile(r"[ \t]*(?:\r\n|\n|\r)\s*")
_YAML_FOLD_OR_QUOTE = re.compile(r"''|" + _YAML_FOLD.pattern)
_YAML_END = re.compile(r"[ \t]+#.*")
_YAML_NO_STRING = re.compile(
    r"(?:~|null|true|false|yes|no|on|off|[-+.\d][\d.,:eE_+-]*)", re.IGNORECASE
)


def extract_yaml(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks of a catalogue in YAML, and its comments."""
    return extract_messages(*yaml_messages(text), quotes=quotes)


def yaml_messages(text: str) -> _Found:
    """Return the strings of a YAML document that are values, its mappings and its comments."""
    reader = _YamlReader(text)
    reader.run()
    return _Found(reader.messages, reader.containers, reader.comments)


class _YamlReader:
    """Reads the block style of YAML line by line; what is in the flow style is left out."""

    def __init__(self, text: str) -> None:
        self.containers: list[Container] = []
        self.messages: list[Message] = []
        self.comments: list[Comment] = []
        self._text = text
        self._lines = LineIndex(text)
        self._keys: list[str] = []  # the last key of each container
        self._open: list[tuple[int, int]] = []  # indentation, container

    def run(self) -> None:
        """Read all lines."""
        number = 0
        while number < self._lines.line_count:
            number = self._line(number)

    def _line(self, number: int) -> int:
        """Read a line, and those that its value goes on in; return the next one."""
        start, end = self._lines.line_start(number), self._lines.line_end(number)
        line = self._text[start:end]
        if comment := _YAML_COMMENT.fullmatch(line):
            self.comments.append(Comment(start, end, comment[1]))
            return number + 1
        if not line.strip() or line.startswith(("---", "...", "%")):
            return number + 1
        at = self._skip_space(start, end)
        floor = at - start
        while self._text.startswith("- ", at) and at < end:
            floor = at - start
            at = self._skip_space(at + 1, end)
            self._enter(at - start, is_item=True)
        at = self._skip_properties(at, end)
        if key := _YAML_KEY.match(self._text, at, end):
            floor = at - start
            self._enter(floor)
            name = next(name for name in key.groups() if name is not None)
            self._keys[self._open[-1][1]] = name.rstrip()
            at = self._skip_properties(self._skip_space(key.end(), end), end)
        return self._value(at, number, floor)

    def _skip_space(self, at: int, end: int) -> int:
        while at < end and self._text[at] in " \t":
            at += 1
        return at

    def _skip_properties(self, at: int, end: int) -> int:
        properties = _YAML_PROPERTIES.match(self._text, at, end)
        return properties.end() if properties else at

    def _enter(self, indent: int, *, is_item: bool = False) -> None:
        """Open the mapping or the item that a key or a value with this indentation belongs to."""
        while self._open and (
            self._open[-1][0] > indent or (is_item and self._open[-1][0] == indent)
        ):
            self._open.pop()
        if not self._open or self._open[-1][0] < indent:
            parent = self._open[-1][1] if self._open else -1
            self.containers.append(Container(parent, self._keys[parent] if parent >= 0 else ""))
            self._keys.append("")
            self._open.append((indent, len(self.containers) - 1))

    def _value(self, at: int, number: int, floor: int) -> int:
        """Read a value, whose further lines are indented more than ``floor``."""
        end = self._lines.line_end(number)
        first = self._text[at:end]
        if not first or first.startswith(("#", "*", "? ")):
            return number + 1
        if first[0] in "[{":
            return self._after(number, floor, brackets=True)
        if block := _YAML_BLOCK.fullmatch(first):
            return self._block(number + 1, floor, folded=block[1] == ">")
        if first[0] in "\"'" and (quoted := _YAML_QUOTED.match(self._text, at)):
            self._quoted(at, quoted.end())
            return self._lines.line_of(max(at, quoted.end() - 1)) + 1
        return self._plain(at, number, floor)

    def _after(self, number: int, floor: int, *, brackets: bool = False) -> int:
        """Return the first line after ``number`` that is not indented more than ``floor``."""
        number += 1
        while number < self._lines.line_count:
            line = self._lines.line_text(number)
            bare = line.lstrip(" ")
            if bare.strip() and len(line) - len(bare) <= floor:
                return number + (brackets and bare[0] in "]}")
            number += 1
        return number

    def _plain(self, at: int, number: int, floor: int) -> int:
        message = EmbeddedText(self._text)
        following = number
        while True:
            end = self._lines.line_end(following)
            line = _YAML_END.sub("", self._text[at:end]).rstrip()
            if following == number and _YAML_NO_STRING.fullmatch(line):
                return number + 1
            message.copy(at, at + len(line))
            following += 1
            text = self._lines.line_text(following) if following < self._lines.line_count else ""
            bare = text.lstrip(" ")
            if not bare.strip() or len(text) - len(bare) <= floor or bare.startswith("#"):
                break
            start = self._lines.line_start(following) + len(text) - len(bare)
            message.add(" ", end, start)
            at = start
        self._keep(message)
        return following

    def _block(self, number: int, floor: int, *, folded: bool) -> int:
        message = EmbeddedText(self._text)
        stop = self._after(number - 1, floor)
        lines = self._lines
        for line in range(number, stop):
            start, end = lines.line_start(line), lines.line_end(line)
            message.copy(self._skip_space(start, end), end)
            if line + 1 < stop:
                blank = not lines.line_text(line).strip() or not lines.line_text(line + 1).strip()
                message.add(" " if folded and not blank else "\n", end, lines.line_start(line + 1))
        self._keep(message)
        return stop

    def _quoted(self, start: int, end: int) -> None:
        message, text = EmbeddedText(self._text), self._text
        add = message.unescape if text[start] == '"' else message.copy
        at = start + 1
        pattern = _YAML_FOLD if text[start] == '"' else _YAML_FOLD_OR_QUOTE
        for found in pattern.finditer(text, at, end - 1):
            if found[0].startswith("'"):
                message.copy(at, found.start() + 1)
            elif text[found.start() - 1] == "\\" and text[start] == '"':
                continue  # an escaped line break
            else:
                add(at, found.start())
                breaks = len(re.findall(r"\r\n|\n|\r", found[0]))
                message.add(" " if breaks == 1 else "\n", found.start(), found.end())
            at = found.end()
        add(at, end - 1)
        self._keep(message)

    def _keep(self, text: EmbeddedText) -> None:
        container = self._open[-1][1] if self._open else -1
        key = self._keys[container] if container >= 0 else ""
        self.messages.append(Message(container, key, text))
