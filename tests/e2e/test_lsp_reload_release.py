"""A release that is installed, updated and rolled back while the language server runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from installed_samples import SOURCE, example_release, switch
from lsp_session import OFF_BRAND, Connector, Editor, connect, eventually, project, ranges

from onbrand.installation import STATE_FILE, default_root

pytestmark = pytest.mark.asyncio
__all__ = ["connect"]
LONG = f"{OFF_BRAND.removesuffix('.')} {'and drive more value ' * 20}."


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the voices will be that the configuration names by their URL."""
    monkeypatch.setenv("ONBRAND_DATA_DIR", str(tmp_path / "data"))
    return default_root(SOURCE)


def by_url(folder: Path) -> Path:
    project(folder, Path("voices"))
    config = folder / "onbrand.toml"
    config.write_text(config.read_text().replace('"voices"', f'"{SOURCE}"'))
    return folder


async def underlined(editor: Editor, uri: str, count: int) -> None:
    """Wait until so many sentences are underlined."""

    async def there() -> bool:
        return len(ranges((await editor.pull(uri)).items)) == count

    await eventually(there)


def tell(editor: Editor, root: Path, *, watches: bool) -> None:
    if watches:
        editor.tell_changed(root / STATE_FILE)


@pytest.mark.parametrize("watches", [True, False])
async def test_a_switch_of_releases_is_in_force_at_once(
    connect: Connector, tmp_path: Path, example_voices: Path, root: Path, watches: bool
) -> None:
    for number, threshold in ((1, 0.999), (2, 0.0)):
        example_release(root, number, example_voices, threshold=threshold)
    switch(root, 1)
    folder = by_url(tmp_path / "project")
    editor = await connect(folder, watches=watches)
    uri = (folder / "a.md").as_uri()
    editor.open(uri, OFF_BRAND)
    await underlined(editor, uri, 1)
    refreshed = editor.diagnostic_refresh_count
    switch(root, 2, 1)
    tell(editor, root, watches=watches)
    await eventually(lambda: editor.diagnostic_refresh_count > refreshed)
    await underlined(editor, uri, 0)
    switch(root, 1, 2)
    tell(editor, root, watches=watches)
    await underlined(editor, uri, 1)
    assert editor.shown() == []


async def test_a_release_with_another_encoder_is_in_force_at_once(
    connect: Connector, tmp_path: Path, example_voices: Path, root: Path
) -> None:
    example_release(root, 1, example_voices, threshold=0.999)
    example_release(root, 2, example_voices, threshold=0.999, max_tokens=16)
    switch(root, 1)
    folder = by_url(tmp_path / "project")
    editor = await connect(folder, watches=False)
    uri = (folder / "a.md").as_uri()
    editor.open(uri, LONG)
    await underlined(editor, uri, 1)

    async def cut() -> bool:
        """The new encoder judges no more than the start of a sentence, and says so."""
        found = (await editor.pull(uri)).items
        return any("16 tokens" in one.message for one in found)

    assert not await cut()
    switch(root, 2, 1)
    await eventually(cut)
    await underlined(editor, uri, 1)
    switch(root, 1, 2)

    async def whole() -> bool:
        return not await cut()

    await eventually(whole)
    assert editor.shown() == []


@pytest.mark.parametrize("watches", [True, False])
async def test_a_first_installation_is_noticed(
    connect: Connector, tmp_path: Path, example_voices: Path, root: Path, watches: bool
) -> None:
    folder = by_url(tmp_path / "project")
    editor = await connect(folder, watches=watches)
    uri = (folder / "a.md").as_uri()
    editor.open(uri, OFF_BRAND)
    await underlined(editor, uri, 0)
    (shown,) = editor.shown()
    assert f"run: onbrand voices install {SOURCE} --key KEY" in shown
    if watches:
        patterns = str(editor.registered["onbrand.in-use"].register_options)
        assert root.as_uri() in patterns
    refreshed = editor.diagnostic_refresh_count
    example_release(root, 1, example_voices, threshold=0.999)
    switch(root, 1)
    tell(editor, root, watches=watches)
    await eventually(lambda: editor.diagnostic_refresh_count > refreshed)
    await underlined(editor, uri, 1)
    assert editor.shown() == [shown]
