"""Several workspace folders, each with settings of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from lsp_session import (
    OFF_BRAND,
    Connector,
    Editor,
    connect,
    eventually,
    fresh,
    project,
    ranges,
    underlined,
)
from lsprotocol import types

pytestmark = pytest.mark.asyncio
__all__ = ["connect"]
TEXT = (
    "Hello. Do sit down. Not there, that's where the carton goes.\n\n"
    "The delivered head is 42 m at a flow of 36 m3/h, and the NPSH required here is 2.1 m.\n\n"
    f"{OFF_BRAND}\n"
)


async def found(editor: Editor, uri: str) -> list[types.Range]:
    return ranges((await editor.pull(uri)).items)


def expected(brand: str, voices: Path) -> list[types.Range]:
    return underlined(fresh(TEXT, voices, brand), TEXT, "utf-16")


async def test_every_folder_has_its_own_configuration(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    oats = project(tmp_path / "oats", example_voices, "oatfolk")
    pumps = project(tmp_path / "pumps", example_voices, "varnholt-pumps")
    inner = project(oats / "inner", example_voices, "varnholt-pumps")
    editor = await connect(oats, pumps)
    oat, pump = expected("oatfolk", example_voices), expected("varnholt-pumps", example_voices)
    assert oat != pump
    for folder, ranges_there in ((oats, oat), (pumps, pump), (inner, pump)):
        uri = (folder / "a.md").as_uri()
        editor.open(uri, TEXT)
        assert await found(editor, uri) == ranges_there


async def test_the_editor_has_settings_for_every_folder(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for folder in (one, two, three):
        folder.mkdir()
    shutil.copytree(example_voices, one / "mine")
    settings = {
        "": {},
        one.as_uri(): {"voices": ["mine"], "brand": "oatfolk"},
        two.as_uri(): {"voices": [str(example_voices)], "brand": "varnholt-pumps"},
        three.as_uri(): {"voices": [str(example_voices)], "brand": "oatfolk", "enable": False},
    }
    editor = await connect(one, two, three, settings=settings)
    uris = [(folder / "a.md").as_uri() for folder in (one, two, three)]
    for uri in uris:
        editor.open(uri, TEXT)
    assert await found(editor, uris[0]) == expected("oatfolk", example_voices)
    assert await found(editor, uris[1]) == expected("varnholt-pumps", example_voices)
    assert await found(editor, uris[2]) == []
    assert editor.shown() == []


async def test_loose_files_have_the_editors_settings(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    settings = {"": {"voices": [str(example_voices), "nowhere"], "brand": "oatfolk"}}
    editor = await connect(settings=settings)
    for uri in ((tmp_path / "a.md").as_uri(), "untitled:Untitled-1"):
        editor.open(uri, TEXT)
        assert await found(editor, uri) == expected("oatfolk", example_voices)


async def test_a_document_that_was_never_saved_belongs_to_the_first_folder(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    pumps = project(tmp_path / "pumps", example_voices, "varnholt-pumps")
    editor = await connect(pumps, project(tmp_path / "oats", example_voices, "oatfolk"))
    editor.open("untitled:Untitled-1", TEXT)
    assert await found(editor, "untitled:Untitled-1") == expected("varnholt-pumps", example_voices)


async def test_folders_come_and_go(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    settings = {
        first.as_uri(): {},
        second.as_uri(): {"voices": [str(example_voices)], "brand": "oatfolk"},
    }
    editor = await connect(first, settings=settings)
    uri = (second / "a.md").as_uri()
    editor.open(uri, TEXT)
    assert await found(editor, uri) == []

    def change(added: list[Path], removed: list[Path]) -> None:
        lists = [[types.WorkspaceFolder(f.as_uri(), f.name) for f in fs] for fs in (added, removed)]
        event = types.WorkspaceFoldersChangeEvent(*lists)
        editor.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))

    change([second], [first])

    async def judged() -> bool:
        return await found(editor, uri) == expected("oatfolk", example_voices)

    async def silent() -> bool:
        return await found(editor, uri) == []

    await eventually(judged)
    change([], [second])
    await eventually(silent)
