"""What a user wants who typed ``/onbrand …`` or mentioned the app."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from onbrand.errors import OnbrandError
from onbrand.voice.storage import unknown_brand

Kind = Literal["check", "thread", "help", "brands", "use", "settings"]

_TOPICS: dict[str, Kind] = {"help": "help", "brands": "brands", "settings": "settings"}
_THREAD = ("thread", "summary")
_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“", "‘": "’", "«": "»"}


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do."""

    kind: Kind
    brand: str | None = None
    """The brand that was named: to check by, or to use from now on."""
    text: str = ""
    """The draft; empty where it is somewhere else, in a thread or a file."""


def parse(text: str, brands: Collection[str], *, in_thread: bool = False) -> Command:
    """Read a command, ``[brand] draft`` or ``help``, ``brands``, ``use BRAND``, ``settings``.

    A word is a command only where nothing follows it: "help our customers grow" is a draft.

    Args:
        text: what was typed, as `message.decode` or `message.draft_of` returns it.
        brands: the workspace's.
        in_thread: whether it was said in a thread, whose messages can be meant: all of them by
            ``summary`` or ``thread``, the first one by saying nothing.

    Raises:
        OnbrandError: ``use`` without a brand that is known; the nearest one is offered.
    """
    text = text.strip()
    words = _bare(text).casefold().split(maxsplit=2)
    if not words:
        return Command("check") if in_thread else Command("help")
    if len(words) == 1 and words[0] in _TOPICS:
        return Command(_TOPICS[words[0]])
    if words[0] == "use" and len(words) <= 2:
        return Command("use", _brand_to_use(_bare(text)[len("use") :].strip(), brands))
    brand, draft = _split(text, brands)
    if in_thread and _bare(draft).casefold() in _THREAD:
        return Command("thread", brand)
    return Command("check", brand, _unquoted(draft))


def _split(text: str, brands: Collection[str]) -> tuple[str | None, str]:
    """Part a draft from the brand before it: ``acme …`` to the letter, or ``Acme: …``."""
    first, *rest = text.split(maxsplit=1)
    if first in brands:
        return first, "".join(rest)
    name, colon, rest_of_it = text.partition(":")
    brand = _named(name, brands) if colon else None
    return (brand, rest_of_it.strip()) if brand else (None, text)


def _brand_to_use(name: str, brands: Collection[str]) -> str:
    brand = _named(name, brands)
    if brand:
        return brand
    if name:
        raise unknown_brand(name, brands)
    raise OnbrandError(f"which brand? Say: use BRAND (known: {', '.join(sorted(brands))})")


def _named(name: str, brands: Collection[str]) -> str | None:
    if name in brands:
        return name
    same = (brand for brand in sorted(brands) if brand.casefold() == name.casefold())
    return next(same, None)


def _bare(text: str) -> str:
    return text.rstrip(" \t\r\n.!?")


def _unquoted(draft: str) -> str:
    """Drop quotation marks around the whole draft, but not those of ``"One" and "two"``."""
    inner, close = draft[1:-1], _QUOTES.get(draft[:1])
    if not inner or not close or draft[-1] != close or draft[0] in inner or close in inner:
        return draft
    return inner.strip()
