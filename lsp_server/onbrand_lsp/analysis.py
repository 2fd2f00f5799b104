"""From a version of a document to what is found in it.

`Analyser` gathers on the loop what an analysis depends on (`AnalysisInput`), and `judge` makes an
`Analysis` of it in a thread, the most urgent document first.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, Generic, TypeVar

from lsprotocol import types

from onbrand.config import Settings
from onbrand.discovery import MAX_DRAFT_BYTES
from onbrand.document.document import Document, parse
from onbrand.document.formats import in_dialect
from onbrand.document.positions import LineIndex
from onbrand.errors import Cancelled, OnbrandError
from onbrand.files import read_text
from onbrand.results import Report
from onbrand.scorer import Scorer
from onbrand.voice.storage import unknown_brand
from onbrand_lsp.documents import DocumentStore, Snapshot
from onbrand_lsp.label_store import AcceptedSentences, LabelStoreCache
from onbrand_lsp.models import LoadedModel, ModelCache, ModelKey
from onbrand_lsp.settings import EffectiveSettings, ProblemReporter, ProjectSettings, Severity

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Analysis:
    """A version of a document and what was found in it. Safe from any thread."""

    snapshot: Snapshot
    document: Document
    """As parsed; empty if there was nothing to judge it by."""
    settings: Settings
    """In force for it, the editor's folded in."""
    report: Report | None
    """None: it is not to be judged, or could not be."""
    scorer: Scorer | None
    """What judged it; its judgements are remembered."""
    brand: str | None
    problem: str | None
    """Why it could not be judged: one line for the writer, with the fix."""
    result_id: str
    """Equal ids, equal findings; says nothing of the version."""
    disabled_reason: str | None = None
    """Why it is not to be judged, if so; nothing is wrong."""
    rules_id: str = ""
    """Equal ids, judged and shown by the same."""


@dataclass(frozen=True)
class AnalysisInput:
    """All that a check depends on, none of which changes."""

    snapshot: Snapshot
    rules: EffectiveSettings
    model: LoadedModel | None = None
    marks: AcceptedSentences = field(default_factory=AcceptedSentences)
    problem: str | None = None

    @property
    def disabled_reason(self) -> str | None:
        """Why the document is not to be judged, if so; nothing is wrong."""
        return self.snapshot.disabled_reason or self.rules.disabled_reason

    @cached_property
    def rules_id(self) -> str:
        """Name everything that the text is judged and shown by."""
        settings = self.rules.settings
        parts = (
            self.rules.brand_override,
            self.disabled_reason,
            self.problem,
            settings.brand,
            settings.gate,
            settings.threshold,
            settings.quotes,
            settings.brand_key,
            settings.format,
            settings.dialect,
            settings.front_matter,
            sorted(settings.ignore),
            self.rules.editor.severity,
            settings.underline,
            settings.max_findings,
            self.model.id if self.model else None,
            self.marks.id,
        )
        return _digest(repr(parts), "")

    @cached_property
    def result_id(self) -> str:
        """Name what will be found."""
        return _digest(self.snapshot.text, f"{self.snapshot.format} {self.rules_id}")


class ParseCache:
    """The last parse of a document, for whichever thread comes next."""

    def __init__(self) -> None:
        self._last: tuple[tuple[object, ...], Document] | None = None

    def read(self, snapshot: Snapshot, settings: Settings) -> Document:
        """Return the document as parsed, now or before."""
        dialect = settings.dialect
        said = settings.format or snapshot.format
        key = said, settings.quotes, settings.brand_key, dialect, settings.front_matter
        last = self._last
        if last is not None and last[0] == key and last[1].source == snapshot.text:
            return last[1]
        read_as = said if settings.format else in_dialect(said, snapshot.text, dialect)
        document = parse(
            snapshot.text,
            read_as,
            quotes=settings.quotes,
            brand_key=settings.brand_key,
            dialect=dialect,
            front_keys=settings.front_matter,
        )
        self._last = key, document
        return document


def _digest(text: str, more: str) -> str:
    digest = blake2b(more.encode(), digest_size=12)
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def brand_from_document(analysis: Analysis, rules: EffectiveSettings) -> bool:
    """Tell whether the document itself names the brand: then the problem is shown there."""
    return rules.brand_override is None and analysis.document.brand is not None


