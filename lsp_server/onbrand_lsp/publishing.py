"""Diagnostics on their way to the editor: pulled, or pushed with their version; never both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from onbrand_lsp.checking.checker import Checked, Checker, Found, Outdated
from onbrand_lsp.checking.projects import Projects
from onbrand_lsp.checking.typing_pause import Clock, Timer, TypingPause
from onbrand_lsp.sync.documents import Snapshot
from onbrand_lsp.wire.protocol import SyncedServer

REFRESH_AFTER = 0.05
"""Seconds in which several reasons to look again count as one."""
UNPULLED = 2.0
"""Seconds after which a client that said it would pull, and has not, is told instead."""


class Publisher:
    """Answers the clients that pull, and pushes to the others. For the loop's thread.

    Args:
        ls: the connection to the client, and its documents.
        projects: the settings of each document.
        checker: checks documents.
        settled: waits until the editor's settings are known.
        on_found: called with what was found in a document.
        on_refresh: called when everything is looked at again.
        on_pause: called with the URI of a document that has more to show.
        clock: returns what tells the time.
    """

    def __init__(
        self,
        ls: SyncedServer,
        projects: Projects,
        checker: Checker,
        *,
        settled: Callable[[], Awaitable[None]],
        on_found: Callable[[Checked], None],
        on_refresh: Callable[[], None],
        on_pause: Callable[[str], None],
        clock: Callable[[], Clock] = asyncio.get_running_loop,
    ) -> None:
        self._ls, self._projects, self._checker = ls, projects, checker
        self._settled, self._on_found, self._on_refresh = settled, on_found, on_refresh
        self._on_pause, self._clock = on_pause, clock
        self._pause = TypingPause(self._show_again, clock)
        self._edited: dict[str, float] = {}
        self._pushes: dict[str, asyncio.Task[None]] = {}
        self._pushed: set[str] = set()
        self._refresh: asyncio.TimerHandle | None = None
        self._pulled = False
        self._unpulled: Timer | None = None
        self._tells = False
        self._saves_itself: set[str] = set()

    @property
    def pushes(self) -> bool:
        """Whether diagnostics are pushed: the client does not pull, whatever it said."""
        return self._tells or not self._ls.client.pulls

    def opened(self, uri: str) -> None:
        """Check a document at once."""
        snapshot = self._ls.documents.get(uri)
        if snapshot is not None:
            self._pause.opened(snapshot)
        if not (self.pushes or self._pulled or self._unpulled):
            clock = self._clock()
            self._unpulled = clock.call_at(clock.time() + UNPULLED, self._tell)
        self._push(uri)

    def changed(self, uri: str) -> None:
        """Check a document when the writer pauses."""
        self._edited[uri] = self._clock().time()
        snapshot = self._ls.documents.get(uri)
        if snapshot is not None:
            self._pause.changed(snapshot)
        self._push(uri)

    def will_save(self, uri: str, reason: types.TextDocumentSaveReason) -> None:
        """Take note of why a document is being saved."""
        if reason == types.TextDocumentSaveReason.AfterDelay:
            self._saves_itself.add(uri)

    def saved(self, uri: str) -> None:
        """Show what waited in a document, unless it was the editor that thought of saving."""
        if uri in self._saves_itself:
            self._saves_itself.remove(uri)
        elif self._pause.left(uri):
            self._show_again(uri)

    def closed(self, uri: str) -> None:
        """Take a document's diagnostics back, which the editor would go on to show."""
        self._edited.pop(uri, None)
        self._saves_itself.discard(uri)
        self._pause.closed(uri)
        push = self._pushes.pop(uri, None)
        if push is not None:
            push.cancel()
        if self.pushes:
            self.publish(uri, [], None)

    def close(self) -> None:
        """Wait for nothing more."""
        self._pause.close()
        if self._unpulled is not None:
            self._unpulled.cancel()

    def pulled(self) -> None:
        """Take note that the client does pull: take back what was pushed meanwhile."""
        self._pulled = True
        if self._unpulled is not None:
            self._unpulled.cancel()
        if self._tells:
            self._tells = False
            for push in self._pushes.values():
                push.cancel()
            self._pushes.clear()
            for uri in sorted(self._pushed):
                self.publish(uri, [], None)

    async def pull(self, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        """Answer ``textDocument/diagnostic``.

        Raises:
            JsonRpcException: the document has changed meanwhile; the client asks again.
        """
        self.pulled()
        snapshot = self._ls.documents.get(params.text_document.uri)
        if snapshot is None:
            return types.RelatedFullDocumentDiagnosticReport(items=[])
        try:
            shown = await self.shown(snapshot)
        except Outdated:
            raise self._outdated(snapshot.uri) from None
        result_id = shown.checked.result_id
        if params.previous_result_id == result_id:
            return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result_id)
        return types.RelatedFullDocumentDiagnosticReport(
            items=shown.diagnostics, result_id=result_id
        )

    async def found(self, snapshot: Snapshot) -> Found:
        """Return what is found in a document once the writer pauses.

        Raises:
            Outdated: it has changed meanwhile.
        """
        await self._settled()
        pause = self._projects.rules(snapshot.uri, snapshot.path).editor.debounce / 1000
        since = self._edited.get(snapshot.uri)
        if since is not None:
            await self._sleep_until(since + pause)
        if self._ls.documents.get(snapshot.uri) is not snapshot:
            raise Outdated
        found = await self._checker.check(snapshot)
        self._on_found(found.checked)
        return found

    async def shown(self, snapshot: Snapshot) -> Found:
        """Return what to show of a document: all that is found, but for what waits for a pause.

        A client that pulls and cannot be told to pull again waits for the pause itself, unless
        there is something to take back.

        Raises:
            Outdated: it has changed meanwhile.
        """
        before = self._pause.count(snapshot.uri)
        found = await self.found(snapshot)
        shown = self._calmed(found)
        until = self._pause.until(snapshot.uri)
        client = self._ls.client
        if until is None or self.pushes or client.pull_refresh or len(shown.diagnostics) < before:
            return shown
        await self._sleep_until(until)
        if self._ls.documents.get(snapshot.uri) is not snapshot:
            raise Outdated
        return self._calmed(found)

    def refresh(self) -> None:
        """Look at everything again, soon: something other than a text has changed."""
        if self._refresh is None:
            loop = asyncio.get_running_loop()
            self._refresh = loop.call_later(REFRESH_AFTER, self._refresh_now)

    def publish(self, uri: str, diagnostics: list[types.Diagnostic], version: int | None) -> None:
        """Push a document's diagnostics."""
        known = version if self._ls.client.push_version else None
        (self._pushed.add if diagnostics else self._pushed.discard)(uri)
        self._ls.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, diagnostics, known)
        )

    def _calmed(self, found: Found) -> Found:
        snapshot = found.checked.snapshot
        editor = self._projects.rules(snapshot.uri, snapshot.path).editor
        return self._pause.show(found, editor.typing_pause / 1000, self._ls.documents.encoding)

    def _tell(self) -> None:
        """Push from now on: the client has not pulled."""
        self._unpulled = None
        if not self._pulled:
            self._tells = True
            for snapshot in self._ls.documents:
                self._push(snapshot.uri)

    def _show_again(self, uri: str) -> None:
        """Show what waited in a document."""
        if self.pushes:
            self._push(uri)
        elif self._ls.client.pull_refresh:
            self._ls.workspace_diagnostic_refresh(None)
        self._on_pause(uri)

    def _refresh_now(self) -> None:
        self._refresh = None
        ls = self._ls
        if self.pushes:
            for snapshot in ls.documents:
                self._push(snapshot.uri)
        elif ls.client.pull_refresh:
            ls.workspace_diagnostic_refresh(None)
        if ls.client.code_lens_refresh:
            ls.workspace_code_lens_refresh(None)
        self._on_refresh()

    def _push(self, uri: str) -> None:
        if not self.pushes:
            return
        earlier = self._pushes.pop(uri, None)
        if earlier is not None:
            earlier.cancel()
        self._pushes[uri] = self._ls.spawn(self._check_and_push(uri), "pushing diagnostics")

    async def _check_and_push(self, uri: str) -> None:
        snapshot = self._ls.documents.get(uri)
        if snapshot is None:
            return
        try:
            shown = await self.shown(snapshot)
        except Outdated:  # the change has a push of its own
            return
        self.publish(snapshot.uri, [*shown.diagnostics], snapshot.version)

    async def _sleep_until(self, when: float) -> None:
        clock = self._clock()
        if when <= clock.time():
            await asyncio.sleep(0)
            return
        over = asyncio.Event()
        timer = clock.call_at(when, over.set)
        try:
            await over.wait()
        finally:
            timer.cancel()

    def _outdated(self, uri: str) -> JsonRpcException:
        again = self._ls.documents.get(uri) is not None
        return JsonRpcException(
            "the document has changed",
            code=types.LSPErrorCodes.ServerCancelled.value,
            data={"retriggerRequest": again},
        )
