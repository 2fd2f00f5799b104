"""Diagnostics on their way out, in a server without a process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsp_clock import HandClock

from onbrand_lsp.handlers import build_server
from onbrand_lsp.models import begin
from onbrand_lsp.server import OnbrandServer

pytestmark = pytest.mark.asyncio
OFF_BRAND = "Our stakeholders leverage synergies to drive scalable, best-in-class outcomes."
ABLE = {
    "workspace": {
        "diagnostics": {"refreshSupport": True},
        "codeLens": {"refreshSupport": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True, "relativePatternSupport": True},
    }
}


class Wire:
    """Takes what the server sends, and hands it what a client would."""

    def __init__(self, folder: Path, **params: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        given = {"rootUri": folder.as_uri(), **params}
        self.server: OnbrandServer = build_server(begin(given))
        self.server.begin(self, given, lambda: None)  # type: ignore[arg-type]
        self.folder = folder
        self._ids = 0
        self.clock = HandClock()
        publisher = self.server.publisher
        publisher._clock = publisher._pause._clock = lambda: self.clock

    def send(self, message: Any, default: Callable[[Any], Any] | None = None) -> None:
        self.sent.append(json.loads(json.dumps(message, default=default)))

    def notify(self, method: str, **params: Any) -> None:
        self.server.receive({"jsonrpc": "2.0", "method": method, "params": params})

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._ids += 1
        request = {"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params}
        self.server.receive(request)
        await self.until(lambda: bool(self._answers()))
        return self._answers()[0]

    def _answers(self) -> list[dict[str, Any]]:
        return [one for one in self.sent if one.get("id") == self._ids and "method" not in one]

    def methods(self) -> list[str]:
        return [message["method"] for message in self.sent if "method" in message]

    def pushed(self) -> list[dict[str, Any]]:
        method = "textDocument/publishDiagnostics"
        return [message["params"] for message in self.sent if message.get("method") == method]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.005)

    def open(self, name: str, text: str = OFF_BRAND, version: int = 1) -> str:
        uri = (self.folder / name).as_uri()
        item = {"uri": uri, "languageId": "markdown", "version": version, "text": text}
        self.notify("textDocument/didOpen", textDocument=item)
        return uri

    def change(self, uri: str, text: str, version: int) -> None:
        document = {"uri": uri, "version": version}
        changes = [{"text": text}]
        self.notify("textDocument/didChange", textDocument=document, contentChanges=changes)

    def save(self, uri: str, reason: int | None = None) -> None:
        document = {"uri": uri}
        if reason is not None:
            self.notify("textDocument/willSave", textDocument=document, reason=reason)
        self.notify("textDocument/didSave", textDocument=document)

    async def pull(self, uri: str) -> list[str]:
        """Return what is underlined, for a client that pulls."""
        answer = await self.ask("textDocument/diagnostic", textDocument={"uri": uri})
        return [one["code"] for one in answer["result"]["items"]]

    def close(self, uri: str) -> None:
        self.notify("textDocument/didClose", textDocument={"uri": uri})


@pytest_asyncio.fixture
async def wire(
    tmp_path: Path, example_voices: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Wire]:
    (tmp_path / "onbrand.toml").write_text(
        f'root = true\nvoices = ["{example_voices.as_posix()}"]\nbrand = "oatfolk"\n'
    )
    document = {"diagnostic": {}} if "pull" in request.node.name else {}
    document["publishDiagnostics"] = {"versionSupport": True}
    made = Wire(tmp_path, capabilities={**ABLE, "textDocument": document})
    made.notify("initialized")
    yield made
    made.server.close()
    await asyncio.gather(*made.server._tasks, return_exceptions=True)


async def test_reasons_to_look_again_are_told_to_those_who_pull_as_one(wire: Wire) -> None:
    for _ in range(10):
        wire.server.configuration_changed()
    refreshing = "workspace/diagnostic/refresh"
    await wire.until(lambda: refreshing in wire.methods())
    uri = wire.open("a.md")
    await wire.ask("textDocument/diagnostic", textDocument={"uri": uri})
    assert wire.methods().count(refreshing) == 1
    assert wire.methods().count("workspace/codeLens/refresh") == 1
    assert wire.pushed() == []


async def test_a_refresh_pushes_every_open_document_anew(wire: Wire) -> None:
    for name in ("a.md", "b.md"):
        wire.open(name)
    await wire.until(lambda: len(wire.pushed()) == 2)
    wire.server.configuration_changed()
    await wire.until(lambda: len(wire.pushed()) == 4)
    assert "workspace/diagnostic/refresh" not in wire.methods()
    assert {one["version"] for one in wire.pushed()} == {1}


async def test_the_version_is_left_out_for_clients_that_do_not_know_it(
    tmp_path: Path, example_voices: Path
) -> None:
    wire = Wire(tmp_path, capabilities={})
    wire.notify("initialized")
    wire.open("a.md")
    await wire.until(lambda: bool(wire.pushed()))
    assert "version" not in wire.pushed()[0]
    wire.server.close()
    await asyncio.gather(*wire.server._tasks, return_exceptions=True)


@pytest.mark.parametrize("closes", [False, True])
async def test_an_outdated_pull_says_whether_to_ask_again(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, closes: bool
) -> None:
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def settings_ready() -> None:
        under_way.set()
        await go_on.wait()

    monkeypatch.setattr(wire.server.publisher, "_settings_ready", settings_ready)
    uri = wire.open("a.md")
    asking = asyncio.ensure_future(wire.ask("textDocument/diagnostic", textDocument={"uri": uri}))
    await asyncio.wait_for(under_way.wait(), 60)
    if closes:
        wire.close(uri)
    else:
        wire.change(uri, OFF_BRAND * 2, 2)
        wire.clock.advance(0.2)
    go_on.set()
    answer = await asking
    assert answer["error"]["code"] == -32802
    assert answer["error"]["data"] == {"retriggerRequest": not closes}


async def test_nothing_is_kept_of_documents_that_were_closed(wire: Wire) -> None:
    for n in range(30):
        uri = wire.open(f"{n}.md")
        wire.change(uri, OFF_BRAND * 2, 2)
        wire.clock.advance(0.2)
        if n % 3:
            await wire.until(lambda uri=uri: _is_pushed(wire, uri, 2))  # type: ignore[misc]
        wire.close(uri)
    await wire.until(lambda: not wire.server._tasks)
    publisher = wire.server.publisher
    assert not publisher._edited
    assert not publisher._pushes
    assert not publisher._pause._drafts
    assert not wire.server._told
    assert len(wire.server.documents) == 0
    assert not wire.pushed()[-1]["diagnostics"]


def _is_pushed(wire: Wire, uri: str, version: int) -> bool:
    return any((one["uri"], one.get("version")) == (uri, version) for one in wire.pushed())


async def test_voices_in_use_are_watched_wherever_they_are(
    wire: Wire, example_voices: Path
) -> None:
    uri = wire.open("a.md")
    await wire.until(lambda: bool(wire.pushed()))

    def watched() -> list[Any]:
        found = []
        for message in wire.sent:
            if message.get("method") == "client/registerCapability":
                for one in message["params"]["registrations"]:
                    found += one["registerOptions"].get("watchers", [])
        return [watcher["globPattern"] for watcher in found]

    await wire.until(lambda: any(isinstance(glob, dict) for glob in watched()))
    assert {"baseUri": example_voices.as_uri(), "pattern": "**/*"} in watched()
    assert "**/onbrand.toml" in watched()
    wire.close(uri)


ON_BRAND = "Hello. Do sit down. Not there, that's where the carton goes."
REFRESH = "workspace/diagnostic/refresh"


async def settle(wire: Wire, uri: str, text: str, version: int) -> None:
    """Write a text, and let the debounce pass but not the pause."""
    wire.change(uri, text, version)
    wire.clock.advance(0.2)


async def test_those_who_pull_are_told_to_pull_again_after_the_pause(wire: Wire) -> None:
    uri = wire.open("a.md", ON_BRAND)
    assert await wire.pull(uri) == []
    await settle(wire, uri, f"{ON_BRAND} {OFF_BRAND}", 2)
    assert await wire.pull(uri) == []
    assert REFRESH not in wire.methods()
    wire.clock.advance(0.8)
    assert wire.methods().count(REFRESH) == 1
    assert await wire.pull(uri) == ["off-brand"]
    assert wire.pushed() == []


async def test_the_others_are_told_after_the_pause(wire: Wire) -> None:
    uri = wire.open("a.md", ON_BRAND)
    await wire.until(lambda: len(wire.pushed()) == 1)
    await settle(wire, uri, f"{ON_BRAND} {OFF_BRAND}", 2)
    await wire.until(lambda: len(wire.pushed()) == 2)
    assert wire.pushed()[-1]["diagnostics"] == []
    wire.clock.advance(0.8)
    await wire.until(lambda: len(wire.pushed()) == 3)
    assert len(wire.pushed()[-1]["diagnostics"]) == 1
    assert wire.pushed()[-1]["version"] == 2


async def test_saving_shows_what_waits_unless_the_editor_saves_by_itself(wire: Wire) -> None:
    uri = wire.open("a.md", ON_BRAND)
    unfinished = f"{ON_BRAND} {OFF_BRAND}".rstrip(".")
    await settle(wire, uri, unfinished, 2)
    await wire.until(lambda: bool(wire.pushed()) and wire.pushed()[-1]["version"] == 2)
    wire.clock.advance(30)
    wire.save(uri, reason=2)
    await asyncio.gather(*wire.server.publisher._pushes.values())
    assert wire.pushed()[-1]["diagnostics"] == []
    wire.save(uri, reason=1)
    await wire.until(lambda: len(wire.pushed()[-1]["diagnostics"]) == 1)


async def test_a_pull_client_that_cannot_be_refreshed_waits_for_the_pause(
    tmp_path: Path, example_voices: Path
) -> None:
    (tmp_path / "onbrand.toml").write_text(
        f'root = true\nvoices = ["{example_voices.as_posix()}"]\nbrand = "oatfolk"\n'
    )
    wire = Wire(tmp_path, capabilities={"textDocument": {"diagnostic": {}}})
    wire.notify("initialized")
    uri = wire.open("a.md", ON_BRAND)
    assert await wire.pull(uri) == []
    await settle(wire, uri, f"{ON_BRAND} {OFF_BRAND}", 2)
    asking = asyncio.ensure_future(wire.pull(uri))
    await wire.until(lambda: wire.server.publisher._pause.until(uri) is not None)
    assert not asking.done()
    wire.clock.advance(0.8)
    assert await asking == ["off-brand"]
    wire.server.close()
    await asyncio.gather(*wire.server._tasks, return_exceptions=True)


async def test_a_client_that_could_pull_and_never_does_is_told(wire: Wire) -> None:
    wire.open("a.md")
    wire.clock.advance(1.9)
    assert not wire.server.publisher.pushes
    wire.clock.advance(0.2)
    other = wire.open("b.md")
    await wire.until(lambda: len(wire.pushed()) == 2)
    assert all(len(one["diagnostics"]) == 1 for one in wire.pushed())
    wire.change(other, ON_BRAND, 2)
    wire.clock.advance(0.2)
    await wire.until(lambda: _is_pushed(wire, other, 2))
    wire.close(other)
    assert wire.pushed()[-1] == {"uri": other, "diagnostics": []}


async def test_the_first_pull_takes_back_what_was_pushed(wire: Wire) -> None:
    uri, other = wire.open("a.md"), wire.open("b.md", ON_BRAND)
    wire.clock.advance(3)
    await wire.until(lambda: len(wire.pushed()) == 2)
    assert await wire.pull(uri) == ["off-brand"]
    assert wire.pushed()[2:] == [{"uri": uri, "diagnostics": []}]
    wire.change(other, OFF_BRAND, 2)
    wire.clock.advance(30)
    assert await wire.pull(other) == ["off-brand"]
    assert not wire.server.publisher.pushes
    assert len(wire.pushed()) == 3


async def test_a_client_that_pulls_in_time_is_never_pushed_to(wire: Wire) -> None:
    uri = wire.open("a.md")
    wire.clock.advance(1)
    assert await wire.pull(uri) == ["off-brand"]
    wire.clock.advance(30)
    wire.open("b.md")
    wire.clock.advance(30)
    assert not wire.server.publisher.pushes
    assert wire.pushed() == []
