"""Types taken at their word: lsprotocol's converter makes the text "None" of a null."""

from __future__ import annotations

from enum import EnumType

from cattrs import Converter
from lsprotocol import types

_MOST = 2**31 - 1
"""The largest number in a position; some clients say 2**32 - 1 for the end of a line."""


def make_strict(converter: Converter) -> None:
    """Have ``converter`` refuse values of a wrong type, and take positions however far out."""
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _number)
    converter.register_structure_hook(bool, _truth)
    for kind in vars(types).values():
        # They are numbers and texts as well, and would else be structured as no more than that.
        if isinstance(kind, EnumType):
            converter.register_structure_hook(kind, _member)
    converter.register_structure_hook(types.Position, _position)


def _member(value: object, kind: type) -> object:
    return kind(value)


def _text(value: object, _: type) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _number(value: object, _: type) -> int:
    if isinstance(value, float) and value.is_integer():  # some clients know no other numbers
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not an integer")
    return value


def _truth(value: object, _: type) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def _position(value: dict[str, object], _: type) -> types.Position:
    return types.Position(*(_place(value[key]) for key in ("line", "character")))


def _place(value: object) -> int:
    return min(max(_number(value, int), 0), _MOST)
