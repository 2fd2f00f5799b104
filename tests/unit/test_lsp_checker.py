"""Checks on their way through the threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types

from onbrand.errors import Cancelled
from onbrand_lsp.analysis import Analyser, Analysis, ContentModified, PriorityWorker, judge
from onbrand_lsp.documents import DocumentStore, Snapshot
from onbrand_lsp.label_store import LabelStoreCache
from onbrand_lsp.models import ModelCache, ModelKey
from onbrand_lsp.settings import ProblemReporter, ProjectSettings

pytestmark = pytest.mark.asyncio
OFF_BRAND = "Our stakeholders leverage synergies to drive scalable, best-in-class outcomes."


class Desk:
    """A checker with all that it needs."""

    def __init__(self, folder: Path, voices: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.problems = ProblemReporter()
        self.problems.subscribe(self.told.append)
        self.documents = DocumentStore()
        self.projects = ProjectSettings(self.problems)
        self.projects.add_folder(folder.as_uri(), folder)
        self.projects.set_editor(None, {"voices": [str(voices)], "brand": "oatfolk"})
        self.models = ModelCache(self.problems)
        self.labels = LabelStoreCache(self.problems, lambda: None)
        self.rendered: list[Analysis] = []
        self.analyser = Analyser(
            self.documents, self.projects, self.models, self.labels, self.problems, self._render
        )

    def _render(self, analysis: Analysis, severity: str) -> list[types.Diagnostic]:
        self.rendered.append(analysis)
        return []

    def open(self, text: str, name: str = "a.md", version: int = 1) -> Snapshot:
        uri = (self.folder / name).as_uri()
        return self.documents.open(types.TextDocumentItem(uri, "markdown", version, text))


@pytest_asyncio.fixture
async def desk(tmp_path: Path, example_voices: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path, example_voices)
    yield made
    made.analyser.close()
    made.models.close()
    made.labels.close()


async def test_a_version_is_checked_once_whoever_asks(desk: Desk) -> None:
    snapshot = desk.open(OFF_BRAND)
    first, second = await asyncio.gather(
        desk.analyser.check(snapshot), desk.analyser.check(snapshot)
    )
    assert first.analysis is second.analysis
    assert (await desk.analyser.check(snapshot)).analysis is first.analysis
    assert len(desk.rendered) == 1
    assert first.analysis.report is not None
    assert len(first.analysis.report.flagged) == 1


async def test_the_same_text_in_another_version_is_not_checked_again(desk: Desk) -> None:
    first = await desk.analyser.check(desk.open(OFF_BRAND))
    again = await desk.analyser.check(desk.open(OFF_BRAND, version=3))
    assert again.analysis.snapshot.version == 3
    assert again.analysis.result_id == first.analysis.result_id
    assert again.analysis.report is first.analysis.report
    assert len(desk.rendered) == 1


async def test_an_older_version_is_given_up(desk: Desk) -> None:
    old = asyncio.ensure_future(desk.analyser.check(desk.open(OFF_BRAND * 400)))
    await asyncio.sleep(0)
    new = await desk.analyser.check(desk.open(OFF_BRAND, version=2))
    with pytest.raises(ContentModified):
        await old
    assert new.analysis.snapshot.version == 2


async def test_a_closed_document_is_given_up_and_forgotten(desk: Desk) -> None:
    snapshot = desk.open(OFF_BRAND * 400)
    waiting = asyncio.ensure_future(desk.analyser.check(snapshot))
    await desk.models.get(_key(desk, snapshot))
    await asyncio.sleep(0)
    desk.documents.close(snapshot.uri)
    desk.analyser.forget(snapshot.uri)
    with pytest.raises(ContentModified):
        await waiting
    assert desk.analyser.last(snapshot.uri) is None


def _key(desk: Desk, snapshot: Snapshot) -> ModelKey:
    return ModelKey.of(desk.projects.rules(snapshot.uri, snapshot.path))


async def test_nothing_is_kept_of_closed_documents(desk: Desk) -> None:
    for n in range(20):
        snapshot = desk.open(OFF_BRAND, f"{n}.md")
        await desk.analyser.check(snapshot)
        desk.documents.close(snapshot.uri)
        desk.analyser.forget(snapshot.uri)
    kept = [value for value in vars(desk.analyser).values() if isinstance(value, dict)]
    assert len(kept) == 3
    assert all(not value for value in kept)


async def test_every_result_id_says_what_decided(desk: Desk, tmp_path: Path) -> None:
    seen = set()

    async def look(text: str = OFF_BRAND, language: str = "markdown") -> None:
        item = types.TextDocumentItem((tmp_path / "a.md").as_uri(), language, 1, text)
        seen.add((await desk.analyser.check(desk.documents.open(item))).analysis.result_id)

    await look()
    await look()
    assert len(seen) == 1
    await look(OFF_BRAND + " ")
    await look(language="html")
    for more in ("gate = 0.5", "threshold = 0.9", "quotes = true", 'ignore = ["x"]'):
        (tmp_path / "onbrand.toml").write_text(f"root = true\n{more}\n")
        desk.projects.changed()
        await look()
    desk.projects.choose((tmp_path / "a.md").as_uri(), "quillpot")
    await look()
    desk.projects.set_editor(None, {"voices": [], "severity": "hint"})
    await look()
    assert len(seen) == 9


async def test_a_brand_that_the_document_names_is_no_message(desk: Desk) -> None:
    found = await desk.analyser.check(desk.open(f"---\nbrand: nobody\n---\n{OFF_BRAND}"))
    assert found.analysis.report is None
    assert found.analysis.problem is not None
    assert "no voice for brand 'nobody'" in found.analysis.problem
    assert desk.told == []


@pytest.mark.parametrize(
    ("brand", "said"), [(None, "which brand?"), ("oatfok", "did you mean 'oatfolk'?")]
)
async def test_a_brand_that_settings_lack_is_told_once(
    desk: Desk, example_voices: Path, brand: str | None, said: str
) -> None:
    desk.projects.set_editor(None, {"voices": [str(example_voices)], "brand": brand})
    for name in ("a.md", "b.md"):
        found = await desk.analyser.check(desk.open(OFF_BRAND, name))
        assert found.analysis.report is None
    (line,) = desk.told
    assert said in line


async def test_a_document_that_is_too_long_is_told_of(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onbrand_lsp.documents.MAX_DRAFT_BYTES", 40)
    found = await desk.analyser.check(desk.open(OFF_BRAND))
    assert found.analysis.report is None
    (line,) = desk.told
    assert "is longer than" in line


async def test_a_glance_waits_for_no_check(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"Hello. Do sit down.\n\n{OFF_BRAND}\n"
    snapshot = desk.open(text)
    assert await desk.analyser.peek(snapshot, 0) is None  # the voices are not there yet
    await desk.models.get(_key(desk, snapshot))
    begun, go_on = threading.Event(), threading.Event()

    def slowly(*args: object, **named: object) -> Analysis:
        if "near" not in named:
            begun.set()
            go_on.wait(60)
        return judge(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("onbrand_lsp.analysis.judge", slowly)
    checking = asyncio.ensure_future(desk.analyser.check(snapshot))
    await asyncio.to_thread(begun.wait, 60)
    offset = text.index("leverage")
    glanced = await desk.analyser.peek(snapshot, offset)
    assert glanced is not None
    assert glanced.report is not None
    (sentence,) = glanced.report.sentences
    assert sentence.text == OFF_BRAND
    assert not checking.done()
    go_on.set()
    full = (await checking).analysis
    assert full.report is not None
    # A glance knows nothing of the rest of the draft: how likely, and why, is all it tells.
    (whole,) = [one for one in full.report.sentences if one.text == OFF_BRAND]
    assert (sentence.probability, sentence.explanation) == (whole.probability, whole.explanation)
    assert await desk.analyser.peek(snapshot, offset) is full


class Work:
    """A job that goes on until it is told to end, or asked to give up."""

    def __init__(self) -> None:
        self.begun, self.end = threading.Event(), threading.Event()
        self.times = 0

    def __call__(self, cancelled: Callable[[], bool]) -> str:
        self.times += 1
        self.begun.set()
        while not self.end.wait(0.001):
            if cancelled():
                raise Cancelled
        return "done"


async def begun(work: Work) -> None:
    assert await asyncio.to_thread(work.begun.wait, 60)


async def test_the_urgent_go_first_and_interrupt() -> None:
    lane = PriorityWorker("test")
    slow, quick = Work(), Work()
    quick.end.set()
    waiting = asyncio.ensure_future(lane.run(1, slow))
    await begun(slow)
    assert await lane.run(0, quick) == "done"
    assert not waiting.done()
    slow.end.set()
    assert await waiting == "done"
    assert slow.times == 2
    lane.close()


async def test_equals_wait_for_their_turn() -> None:
    lane = PriorityWorker("test")
    order: list[int] = []
    first = Work()
    running = asyncio.ensure_future(lane.run(1, first))
    await begun(first)
    others = [
        asyncio.ensure_future(lane.run(priority, lambda _, n=n: order.append(n)))
        for n, priority in enumerate((2, 1, 2, 1))
    ]
    first.end.set()
    await asyncio.gather(running, *others)
    assert order == [1, 3, 0, 2]
    assert first.times == 1
    lane.close()


async def test_to_cancel_the_waiting_is_to_cancel_the_job() -> None:
    lane = PriorityWorker("test")
    running, queued = Work(), Work()
    tasks = [asyncio.ensure_future(lane.run(0, work)) for work in (running, queued)]
    await begun(running)
    for task in tasks:
        task.cancel()
    assert await lane.run(0, lambda _: "next") == "next"
    assert queued.times == 0
    assert all(task.cancelled() for task in tasks)
    lane.close()


async def test_an_error_is_the_callers() -> None:
    lane = PriorityWorker("test")

    def fail(_gives_up: Callable[[], bool]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await lane.run(0, fail)
    assert await lane.run(0, lambda _: 7) == 7
    lane.close()


async def test_registers_decide_where_no_brand_is_set(desk: Desk) -> None:
    desk.projects.set_editor(None, {})
    (desk.folder / "onbrand.toml").write_text('root = true\navoid = ["corporate"]\n')
    found = (await desk.analyser.check(desk.open(OFF_BRAND))).analysis
    assert (found.brand, found.problem) == ("avoid: corporate", None)
    assert found.report is not None
    (flagged,) = found.report.flagged
    assert flagged.explanation is not None
    assert flagged.explanation.register == "corporate"
