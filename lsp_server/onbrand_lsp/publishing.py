"""Diagnostics on their way to the editor: pulled, or pushed with their version; never both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from onbrand_lsp.checking.checker import Checked, Checker, Found, Outdated
from onbrand_lsp.checking.projects import Projects
from onbrand_lsp.sync.documents import Snapshot
from onbrand_lsp.wire.protocol import SyncedServer

REFRESH_AFTER = 0.05
"""Seconds in which several reasons to look again count as one."""


class Publisher:
    """Answers the clients that pull, and pushes to the others. For the loop's thread.

    Args:
        ls: the connection to the client, and its documents.
        projects: the settings of each document.
        checker: checks documents.
        settled: waits until the editor's settings are known.
        on_found: called with what was found in a document.
        on_refresh: called when everything is looked at again.
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
    ) -> None:
        self._ls, self._projects, self._checker = ls, projects, checker
        self._settled, self._on_found, self._on_refresh = settled, on_found, on_refresh
        self._edited: dict[str, float] = {}
        self._pushes: dict[str, asyncio.Task[None]] = {}
        self._refresh: asyncio.TimerHandle | None = None

    def opened(self, uri: str) -> None:
        """Check a document at once."""
        self._push(uri)

    def changed(self, uri: str) -> None:
        """Check a document when the writer pauses."""
        self._edited[uri] = asyncio.get_running_loop().time()
        self._push(uri)

    def closed(self, uri: str) -> None:
        """Take a document's diagnostics back, which the editor would go on to show."""
        self._edited.pop(uri, None)
        push = self._pushes.pop(uri, None)
        if push is not None:
            push.cancel()
        if not self._ls.client.pulls:
            self.publish(uri, [], None)

    async def pull(self, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        """Answer ``textDocument/diagnostic``.

        Raises:
            JsonRpcException: the document has changed meanwhile; the client asks again.
        """
        snapshot = self._ls.documents.get(params.text_document.uri)
        if snapshot is None:
            return types.RelatedFullDocumentDiagnosticReport(items=[])
        try:
            found = await self.found(snapshot)
        except Outdated:
            raise self._outdated(snapshot.uri) from None
        result_id = found.checked.result_id
        if params.previous_result_id == result_id:
            return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result_id)
        return types.RelatedFullDocumentDiagnosticReport(
            items=found.diagnostics, result_id=result_id
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
            await asyncio.sleep(since + pause - asyncio.get_running_loop().time())
        if self._ls.documents.get(snapshot.uri) is not snapshot:
            raise Outdated
        found = await self._checker.check(snapshot)
        self._on_found(found.checked)
        return found

    def refresh(self) -> None:
        """Look at everything again, soon: something other than a text has changed."""
        if self._refresh is None:
            loop = asyncio.get_running_loop()
            self._refresh = loop.call_later(REFRESH_AFTER, self._refresh_now)

    def publish(self, uri: str, diagnostics: list[types.Diagnostic], version: int | None) -> None:
        """Push a document's diagnostics."""
        known = version if self._ls.client.push_version else None
        self._ls.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, diagnostics, known)
        )

    def _refresh_now(self) -> None:
        self._refresh = None
        ls = self._ls
        if ls.client.pulls:
            if ls.client.pull_refresh:
                ls.workspace_diagnostic_refresh(None)
        else:
            for snapshot in ls.documents:
                self._push(snapshot.uri)
        if ls.client.code_lens_refresh:
            ls.workspace_code_lens_refresh(None)
        self._on_refresh()

    def _push(self, uri: str) -> None:
        if self._ls.client.pulls:
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
            found = await self.found(snapshot)
        except Outdated:  # the change has a push of its own
            return
        self.publish(snapshot.uri, [*found.diagnostics], snapshot.version)

    def _outdated(self, uri: str) -> JsonRpcException:
        again = self._ls.documents.get(uri) is not None
        return JsonRpcException(
            "the document has changed",
            code=types.LSPErrorCodes.ServerCancelled.value,
            data={"retriggerRequest": again},
        )
