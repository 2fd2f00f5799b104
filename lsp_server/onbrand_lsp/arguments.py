"""What the commands take: one object each, checked before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct
from pygls.exceptions import JsonRpcInvalidParams


class Nothing(Struct):
    """No arguments."""


class OfDocument(Struct):
    """What is about an open document."""

    uri: str


class Choice(OfDocument):
    """A brand to judge a document as."""

    brand: str | None


class Place(Struct):
    """A position in the client's units."""

    line: int
    character: int


class Stretch(Struct):
    """A range in the client's units."""

    start: Place
    end: Place


class OfSentence(OfDocument):
    """What is about a sentence: its text as it was judged, or where it stands."""

    text: str | None = None
    range: Stretch | None = None
    version: int | None = None
    """Of the document that the range is of."""
    brand: str | None = None


class Marked(OfSentence):
    """What somebody says of a sentence."""

    label: Literal["on", "off"] = "on"


def arguments_of(name: str, kind: type[Struct], arguments: Sequence[object]) -> Struct:
    """Return the one object that a command takes.

    Raises:
        JsonRpcInvalidParams: it does not fit, and where.
    """
    if len(arguments) > 1:
        raise JsonRpcInvalidParams(f"{name} takes one object")
    try:
        return msgspec.convert(arguments[0] if arguments else {}, kind)
    except msgspec.ValidationError as error:
        raise JsonRpcInvalidParams(f"{name}: {error}") from None
