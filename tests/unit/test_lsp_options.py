"""The editor's section ``onbrand``."""

from __future__ import annotations

import pytest
from msgspec.structs import fields

from onbrand_lsp.settings import _ALLOWED, EditorSettings, editor_settings


@pytest.mark.parametrize("nothing", [None, {}, [], "text", 7])
def test_nothing_means_defaults(nothing: object) -> None:
    settings, problems = editor_settings(nothing)
    assert settings == EditorSettings()
    assert problems == ()


def test_every_key_can_be_set() -> None:
    given = {
        "enable": False,
        "rewriters": True,
        "brand": "acme",
        "voices": ["a", "/b"],
        "encoder": "enc",
        "gate": 0.8,
        "threshold": 0,
        "debounce": 300,
        "typingPause": 0,
        "severity": "hint",
        "underline": "words",
        "maxFindings": 9,
        "codeLens": False,
        "author": "me@example.com",
        "workspaceDiagnostics": True,
    }
    settings, problems = editor_settings(given)
    assert problems == ()
    assert given.keys() == {field.encode_name for field in fields(EditorSettings)}
    for field in fields(EditorSettings):
        value = getattr(settings, field.name)
        assert (list(value) if isinstance(value, tuple) else value) == given[field.encode_name]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("enable", "yes"),
        ("brand", 7),
        ("voices", "voices"),
        ("voices", ["a\0b"]),
        ("encoder", ["a"]),
        ("gate", 1.1),
        ("threshold", -0.1),
        ("debounce", 10_001),
        ("debounce", 1.5),
        ("typingPause", 10_001),
        ("typingPause", "long"),
        ("severity", "fatal"),
        ("underline", "letters"),
        ("maxFindings", -1),
        ("maxFindings", 1.5),
        ("codeLens", 1),
        ("author", {}),
        ("workspaceDiagnostics", "on"),
    ],
)
def test_a_wrong_value_is_told_in_a_line_and_ignored(key: str, value: object) -> None:
    settings, (problem,) = editor_settings({key: value, "brand": "acme"} | {key: value})
    assert settings == (EditorSettings() if key == "brand" else EditorSettings(brand="acme"))
    assert problem == f"the editor setting onbrand.{key} must be {_ALLOWED[key]}; it is ignored"


def test_what_is_empty_is_not_set() -> None:
    given = {"brand": "", "voices": [], "encoder": None, "author": ""}
    assert editor_settings(given) == (EditorSettings(), ())


def test_the_clients_own_keys_are_not_ours() -> None:
    assert editor_settings({"server": {"path": "x"}, "trace": "off"}) == (EditorSettings(), ())
