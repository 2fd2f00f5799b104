"""Capabilities of the server and of the client, as plain JSON, without lsprotocol.

Importing lsprotocol takes as long as a whole `initialize` may: nothing here may need it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onbrand import __version__
from onbrand.document.positions import Encoding

JSON = dict[str, Any]

COMMANDS = {
    "onbrand.brands": "brands",
    "onbrand.checkAs": "choose_brand",
    "onbrand.checkWorkspace": "check_workspace",
    "onbrand.chooseBrand": "choose_brand",
    "onbrand.ignoreInProject": "ignore_in_project",
    "onbrand.label": "label",
    "onbrand.profile": "profile",
    "onbrand.restart": "restart",
    "onbrand.showConfiguration": "show_configuration",
    "onbrand.showExamples": "show_examples",
    "onbrand.showVerdict": "show_verdict",
    "onbrand.takeBack": "take_back",
}
"""The commands of `workspace/executeCommand`, and the function in `onbrand_lsp.commands` of each.

The one list: the extension's ``protocol.ts`` and docs/language-server.md are checked against it."""

OFF_BRAND, NOTE, UNKNOWN_BRAND = "off-brand", "note", "unknown-brand"
CODES = {
    OFF_BRAND: "a sentence that does not sound like the brand",
    NOTE: "something in the document that onbrand does not understand, or leaves unjudged",
    UNKNOWN_BRAND: "the document names a brand that has no voice",
}
"""Every ``code`` of a diagnostic, and what it says; docs/language-server.md lists them."""

IDENTIFIER = "onbrand"
"""Name of the server, of its diagnostics and of its settings section."""

_ENCODINGS: dict[str, Encoding] = {name: name for name in ("utf-8", "utf-16", "utf-32")}


@dataclass(frozen=True, slots=True)
class ClientSupport:
    """Capabilities and wishes of the client, read from its `initialize` request."""

    encoding: Encoding = "utf-16"
    """Unit of a column in every position that is exchanged."""
    pulls: bool = False
    """It asks for diagnostics; else they are pushed."""
    push_version: bool = False
    """Pushed diagnostics may name the version that they belong to."""
    pull_refresh: bool = False
    """It can be told to ask for diagnostics again."""
    code_lens_refresh: bool = False
    """It can be told to ask for code lenses again."""
    configuration: bool = False
    """It answers `workspace/configuration`."""
    configuration_dynamic: bool = False
    """It lets the server register for changed settings."""
    watched_files_dynamic: bool = False
    """It lets the server register for changed files."""
    relative_patterns: bool = False
    """Those registrations may name a folder."""
    work_done_progress: bool = False
    """It lets the server begin a progress bar."""
    code_description: bool = False
    """Diagnostics may link to a page."""
    related_information: bool = False
    """Diagnostics may point to other places."""
    code_action_literals: bool = False
    """Code actions may be more than commands."""
    document_changes: bool = False
    """Edits may name the version of the document that they change."""
    show_document: bool = False
    """It opens documents that the server asks for."""
    markdown_hover: bool = False
    """Hovers may be Markdown."""
    workspace_diagnostics: bool = False
    """It wants the diagnostics of files that are not open."""
    status: bool = False
    """It wants `onbrand/status` notifications."""
    client_commands: bool = False
    """It shows the results of commands itself."""
    trusted: bool = True
    """The workspace may choose voices."""
    vouches: bool = False
    """The client said so itself: the workspace may choose encoders of its own, too."""
    settings: JSON = field(default_factory=dict, hash=False)
    """Editor settings that came along, if any."""

    @classmethod
    def of(cls, params: JSON) -> ClientSupport:
        """Read the parameters of `initialize`; a missing or misshapen key counts as not set."""
        able = _Tree(params.get("capabilities"))
        options = _Tree(params.get("initializationOptions"))
        diagnostics = ("textDocument.publishDiagnostics.", "textDocument.diagnostic.")
        settings = options.at("settings")
        return cls(
            encoding=choose_encoding(able.at("general.positionEncodings")),
            pulls=isinstance(able.at("textDocument.diagnostic"), dict),
            push_version=able.has("textDocument.publishDiagnostics.versionSupport"),
            pull_refresh=able.has("workspace.diagnostics.refreshSupport"),
            code_lens_refresh=able.has("workspace.codeLens.refreshSupport"),
            configuration=able.has("workspace.configuration"),
            configuration_dynamic=able.has("workspace.didChangeConfiguration.dynamicRegistration"),
            watched_files_dynamic=able.has("workspace.didChangeWatchedFiles.dynamicRegistration"),
            relative_patterns=able.has("workspace.didChangeWatchedFiles.relativePatternSupport"),
            work_done_progress=able.has("window.workDoneProgress"),
            code_description=any(able.has(d + "codeDescriptionSupport") for d in diagnostics),
            related_information=any(able.has(d + "relatedInformation") for d in diagnostics),
            code_action_literals=isinstance(
                able.at("textDocument.codeAction.codeActionLiteralSupport"), dict
            ),
            document_changes=able.has("workspace.workspaceEdit.documentChanges"),
            show_document=able.has("window.showDocument.support"),
            markdown_hover="markdown" in able.list_at("textDocument.hover.contentFormat"),
            workspace_diagnostics=options.has("workspaceDiagnostics"),
            status=options.has("status"),
            client_commands=options.has("clientCommands"),
            vouches=options.at("trusted") is True,
            trusted=options.at("trusted") in (None, True),  # trust that is misspelt is not given
            settings=settings if isinstance(settings, dict) else options.part_named(IDENTIFIER),
        )


