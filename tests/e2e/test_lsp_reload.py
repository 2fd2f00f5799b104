"""Configuration, voices and encoders that change while the server runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from lsp_session import (
    AT_ONCE,
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

from onbrand.encoder.bundle import default_bundle

pytestmark = pytest.mark.asyncio
__all__ = ["connect"]
MUSEUM = "The gallery of clocks opens daily at ten; admission to the tower is by timed ticket only."


async def count(editor: Editor, uri: str) -> int:
    return len(ranges((await editor.pull(uri)).items))


@pytest.mark.parametrize("watches", [True, False])
async def test_a_changed_configuration_is_in_force_at_once(
    connect: Connector, tmp_path: Path, example_voices: Path, watches: bool
) -> None:
    folder = project(tmp_path, example_voices)
    editor = await connect(folder, watches=watches)
    uri = (folder / "a.md").as_uri()
    editor.open(uri, OFF_BRAND)
    assert await count(editor, uri) == 1
    project(folder, example_voices, more="threshold = 0.0\n")
    if watches:
        editor.tell_changed(folder / "onbrand.toml")
    await eventually(lambda: editor.diagnostic_refresh_count > 0)
    await eventually(lambda: editor.lens_refreshes > 0)
    assert await count(editor, uri) == 0
    project(folder, example_voices)
    if watches:
        editor.tell_changed(folder / "onbrand.toml")

    async def underlined_again() -> bool:
        return await count(editor, uri) == 1

    await eventually(underlined_again)


@pytest.mark.parametrize("watches", [True, False])
async def test_a_changed_voice_is_in_force_at_once(
    connect: Connector, tmp_path: Path, example_voices: Path, watches: bool
) -> None:
    voices = tmp_path / "own-voices"
    shutil.copytree(example_voices / "oatfolk", voices / "oatfolk")
    folder = project(tmp_path / "project", voices)
    editor = await connect(folder, pulls=False, watches=watches)
    uri = (folder / "a.md").as_uri()
    text = f"---\nbrand: tallowgate-museum\n---\n\n{MUSEUM} {OFF_BRAND}\n"
    editor.open(uri, text)
    first = await editor.pushed(uri, 1)
    assert [one.code for one in first.diagnostics] == ["unknown-brand"]
    before = len(editor.published)
    shutil.copytree(example_voices / "tallowgate-museum", voices / "tallowgate-museum")
    if watches:
        editor.tell_changed(voices / "tallowgate-museum" / "voice.json")
    await eventually(lambda: len(editor.published) > before)
    expected = underlined(fresh(text, example_voices), text, "utf-16")
    assert ranges(editor.published[-1].diagnostics) == expected
    assert expected
    assert editor.published[-1].version == 1
    assert editor.shown() == []


async def test_a_damaged_voice_stops_nobody(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    voices = tmp_path / "own-voices"
    shutil.copytree(example_voices, voices)
    (voices / "quillpot" / "voice.json").write_text("{")
    folder = project(tmp_path / "project", voices)
    editor = await connect(folder)
    uris = [(folder / name).as_uri() for name in ("a.md", "b.md")]
    for uri in uris:
        editor.open(uri, OFF_BRAND)
        assert await count(editor, uri) == 1
    (shown,) = editor.shown()
    assert str(voices / "quillpot" / "voice.json") in shown
    assert "train the voice again" in shown

    # One that is damaged while the server runs goes on as it was.
    (voices / "oatfolk" / "head.safetensors").write_bytes(b"half")
    editor.tell_changed(voices / "oatfolk" / "head.safetensors")
    await eventually(lambda: len(editor.shown()) == 2)
    assert str(voices / "oatfolk") in editor.shown()[1]
    editor.replace(uris[0], OFF_BRAND * 2, 2)
    assert await count(editor, uris[0]) >= 1

    # Mended, and told of again when it breaks again.
    shutil.copy(example_voices / "quillpot" / "voice.json", voices / "quillpot")
    shutil.copy(example_voices / "oatfolk" / "head.safetensors", voices / "oatfolk")
    editor.tell_changed(voices / "quillpot" / "voice.json")
    await eventually(lambda: editor.diagnostic_refresh_count > 0)
    (voices / "quillpot" / "voice.json").write_text("{")
    editor.tell_changed(voices / "quillpot" / "voice.json")
    await eventually(lambda: len(editor.shown()) == 3)
    assert editor.shown()[2] == shown


async def test_a_broken_configuration_is_told_once_and_the_last_good_one_goes_on(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices)
    editor = await connect(folder)
    uri, other = ((folder / name).as_uri() for name in ("a.md", "b.md"))
    editor.open(uri, OFF_BRAND)
    assert await count(editor, uri) == 1
    project(folder, example_voices, more="gate = 7\n")
    for _ in range(3):
        editor.tell_changed(folder / "onbrand.toml")
        assert await count(editor, uri) == 1
    editor.open(other, OFF_BRAND)
    assert await count(editor, other) == 1
    await eventually(lambda: bool(editor.shown()))
    (shown,) = editor.shown()
    assert f"{folder / 'onbrand.toml'}:4: " in shown
    assert "a number from 0 to 1" in shown
    project(folder, example_voices)
    editor.tell_changed(folder / "onbrand.toml")
    assert await count(editor, uri) == 1
    project(folder, example_voices, more="gate = 7\n")
    refreshed = editor.diagnostic_refresh_count
    editor.tell_changed(folder / "onbrand.toml")
    await eventually(lambda: editor.diagnostic_refresh_count > refreshed)
    await count(editor, uri)
    assert editor.shown() == [shown, shown]


async def test_a_configuration_broken_from_the_start_is_told_once(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices, more="brnad = 1\n")
    editor = await connect(folder)
    for n in range(3):
        uri = (folder / f"{n}.md").as_uri()
        editor.open(uri, OFF_BRAND)
        assert await count(editor, uri) == 0
    (shown,) = editor.shown()
    assert 'did you mean "brand"?' in shown
    project(folder, example_voices)
    editor.tell_changed(folder / "onbrand.toml")
    await eventually(lambda: editor.diagnostic_refresh_count > 0)
    assert await count(editor, uri) == 1


async def test_missing_voices_are_told_once_and_found_when_they_come(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    voices = tmp_path / "later"
    folder = project(tmp_path / "project", voices)
    editor = await connect(folder, watches=False)
    uri = (folder / "a.md").as_uri()
    editor.open(uri, OFF_BRAND)
    assert await count(editor, uri) == 0
    assert len(editor.shown()) == 1
    assert str(voices) in editor.shown()[0]
    shutil.copytree(example_voices, voices)

    async def found() -> bool:
        return await count(editor, uri) == 1

    await eventually(found)
    assert len(editor.shown()) == 1


async def test_another_encoder_is_refused_and_the_old_one_goes_on(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    bundle = tmp_path / "encoder"
    shutil.copytree(default_bundle(), bundle)
    folder = project(tmp_path / "project", example_voices, more=f'encoder = "{bundle}"\n')
    editor = await connect(folder, options=AT_ONCE)
    uri = (folder / "a.md").as_uri()
    editor.open(uri, OFF_BRAND)
    assert await count(editor, uri) == 1
    manifest = (bundle / "encoder.json").read_text()
    (bundle / "encoder.json").write_text(manifest.replace('"max_tokens":', '"max_tokns":'))
    editor.tell_changed(bundle / "encoder.json")
    await eventually(lambda: bool(editor.shown()))
    assert str(bundle / "encoder.json") in editor.shown()[0]
    editor.replace(uri, f"{OFF_BRAND} {OFF_BRAND}", 2)
    assert await count(editor, uri) == 2


async def test_editor_settings_come_and_change(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = tmp_path
    shutil.copytree(example_voices, folder / "voices-here")
    settings = {"": {"voices": ["voices-here"], "brand": "oatfolk", "gate": 12}}
    editor = await connect(folder, settings=settings)
    uri = (folder / "a.md").as_uri()
    editor.open(uri, OFF_BRAND)
    report = await editor.pull(uri)
    assert [one.severity for one in report.items] == [2]
    assert editor.shown() == [
        "the editor setting onbrand.gate must be a number from 0 to 1; it is ignored"
    ]
    await eventually(lambda: "onbrand.configuration" in editor.registered)
    editor.set_configuration({**settings[""], "gate": None, "severity": "hint"}, section="onbrand")
    editor.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
    await eventually(lambda: editor.diagnostic_refresh_count > 0)
    report = await editor.pull(uri, report.result_id)
    assert [one.severity for one in report.items] == [4]
