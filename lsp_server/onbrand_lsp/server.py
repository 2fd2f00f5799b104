"""The server: its parts put together."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Sequence
from concurrent.futures import Future

from lsprotocol import types

from onbrand_lsp.analysis import Analyser, Analysis, ContentModified
from onbrand_lsp.client_ui import ClientMessages, progress
from onbrand_lsp.features import code_lens, diagnostics, payloads
from onbrand_lsp.features.diagnostics import DiagnosticsPublisher
from onbrand_lsp.features.workspace import WorkspaceDiagnostics
from onbrand_lsp.label_store import LabelStoreCache
from onbrand_lsp.models import LoadedModel, ModelKey, Session
from onbrand_lsp.rpc.jsonrpc import JsonRpcError
from onbrand_lsp.rpc.protocol import LanguageServer
from onbrand_lsp.settings import SECTION, Severity, section_of
from onbrand_lsp.watcher import FileWatcher

logger = logging.getLogger(__name__)

STATUS = "onbrand/status"
SETTINGS_TIMEOUT = 1.0
"""Seconds that the first checks wait for the editor's settings; some clients never answer."""


class OnbrandServer(LanguageServer):
    """Serves one client. Everything here happens on the loop's thread."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.problems, self.projects, self.models = (
            session.problems,
            session.projects,
            session.models,
        )
        self.labels = LabelStoreCache(self.problems, self.refresh)
        self.analyser = Analyser(
            self.documents, self.projects, self.models, self.labels, self.problems, self._render
        )
        self.publisher = DiagnosticsPublisher(
            self,
            self.projects,
            self.analyser,
            settings_ready=self.settings_ready,
            on_found=self._found,
            on_refresh=self.drafts_changed,
            on_pause=lambda uri: self.workspace_diagnostics.invalidate(uri),
        )
        self.workspace_diagnostics = WorkspaceDiagnostics(
            self, self.projects, self.analyser, self.publisher, settings_ready=self.settings_ready
        )
        self.watcher = FileWatcher(self, self.projects, self.models, self)
        self.messages = ClientMessages(self)
        self.set_up = code_lens.SetUpOffer()
        self._asking: asyncio.Task[None] | None = None
        self._settings_ready = asyncio.Event()
        self._told: dict[str, tuple[int, str]] = {}
        self._reloading: asyncio.Task[None] | None = None
        self._reload_again = False

    def start(self) -> None:
        """Begin to talk to the client, which may be talked to now."""
        self.problems.subscribe(self._warn)
        self._tell_state("ready")
        self.models.tell(self._loading)
        self.ask_settings()
        self.watcher.start()

    def close(self) -> None:
        """Stop all work."""
        self.cancel_tasks()
        self.watcher.close()
        self.publisher.close()
        self.analyser.close()
        self.models.close()
        self.labels.close()
        self.messages.close()

    async def settings_ready(self) -> None:
        """Wait until the editor's settings are known, or not to be expected any more."""
        if not self._settings_ready.is_set():
            try:
                await asyncio.wait_for(self._settings_ready.wait(), SETTINGS_TIMEOUT)
            except TimeoutError:
                self._settings_ready.set()

    def ask_settings(self) -> None:
        """Ask the client for its section of every folder; an answer may come however late."""
        if self._asking is not None:
            self._asking.cancel()
        self._asking = self.spawn(self._fetch_settings(), "asking for settings")

    async def _fetch_settings(self) -> None:
        changed = False
        if self.client.configuration:
            scopes = [None, *self.projects.folders]
            items = [types.ConfigurationItem(scope_uri=scope, section=SECTION) for scope in scopes]
            answers = await self.request(
                types.WORKSPACE_CONFIGURATION, types.ConfigurationParams(items)
            )
            for scope, answer in zip(scopes, answers, strict=False):
                section = answer if isinstance(answer, dict) else self.client.settings
                changed |= self.projects.set_editor(scope, section)
        late = self._settings_ready.is_set()
        self._settings_ready.set()
        if changed and late:
            self.refresh()

    def settings_sent(self, settings: object) -> None:
        """Take settings that the client sent; one that can be asked is asked instead."""
        if self.client.configuration:
            self.ask_settings()
            return
        # What has nothing of ours, such as eglot's {}, takes nothing back.
        section = section_of(settings)
        if section is not None and self.projects.set_editor(None, section):
            self.refresh()

    def configuration_changed(self) -> None:
        """Read the configuration files again."""
        self.projects.changed()
        self.refresh()

    def drafts_changed(self) -> None:
        """Look at the drafts of the workspace again, which may have come and gone."""
        self.workspace_diagnostics.invalidate_all()

    def models_changed(self) -> None:
        """Load the voices and encoders again that have changed on disk."""
        self._reload_again = True
        if self._reloading is None or self._reloading.done():
            self._reloading = self.spawn(self._reload(), "reloading voices")

    async def reload_models(self, *, force: bool = False) -> None:
        """Load voices and encoders again if they have changed, and check everything by them."""
        if await self.models.reload(force=force):
            self.refresh()

    async def _reload(self) -> None:
        while self._reload_again:
            self._reload_again = False
            await self.reload_models()

    def refresh(self) -> None:
        """Check everything again: by what it is judged has changed."""
        self.publisher.refresh()
        wanted = [(snapshot.uri, snapshot.path) for snapshot in self.documents]
        wanted += [("", folder / "draft.md") for folder in self.projects.folders.values()]
        self.models.retain_only(
            {ModelKey.of(self.projects.rules(uri, path)) for uri, path in wanted}
        )
        self.watcher.update()

    async def current(self, uri: str) -> Analysis | None:
        """Return what is found in an open document; None: it is not open.

        Raises:
            JsonRpcError: it has changed meanwhile.
        """
        snapshot = self.documents.get(uri)
        if snapshot is None:
            return None
        try:
            return (await self.publisher.analyse(snapshot)).analysis
        except ContentModified:
            code = types.LSPErrorCodes.ContentModified.value
            raise JsonRpcError("the document has changed", code=code) from None

    def _found(self, analysis: Analysis) -> None:
        if code_lens.is_missing(analysis):
            uri, path = analysis.snapshot.uri, analysis.snapshot.path
            line = self.set_up.line(uri, self.projects.rules(uri, path).folder)
            if line is not None:
                info = types.MessageType.Info
                self.notify(types.WINDOW_LOG_MESSAGE, types.LogMessageParams(info, line))
        self.send_status(analysis)

    def send_status(self, analysis: Analysis) -> None:
        """Tell a client that wants to know how a document stands, if it does not know yet."""
        uri, news = analysis.snapshot.uri, (analysis.snapshot.version, analysis.result_id)
        if self.client.status and self._told.get(uri) != news:
            self._told[uri] = news
            brands = analysis.scorer.brands if analysis.scorer else ()
            self.notify(STATUS, payloads.status(analysis, brands))

    def forget(self, uri: str) -> None:
        """Let go of all that is kept for a document that was closed."""
        self._told.pop(uri, None)
        self.publisher.on_close(uri)
        self.analyser.forget(uri)

    def _render(self, analysis: Analysis, severity: Severity) -> Sequence[types.Diagnostic]:
        return diagnostics.diagnostics(analysis, self.documents.encoding, self.client, severity)

    def _warn(self, line: str) -> None:
        logger.info("a problem was shown to the writer")
        self.notify(
            types.WINDOW_SHOW_MESSAGE, types.ShowMessageParams(types.MessageType.Warning, line)
        )

    def _loading(self, load: Future[LoadedModel]) -> None:
        self.spawn(self._show_loading(load), "showing progress")

    async def _show_loading(self, load: Future[LoadedModel]) -> None:
        self._tell_state("loading")
        async with progress(self, "onbrand: loading voices"):
            while not load.done():
                await asyncio.sleep(0.02)
        tune_gc()
        self._tell_state("ready")
        self.watcher.update()

    def _tell_state(self, state: str) -> None:
        if self.client.status:
            news = {"uri": None, "version": None, "state": state, "message": None}
            self.notify(STATUS, news | {"brands": sorted(self.models.brands())})


def tune_gc() -> None:
    """Keep the garbage collector away from objects that live as long as the process.

    Its full rounds stop every thread, 0.1 s each once voices and lsprotocol's types are loaded, and
    came with every other keystroke in a long document. Old voices go without it: by their count.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    gc.enable()
