"""What the editor may set in its section ``onbrand``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import fields

from onbrand.config.load import Name, Place, Probability
from onbrand_lsp.wire.capabilities import IDENTIFIER

SECTION = IDENTIFIER
Severity = Literal["auto", "error", "warning", "information", "hint"]


class EditorSettings(Struct, frozen=True, rename="camel"):
    """The editor's own settings; ``onbrand.toml`` beats them where both speak."""

    enable: bool = True
    brand: Name | None = None
    voices: tuple[Place, ...] = ()
    """Folders; relative ones start at the workspace folder."""
    encoder: Place | None = None
    gate: Probability | None = None
    threshold: Probability | None = None
    debounce: Annotated[int, Meta(ge=0, le=10_000)] = 150
    """Milliseconds after the last change before a document is checked."""
    severity: Severity = "auto"
    code_lens: bool = True
    author: Name | None = None
    """Whose labels the editor writes."""
    rewriters: bool = False
    """Whether installed rewriters are asked for fixes. The user's to set: a checkout cannot."""
    workspace_diagnostics: bool = False
    """Read by the client, which asks for them when it starts the server."""


_ALLOWED = {
    "enable": "true or false",
    "brand": 'the name of a voice, say "acme"',
    "voices": 'a list of folders, say ["voices"]',
    "encoder": "the folder of an encoder bundle",
    "gate": "a number from 0 to 1",
    "threshold": "a number from 0 to 1",
    "debounce": "milliseconds from 0 to 10000",
    "severity": "auto, error, warning, information or hint",
    "codeLens": "true or false",
    "author": "a name or an e-mail address",
    "rewriters": "true or false",
    "workspaceDiagnostics": "true or false",
}


def editor_settings(data: object) -> tuple[EditorSettings, tuple[str, ...]]:
    """Read the section; a value that is wrong counts as not set, and is told in one line.

    Keys that are not ours are the client's own.
    """
    given = data if isinstance(data, Mapping) else {}
    values: dict[str, object] = {}
    problems: list[str] = []
    for field in fields(EditorSettings):
        key = field.encode_name
        value = given.get(key)
        if value is None or value == "":  # how editors spell "not set"
            continue
        try:
            values[field.name] = msgspec.convert(value, field.type)
        except msgspec.ValidationError:
            problems.append(
                f"the editor setting {SECTION}.{key} must be {_ALLOWED[key]}; it is ignored"
            )
    return EditorSettings(**values), tuple(problems)  # type: ignore[arg-type]
