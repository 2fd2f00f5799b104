"""The commands, in editors that show results and in those that do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from lsp_session import (
    OFF_BRAND,
    ON_BRAND,
    Connector,
    Editor,
    connect,
    eventually,
    project,
)
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from onbrand import Scorer
from onbrand.labels.store import LabelStore

pytestmark = pytest.mark.asyncio
__all__ = ["connect"]
SHOWS = {"clientCommands": True}
LINE = "Dear carton, stop slouching at me."
"""Like a line that the voice of oatfolk was trained on."""
TEXT = f"{ON_BRAND}\n\n{OFF_BRAND}\n"


async def start(
    connect: Connector, folder: Path, voices: Path, options: dict[str, Any] | None = None
) -> tuple[Editor, str]:
    project(folder, voices, more='labels_db = "labels.db"\n')
    editor = await connect(folder, options=options)
    uri = (folder / "a.md").as_uri()
    editor.open(uri, TEXT)
    await editor.pull(uri)
    return editor, uri


async def finding(editor: Editor, uri: str) -> types.Diagnostic | None:
    report = await editor.pull(uri)
    return next((one for one in report.items if one.code == "off-brand"), None)


async def no_finding(editor: Editor, uri: str) -> None:
    """Wait until the sentence is not flagged: a store that is slow to read counts a check later."""

    async def gone() -> bool:
        return await finding(editor, uri) is None

    await eventually(gone)


def as_json(place: types.Range) -> dict[str, Any]:
    return {
        name: {"line": at.line, "character": at.character}
        for name, at in (("start", place.start), ("end", place.end))
    }


async def test_a_label_is_written_and_bites(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    editor, uri = await start(connect, tmp_path, example_voices, SHOWS)
    assert not (tmp_path / "labels.db").exists()  # reading makes no store
    one = await finding(editor, uri)
    assert one is not None
    about = {"uri": uri, "range": as_json(one.range), "version": 1}
    result = await editor.command("label", **about, brand="oatfolk", label="on")
    assert result == {"brand": "oatfolk", "label": "on", "store": str(tmp_path / "labels.db")}
    await no_finding(editor, uri)
    await eventually(lambda: editor.diagnostic_refresh_count > 0)
    with LabelStore.open(tmp_path / "labels.db", create=False) as store:
        (label,) = store.history()
    assert (label.text, label.brand, label.label) == (OFF_BRAND, "oatfolk", "on")
    assert (label.source, label.document) == ("editor", "a.md")
    assert label.author
    # It counts for that brand alone.
    await editor.command("chooseBrand", uri=uri, brand="quillpot")
    assert await finding(editor, uri) is not None
    await editor.command("chooseBrand", uri=uri, brand=None)
    await no_finding(editor, uri)
    # Marked as off-brand it is judged as ever.
    await editor.command("label", uri=uri, text=OFF_BRAND, brand="oatfolk", label="off")
    assert await finding(editor, uri) is not None
    assert editor.shown() == []


async def test_a_label_by_somebody_else_bites_too(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    from onbrand.labels.model import Label

    editor, uri = await start(connect, tmp_path, example_voices)
    assert await finding(editor, uri) is not None
    with LabelStore.open(tmp_path / "labels.db") as store:
        store.add([Label(OFF_BRAND, "oatfolk", "on", author="somebody")])
    await no_finding(editor, uri)


async def test_a_range_of_another_version_is_refused(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    editor, uri = await start(connect, tmp_path, example_voices)
    one = await finding(editor, uri)
    assert one is not None
    editor.replace(uri, ON_BRAND, 2)
    about = {"uri": uri, "range": as_json(one.range), "version": 1}
    with pytest.raises(JsonRpcException, match="has changed since"):
        await editor.command("label", **about, brand="oatfolk", label="on")
    assert not (tmp_path / "labels.db").exists()


async def test_a_brand_is_chosen_for_the_session(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    editor, uri = await start(connect, tmp_path, example_voices, {**SHOWS, "status": True})
    found = await editor.command("brands", uri=uri)
    assert (found["current"], found["source"]) == ("oatfolk", "configuration")
    names = {brand["name"] for brand in found["brands"]}
    assert names == {path.name for path in example_voices.iterdir()}
    assert all(0 <= brand["probability"] <= 1 for brand in found["brands"])
    await editor.command("checkAs", uri=uri, brand="varnholt-pumps")
    await eventually(lambda: editor.diagnostic_refresh_count > 0)
    assert "varnholt-pumps" in (await editor.pull(uri)).items[0].message
    found = await editor.command("brands", uri=uri)
    assert (found["current"], found["source"]) == ("varnholt-pumps", "chosen")
    editor.replace(uri, f"---\nbrand: quillpot\n---\n\n{TEXT}", 2)
    assert "varnholt-pumps" in (await editor.pull(uri)).items[0].message
    await editor.command("chooseBrand", uri=uri, brand=None)
    found = await editor.command("brands", uri=uri)
    assert (found["current"], found["source"]) == ("quillpot", "front matter")
    with pytest.raises(JsonRpcException, match="did you mean 'oatfolk'"):
        await editor.command("chooseBrand", uri=uri, brand="oatfok")
    await eventually(lambda: bool(editor.statuses) and editor.statuses[-1].brand == "quillpot")
    states = [one.state for one in editor.statuses if one.uri is None]
    assert states[-1] == "ready"


async def test_a_sentence_is_ignored_in_the_project(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    editor, uri = await start(connect, tmp_path, example_voices)
    one = await finding(editor, uri)
    assert one is not None
    result = await editor.command("ignoreInProject", uri=uri, range=as_json(one.range))
    assert result == {"file": str(tmp_path / "onbrand.toml")}
    assert OFF_BRAND in (tmp_path / "onbrand.toml").read_text()
    await no_finding(editor, uri)


async def test_the_verdict_is_told(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    editor, uri = await start(connect, tmp_path, example_voices)
    result = await editor.command("showVerdict", uri=uri)
    assert (result["uri"], result["version"], result["brand"]) == (uri, 1, "oatfolk")
    assert result["verdict"] in ("forward", "review")
    one = await finding(editor, uri)
    assert one is not None
    assert [sentence["range"] for sentence in result["sentences"]] == [as_json(one.range)]
    assert {other["brand"] for other in result["others"]} == {
        path.name for path in example_voices.iterdir()
    } - {"oatfolk"}
    # As another brand it is what a check as that brand says.
    scorer = Scorer.load(example_voices)
    for other in result["others"]:
        p = scorer.check(TEXT, brand=other["brand"], path="a.md").probability
        assert other["probability"] == pytest.approx(p, abs=1e-4)
    # An editor without a panel gets it as a document, which is gone when the server is.
    await eventually(lambda: bool(editor.shown_documents))
    document = Path(unquote(urlsplit(editor.shown_documents[0].uri).path))
    assert "Worst sentences" in document.read_text()
    assert document.parent.stat().st_mode & 0o077 == 0


async def test_examples_profile_and_configuration(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    editor, uri = await start(connect, tmp_path, example_voices, SHOWS)
    one = await finding(editor, uri)
    assert one is not None
    examples = await editor.command("showExamples", uri=uri, range=as_json(one.range))
    assert examples["brand"] == "oatfolk"
    assert examples["message"].endswith("keeps no line that is near this sentence.")
    near = await editor.command("showExamples", uri=uri, text=LINE, brand="oatfolk")
    assert near["examples"]
    assert all(example["text"] in near["message"] for example in near["examples"])
    profile = await editor.command("profile", uri=uri, brand="quillpot")
    assert profile["brand"] == "quillpot"
    found = await editor.command("showConfiguration", uri=uri)
    settings = {setting["key"]: setting for setting in found["settings"]}
    assert settings["brand"]["value"] == "oatfolk"
    assert settings["brand"]["file"] == str(tmp_path / "onbrand.toml")
    assert settings["brand"]["line"] == 3
    assert editor.shown() == []
    assert editor.shown_documents == []


async def test_the_workspace_is_checked_and_read_anew(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    (tmp_path / "b.md").write_text(OFF_BRAND)
    editor, uri = await start(connect, tmp_path, example_voices)
    result = await editor.command("checkWorkspace")
    assert result["flagged"] == 1
    assert [draft["uri"] for draft in result["drafts"]] == [(tmp_path / "b.md").as_uri()]
    await eventually(lambda: bool(editor.shown_documents))
    document = Path(unquote(urlsplit(editor.shown_documents[0].uri).path))
    assert str(tmp_path / "b.md") in document.read_text()
    result = await editor.command("restart")
    assert result["brands"] == sorted(path.name for path in example_voices.iterdir())
    assert await finding(editor, uri) is not None


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("showVerdict", [], "uri"),
        ("showVerdict", [{}], "uri"),
        ("showVerdict", [{"uri": 7}], "uri"),
        ("showVerdict", [{"uri": "a"}, {}], "one object"),
        ("showVerdict", [{"uri": "file:///nowhere.md"}], "not open"),
        ("label", [{"uri": "a", "label": "maybe"}], "label"),
        ("chooseBrand", [{"uri": "a"}], "brand"),
        ("nonsense", [{}], "no such command"),
    ],
)
async def test_wrong_arguments_are_refused_in_a_line(
    connect: Connector, tmp_path: Path, name: str, arguments: list[Any], said: str
) -> None:
    editor = await connect(tmp_path)
    with pytest.raises(JsonRpcException) as caught:
        await editor.workspace_execute_command_async(
            types.ExecuteCommandParams(f"onbrand.{name}", arguments)
        )
    assert caught.value.code == types.ErrorCodes.InvalidParams.value
    assert said in caught.value.message
    assert "\n" not in caught.value.message
