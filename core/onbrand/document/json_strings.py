"""The strings of a JSON document, each with its place in the source and in the tree."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]', re.DOTALL)


class Container(NamedTuple):
    """An object or array: the container that it stands in, -1 for the document, and its key."""

    parent: int
    key: str


class JsonString(NamedTuple):
    """A string that is a value."""

    container: int
    """Index of the object or array that holds it, -1 for the document."""
    key: str
    """As it is written in the source; empty in an array."""
    start: int
    """Offset of its first character, after the quotation mark."""
    end: int


class JsonStrings(NamedTuple):
    """The strings of a document that are values, and the containers, both in reading order."""

    containers: list[Container]
    strings: list[JsonString]


def read(source: str) -> JsonStrings:
    """Return the strings of a JSON document.

    Raises:
        ValueError: it is no JSON; the message says why and where.
    """
    try:
        json.loads(source.replace("\ufeff", " ", 1), strict=False, parse_int=len, parse_float=len)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} in line {error.lineno}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    found = JsonStrings([], [])
    open_containers: list[int] = []
    is_object: list[bool] = []
    key, is_key = "", False
    for token in _TOKEN.finditer(source):
        sign = source[token.start()]
        if sign in "{[":
            found.containers.append(Container(open_containers[-1] if open_containers else -1, key))
            open_containers.append(len(found.containers) - 1)
            is_object.append(sign == "{")
            key, is_key = "", sign == "{"
        elif sign in "}]":
            open_containers.pop()
            is_object.pop()
        elif sign == ",":
            key, is_key = "", is_object[-1]
        elif sign == ":":
            is_key = False
        elif is_key:
            key = token[0][1:-1]
        else:
            inside = open_containers[-1] if open_containers else -1
            found.strings.append(JsonString(inside, key, token.start() + 1, token.end() - 1))
    return found
