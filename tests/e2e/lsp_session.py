"""Editors for tests: they start a server, over pipes or TCP, and keep all that it says."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.protocol import default_converter
from pytest_lsp import LanguageClient
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES, register_lsp_features

from onbrand import Report, Scorer
from onbrand.document.document import parse_named
from onbrand.document.positions import Span

PATIENCE = 60.0
"""Seconds until a test gives up; never what it measures."""
COMMAND = (sys.executable, "-m", "onbrand", "lsp")
AT_ONCE = {"settings": {"typingPause": 0}}
"""Options with which a new finding does not wait for the writer to pause."""
ENCODINGS = ("utf-8", "utf-16", "utf-32")
OFF_BRAND = "Our stakeholders leverage synergies to drive scalable, best-in-class outcomes."
"""Off-brand for every example brand."""
ON_BRAND = "Hello. Do sit down. Not there, that's where the carton goes."
DRAFT = (
    "# It's brown! \U0001f36b (On purpose.)\n\n"
    "\U0001f963 Hello. Do sit down.\u2028Not there, that's where the carton goes. \U0001f600\n\n"
    f"Caf\u00e9 \U0001f44b\U0001f3fd news: {OFF_BRAND}\r\n\r\n"
    "And one more: \U0001f680 consumers with known sensitivities should consult the declaration.\n"
)
"""What breaks positions: characters of one to four bytes, and U+2028, which ends no line."""


class Editor(LanguageClient):
    """A client that keeps everything it is told. Made by the fixture `connect`."""

    def __init__(self) -> None:
        super().__init__(converter_factory=default_converter)
        self.published: list[types.PublishDiagnosticsParams] = []
        self.statuses: list[Any] = []
        self.registered: dict[str, types.Registration] = {}
        self.partial: dict[Any, list[Any]] = {}
        self.lens_refreshes = 0
        self.result: types.InitializeResult | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._log: asyncio.Task[None] | None = None
        self.log: list[str] = []
        register_lsp_features(self, {**DEFAULT_CLIENT_FEATURES, **EDITOR_FEATURES})

    async def connect(self, transport: str, folder: Path) -> None:
        """Start a server and talk to it over ``stdio`` or ``tcp``."""
        if transport == "stdio":
            await self.start_io(*COMMAND, cwd=folder)
            return
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(
            *COMMAND, "--tcp", "0", stdin=null, stdout=null, stderr=pipe, cwd=folder
        )
        assert self._process.stderr is not None
        line = (await self._process.stderr.readline()).decode()
        port = re.search(r":(\d+)$", line.strip())
        assert port, line
        await self.start_tcp("127.0.0.1", int(port[1]))
        self._log = asyncio.create_task(self._read_log(self._process.stderr))

    async def _read_log(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            self.log.append(line.decode())

    @property
    def pid(self) -> int:
        """The server's process."""
        process = self._process or self._server
        assert process is not None
        return process.pid

    async def end(self) -> int:
        """Say goodbye, and return the server's exit code."""
        process = self._process or self._server
        assert process is not None
        await self.shutdown_async(None)
        self.exit(None)
        async with asyncio.timeout(PATIENCE):
            code = await process.wait()
            if self._log is not None:
                await self._log
        if self._process is not None and self.protocol.writer is not None:
            self.protocol.writer.close()
        await self.stop()
        return code

    # What a test does.

    def open(self, uri: str, text: str, version: int = 1, language: str = "markdown") -> None:
        item = types.TextDocumentItem(uri, language, version, text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def replace(self, uri: str, text: str, version: int) -> None:
        """Send a whole new text."""
        document = types.VersionedTextDocumentIdentifier(version=version, uri=uri)
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    def close(self, uri: str) -> None:
        self.text_document_did_close(
            types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
        )

    async def pull(self, uri: str, known: str | None = None) -> Any:
        """Ask for diagnostics, again where the server wants that, as editors do."""
        document = types.TextDocumentIdentifier(uri)
        while True:
            params = types.DocumentDiagnosticParams(document, previous_result_id=known)
            try:
                return await self.text_document_diagnostic_async(params)
            except JsonRpcException as error:
                if not (error.data or {}).get("retriggerRequest"):
                    raise

    async def command(self, name: str, **arguments: Any) -> Any:
        """Execute ``onbrand.NAME``."""
        params = types.ExecuteCommandParams(f"onbrand.{name}", [arguments])
        return await self.workspace_execute_command_async(params)

    def tell_changed(self, *paths: Path) -> None:
        """Tell the server of changed files, as an editor that watches them does."""
        changed = types.FileChangeType.Changed
        events = [types.FileEvent(path.as_uri(), changed) for path in paths]
        self.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(events))

    # What it waits for.

    async def pushed(self, uri: str, version: int | None) -> types.PublishDiagnosticsParams:
        """Wait for the diagnostics of a version."""
        found: list[types.PublishDiagnosticsParams] = []

        def there() -> bool:
            found[:] = [p for p in self.published if (p.uri, p.version) == (uri, version)]
            return bool(found)

        await eventually(there)
        return found[-1]

    def shown(self) -> list[str]:
        """Return the messages that the writer saw."""
        return [message.message for message in self.messages]


