"""Clients that are told of diagnostics."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsp_session import (
    AT_ONCE,
    DRAFT,
    OFF_BRAND,
    ON_BRAND,
    Connector,
    connect,
    eventually,
    fresh,
    project,
    ranges,
    underlined,
)

pytestmark = pytest.mark.asyncio
__all__ = ["connect"]


@pytest.mark.parametrize("transport", ["stdio", "tcp"])
async def test_diagnostics_come_with_their_version_and_go_with_the_document(
    connect: Connector, tmp_path: Path, example_voices: Path, transport: str
) -> None:
    folder = project(tmp_path, example_voices)
    editor = await connect(folder, pulls=False, transport=transport, options=AT_ONCE)
    assert editor.result is not None
    assert editor.result.capabilities.diagnostic_provider is None
    uri = (folder / "a.md").as_uri()
    editor.open(uri, DRAFT)
    pushed = await editor.pushed(uri, 1)
    expected = underlined(fresh(DRAFT, example_voices), DRAFT, "utf-16")
    assert ranges(pushed.diagnostics) == expected
    assert expected
    editor.replace(uri, ON_BRAND, 2)
    assert ranges((await editor.pushed(uri, 2)).diagnostics) == []
    editor.replace(uri, OFF_BRAND, 3)
    assert len(ranges((await editor.pushed(uri, 3)).diagnostics)) == 1
    editor.close(uri)
    assert not (await editor.pushed(uri, None)).diagnostics


async def test_a_new_finding_comes_by_itself_when_the_writer_pauses(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices)
    editor = await connect(folder, pulls=False)
    uri = (folder / "a.md").as_uri()
    editor.open(uri, ON_BRAND)
    assert ranges((await editor.pushed(uri, 1)).diagnostics) == []
    editor.replace(uri, f"{ON_BRAND} {OFF_BRAND}", 2)
    await eventually(lambda: bool(editor.published and ranges(editor.published[-1].diagnostics)))
    assert editor.published[-1].version == 2


async def test_no_outdated_diagnostics_are_pushed(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices)
    # Longer than any machine takes between two messages.
    options = {"settings": {"debounce": 3000}}
    editor = await connect(folder, pulls=False, options=options)
    uri = (folder / "a.md").as_uri()
    editor.open(uri, ON_BRAND)
    await editor.pushed(uri, 1)
    for version in range(2, 20):
        editor.replace(uri, f"{OFF_BRAND} {ON_BRAND}\n" * version, version)
    last = await editor.pushed(uri, 19)
    assert len(ranges(last.diagnostics)) == 19
    assert [one.version for one in editor.published] == [1, 19]


async def test_documents_do_not_wait_for_each_others_pauses(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices)
    editor = await connect(folder, pulls=False)
    uris = [(folder / f"{n}.md").as_uri() for n in range(5)]
    for n, uri in enumerate(uris):
        editor.open(uri, f"{OFF_BRAND}\n\n" * n)
    for n, uri in enumerate(uris):
        assert len(ranges((await editor.pushed(uri, 1)).diagnostics)) == n


async def test_all_drafts_are_pushed_when_asked(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices, more='exclude = ["old/"]\n')
    (folder / "old").mkdir()
    (folder / "old" / "x.md").write_text(OFF_BRAND)
    (folder / "b.md").write_text(OFF_BRAND)
    (folder / "c.md").write_text(ON_BRAND)
    editor = await connect(folder, pulls=False)
    uri = (folder / "a.md").as_uri()
    editor.open(uri, OFF_BRAND)
    await editor.pushed(uri, 1)
    result = await editor.command("checkWorkspace")
    assert {draft["uri"]: draft["flagged"] for draft in result["drafts"]} == {
        (folder / name).as_uri(): flagged for name, flagged in (("b.md", 1), ("c.md", 0))
    }
    pushed = await editor.pushed((folder / "b.md").as_uri(), None)
    assert len(ranges(pushed.diagnostics)) == 1
    (folder / "b.md").unlink()
    await editor.command("checkWorkspace")
    gone = await editor.pushed((folder / "b.md").as_uri(), None)
    assert not gone.diagnostics
    kinds = [values[0]["kind"] for values in editor.partial.values()]
    assert kinds.count("begin") == len(editor.partial)
    assert all(values[-1]["kind"] == "end" for values in editor.partial.values())
