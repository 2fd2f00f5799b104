"""What the server offers to whom, and what it believes of a client."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.protocol import default_converter

from onbrand import __version__
from onbrand_lsp import commands
from onbrand_lsp.rpc.capabilities import (
    CODES,
    COMMANDS,
    ClientSupport,
    choose_encoding,
    folders_of,
    initialize_result,
)

VSCODE = Path(__file__).parents[2] / "lsp_server" / "vscode"

EVERYTHING: dict[str, Any] = {
    "capabilities": {
        "general": {"positionEncodings": ["utf-8", "utf-16"]},
        "textDocument": {
            "publishDiagnostics": {
                "versionSupport": True,
                "codeDescriptionSupport": True,
                "relatedInformation": True,
            },
            "diagnostic": {"dynamicRegistration": True},
            "hover": {"contentFormat": ["plaintext", "markdown"]},
            "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}},
        },
        "window": {"workDoneProgress": True, "showDocument": {"support": True}},
        "workspace": {
            "configuration": True,
            "diagnostics": {"refreshSupport": True},
            "codeLens": {"refreshSupport": True},
            "didChangeConfiguration": {"dynamicRegistration": True},
            "didChangeWatchedFiles": {
                "dynamicRegistration": True,
                "relativePatternSupport": True,
            },
            "workspaceEdit": {"documentChanges": True},
        },
    },
    "initializationOptions": {
        "workspaceDiagnostics": True,
        "status": True,
        "clientCommands": True,
        "trusted": False,
        "settings": {"brand": "acme"},
    },
}


def test_a_client_that_can_everything() -> None:
    client = ClientSupport.of(EVERYTHING)
    different = {"encoding": "utf-8", "trusted": False, "settings": {"brand": "acme"}}
    different["vouches"] = False
    for field in fields(client):
        assert getattr(client, field.name) == different.get(field.name, True), field.name


def test_only_a_client_that_says_so_vouches_for_encoders() -> None:
    for trusted in (True, False, None):
        client = ClientSupport.of({"initializationOptions": {"trusted": trusted}})
        assert (client.trusted, client.vouches) == (trusted is not False, trusted is True)


def test_a_client_that_can_nothing() -> None:
    assert ClientSupport.of({}) == ClientSupport()
    assert ClientSupport.of({"capabilities": {}, "initializationOptions": None}) == ClientSupport()


@pytest.mark.parametrize("nonsense", [None, 7, "yes", [], [7], {"support": 1}, {"x": {}}])
def test_nonsense_counts_for_nothing(nonsense: object) -> None:
    leaves = {
        part: dict.fromkeys(EVERYTHING["capabilities"][part], nonsense)
        for part in EVERYTHING["capabilities"]
    }
    options = dict.fromkeys(EVERYTHING["initializationOptions"], nonsense)
    for capabilities in (nonsense, leaves):
        params = {"capabilities": capabilities, "initializationOptions": options}
        client = ClientSupport.of(params)
        expected = ClientSupport(
            trusted=nonsense is None,
            settings=nonsense if isinstance(nonsense, dict) else {},
            pulls=client.pulls and isinstance(nonsense, dict),
        )
        assert client == expected


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["utf-8", "utf-16"], "utf-8"),
        (["utf-16", "utf-8"], "utf-16"),
        (["utf-7", "utf-32"], "utf-32"),
        ([], "utf-16"),
        (["utf-7", 8, None], "utf-16"),
        (None, "utf-16"),
        ("utf-8", "utf-16"),
    ],
)
def test_encodings(offered: object, chosen: str) -> None:
    assert choose_encoding(offered) == chosen
    client = ClientSupport.of({"capabilities": {"general": {"positionEncodings": offered}}})
    assert initialize_result(client)["capabilities"]["positionEncoding"] == chosen


def test_pull_or_push() -> None:
    client = ClientSupport(pulls=True)
    for asked in (False, True):
        wanting = replace(client, workspace_diagnostics=asked)
        assert initialize_result(wanting)["capabilities"]["diagnosticProvider"] == {
            "identifier": "onbrand",
            "interFileDependencies": False,
            "workspaceDiagnostics": asked,
        }
    assert "diagnosticProvider" not in initialize_result(ClientSupport())["capabilities"]


def test_the_answer_is_one_by_the_protocol() -> None:
    result = default_converter().structure(
        initialize_result(ClientSupport.of(EVERYTHING)), types.InitializeResult
    )
    offers = result.capabilities
    assert result.server_info == types.ServerInfo("onbrand", __version__)
    assert offers.text_document_sync == types.TextDocumentSyncOptions(
        open_close=True,
        change=types.TextDocumentSyncKind.Incremental,
        will_save=True,
        save=types.SaveOptions(include_text=False),
    )
    assert offers.code_action_provider.code_action_kinds == (types.CodeActionKind.QuickFix,)
    assert offers.execute_command_provider.commands == tuple(COMMANDS)
    assert offers.workspace.workspace_folders.change_notifications is True


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, []),
        (
            {"workspaceFolders": [{"uri": "file:///a", "name": "A"}, {"uri": "file:///b"}]},
            [("file:///a", "A"), ("file:///b", "")],
        ),
        ({"workspaceFolders": None, "rootUri": "file:///r/x/"}, [("file:///r/x/", "x")]),
        ({"workspaceFolders": [], "rootUri": "file:///r"}, [("file:///r", "r")]),
        ({"workspaceFolders": [7, {"uri": 8}], "rootUri": None}, []),
        ({"rootPath": str(Path("/r y").absolute())}, [(Path("/r y").absolute().as_uri(), "r%20y")]),
        ({"rootPath": "relative"}, []),
    ],
)
def test_workspace_folders(params: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert folders_of(params) == expected


def test_commands_and_codes_are_those_that_the_documents_and_the_extension_know() -> None:
    """Nobody but the server decides what there is: one more command or code, and these fail."""
    page = (VSCODE.parents[1] / "docs" / "language-server.md").read_text("utf-8")
    rows = re.findall(r"^ *\| (`[^|]*`) \| ([^|]*) ", page, re.M)
    named = {name for cell, _ in rows for name in re.findall(r"`(onbrand\.\w+)`", cell)}
    assert named == COMMANDS.keys()
    assert {cell.strip("`"): said for cell, said in rows if cell.strip("`") in CODES} == CODES
    protocol = (VSCODE / "src" / "protocol.ts").read_text("utf-8")
    table = protocol.partition("export const Server = {")[2].partition("}")[0]
    assert set(re.findall(r'"(onbrand\.\w+)"', table)) == COMMANDS.keys()
    for name, function in COMMANDS.items():
        assert callable(getattr(commands, function)), name