def judge(
    plan: AnalysisInput,
    parsed: ParseCache,
    *,
    cancelled: Callable[[], bool] = lambda: False,
    near: int | None = None,
) -> Analysis:
    """Judge a document, or only the sentences at an offset. Runs in a thread."""
    snapshot, rules, settings = plan.snapshot, plan.rules, plan.rules.settings
    if plan.model is None:
        nothing = parse("", snapshot.format)
        nothing_found = (snapshot, nothing, settings, None, None, None, plan.problem)
        return Analysis(*nothing_found, plan.result_id, plan.disabled_reason, plan.rules_id)
    scorer = plan.model.scorer
    document = parsed.read(snapshot, settings)
    if cancelled():
        raise Cancelled
    brand = rules.brand_override or document.brand or settings.brand or plan.model.avoid
    if brand is None and len(scorer.brands) == 1:
        brand = scorer.brands[0]
    problem = _problem(brand, scorer, rules, document)
    report = None
    if problem is None:
        read = document if near is None else _part(document, near)
        report = scorer.check_document(
            read,
            path=snapshot.name,
            brand=rules.brand_override,
            default_brand=brand,
            gate=settings.gate,
            threshold=settings.threshold,
            ignored=settings.ignore,
            lenient=True,
            cancelled=cancelled,
        )
        report = _without_marked(report, plan.marks)
    ids = plan.result_id, plan.rules_id
    return Analysis(snapshot, document, settings, report, scorer, brand, problem, *ids)


def judge_as(analysis: Analysis, brand: str) -> float | None:
    """Return P of a checked document if all of it were a brand's, None where nothing is judged."""
    if analysis.scorer is None:
        return None
    return analysis.scorer.check_document(
        analysis.document,
        path=analysis.snapshot.name,
        brand=brand,
        threshold=analysis.settings.threshold,
        explained=0,
    ).probability


def _problem(
    brand: str | None, scorer: Scorer, rules: EffectiveSettings, document: Document
) -> str | None:
    if brand is None:
        return (
            "which brand? Set brand in onbrand.toml, `brand:` in the front matter, or choose one "
            f"in the editor (known: {', '.join(scorer.brands)})"
        )
    if brand in scorer.brands:
        return None
    of_config = rules.brand_override is None and document.brand is None
    path = rules.settings.source if of_config else None
    return str(unknown_brand(brand, scorer.brands, path=str(path) if path else None))


def _part(document: Document, near: int) -> Document:
    touched = (s for s in document.sentences if s.span.start <= near <= s.span.end)
    return replace(document, sentences=tuple(touched))


def _without_marked(report: Report, marks: AcceptedSentences) -> Report:
    """Take back the findings that somebody marked as on-brand for just that brand."""
    if not marks.on:
        return report
    sentences = tuple(
        replace(sentence, flagged=False, explanation=None)
        if sentence.flagged and marks.has(sentence.brand, sentence.text)
        else sentence
        for sentence in report.sentences
    )
    return replace(report, sentences=sentences)


Work = Callable[[Callable[[], bool]], T]
"""Gets a function that says whether to give up, by raising `Cancelled`."""


@dataclass(order=True, slots=True)
class _Job(Generic[T]):
    priority: int
    turn: int
    work: Work[T] = field(compare=False)
    done: asyncio.Future[T] = field(compare=False)
    yields: bool = field(default=False, compare=False)

    def cancelled(self) -> bool:
        return self.yields or self.done.done()


class PriorityWorker:
    """Does one job at a time. For the loop's thread."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, name)
        self._waiting: list[_Job[Any]] = []
        self._current: _Job[Any] | None = None
        self._turns = itertools.count()
        self._runner: asyncio.Task[None] | None = None

    async def run(self, priority: int, work: Work[T]) -> T:
        """Return what ``work`` returns, done in the lane's thread.

        A job of lower urgency that is under way is interrupted, and begun again later. To cancel
        the waiting is to cancel the job.

        Args:
            priority: 0 comes first.
            work: called in the lane's thread.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._put(_Job(priority, next(self._turns), work, done))
        if self._current is not None and priority < self._current.priority:
            self._current.yields = True
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await done

    def close(self) -> None:
        """Do nothing more, and give up what is under way."""
        if self._current is not None:
            self._current.yields = True
        if self._runner is not None:
            self._runner.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _put(self, job: _Job[Any]) -> None:
        heapq.heappush(self._waiting, job)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            job = self._current = heapq.heappop(self._waiting)
            if not job.done.done():
                job.yields = False
                try:
                    result = await loop.run_in_executor(self._pool, job.work, job.cancelled)
                except Cancelled:
                    if not job.done.done():
                        self._put(job)
                except Exception as error:  # it is the caller's
                    if not job.done.done():
                        job.done.set_exception(error)
                else:
                    if not job.done.done():
                        job.done.set_result(result)
            self._current = None


__all__ = ["Analyser", "Analysis", "AnalysisResult", "ContentModified"]

LONG = 100_000
"""Characters; a longer document lets shorter ones go first."""
PROCESSORS = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class AnalysisResult:
    """What was found in a document, and how the editor shows it."""

    analysis: Analysis
    diagnostics: Sequence[types.Diagnostic]


Render = Callable[[Analysis, Severity], Sequence[types.Diagnostic]]


class ContentModified(Exception):  # noqa: N818 - it is a signal, not an error
    """The document has changed; what was asked for is no longer of use."""


