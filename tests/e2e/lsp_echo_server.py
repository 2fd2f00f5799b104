"""A server on our transport whose features do nothing but show what the protocol makes of them.

python lsp_echo_server.py [--tcp PORT]
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from typing import Any

from lsprotocol import types

from onbrand.errors import OnbrandError
from onbrand_lsp.rpc.jsonrpc import JsonRpcError
from onbrand_lsp.rpc.protocol import LanguageServer
from onbrand_lsp.rpc.startup import serve
from onbrand_lsp.rpc.stdio import standard_streams, start_logging, tcp_client


def build(_params: dict[str, object]) -> LanguageServer:
    server = LanguageServer()
    for add in (add_documents, add_failures, add_work, add_talk):
        add(server)
    return server


def add_documents(server: LanguageServer) -> None:
    @server.feature("onbrand/document")
    def text(ls: LanguageServer, params: Any) -> object:
        snapshot = ls.documents.get(params["uri"])
        return snapshot and {"text": snapshot.text, "version": snapshot.version}

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(ls: LanguageServer, params: types.HoverParams) -> types.Hover | None:
        snapshot = ls.documents.get(params.text_document.uri)
        if snapshot is None:
            return None
        line, column = params.position.line, params.position.character
        at = snapshot.lines.offset(line, column, ls.documents.encoding)
        return types.Hover(types.MarkupContent(types.MarkupKind.PlainText, str(at)))

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(ls: LanguageServer, params: types.DidCloseTextDocumentParams) -> None:
        ls.notify("onbrand/closed", {"uri": params.text_document.uri})


def add_failures(server: LanguageServer) -> None:
    @server.feature("onbrand/fail")
    def fail(ls: LanguageServer, params: Any) -> None:
        kinds = {
            "onbrand": OnbrandError("no voices; train some"),
            "rpc": JsonRpcError("newer text", -32802, {"retriggerRequest": True}),
            "bug": ValueError(params["text"]),
        }
        raise kinds[params["kind"]]

    @server.feature("onbrand/failLater")
    async def fail_later(ls: LanguageServer, params: Any) -> None:
        await asyncio.sleep(0)
        raise ValueError(params["text"])

    @server.feature("onbrand/unwritable")
    def unwritable(ls: LanguageServer, params: Any) -> object:
        return {"text": {params["text"]}}


def add_work(server: LanguageServer) -> None:
    @server.feature("onbrand/wait")
    async def wait(ls: LanguageServer, params: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ls.notify("onbrand/stopped", {"why": "cancelled"})

    @server.feature("onbrand/work")
    async def work(ls: LanguageServer, params: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(None, time.sleep, 3600)

    @server.feature("onbrand/flood")
    def flood(ls: LanguageServer, params: Any) -> int:
        for number in range(params["count"]):
            ls.notify("onbrand/wave", {"number": number, "fill": "x" * params["size"]})
        return params["count"]

    @server.feature("onbrand/counts")
    def counts(ls: LanguageServer, params: Any) -> object:
        return {"kept": len(ls._requests) + len(ls._asked)}


def add_talk(server: LanguageServer) -> None:
    @server.feature("onbrand/print")
    def print_(ls: LanguageServer, params: Any) -> None:
        print("printed by mistake", flush=True)

    @server.feature("onbrand/ask")
    async def ask(ls: LanguageServer, params: Any) -> object:
        item = types.ConfigurationItem(section="onbrand")
        wanted = types.ConfigurationParams([item])
        try:
            return await ls.request(types.WORKSPACE_CONFIGURATION, wanted)
        except JsonRpcError as error:
            return {"code": error.code}

    @server.command("onbrand.label")
    async def label(ls: LanguageServer, arguments: dict) -> object:
        await asyncio.sleep(0)
        return arguments


if __name__ == "__main__":
    log = start_logging("warning")
    if sys.argv[1:2] == ["--tcp"]:
        told = lambda host, port: print(f"on {host}:{port}", file=sys.stderr, flush=True)  # noqa: E731
        connection = tcp_client("127.0.0.1", int(sys.argv[2]), told)
    else:
        connection = standard_streams()
    code = serve(connection, build=build)
    log.close(1)
    assert threading.current_thread() is threading.main_thread()
    os._exit(code)
