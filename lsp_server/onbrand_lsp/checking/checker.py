"""From a version of a document to what was found in it: planned on the loop, done in a thread."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from lsprotocol import types

from onbrand.discovery import MAX_DRAFT_BYTES
from onbrand.document.positions import LineIndex
from onbrand.errors import OnbrandError
from onbrand.files import read_text
from onbrand_lsp.checking.engines import Engines, Key
from onbrand_lsp.checking.judging import Checked, Parsed, Plan, is_its_own, judge
from onbrand_lsp.checking.labelling import Labels
from onbrand_lsp.checking.lane import Lane
from onbrand_lsp.checking.options import Severity
from onbrand_lsp.checking.problems import Problems
from onbrand_lsp.checking.projects import Projects
from onbrand_lsp.sync.documents import DocumentStore, Snapshot

__all__ = ["Checked", "Checker", "Found", "Outdated"]

T = TypeVar("T")
LONG = 100_000
"""Characters; a longer document lets shorter ones go first."""
PROCESSORS = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a document, and how the editor shows it."""

    checked: Checked
    diagnostics: Sequence[types.Diagnostic]


Render = Callable[[Checked, Severity], Sequence[types.Diagnostic]]


class Outdated(Exception):  # noqa: N818 - it is a signal, not an error
    """The document has changed; what was asked for is no longer of use."""


class Checker:
    """Checks documents, each version at most once. For the loop's thread."""

    def __init__(
        self,
        documents: DocumentStore,
        projects: Projects,
        engines: Engines,
        labels: Labels,
        problems: Problems,
        render: Render,
    ) -> None:
        self._documents = documents
        self._projects = projects
        self._engines = engines
        self._labels = labels
        self._problems = problems
        self._render = render
        self._lane = Lane("onbrand-check")
        self._instant = ThreadPoolExecutor(3, "onbrand-instant")
        self._found: dict[str, Found] = {}
        self._running: dict[str, tuple[str, asyncio.Task[Found]]] = {}
        self._parsed: dict[str, Parsed] = {}

    async def check(self, snapshot: Snapshot) -> Found:
        """Check an open document, or return what is known of it.

        Raises:
            Outdated: it has changed meanwhile.
        """
        plan = await self.plan(snapshot)
        uri = snapshot.uri
        if self._documents.get(uri) is not snapshot:
            raise Outdated
        known = self._found.get(uri)
        if known is None or known.checked.result_id != plan.result_id:
            known = await self._join(uri, plan)
        if known.checked.snapshot is not snapshot:  # the same text, say after undo
            known = replace(known, checked=replace(known.checked, snapshot=snapshot))
        if self._documents.get(uri) is not snapshot:
            raise Outdated
        self._found[uri] = known
        return known

    async def check_file(self, path: Path, plan: Plan) -> Found:
        """Check a file that is not open, when nothing else is to be done.

        Args:
            path: the file.
            plan: made for a document without a text.

        Raises:
            OnbrandError: it cannot be read.
        """

        def work(gives_up: Callable[[], bool]) -> Found:
            text = read_text(path, max_bytes=MAX_DRAFT_BYTES)
            snapshot = replace(plan.snapshot, text=text, lines=LineIndex(text))
            return self._judge(replace(plan, snapshot=snapshot), Parsed(), gives_up)

        return await self._lane.run(2, work)

    async def plan(self, snapshot: Snapshot) -> Plan:
        """Return what a document is to be judged by, once that is loaded."""
        rules = self._projects.rules(snapshot.uri, snapshot.path)
        if snapshot.silent or rules.problem or rules.silent:
            return Plan(snapshot, rules, problem=None if snapshot.silent else rules.problem)
        if problem := snapshot.problem:
            return Plan(snapshot, rules, problem=problem)
        marks = asyncio.ensure_future(self._labels.marks(rules))
        try:
            engine = await self._engines.get(Key.of(rules))
        except OnbrandError as error:
            return Plan(snapshot, rules, problem=str(error))
        return Plan(snapshot, rules, engine, await marks)

    def last(self, uri: str) -> Found | None:
        """Return what was found last in an open document, perhaps in an older version."""
        return self._found.get(uri)

    async def glance(self, snapshot: Snapshot, offset: int) -> Checked | None:
        """Return what is known of a document now, at least of the sentence at ``offset``.

        Never waits for a check. None: there is nothing to judge it by, or not yet.
        """
        found = self._found.get(snapshot.uri)
        if found is not None and found.checked.snapshot is snapshot:
            return found.checked
        rules = self._projects.rules(snapshot.uri, snapshot.path)
        engine = self._engines.ready(Key.of(rules))
        silent = snapshot.silent or rules.silent
        if silent or rules.problem or snapshot.problem or engine is None:
            return None
        plan = Plan(snapshot, rules, engine, self._labels.known(rules))
        parsed = self._parsed.setdefault(snapshot.uri, Parsed())
        return await self.instantly(lambda: judge(plan, parsed, near=offset))

    async def instantly(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, done in a thread that no check keeps waiting."""
        return await asyncio.get_running_loop().run_in_executor(self._instant, work)

    def forget(self, uri: str) -> None:
        """Let go of all that is kept for a document."""
        self._found.pop(uri, None)
        self._parsed.pop(uri, None)
        self._problems.set(("document", uri), ())
        running = self._running.pop(uri, None)
        if running is not None:
            running[1].cancel()

    def close(self) -> None:
        """Check nothing more."""
        self._lane.close()
        self._instant.shutdown(wait=False, cancel_futures=True)

    async def _join(self, uri: str, plan: Plan) -> Found:
        """Wait for the check under way if it is the same, else begin it in the other's place."""
        name, task = self._running.get(uri, ("", None))
        if task is None or task.done() or name != plan.result_id:
            if task is not None:
                task.cancel()
            task = asyncio.create_task(self._run(uri, plan))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._running[uri] = plan.result_id, task
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise Outdated from None
            raise

    async def _run(self, uri: str, plan: Plan) -> Found:
        parsed = self._parsed.setdefault(uri, Parsed())
        urgency = int(len(plan.snapshot.text) > LONG)
        found = await self._lane.run(urgency, lambda gives_up: self._judge(plan, parsed, gives_up))
        told = found.checked.problem if not is_its_own(found.checked, plan.rules) else None
        self._problems.set(("document", uri), [told] if told else [])
        return found

    def _judge(self, plan: Plan, parsed: Parsed, gives_up: Callable[[], bool]) -> Found:
        if plan.engine is not None:
            # What takes long leaves a processor to hovers and code actions.
            spared = len(plan.snapshot.text) > LONG
            plan.engine.scorer.encoder.threads = max(1, PROCESSORS - spared)
        checked = judge(plan, parsed, gives_up=gives_up)
        return Found(checked, self._render(checked, plan.rules.editor.severity))
