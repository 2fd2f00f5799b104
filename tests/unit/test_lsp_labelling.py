"""Labels from the editor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from onbrand.config import Settings
from onbrand.errors import OnbrandError
from onbrand.labels.model import Label
from onbrand.labels.store import LabelStore
from onbrand_lsp.label_store import AcceptedSentences, LabelStoreCache, NewLabel, author_of
from onbrand_lsp.settings import EditorSettings, EffectiveSettings, ProblemReporter

TEXT = "Our stakeholders leverage synergies."


def rules(folder: Path, store: Path | None = None, author: str | None = "me") -> EffectiveSettings:
    settings = Settings(labels_db=str(store) if store else None)
    return EffectiveSettings(settings, EditorSettings(author=author), folder)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def labels(told: list[str]) -> LabelStoreCache:
    problems = ProblemReporter()
    problems.subscribe(told.append)
    return LabelStoreCache(problems, lambda: None)


def test_marks_know_brands_apart_and_texts_by_their_words() -> None:
    from onbrand.labels.normalization import text_key

    marks = AcceptedSentences({"acme": frozenset([text_key("One  two.")])})
    assert marks.has("acme", "One two.")
    assert not marks.has("acme", "One three.")
    assert not marks.has("beta", "One two.")


@pytest.mark.asyncio
async def test_reading_makes_no_store(labels: LabelStoreCache, tmp_path: Path) -> None:
    marks = await labels.marks(rules(tmp_path, tmp_path / "labels.db"))
    assert marks == AcceptedSentences()
    assert list(tmp_path.iterdir()) == []


def test_reading_where_there_is_no_store_needs_no_sqlalchemy(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from onbrand_lsp import label_store\n"
        f"assert label_store._marks_in({str(tmp_path / 'labels.db')!r}) "
        f"== label_store.AcceptedSentences()\n"
        "assert 'sqlalchemy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.asyncio
async def test_a_label_is_stored_and_remembered(labels: LabelStoreCache, tmp_path: Path) -> None:
    here = rules(tmp_path, tmp_path / "labels.db")
    before = await labels.marks(here)
    store = await labels.add(here, NewLabel(TEXT, "acme", "on", "docs/a.md"))
    assert store == str(tmp_path / "labels.db")
    marks = await labels.marks(here)
    assert marks.has("acme", TEXT)
    assert marks.id != before.id
    assert labels.known(here) == marks
    await labels.add(here, NewLabel(TEXT, "acme", "off", "docs/a.md"))
    assert not (await labels.marks(here)).has("acme", TEXT)
    with LabelStore.open(tmp_path / "labels.db", create=False) as opened:
        history = opened.history()
    assert [(one.label, one.author, one.source, one.document) for one in history] == [
        ("on", "me", "editor", "docs/a.md"),
        ("off", "me", "editor", "docs/a.md"),
    ]


@pytest.mark.asyncio
async def test_a_mark_is_taken_back_and_what_was_said_before_counts(
    labels: LabelStoreCache, tmp_path: Path
) -> None:
    here = rules(tmp_path, tmp_path / "labels.db")
    assert not await labels.take_back(here, TEXT, "acme")
    assert list(tmp_path.iterdir()) == []
    with LabelStore.open(tmp_path / "labels.db") as store:
        store.add([Label(TEXT, "acme", "off", author="me", source="slack")])
        store.add([Label(TEXT, "acme", "off", author="somebody", source="editor")])
    assert "me" not in (await labels.marks(here)).by("acme", TEXT)
    assert not await labels.take_back(here, TEXT, "acme"), "that one is not from an editor"
    await labels.add(here, NewLabel(TEXT, "acme", "on", "a.md"))
    assert (await labels.marks(here)).by("acme", TEXT) == {"me", "somebody"}
    assert await labels.take_back(here, f" {TEXT} ", "acme")
    marks = await labels.marks(here)
    assert marks.by("acme", TEXT) == {"somebody"}
    assert not marks.has("acme", TEXT)
    with LabelStore.open(tmp_path / "labels.db", create=False) as opened:
        said = [(one.label, one.author, one.source) for one in opened.history()]
    assert said == [("off", "me", "slack"), ("off", "somebody", "editor")]


@pytest.mark.asyncio
async def test_what_others_write_is_noticed(labels: LabelStoreCache, tmp_path: Path) -> None:
    here = rules(tmp_path, tmp_path / "labels.db")
    assert not (await labels.marks(here)).has("acme", TEXT)
    with LabelStore.open(tmp_path / "labels.db") as store:
        store.add([Label(TEXT, "acme", "on", author="somebody")])
        assert (await labels.marks(here)).has("acme", TEXT)


@pytest.mark.asyncio
async def test_a_damaged_store_is_told_once_and_marks_nothing(
    labels: LabelStoreCache, tmp_path: Path, told: list[str]
) -> None:
    (tmp_path / "labels.db").write_text("no database at all, " * 100)
    here = rules(tmp_path, tmp_path / "labels.db")
    for _ in range(2):
        assert await labels.marks(here) == AcceptedSentences()
        labels.forget()
    (line,) = told
    assert str(tmp_path / "labels.db") in line
    with pytest.raises(OnbrandError):
        await labels.add(here, NewLabel(TEXT, "acme", "on", "a.md"))


@pytest.mark.asyncio
async def test_without_its_optional_part_the_mend_is_told(
    labels: LabelStoreCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("onbrand.labels.")]:
        if name.rpartition(".")[2] in ("store", "database", "schema"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(OnbrandError, match=r"pip install '.*\[labels\]'"):
        await labels.add(rules(tmp_path, tmp_path / "l.db"), NewLabel(TEXT, "acme", "on", "a.md"))


def test_an_author_has_the_name_that_git_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(tmp_path / "none"))
    monkeypatch.setenv("USER", "somebody")
    monkeypatch.setenv("LOGNAME", "somebody")
    assert author_of("set@example.com", tmp_path) == "set@example.com"
    assert author_of(None, tmp_path) == "somebody"
    (tmp_path / "gitconfig").write_text("[user]\nname = Ann Other\n")
    assert author_of(None, tmp_path) == "Ann Other"
    (tmp_path / "gitconfig").write_text("[user]\nname = Ann Other\nemail = ann@example.com\n")
    assert author_of(None, tmp_path) == "ann@example.com"
    monkeypatch.setenv("PATH", str(tmp_path))  # no git
    assert author_of(None, tmp_path) == "somebody"
