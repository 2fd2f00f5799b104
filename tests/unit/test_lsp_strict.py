"""What the converter takes and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from lsprotocol import converters, types

from onbrand_lsp.rpc.jsonrpc import make_strict

START = {"line": 0, "character": 0}
NOTHING = {"start": START, "end": START}


def structured(message: dict[str, Any], kind: type[Any]) -> Any:
    converter = converters.get_converter()
    make_strict(converter)
    return converter.structure(message, kind)


def test_enumerations_stay_what_they_are() -> None:
    """They are numbers and texts too; as mere numbers they could not be sent back."""
    diagnostic = {"range": NOTHING, "severity": 2, "message": "off"}
    context = {"diagnostics": [diagnostic], "only": ["quickfix"], "triggerKind": 2}
    document = {"uri": "file:///draft.md"}
    message = {"textDocument": document, "range": NOTHING, "context": context}
    params = structured(message, types.CodeActionParams)
    assert params.context.diagnostics[0].severity is types.DiagnosticSeverity.Warning
    assert params.context.trigger_kind is types.CodeActionTriggerKind.Automatic


@pytest.mark.parametrize("line", ["1", True, None, 1.5, [1]])
def test_a_line_that_is_no_number_is_refused(line: object) -> None:
    with pytest.raises(Exception, match="."):
        structured({"line": line, "character": 0}, types.Position)


@pytest.mark.parametrize(("line", "taken"), [(-1, 0), (2.0, 2), (2**40, 2**31 - 1)])
def test_a_line_far_out_is_the_nearest_there_may_be(line: float, taken: int) -> None:
    assert structured({"line": line, "character": 0}, types.Position).line == taken


def test_null_is_no_text() -> None:
    with pytest.raises(Exception, match="."):
        structured({"uri": None}, types.TextDocumentIdentifier)
