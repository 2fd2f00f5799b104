"""The drafts of the workspace, open or not: by long poll, or all at once when asked.

A client asks for the workspace's diagnostics and, while everything is as it knows it, gets no
answer: VS Code asks again two seconds after every one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lsprotocol import types

from onbrand.discovery import find_drafts
from onbrand.document.positions import LineIndex
from onbrand.errors import OnbrandError
from onbrand.files import FileSignature, file_signature
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand_lsp.analysis import Analyser, AnalysisResult, ContentModified
from onbrand_lsp.client_ui import progress
from onbrand_lsp.documents import Snapshot
from onbrand_lsp.features.diagnostics import DiagnosticsPublisher
from onbrand_lsp.rpc.protocol import LanguageServer
from onbrand_lsp.settings import ProjectSettings, path_of, uri_key

TITLE = "onbrand: checking the workspace"
_Full = types.WorkspaceFullDocumentDiagnosticReport


@dataclass(frozen=True, slots=True)
class FileResult:
    """A draft of the workspace."""

    uri: str
    version: int | None
    """None: it is not open."""
    result_id: str
    found: AnalysisResult | None
    """None: what it was when the caller last looked."""


class WorkspaceDiagnostics:
    """Checks the drafts in the workspace folders. For the loop's thread.

    Args:
        ls: the connection to the client, and its documents.
        projects: the workspace folders.
        analyser: checks drafts that are not open.
        publisher: knows, and pushes, what is found in a document.
        settings_ready: waits until the editor's settings are known.
    """

    def __init__(
        self,
        ls: LanguageServer,
        projects: ProjectSettings,
        analyser: Analyser,
        publisher: DiagnosticsPublisher,
        *,
        settings_ready: Callable[[], Awaitable[None]],
    ) -> None:
        self._ls, self._projects, self._analyser = ls, projects, analyser
        self._publisher, self._settings_ready = publisher, settings_ready
        self._woken = asyncio.Event()
        self._drafts: list[Path] | None = None
        self._dirty: set[Path] = set()
        self._known: dict[Path, tuple[FileSignature, str, str]] = {}
        self._pushed: dict[Path, str] = {}
        """Result ids of the files that are not open and whose diagnostics were pushed."""
        self._correcting: asyncio.Task[None] | None = None
        self._correct_again = False

    def invalidate_all(self) -> None:
        """Invalidate all drafts, which may have come and gone, and wake the waiting requests."""
        self._drafts = None
        self._woken.set()
        self._correct_again = bool(self._pushed)
        if self._correct_again and (self._correcting is None or self._correcting.done()):
            self._correcting = self._ls.spawn(self._correct(), "correcting what was pushed")

    def opened(self, snapshot: Snapshot) -> None:
        """Leave a draft to the publisher, which pushes what is found while it is open."""
        documents = self._ls.documents
        for path in [path for path in self._pushed if documents.of_file(path) is snapshot]:
            del self._pushed[path]
            if uri_key(path.as_uri()) != uri_key(snapshot.uri):  # the client knows it by a link
                self._publisher.publish(path.as_uri(), [], None)

    def invalidate(self, uri: str) -> None:
        """Have those who wait look at one draft again."""
        path = path_of(uri)
        if path is not None and self._ls.client.workspace_diagnostics:
            self._dirty.add(path)
            self._woken.set()

    async def pull(
        self, params: types.WorkspaceDiagnosticParams
    ) -> types.WorkspaceDiagnosticReport:
        """Answer ``workspace/diagnostic`` when something differs from what the client knows."""
        self._publisher.pulled()
        before = {
            path: previous
            for previous in params.previous_result_ids
            if (path := path_of(previous.uri)) is not None
        }
        token = params.partial_result_token
        await self._settings_ready()
        async with progress(self._ls, TITLE, params.work_done_token) as report:
            reports = await self._changes(before, token, report)
        while not reports:
            await self._woken.wait()
            self._woken.clear()
            reports = await self._changes(before, token, silent)
        return types.WorkspaceDiagnosticReport(items=reports if token is None else [])

    async def check(self) -> list[FileResult]:
        """Check every draft now, and push what is found to a client that does not pull."""
        seen: list[FileResult] = []
        self._drafts = None
        async with progress(self._ls, TITLE) as report:
            paths = await self._paths()
            for n, path in enumerate(paths):
                report(ProgressEvent(path.name, n, len(paths)))
                one = await self._look(path, None)
                seen += [one] if one else []
        if self._publisher.pushes:
            self._push(seen, self._pushed.keys())
        return seen

    async def _changes(
        self,
        before: Mapping[Path, types.PreviousResultId],
        token: types.ProgressToken | None,
        report: Progress,
    ) -> list[_Full]:
        """Return what differs from before; with a token each is sent as soon as it is known."""
        everything = self._drafts is None or not self._dirty
        dirty, self._dirty = self._dirty, set()
        drafts = await self._paths()
        paths = drafts if everything else [path for path in drafts if path in dirty]
        reports: list[_Full] = []
        for n, path in enumerate(paths):
            report(ProgressEvent(path.name, n, len(paths)))
            known = before.get(path)
            seen = await self._look(path, known.value if known else None)
            full = _difference(seen, known)
            reports += self._send(full, token) if full else []
        for path in (before.keys() - set(drafts)) if everything else ():
            reports += self._send(_nothing(before[path].uri), token)
        return reports

    def _send(self, report: _Full, token: types.ProgressToken | None) -> Iterator[_Full]:
        if token is not None:
            part = types.WorkspaceDiagnosticReportPartialResult(items=[report])
            self._ls.notify(types.PROGRESS, types.ProgressParams(token, part))
        yield report

    async def _look(self, path: Path, known: str | None) -> FileResult | None:
        """Look at a draft; None: it is not to be judged, or cannot be.

        Args:
            path: the draft.
            known: the result id that the caller has of it.
        """
        await asyncio.sleep(0)  # many drafts in a row need not wait for anything
        uri = path.as_uri()
        opened = self._ls.documents.of_file(path)
        try:
            if opened is not None:
                found = await self._publisher.shown(opened)
                if found.analysis.scorer is None:
                    return None
                return FileResult(opened.uri, opened.version, found.analysis.result_id, found)
            plan = await self._analyser.plan(Snapshot(uri, 0, "", "", LineIndex("")))
            if plan.model is None:
                return None
            now = file_signature([path])
            if known is not None and self._known.get(path) == (now, plan.rules_id, known):
                return FileResult(uri, None, known, None)
            found = await self._analyser.check_file(path, plan)
        except ContentModified:  # the change wakes us again
            return FileResult(uri, None, known or "", None)
        except OnbrandError:  # it cannot be read, or has gone
            return None
        self._known[path] = now, plan.rules_id, found.analysis.result_id
        return FileResult(uri, None, found.analysis.result_id, found)

    async def _paths(self) -> list[Path]:
        """Return the drafts in the workspace folders, sorted."""
        if self._drafts is None:
            folders = list(self._projects.folders.values())
            found = await asyncio.to_thread(
                lambda: {p for f in folders for p in find_drafts(f, text_only=True)}
            )
            self._drafts = sorted(found)
            self._known = {path: self._known[path] for path in found & self._known.keys()}
        return self._drafts

    def _push(self, seen: Iterable[FileResult], before: Iterable[Path]) -> None:
        """Push what is found in files that are not open.

        Args:
            seen: what was found, in these and perhaps in others.
            before: the files whose diagnostics are taken back where nothing was found in them.
        """
        closed = {
            path: one
            for one in seen
            if one.version is None and (path := path_of(one.uri)) is not None
        }
        for path in set(before) - closed.keys():
            if self._pushed.pop(path, None) and self._ls.documents.of_file(path) is None:
                self._publisher.publish(path.as_uri(), [], None)
        for path, one in closed.items():
            if one.found is None or self._ls.documents.of_file(path) is not None:
                continue
            if self._pushed.get(path) != one.result_id:
                self._publisher.publish(one.uri, [*one.found.diagnostics], None)
            self._pushed[path] = one.result_id

    async def _correct(self) -> None:
        """Look again at the files whose diagnostics the client still shows."""
        while self._correct_again:
            self._correct_again = False
            for path, known in list(self._pushed.items()):
                seen = await self._look(path, known)
                self._push([seen] if seen else [], [path])


def _difference(seen: FileResult | None, known: types.PreviousResultId | None) -> _Full | None:
    if seen is None:
        return _nothing(known.uri) if known else None
    if seen.found is None or (known is not None and known.value == seen.result_id):
        return None
    return _Full(
        uri=known.uri if known else seen.uri,
        version=seen.version,
        items=seen.found.diagnostics,
        result_id=seen.result_id,
    )


def _nothing(uri: str) -> _Full:
    return _Full(uri=uri, version=None, items=[])
