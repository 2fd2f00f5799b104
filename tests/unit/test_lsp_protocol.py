"""The protocol in this process, with a client that only listens. What clients say wrongly is in
tests/e2e/test_lsp_hostile.py."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from lsprotocol import types

from onbrand.errors import Cancelled
from onbrand_lsp.rpc import startup
from onbrand_lsp.rpc.protocol import LanguageServer
from onbrand_lsp.rpc.stdio import Connection, InvalidMessage, frame, read_messages

URI = "file:///a.md"


class Listener:
    """The client's end: what it was sent."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def send(self, message: object, default: Callable[[Any], Any] | None = None) -> None:
        self.heard += read_messages(io.BytesIO(frame(message, default)))


def started(server: LanguageServer, **params: object) -> Listener:
    listener = Listener()
    server.begin(listener, {"capabilities": {}, **params}, end=lambda: None)
    return listener


def notice(method: str, **params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def request(number: int, method: str, **params: object) -> dict[str, object]:
    return {**notice(method, **params), "id": number}


def open_(text: str = "text") -> dict[str, object]:
    item = {"uri": URI, "languageId": "markdown", "version": 1, "text": text}
    return notice("textDocument/didOpen", textDocument=item)


@pytest.fixture
def server() -> LanguageServer:
    return LanguageServer()


def test_it_goes_on_where_initialize_was_answered(server: LanguageServer) -> None:
    started(
        server,
        capabilities={"general": {"positionEncodings": ["utf-8"]}, "textDocument": {"hover": 7}},
        workspaceFolders=[{"uri": "file:///one", "name": "one"}, {"uri": "file:///two"}],
        initializationOptions={"status": True},
    )
    assert server.documents.encoding == server.client.encoding == "utf-8"
    assert server.client.status is True


def test_features_hear_of_documents_when_the_store_has_them(server: LanguageServer) -> None:
    seen: list[Any] = []

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(ls: LanguageServer, params: types.DidOpenTextDocumentParams) -> None:
        seen.append(ls.documents.get(params.text_document.uri).text)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(ls: LanguageServer, params: types.DidChangeTextDocumentParams) -> None:
        seen.append(ls.documents.get(params.text_document.uri).text)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(ls: LanguageServer, params: types.DidCloseTextDocumentParams) -> None:
        seen.append(ls.documents.get(params.text_document.uri))

    started(server)
    document = {"uri": URI, "version": 2}
    change = notice(
        "textDocument/didChange", textDocument=document, contentChanges=[{"text": "new"}]
    )
    close = notice("textDocument/didClose", textDocument={"uri": URI})
    for message in (change, open_("old"), change, close, change):
        server.receive(message)
    assert seen == ["old", "new", None]


def run(server: LanguageServer, work: Callable[[Listener], Awaitable[None]]) -> Listener:
    async def main() -> None:
        nonlocal listener
        listener = started(server)
        await work(listener)

    listener = Listener()
    asyncio.run(main())
    return listener


async def settings_ready(server: LanguageServer) -> None:
    while server._requests or server._notification_tasks:
        await asyncio.sleep(0)


def test_a_command_may_be_a_coroutine_that_is_cancelled(server: LanguageServer) -> None:
    cancelled = []

    @server.command("onbrand.wait")
    async def wait(ls: LanguageServer, seconds: int) -> int:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            cancelled.append(seconds)
            raise
        return seconds

    async def work(_listener: Listener) -> None:
        for number, seconds in ((1, 0), (2, 3600)):
            params = {"command": "onbrand.wait", "arguments": [seconds]}
            server.receive(request(number, "workspace/executeCommand", **params))
        await asyncio.sleep(0)
        server.receive(notice("$/cancelRequest", id=2))
        await settings_ready(server)

    first, second = run(server, work).heard
    assert (first["id"], first["result"]) == (1, 0)
    assert (second["id"], second["error"]["code"]) == (2, -32800)
    assert cancelled == [3600]


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_what_is_cancelled_before_it_began_never_begins(server: LanguageServer) -> None:
    begun = []

    @server.command("onbrand.begin")
    async def begin(ls: LanguageServer) -> None:
        begun.append(True)

    async def work(_listener: Listener) -> None:
        server.receive(request(1, "workspace/executeCommand", command="onbrand.begin"))
        server.receive(notice("$/cancelRequest", id=1))
        await settings_ready(server)

    (answer,) = run(server, work).heard
    assert answer["error"]["code"] == -32800
    assert begun == []


def test_a_check_that_was_called_off_is_no_failure(
    server: LanguageServer, caplog: pytest.LogCaptureFixture
) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(ls: LanguageServer, params: types.HoverParams) -> None:
        raise Cancelled

    async def work(_listener: Listener) -> None:
        place = {"line": 0, "character": 0}
        hover = request(1, "textDocument/hover", textDocument={"uri": URI}, position=place)
        server.receive(hover)
        await settings_ready(server)

    (answer,) = run(server, work).heard
    assert answer["error"] == {"code": -32800, "message": "cancelled"}
    assert caplog.records == []


def test_shutdown_cancels_what_runs_and_the_feature_hears_of_it(server: LanguageServer) -> None:
    heard = []

    @server.feature(types.SHUTDOWN)
    async def shutdown(ls: LanguageServer, _params: None) -> None:
        heard.append(ls.exit_code)

    @server.feature("test/wait")
    async def wait(ls: LanguageServer, _params: object) -> None:
        await asyncio.sleep(3600)

    async def work(_listener: Listener) -> None:
        assert server.exit_code == 1
        server.receive(request(1, "test/wait"))
        await asyncio.sleep(0)
        server.receive({"jsonrpc": "2.0", "id": 2, "method": "shutdown"})
        await settings_ready(server)

    answers = {answer["id"]: answer for answer in run(server, work).heard}
    assert answers[1]["error"]["code"] == -32800
    assert answers[2] == {"jsonrpc": "2.0", "id": 2, "result": None}
    assert heard == [0]


def test_two_requests_of_one_id_are_both_answered(server: LanguageServer) -> None:
    @server.feature("test/echo")
    async def echo(ls: LanguageServer, params: Any) -> object:
        await asyncio.sleep(0)
        return params["x"]

    async def work(_listener: Listener) -> None:
        server.receive(request(7, "test/echo", x="a"))
        server.receive(request(7, "test/echo", x="b"))
        while len(_listener.heard) < 2:
            await asyncio.sleep(0)
        assert server._requests == {}

    assert sorted(answer["result"] for answer in run(server, work).heard) == ["a", "b"]


def test_requests_to_the_client_that_nobody_waits_for_any_more(server: LanguageServer) -> None:
    async def work(listener: Listener) -> None:
        asking = asyncio.ensure_future(
            server.request(types.WORKSPACE_CONFIGURATION, types.ConfigurationParams([]))
        )
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        number = listener.heard[0]["id"]
        server.receive({"jsonrpc": "2.0", "id": number, "result": []})
        assert server._asked == {}

    assert len(run(server, work).heard) == 1


def test_malformed_messages_are_answered_without_an_id(server: LanguageServer) -> None:
    listener = started(server)
    server.receive(InvalidMessage(-32700, "the message is not JSON"))
    error = {"code": -32700, "message": "the message is not JSON"}
    assert listener.heard == [{"jsonrpc": "2.0", "id": None, "error": error}]


@pytest.mark.filterwarnings("error")
def test_serving_in_this_process_leaves_nothing_running(server: LanguageServer) -> None:
    stopped = []

    @server.feature("test/wait")
    async def wait(ls: LanguageServer, _params: object) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.append(True)

    said = [
        request(1, "initialize", capabilities={}),
        request(2, "test/wait"),
        {"jsonrpc": "2.0", "id": 3, "method": "shutdown"},
        {"jsonrpc": "2.0", "method": "exit"},
    ]
    target = io.BytesIO()
    connection = Connection(io.BytesIO(b"".join(map(frame, said))), target)
    assert startup.serve(connection, build=lambda _params: server) == 0
    answers = {answer["id"]: answer for answer in read_messages(io.BytesIO(target.getvalue()))}
    assert answers[1]["result"]["serverInfo"]["name"] == "onbrand"
    assert answers[2]["error"]["code"] == -32800
    assert answers[3]["result"] is None
