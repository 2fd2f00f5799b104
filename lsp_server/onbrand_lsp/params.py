"""Parameters of the commands: one object each, validated before the command runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from onbrand_lsp.rpc.jsonrpc import InvalidParamsError


class NoParams(Struct):
    """No arguments."""


class DocumentParams(Struct):
    """Parameters of a command on an open document."""

    uri: str


class BrandParams(DocumentParams):
    """A brand to judge a document as."""

    brand: str | None


class Place(Struct):
    """A position in the client's units."""

    line: int
    character: int


class RangeParams(Struct):
    """A range in the client's units."""

    start: Place
    end: Place


class SentenceParams(DocumentParams):
    """Parameters of a command on a sentence: its text as it was judged, or its range."""

    text: str | None = None
    range: RangeParams | None = None
    version: int | None = None
    """Of the document that the range is of."""
    brand: str | None = None


class LabelParams(SentenceParams):
    """Parameters of a label: the sentence, and whether it is on-brand."""

    label: Literal["on", "off"] = "on"


def arguments_of(name: str, kind: type[Struct], arguments: Sequence[object]) -> Struct:
    """Return the one object that a command takes.

    Raises:
        InvalidParamsError: it does not fit, and where.
    """
    if len(arguments) > 1:
        raise InvalidParamsError(f"{name} takes one object")
    try:
        return msgspec.convert(arguments[0] if arguments else {}, kind)
    except msgspec.ValidationError as error:
        raise InvalidParamsError(f"{name}: {error}") from None
