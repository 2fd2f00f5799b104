"""What the editor may set in its section ``onbrand``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import fields

from onbrand.config.load import FindingLimit, Name, Place, Probability, Underline
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
    typing_pause: Annotated[int, Meta(ge=0, le=10_000)] = 1000
    """Milliseconds without a change from which on the writer is not typing; until then a sentence
    that is being edited gets no new finding. 0: it gets them at once."""
    severity: Severity = "auto"
    underline: Underline = "sentence"
    max_findings: FindingLimit = 5
    """Findings that are shown in full on about a screen of text, the worst ones; 0: all."""
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
    "typingPause": "milliseconds from 0 to 10000",
    "severity": "auto, error, warning, information or hint",
    "underline": "sentence or words",
    "maxFindings": "a number from 0 (no limit) to 1000",
    "codeLens": "true or false",
    "author": "a name or an e-mail address",
    "rewriters": "true or false",
    "workspaceDiagnostics": "true or false",
}


def editor_settings(data: object) -> tuple[EditorSettings, tuple[str, ...]]:
    """Read the section; a value that is wrong counts as not set, and is told in one line.

    Keys that are not ours are the client's own.
    """
    given = section_of(data) or {}
    values: dict[str, object] = {}
    problems: list[str] = []
    if SECTION in given:
        problems.append(f"the editor's settings {SECTION} must be an object; they are ignored")
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


def section_of(data: object) -> dict[str, object] | None:
    """Return our section of an editor's settings, however they are laid out.

    Editors send the section itself, all of their settings with the section as ``onbrand``, or flat
    keys such as ``onbrand.brand``. None: there is nothing of ours in them.
    """
    if not isinstance(data, Mapping):
        return None
    prefix = f"{SECTION}."
    nested, ours = data.get(SECTION), {field.encode_name for field in fields(EditorSettings)}
    found = {key: value for key, value in data.items() if key in ours}
    if isinstance(nested, Mapping):
        found |= section_of(nested) or {}
    elif nested is not None:
        found[SECTION] = nested  # told as a mistake
    for key, value in data.items():
        if isinstance(key, str) and key.startswith(prefix):
            found[key.removeprefix(prefix)] = value
    return found if found or isinstance(nested, Mapping) else None
