"""The server: its parts put together."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Sequence
from concurrent.futures import Future

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from onbrand import __version__
from onbrand_lsp.checking.checker import Checked, Checker, Outdated
from onbrand_lsp.checking.engines import Engine, Key
from onbrand_lsp.checking.labelling import Labels
from onbrand_lsp.checking.options import SECTION, Severity, section_of
from onbrand_lsp.early import Early
from onbrand_lsp.progress import progress
from onbrand_lsp.publishing import Publisher
from onbrand_lsp.showing import diagnostics, setup, status
from onbrand_lsp.showing.saying import Sayer
from onbrand_lsp.watching import Watcher
from onbrand_lsp.wire.protocol import SyncedServer
from onbrand_lsp.workspace import WorkspaceCheck

logger = logging.getLogger(__name__)

STATUS = "onbrand/status"
PATIENCE = 1.0
"""Seconds that the first checks wait for the editor's settings; some clients never answer."""


class OnbrandServer(SyncedServer):
    """Serves one client. Everything here happens on the loop's thread."""

    def __init__(self, early: Early) -> None:
        super().__init__("onbrand", __version__)
        self.problems, self.projects, self.engines = early.problems, early.projects, early.engines
        self.labels = Labels(self.problems, self.refresh)
        self.checker = Checker(
            self.documents, self.projects, self.engines, self.labels, self.problems, self._render
        )
        self.publisher = Publisher(
            self,
            self.projects,
            self.checker,
            settled=self.settled,
            on_found=self._found,
            on_refresh=self.drafts_changed,
            on_pause=lambda uri: self.workspace_check.wake_for(uri),
        )
        self.workspace_check = WorkspaceCheck(
            self, self.projects, self.checker, self.publisher, settled=self.settled
        )
        self.watcher = Watcher(self, self.projects, self.engines, self)
        self.sayer = Sayer(self)
        self.set_up = setup.SetUpOffer()
        self._asking: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._told: dict[str, tuple[int, str]] = {}
        self._reloading: asyncio.Task[None] | None = None
        self._reload_again = False

    def start(self) -> None:
        """Begin to talk to the client, which may be talked to now."""
        self.problems.listen(self._warn)
        self._tell_state("ready")
        self.engines.tell(self._loading)
        self.ask_settings()
        self.watcher.start()

    def close(self) -> None:
        """Stop all work."""
        self.cancel_tasks()
        self.watcher.close()
        self.publisher.close()
        self.checker.close()
        self.engines.close()
        self.labels.close()
        self.sayer.close()

    async def settled(self) -> None:
        """Wait until the editor's settings are known, or not to be expected any more."""
        if not self._settled.is_set():
            try:
                await asyncio.wait_for(self._settled.wait(), PATIENCE)
            except TimeoutError:
                self._settled.set()

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
            answers = await self.workspace_configuration_async(types.ConfigurationParams(items))
            for scope, answer in zip(scopes, answers, strict=False):
                section = answer if isinstance(answer, dict) else self.client.settings
                changed |= self.projects.set_editor(scope, section)
        late = self._settled.is_set()
        self._settled.set()
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
        self.workspace_check.wake()

    def engines_changed(self) -> None:
        """Load the voices and encoders again that have changed on disk."""
        self._reload_again = True
        if self._reloading is None or self._reloading.done():
            self._reloading = self.spawn(self._reload(), "reloading voices")

    async def reload_engines(self, *, force: bool = False) -> None:
        """Load voices and encoders again if they have changed, and check everything by them."""
        if await self.engines.reload(force=force):
            self.refresh()

    async def _reload(self) -> None:
        while self._reload_again:
            self._reload_again = False
            await self.reload_engines()

    def refresh(self) -> None:
        """Check everything again: by what it is judged has changed."""
        self.publisher.refresh()
        wanted = [(snapshot.uri, snapshot.path) for snapshot in self.documents]
        wanted += [("", folder / "draft.md") for folder in self.projects.folders.values()]
        self.engines.keep({Key.of(self.projects.rules(uri, path)) for uri, path in wanted})
        self.watcher.update()

    async def current(self, uri: str) -> Checked | None:
        """Return what is found in an open document; None: it is not open.

        Raises:
            JsonRpcException: it has changed meanwhile.
        """
        snapshot = self.documents.get(uri)
        if snapshot is None:
            return None
        try:
            return (await self.publisher.found(snapshot)).checked
        except Outdated:
            code = types.LSPErrorCodes.ContentModified.value
            raise JsonRpcException("the document has changed", code=code) from None

    def _found(self, checked: Checked) -> None:
        if setup.is_missing(checked):
            uri, path = checked.snapshot.uri, checked.snapshot.path
            line = self.set_up.line(uri, self.projects.rules(uri, path).folder)
            if line is not None:
                info = types.MessageType.Info
                self.window_log_message(types.LogMessageParams(info, line))
        self.tell_status(checked)

    def tell_status(self, checked: Checked) -> None:
        """Tell a client that wants to know how a document stands, if it does not know yet."""
        uri, news = checked.snapshot.uri, (checked.snapshot.version, checked.result_id)
        if self.client.status and self._told.get(uri) != news:
            self._told[uri] = news
            brands = checked.scorer.brands if checked.scorer else ()
            self.protocol.notify(STATUS, status.status(checked, brands))

    def forget(self, uri: str) -> None:
        """Let go of all that is kept for a document that was closed."""
        self._told.pop(uri, None)
        self.publisher.closed(uri)
        self.checker.forget(uri)

    def _render(self, checked: Checked, severity: Severity) -> Sequence[types.Diagnostic]:
        return diagnostics.diagnostics(checked, self.documents.encoding, self.client, severity)

    def _warn(self, line: str) -> None:
        logger.info("a problem was shown to the writer")
        self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, line))

    def _loading(self, load: Future[Engine]) -> None:
        self.spawn(self._show_loading(load), "showing progress")

    async def _show_loading(self, load: Future[Engine]) -> None:
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
            self.protocol.notify(STATUS, news | {"brands": sorted(self.engines.brands())})


def tune_gc() -> None:
    """Keep the garbage collector from what is here to stay.

    Its full rounds stop every thread, 0.1 s each once voices and pygls' types are loaded, and
    came with every other keystroke in a long document. Old voices go without it: by their count.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    gc.enable()