class Analyser:
    """Checks documents, each version at most once. For the loop's thread."""

    def __init__(
        self,
        documents: DocumentStore,
        projects: ProjectSettings,
        models: ModelCache,
        labels: LabelStoreCache,
        problems: ProblemReporter,
        render: Render,
    ) -> None:
        self._documents = documents
        self._projects = projects
        self._models = models
        self._labels = labels
        self._problems = problems
        self._render = render
        self._worker = PriorityWorker("onbrand-check")
        self._interactive = ThreadPoolExecutor(3, "onbrand-instant")
        self._found: dict[str, AnalysisResult] = {}
        self._running: dict[str, tuple[str, asyncio.Task[AnalysisResult]]] = {}
        self._parsed: dict[str, ParseCache] = {}

    async def check(self, snapshot: Snapshot) -> AnalysisResult:
        """Check an open document, or return what is known of it.

        Raises:
            Outdated: it has changed meanwhile.
        """
        plan = await self.plan(snapshot)
        uri = snapshot.uri
        if self._documents.get(uri) is not snapshot:
            raise ContentModified
        known = self._found.get(uri)
        if known is None or known.analysis.result_id != plan.result_id:
            known = await self._join(uri, plan)
        if known.analysis.snapshot is not snapshot:  # the same text, say after undo
            known = replace(known, analysis=replace(known.analysis, snapshot=snapshot))
        if self._documents.get(uri) is not snapshot:
            raise ContentModified
        self._found[uri] = known
        return known

    async def check_file(self, path: Path, plan: AnalysisInput) -> AnalysisResult:
        """Check a file that is not open, when nothing else is to be done.

        Args:
            path: the file.
            plan: made for a document without a text.

        Raises:
            OnbrandError: it cannot be read.
        """

        def work(cancelled: Callable[[], bool]) -> AnalysisResult:
            text = read_text(path, max_bytes=MAX_DRAFT_BYTES)
            snapshot = replace(plan.snapshot, text=text, lines=LineIndex(text))
            return self._judge(replace(plan, snapshot=snapshot), ParseCache(), cancelled)

        return await self._worker.run(2, work)

    async def plan(self, snapshot: Snapshot) -> AnalysisInput:
        """Return what a document is to be judged by, once that is loaded."""
        rules = self._projects.rules(snapshot.uri, snapshot.path)
        if snapshot.disabled_reason or rules.problem or rules.disabled_reason:
            return AnalysisInput(
                snapshot, rules, problem=None if snapshot.disabled_reason else rules.problem
            )
        if problem := snapshot.problem:
            return AnalysisInput(snapshot, rules, problem=problem)
        marks = asyncio.ensure_future(self._labels.marks(rules))
        try:
            model = await self._models.get(ModelKey.of(rules))
        except OnbrandError as error:
            return AnalysisInput(snapshot, rules, problem=str(error))
        return AnalysisInput(snapshot, rules, model, await marks)

    def last(self, uri: str) -> AnalysisResult | None:
        """Return what was found last in an open document, perhaps in an older version."""
        return self._found.get(uri)

    async def peek(self, snapshot: Snapshot, offset: int) -> Analysis | None:
        """Return what is known of a document now, at least of the sentence at ``offset``.

        Never waits for a check. None: there is nothing to judge it by, or not yet.
        """
        found = self._found.get(snapshot.uri)
        if found is not None and found.analysis.snapshot is snapshot:
            return found.analysis
        rules = self._projects.rules(snapshot.uri, snapshot.path)
        model = self._models.get_if_loaded(ModelKey.of(rules))
        disabled_reason = snapshot.disabled_reason or rules.disabled_reason
        if disabled_reason or rules.problem or snapshot.problem or model is None:
            return None
        plan = AnalysisInput(snapshot, rules, model, self._labels.known(rules))
        parsed = self._parsed.setdefault(snapshot.uri, ParseCache())
        return await self.run_interactive(lambda: judge(plan, parsed, near=offset))

    async def run_interactive(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, done in a thread that no check keeps waiting."""
        return await asyncio.get_running_loop().run_in_executor(self._interactive, work)

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
        self._worker.close()
        self._interactive.shutdown(wait=False, cancel_futures=True)

    async def _join(self, uri: str, plan: AnalysisInput) -> AnalysisResult:
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
                raise ContentModified from None
            raise

    async def _run(self, uri: str, plan: AnalysisInput) -> AnalysisResult:
        parsed = self._parsed.setdefault(uri, ParseCache())
        priority = int(len(plan.snapshot.text) > LONG)
        found = await self._worker.run(
            priority, lambda cancelled: self._judge(plan, parsed, cancelled)
        )
        told = (
            found.analysis.problem if not brand_from_document(found.analysis, plan.rules) else None
        )
        self._problems.set(("document", uri), [told] if told else [])
        return found

    def _judge(
        self, plan: AnalysisInput, parsed: ParseCache, cancelled: Callable[[], bool]
    ) -> AnalysisResult:
        if plan.model is not None:
            # What takes long leaves a processor to hovers and code actions.
            spared = len(plan.snapshot.text) > LONG
            plan.model.scorer.encoder.threads = max(1, PROCESSORS - spared)
        analysis = judge(plan, parsed, cancelled=cancelled)
        return AnalysisResult(analysis, self._render(analysis, plan.rules.editor.severity))
