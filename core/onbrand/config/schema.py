"""What may stand in a configuration file, and how to say that something else stands there."""

from __future__ import annotations

import difflib
import json
import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from onbrand.config.source import Key
from onbrand.installation import without_secrets

Name = Annotated[str, Meta(min_length=1)]
Place = Annotated[str, Meta(pattern=r"^[^\x00]+$")]
Probability = Annotated[float, Meta(ge=0, le=1)]


class PathRule(Struct, frozen=True, forbid_unknown_fields=True):
    """One ``[[paths]]`` table: settings for the files that its glob matches."""

    glob: Name
    brand: Name | None = None
    avoid: tuple[Name, ...] | None = None
    gate: Probability | None = None
    threshold: Probability | None = None
    quotes: bool | None = None


class ConfigFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``onbrand.toml``, or of ``[tool.onbrand]`` in ``pyproject.toml``."""

    root: bool = False
    brand: Name | None = None
    avoid: tuple[Name, ...] | None = None
    voices: tuple[Place, ...] | None = None
    encoder: Place | None = None
    exclude: tuple[Name, ...] = ()
    gate: Probability | None = None
    threshold: Probability | None = None
    quotes: bool | None = None
    ignore: tuple[Name, ...] = ()
    labels_db: Place | None = None
    paths: tuple[PathRule, ...] = ()


ALLOWED = {
    "onbrand": "a table of settings",
    "root": "true (look no further up for configuration) or false",
    "brand": 'the name of a voice, say "acme"',
    "avoid": 'a list of voices that drafts must not read like, say ["corporate", "hype"]',
    "voices": 'a list of folders or URLs, say ["voices"]',
    "encoder": "the folder of an encoder bundle",
    "exclude": 'a list of globs as in .gitignore, say ["drafts/**"]',
    "gate": "a number from 0 to 1",
    "threshold": "a number from 0 to 1",
    "quotes": "true (judge block quotes too) or false",
    "ignore": 'a list of sentences that are never underlined, say ["Dear carton, stop it."]',
    "labels_db": "a file or a database URL (sqlite:///…, postgresql://…)",
    "paths": "tables, each begun by the line [[paths]]",
    "glob": 'a glob as in .gitignore, say "docs/**"',
}
"""Completes "KEY must be …" for every key of both schemas."""


def describe(error: msgspec.ValidationError, data: Any) -> tuple[str, tuple[Key, ...]]:  # noqa: ANN401
    """Put a failed check of ``data`` in a user's words.

    Returns:
        The message, and the keys that lead to what it is about.
    """
    what, _, where = str(error).partition(" - at `$")
    keys: tuple[Key, ...] = tuple(
        int(index) if index else name for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", where)
    )
    if match := re.search(r"unknown field `(.*)`", what, re.DOTALL):
        return _unknown(match[1], PathRule if keys else ConfigFile), (*keys, match[1])
    if match := re.search(r"missing required field `(.*)`", what):
        return f'"{match[1]}" is missing; it must be {ALLOWED[match[1]]}', keys
    for key in keys:
        data = data[key]
    name = next((key for key in reversed(keys) if isinstance(key, str)), "onbrand")
    what = "it" if keys[-1:] in ((), (name,)) else f"item {int(keys[-1]) + 1}"
    return f'"{name}" must be {ALLOWED[name]}; {what} is {_as_toml(data)}', keys


def _unknown(key: str, schema: type[Struct]) -> str:
    known = schema.__struct_fields__
    near = difflib.get_close_matches(key.lower().replace("-", "_"), known, n=1)
    guess = f'; did you mean "{near[0]}"?' if near else ""
    return f"unknown key {_as_toml(key)}{guess} (known: {', '.join(known)})"


def _as_toml(value: object) -> str:
    """Show a value shortly, in TOML's spelling."""
    match value:
        case dict():
            return "a table"
        case list():
            return "an array"
        case bool():
            return str(value).lower()
        case str():
            shown = without_secrets(value)
            return json.dumps(shown if len(shown) <= 40 else shown[:39] + "…", ensure_ascii=False)
        case _:
            return str(value)