async def eventually(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(PATIENCE):
        while True:
            holds = condition()
            if holds if isinstance(holds, bool) else await holds:
                return
            await asyncio.sleep(0.01)


def _keep_published(client: Editor, params: types.PublishDiagnosticsParams) -> None:
    client.diagnostics[params.uri] = params.diagnostics
    client.published.append(params)


def _keep_progress(client: Editor, params: types.ProgressParams) -> None:
    client.partial.setdefault(params.token, []).append(params.value)


def _register(client: Editor, params: types.RegistrationParams) -> None:
    client.registered |= {one.id: one for one in params.registrations}


def _unregister(client: Editor, params: types.UnregistrationParams) -> None:
    for one in params.unregisterations:
        del client.registered[one.id]


def _count_lenses(client: Editor, _params: None) -> None:
    client.lens_refreshes += 1


def _keep_status(client: Editor, params: Any) -> None:
    client.statuses.append(params)


EDITOR_FEATURES: dict[str, Any] = {
    types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS: _keep_published,
    types.PROGRESS: _keep_progress,
    types.CLIENT_REGISTER_CAPABILITY: _register,
    types.CLIENT_UNREGISTER_CAPABILITY: _unregister,
    types.WORKSPACE_CODE_LENS_REFRESH: _count_lenses,
    "onbrand/status": _keep_status,
}


@dataclass(frozen=True)
class Connector:
    """Starts editors."""

    editors: list[Editor]

    async def __call__(
        self,
        *folders: Path,
        pulls: bool = True,
        transport: str = "stdio",
        encoding: str = "utf-16",
        options: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        watches: bool = True,
        able: dict[str, Any] | None = None,
    ) -> Editor:
        """Start a server and initialize it.

        Args:
            folders: the workspace folders.
            pulls: whether the editor asks for diagnostics.
            transport: ``stdio`` or ``tcp``.
            encoding: unit of the columns.
            options: ``initializationOptions``.
            settings: what it answers to ``workspace/configuration``, by the URI of a folder; None:
                it cannot be asked.
            watches: whether it watches files.
            able: more capabilities of ``workspace``.
        """
        editor = Editor()
        self.editors.append(editor)
        await editor.connect(transport, folders[0] if folders else Path.cwd())
        for scope, section in (settings or {}).items():
            editor.set_configuration(section, section="onbrand", scope_uri=scope)
        document: dict[str, Any] = {
            "publishDiagnostics": {"versionSupport": True, "relatedInformation": True},
            "codeAction": {
                "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix"]}}
            },
            "hover": {"contentFormat": ["markdown", "plaintext"]},
        }
        if pulls:
            document["diagnostic"] = {"dynamicRegistration": False}
        workspace = {
            "configuration": settings is not None,
            "didChangeConfiguration": {"dynamicRegistration": settings is not None},
            "didChangeWatchedFiles": {
                "dynamicRegistration": watches,
                "relativePatternSupport": watches,
            },
            "diagnostics": {"refreshSupport": True},
            "codeLens": {"refreshSupport": True},
            "workspaceFolders": True,
            "workspaceEdit": {"documentChanges": True},
            **(able or {}),
        }
        capabilities = {
            "textDocument": document,
            "workspace": workspace,
            "window": {"workDoneProgress": True, "showDocument": {"support": True}},
            "general": {"positionEncodings": [encoding]},
        }
        editor.result = await editor.initialize_session(
            types.InitializeParams(
                capabilities=default_converter().structure(capabilities, types.ClientCapabilities),
                workspace_folders=[types.WorkspaceFolder(f.as_uri(), f.name) for f in folders],
                initialization_options=options,
            )
        )
        return editor


@pytest_asyncio.fixture
async def connect() -> AsyncIterator[Connector]:
    """Starts editors, and sees them off: every server must end well."""
    connector = Connector([])
    yield connector
    for editor in connector.editors:
        assert await editor.end() == 0


def project(folder: Path, voices: Path, brand: str = "oatfolk", more: str = "") -> Path:
    """Make a project with a configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "onbrand.toml").write_text(
        f'root = true\nvoices = ["{voices.as_posix()}"]\nbrand = "{brand}"\n{more}'
    )
    return folder


def fresh(text: str, voices: Path, brand: str = "oatfolk", name: str = "a.md") -> Report:
    """Check a text by the engine alone."""
    if voices not in _SCORERS:
        _SCORERS[voices] = Scorer.load(voices)
    return _SCORERS[voices].check_document(parse_named(text, name), path=name, default_brand=brand)


_SCORERS: dict[Path, Scorer] = {}


def underlined(report: Report, text: str, encoding: str) -> list[types.Range]:
    """Return where the flagged sentences of a report stand, counted in the plainest way."""
    return [where(sentence.span, text, encoding) for sentence in report.flagged]


def where(span: Span, text: str, encoding: str) -> types.Range:
    return types.Range(*(_position(text[:at], encoding) for at in span))


def _position(before: str, encoding: str) -> types.Position:
    lines = re.split("\r\n|\r|\n", before)
    unit = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    codec = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding]
    return types.Position(len(lines) - 1, len(lines[-1].encode(codec)) // unit)


def ranges(diagnostics: Sequence[types.Diagnostic]) -> list[types.Range]:
    """Return where the off-brand findings stand."""
    return [one.range for one in diagnostics if one.code == "off-brand"]