def choose_encoding(offered: object) -> Encoding:
    """Return the first encoding of the client's list that is known; UTF-16, the default, else."""
    for name in offered if isinstance(offered, list) else []:
        if isinstance(name, str) and name in _ENCODINGS:
            return _ENCODINGS[name]
    return "utf-16"


def folders_of(params: JSON) -> list[tuple[str, str]]:
    """Return URI and name of each folder that the client works in, from ``initialize``."""
    folders = [
        (folder["uri"], str(folder.get("name", "")))
        for folder in _Tree(params).list_at("workspaceFolders")
        if isinstance(folder, dict) and isinstance(folder.get("uri"), str)
    ]
    if folders:
        return folders
    root, path = params.get("rootUri"), params.get("rootPath")
    if not isinstance(root, str) and isinstance(path, str) and Path(path).is_absolute():
        root = Path(path).as_uri()
    return [(root, root.rstrip("/").rpartition("/")[2])] if isinstance(root, str) else []


def initialize_result(client: ClientSupport) -> JSON:
    """Return the answer to `initialize`."""
    offers: JSON = {
        "positionEncoding": client.encoding,
        "textDocumentSync": {
            "openClose": True,
            "change": 2,  # incremental
            "willSave": True,
            "save": {"includeText": False},
        },
        "hoverProvider": True,
        "codeActionProvider": {"codeActionKinds": ["quickfix"], "resolveProvider": False},
        "codeLensProvider": {"resolveProvider": False},
        "executeCommandProvider": {"commands": list(COMMANDS)},
        "workspace": {"workspaceFolders": {"supported": True, "changeNotifications": True}},
    }
    if client.pulls:
        offers["diagnosticProvider"] = {
            "identifier": IDENTIFIER,
            "interFileDependencies": False,
            "workspaceDiagnostics": client.workspace_diagnostics,
        }
    return {"capabilities": offers, "serverInfo": {"name": IDENTIFIER, "version": __version__}}


class _Tree:
    """JSON from outside, looked up by dotted paths."""

    def __init__(self, root: object) -> None:
        self._root = root

    def at(self, path: str) -> object:
        node: object = self._root
        for key in path.split("."):
            node = node.get(key) if isinstance(node, dict) else None
        return node

    def has(self, path: str) -> bool:
        return self.at(path) is True

    def part_named(self, name: str) -> JSON:
        """Return the entries that are called ``name``, or begin with it and a dot."""
        root = self._root if isinstance(self._root, dict) else {}
        return {key: root[key] for key in root if key.partition(".")[0] == name}

    def list_at(self, path: str) -> list[object]:
        value = self.at(path)
        return value if isinstance(value, list) else []
