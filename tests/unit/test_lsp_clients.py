"""What clients do differently: settings, URIs, documents that are none of ours, no set-up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from test_lsp_publishing import OFF_BRAND, Wire

pytestmark = pytest.mark.asyncio
Start = Callable[..., Wire]
THREE = f"{OFF_BRAND} Hello. Do sit down. Not there, that's where the carton goes."


@pytest_asyncio.fixture
async def start() -> AsyncIterator[Start]:
    """Starts servers without a process for a folder, and ends them."""
    wires: list[Wire] = []

    def made(folder: Path, **params: Any) -> Wire:
        wires.append(Wire(folder, **{"capabilities": {}, **params}))
        wires[-1].notify("initialized")
        return wires[-1]

    yield made
    for wire in wires:
        wire.server.close()
        await asyncio.gather(*wire.server._tasks, return_exceptions=True)


def configure(folder: Path, voices: Path, brand: str | None = "oatfolk") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    said = f'brand = "{brand}"\n' if brand else ""
    (folder / "onbrand.toml").write_text(f'root = true\nvoices = ["{voices.as_posix()}"]\n{said}')
    return folder


def open_as(wire: Wire, uri: str, language: str = "markdown", text: str = OFF_BRAND) -> None:
    item = {"uri": uri, "languageId": language, "version": 1, "text": text}
    wire.notify("textDocument/didOpen", textDocument=item)


async def found(wire: Wire, uri: str) -> list[Any]:
    """Wait for the diagnostics of a document, and return the last."""

    def there() -> list[Any]:
        return [one["diagnostics"] for one in wire.pushed() if one["uri"] == uri]

    await wire.until(lambda: bool(there()))
    return list(there()[-1])


async def command(wire: Wire, name: str, **arguments: Any) -> Any:
    asked = {"command": f"onbrand.{name}", "arguments": [arguments]}
    return (await wire.ask("workspace/executeCommand", **asked))["result"]


def logged(wire: Wire) -> list[str]:
    sent = [one["params"] for one in wire.sent if one.get("method") == "window/logMessage"]
    return [params["message"] for params in sent]


def shown(wire: Wire) -> list[str]:
    sent = [one["params"] for one in wire.sent if one.get("method") == "window/showMessage"]
    return [params["message"] for params in sent]


@pytest.mark.parametrize(
    ("uri", "language"),
    [
        ("file:///drafts/notes.textile", "textile"),
        ("file:///drafts/.git/COMMIT_EDITMSG", "git-commit"),
        ("file:///drafts/package.json", "json"),
        ("git:/drafts/a.md?%7B%7D", "markdown"),
        ("vscode-notebook-cell:/n.ipynb#W0", "markdown"),
    ],
)
async def test_what_is_no_draft_gets_nothing(
    start: Start, tmp_path: Path, example_voices: Path, uri: str, language: str
) -> None:
    wire = start(configure(tmp_path, example_voices))
    open_as(wire, uri, language)
    open_as(wire, "untitled:Untitled-1")
    assert await found(wire, "untitled:Untitled-1")
    assert await found(wire, uri) == []
    place = {"line": 0, "character": 3}
    document = {"uri": uri}
    span = {"start": place, "end": place}
    hover = await wire.ask("textDocument/hover", textDocument=document, position=place)
    lenses = await wire.ask("textDocument/codeLens", textDocument=document)
    actions = await wire.ask(
        "textDocument/codeAction", textDocument=document, range=span, context={"diagnostics": []}
    )
    assert hover["result"] is None
    assert (lenses["result"], actions["result"]) == ([], [])
    assert shown(wire) == []
    reason = (await command(wire, "showConfiguration", uri=uri))["reason"]
    assert reason.startswith("it")


async def test_a_folder_that_nobody_set_up_is_told_once_and_offered_once(
    start: Start, tmp_path: Path
) -> None:
    wire = start(tmp_path)
    uris = [wire.open(name) for name in ("a.md", "b.md")]
    for uri in uris:
        assert await found(wire, uri) == []
    assert shown(wire) == []
    (line,) = logged(wire)
    assert str(tmp_path) in line
    assert "no onbrand.toml and no voices" in line
    offers = []
    for uri in uris:
        lenses = await wire.ask("textDocument/codeLens", textDocument={"uri": uri})
        offers += [lens["command"] for lens in lenses["result"]]
    (offer,) = offers
    assert offer["title"] == "Set up onbrand…"
    answer = await wire.ask("workspace/executeCommand", **_call(offer))
    assert "onbrand train" in answer["result"]["setUp"]
    assert str(tmp_path / "onbrand.toml") in shown(wire)[-1]
    assert "no onbrand.toml" in shown(wire)[-1]


async def test_the_offer_goes_when_it_was_taken(
    start: Start, tmp_path: Path, example_voices: Path
) -> None:
    wire = start(tmp_path)
    uri = wire.open("a.md")
    assert await found(wire, uri) == []
    configure(tmp_path, example_voices)
    wire.notify(
        "workspace/didChangeWatchedFiles",
        changes=[{"uri": (tmp_path / "onbrand.toml").as_uri(), "type": 1}],
    )
    await wire.until(lambda: bool(wire.pushed()[-1]["diagnostics"]))
    lenses = await wire.ask("textDocument/codeLens", textDocument={"uri": uri})
    commands = {lens["command"]["command"] for lens in lenses["result"]}
    assert commands == {"onbrand.showVerdict"}
    assert (await command(wire, "showConfiguration", uri=uri))["setUp"] is None
    assert len(logged(wire)) == 1


async def test_where_the_status_is_shown_it_has_the_offer(start: Start, tmp_path: Path) -> None:
    wire = start(tmp_path, initializationOptions={"status": True})
    uri = wire.open("a.md")
    await found(wire, uri)
    lenses = await wire.ask("textDocument/codeLens", textDocument={"uri": uri})
    assert lenses["result"] == []
    statuses = [one["params"] for one in wire.sent if one.get("method") == "onbrand/status"]
    (status,) = [status for status in statuses if status["uri"] == uri]
    assert (status["state"], status["setUp"]) == ("silent", True)
    assert "no onbrand.toml" in status["message"]


def _call(offer: dict[str, Any]) -> dict[str, Any]:
    return {"command": offer["command"], "arguments": offer["arguments"]}


async def test_pushed_findings_of_files_are_taken_back(
    start: Start, tmp_path: Path, example_voices: Path
) -> None:
    wire = start(configure(tmp_path, example_voices))
    names = ("deleted.md", "repaired.md", "worse.md", "opened.md", "linked.md")
    files = [tmp_path / name for name in names]
    for file in files:
        file.write_text(OFF_BRAND)
    deleted, repaired, worse, opened, linked = files
    await command(wire, "checkWorkspace")
    for file in files:
        assert len(await found(wire, file.as_uri())) == 1

    # Nobody asks for another check: the files have changed.
    deleted.unlink()
    repaired.write_text("Hello. Do sit down.")
    worse.write_text(f"{OFF_BRAND}\n\n{OFF_BRAND}")
    pushes = len(wire.pushed())
    changes = [{"uri": file.as_uri(), "type": 2} for file in (deleted, repaired, worse)]
    wire.notify("workspace/didChangeWatchedFiles", changes=changes)
    await wire.until(lambda: len(wire.pushed()) == pushes + 3)
    counts = {one["uri"]: len(one["diagnostics"]) for one in wire.pushed()[pushes:]}
    assert counts == {deleted.as_uri(): 0, repaired.as_uri(): 0, worse.as_uri(): 2}

    # What is open is the publisher's, and gone when it is closed.
    wire.open("opened.md", text="Hello. Do sit down.")
    wire.close(opened.as_uri())
    await wire.until(lambda: wire.pushed()[-1] == {"uri": opened.as_uri(), "diagnostics": []})
    (tmp_path / "link").symlink_to(tmp_path)
    by_link = (tmp_path / "link" / "linked.md").as_uri()
    open_as(wire, by_link)
    assert len(await found(wire, by_link)) == 1
    assert await found(wire, linked.as_uri()) == []

    # Another voice finds something else, in what is shown and in that alone.
    pushes = len(wire.pushed())
    configure(tmp_path, example_voices, "quillpot")
    wire.notify(
        "workspace/didChangeWatchedFiles",
        changes=[{"uri": (tmp_path / "onbrand.toml").as_uri(), "type": 2}],
    )
    await wire.until(lambda: worse.as_uri() in {one["uri"] for one in wire.pushed()[pushes:]})
    assert deleted.as_uri() not in {one["uri"] for one in wire.pushed()[pushes:]}


async def test_drafts_are_watched_for_those_that_are_pushed_to(
    start: Start, tmp_path: Path
) -> None:
    able = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
    wire = start(tmp_path, capabilities=able)
    sent = [one for one in wire.sent if one.get("method") == "client/registerCapability"]
    globs = [
        watcher["globPattern"]
        for one in sent
        for registration in one["params"]["registrations"]
        for watcher in registration["registerOptions"]["watchers"]
    ]
    assert any(".md" in glob for glob in globs)


@pytest.mark.parametrize(
    ("how", "settings"),
    [
        ("sent", {"brand": "oatfolk"}),
        ("sent", {"onbrand": {"brand": "oatfolk"}}),
        ("sent", {"onbrand.brand": "oatfolk", "editor.fontSize": 12}),
        ("sent", {"onbrand": {"brand": "quillpot"}, "onbrand.brand": "oatfolk"}),
        ("options", {"brand": "oatfolk"}),
        ("options", {"onbrand": {"onbrand.brand": "oatfolk"}}),
        ("bare options", {"onbrand": {"brand": "oatfolk"}}),
        ("bare options", {"onbrand.brand": "oatfolk", "status": False}),
    ],
)
async def test_settings_may_be_flat_or_nested(
    start: Start, tmp_path: Path, example_voices: Path, settings: dict[str, Any], how: str
) -> None:
    configure(tmp_path, example_voices, None)
    options = {"options": {"settings": settings}, "bare options": settings, "sent": {}}[how]
    wire = start(tmp_path, initializationOptions=options)
    if how == "sent":
        wire.notify("workspace/didChangeConfiguration", settings=settings)
    wire.notify("workspace/didChangeConfiguration", settings={})  # eglot's; takes nothing back
    wire.notify("workspace/didChangeConfiguration", settings={"python": {"brand": "x"}})
    uri = wire.open("a.md")
    await found(wire, uri)
    brands = await command(wire, "brands", uri=uri)
    assert (brands["current"], brands["source"]) == ("oatfolk", "editor")
    wire.notify("workspace/didChangeConfiguration", settings={"onbrand": {}})
    assert (await command(wire, "brands", uri=uri))["current"] is None


async def test_settings_that_are_no_object_are_told(
    start: Start, tmp_path: Path, example_voices: Path
) -> None:
    wire = start(configure(tmp_path, example_voices))
    wire.notify("workspace/didChangeConfiguration", settings={"onbrand": "oatfolk"})
    assert shown(wire) == ["the editor's settings onbrand must be an object; they are ignored"]


async def test_one_document_has_many_spellings(
    start: Start, tmp_path: Path, example_voices: Path
) -> None:
    wire = start(configure(tmp_path, example_voices))
    uri = wire.open("my draft.md")
    assert "my%20draft" in uri
    assert len(await found(wire, uri)) == 1
    spelt = uri.replace("file://", "file://localhost").replace("%20draft", "%20%64raft")
    wire.change(spelt, "Hello. Do sit down.", 2)
    wire.clock.advance(1)
    await wire.until(lambda: wire.pushed()[-1]["diagnostics"] == [])
    place = {"line": 0, "character": 10}
    hover = await wire.ask("textDocument/hover", textDocument={"uri": spelt}, position=place)
    assert hover["result"] is not None
    wire.close(spelt)
    await wire.until(lambda: not wire.server.publisher._pushes)
    assert {one["uri"] for one in wire.pushed()} == {uri}
    assert len(wire.server.documents) == 0
    assert not wire.server.publisher._edited


@pytest.mark.parametrize("by_link", ["root", "document", "draft"])
async def test_links_lead_to_the_project(
    start: Start, tmp_path: Path, example_voices: Path, by_link: str
) -> None:
    real, link = configure(tmp_path / "real", example_voices), tmp_path / "link"
    (real / "drafts").mkdir()
    (real / "drafts" / "a.md").write_text(OFF_BRAND)
    link.symlink_to(real / "drafts" if by_link == "draft" else real)
    folder = link if by_link in ("root", "draft") else real
    inside = {"root": real / "drafts", "document": link / "drafts", "draft": link}[by_link]
    wire = start(folder)
    uri = (inside / "a.md").as_uri()
    open_as(wire, uri)
    assert len(await found(wire, uri)) == 1
    # The open document is the file: it is not found a second time under its other name.
    checked = await command(wire, "checkWorkspace")
    assert [draft["uri"] for draft in checked["drafts"]] == [uri]
    assert {one["uri"] for one in wire.pushed()} == {uri}


async def test_methods_that_nobody_offered_are_logged_once(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wire = start(tmp_path)
    uri = (tmp_path / "a.md").as_uri()
    with caplog.at_level("INFO"):
        for _ in range(3):  # as Kate, at every move of the cursor
            for method in ("documentHighlight", "semanticTokens/full"):
                answer = await wire.ask(f"textDocument/{method}", textDocument={"uri": uri})
                assert answer["error"]["code"] == -32601
            wire.notify("$/setTrace", value="off")
            wire.notify("workspace/didFrobnicate")
    assert caplog.messages == [
        "textDocument/documentHighlight refused: no such method",
        "textDocument/semanticTokens/full refused: no such method",
        "workspace/didFrobnicate is not supported; ignored",
    ]
