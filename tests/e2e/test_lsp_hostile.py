"""Clients that break the rules: answered by the protocol, one line in the log, and on it goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from lsp_client import ECHO, SECRET, URI, RawClient, assert_well, change, raw_client, text_of

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
both_ways = pytest.mark.parametrize("stranger", ["stdio", "tcp"], indirect=True)


@pytest.fixture
def stranger(request: pytest.FixtureRequest) -> Iterator[RawClient]:
    """A client that has not said a word yet."""
    with raw_client(ECHO, tcp=getattr(request, "param", "stdio") == "tcp") as client:
        yield client


@pytest.fixture
def client(stranger: RawClient) -> RawClient:
    stranger.initialize()
    return stranger


# Bytes that are no messages.


NOT_JSON = [
    b'{"jsonrpc": "2.0", "id": 1, "method": "' + SECRET.encode(),
    SECRET.encode(),
    b"\xff\xfe\x00",
    b"",
    b"[" * 200_000,
    b'{"id": ' + b"9" * 5000 + b"}",
]
NO_OBJECT = [b"[]", b'[{"jsonrpc": "2.0", "id": 1, "method": "x"}]', b"7", b"null", b'"x"']


@both_ways
def test_bodies_that_are_no_messages(client: RawClient) -> None:
    for body in NOT_JSON:
        client.send(body)
        assert client.answer(None)["error"]["code"] == PARSE_ERROR
    for body in NO_OBJECT:
        client.send(body)
        assert client.answer(None)["error"]["code"] == INVALID_REQUEST
    assert_well(
        client,
        *["WARNING the message is not JSON; answered with an error"] * len(NOT_JSON),
        *["WARNING the message is not a JSON object; answered with an error"] * len(NO_OBJECT),
    )


def test_objects_that_are_no_messages(client: RawClient) -> None:
    for message in (
        {"id": 1, "method": "shutdown"},
        {"jsonrpc": "1.0", "id": 1, "method": "x"},
        {"jsonrpc": "2.0", "id": [1], "method": "x"},
        {"jsonrpc": "2.0", "id": True, "method": "x"},
    ):
        client.send(message)
        assert client.answer(None)["error"]["code"] == INVALID_REQUEST
    for request, message in (
        (99, {"jsonrpc": "2.0", "id": 99, "method": 7}),
        (98, {"jsonrpc": "2.0", "id": 98}),
        (None, {"jsonrpc": "2.0"}),
    ):
        client.send(message)
        assert client.answer(request)["error"]["code"] == INVALID_REQUEST
    assert_well(
        client,
        *["WARNING not a JSON-RPC 2.0 message; answered with an error"] * 4,
        *["WARNING a message without a method; answered with an error"] * 3,
    )


HEADERS = {
    b"Content-Length: many\r\n\r\n": "a header without a valid Content-Length",
    b"Content-Length: -5\r\n\r\n": "a header without a valid Content-Length",
    b"Content-Type: text\r\n\r\n": "a header without a valid Content-Length",
    b"Content-Length: 99999999999\r\n\r\n": "a message of more than 64 MB",
    f"{SECRET}\r\n{SECRET}\r\n".encode(): "not a header",
}


@both_ways
def test_broken_headers(client: RawClient) -> None:
    for header in HEADERS:
        for body in (b"", b'{"jsonrpc": "2.0", "method": "x"}', b"x" * 30_000):
            client.send_bytes(header + body)
            # The header of the next message stands on the line that the body began.
            client.open(URI, "after it")
            assert client.answer(None)["error"]["code"] == PARSE_ERROR
            assert text_of(client)["text"] == "after it"
    expected = [f"WARNING {why}; answered with an error" for why in HEADERS.values()]
    assert_well(client, *[line for line in expected for _ in range(3)])


def test_headers_that_are_odd_but_right(client: RawClient) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": "ä", "method": "onbrand/counts"}).encode()
    kind = b"content-type: application/vscode-jsonrpc; charset=utf-8"
    client.send_bytes(b"%b\r\ncONTENT-lENGTH:%d\n\n%b" % (kind, len(body), body))
    assert client.answer("ä")["result"] == {"kept": 0}
    assert_well(client)


# Messages that do not fit.


@both_ways
def test_parameters_that_do_not_fit(client: RawClient) -> None:
    where = {"textDocument": {"uri": URI}}
    for params in (
        None,
        [],
        SECRET,
        {},
        where,
        {"textDocument": {"uri": 7}, "position": {"line": 0, "character": 0}},
        where | {"position": {"line": SECRET, "character": 0}},
        where | {"position": {"line": 0.5, "character": 0}},
        where | {"position": {"line": True, "character": 0}},
        where | {"position": {"line": 0}},
    ):
        error = client.error("textDocument/hover", params)
        assert error["code"] == INVALID_PARAMS
    why = "WARNING textDocument/hover refused: the parameters do not fit the method"
    assert_well(client, *[why] * 10)


def test_positions_outside_of_the_text_are_made_to_fit(client: RawClient) -> None:
    client.open(URI, "one\ntw")
    for line, column, offset in (
        (-1, 0, 0),
        (0, -1, 0),
        (0, 2**32 - 1, 3),
        (2**40, 0, 6),
        (1, 1.0, 5),
        (1, 99, 6),
    ):
        place = {"line": line, "character": column}
        hover = client.call("textDocument/hover", {"textDocument": {"uri": URI}, "position": place})
        assert hover["contents"]["value"] == str(offset), place
    assert_well(client)


def test_methods_that_nobody_knows(client: RawClient) -> None:
    assert client.error("textDocument/frobnicate", {"text": SECRET})["code"] == NO_METHOD
    assert client.error(SECRET)["code"] == NO_METHOD
    assert client.error("notebookDocument/didOpen")["code"] == NO_METHOD
    client.notify("textDocument/frobbed", {"text": SECRET})
    client.notify("$/frobbed", {"text": SECRET})
    client.notify(SECRET)
    assert_well(
        client,
        "WARNING textDocument/frobnicate refused: no such method",
        "WARNING an odd method refused: no such method",
        "WARNING notebookDocument/didOpen refused: no such method",
    )


def test_commands(client: RawClient) -> None:
    def run(command: str, *arguments: object) -> Any:
        params = {"command": command, "arguments": arguments}
        return client.answer(client.request("workspace/executeCommand", params))

    argument = {"text": "\ud800 😀\u2028", "jsonrpc": "1.0", "id": [7], "method": None}
    assert run("onbrand.label", argument)["result"] == argument
    log = []
    for command, arguments, why in (
        (SECRET, [], "no such command"),
        ("onbrand.label", [SECRET, SECRET], "the arguments do not fit onbrand.label"),
        ("onbrand.label", [], "the arguments do not fit onbrand.label"),
    ):
        assert run(command, *arguments)["error"] == {"code": INVALID_PARAMS, "message": why}
        log.append(f"WARNING workspace/executeCommand refused: {why}")
    assert_well(client, *log)


# Documents.


def test_documents_that_are_not_open(client: RawClient) -> None:
    place = {"line": 0, "character": 0}
    client.change(URI, {"text": SECRET})
    client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    client.notify("textDocument/didSave", {"textDocument": {"uri": URI}})
    where = {"textDocument": {"uri": URI}, "position": place}
    assert client.call("textDocument/hover", where) is None
    assert_well(
        client,
        "WARNING textDocument/didChange of a document that is not open; ignored",
        "WARNING textDocument/didClose of a document that is not open; ignored",
    )


def test_opening_twice_and_versions_that_go_backwards(client: RawClient) -> None:
    client.open(URI, "old", version=7)
    client.open(URI, "new", version=3)
    assert text_of(client) == {"text": "new", "version": 3}
    place = {"line": 0, "character": 0}
    client.change(URI, change(place, place, "re"), version=1)
    assert text_of(client) == {"text": "renew", "version": 1}
    assert_well(client)


def test_a_change_that_cannot_be_made_closes_the_document(client: RawClient) -> None:
    bad = [
        {"text": None},
        {"range": None},
        change({"line": 0, "character": "x"}, {"line": 0, "character": 0}, SECRET),
        change({"line": 0, "character": 0}, None, SECRET),
        SECRET,
    ]
    for one in bad:
        client.open(URI, SECRET)
        client.change(URI, one)
        closed = client.wait(lambda message: message.get("method") == "onbrand/closed")
        assert closed["params"] == {"uri": URI}
        assert text_of(client) is None
    why = "WARNING textDocument/didChange failed: the parameters do not fit the method"
    assert_well(client, *[why] * len(bad))


def test_lone_surrogates_come_back_as_they_went(client: RawClient) -> None:
    client.open(URI, "a\ud83d")
    assert text_of(client)["text"] == "a\ud83d"
    end = {"line": 0, "character": 2}
    client.change(URI, change(end, end, "\ude00"))
    assert text_of(client)["text"] == "a😀"
    assert_well(client)


@both_ways
def test_a_document_of_5_mb(client: RawClient) -> None:
    line = "Our café makes lovely things every day. "
    text = "\n".join([line] * (5 * 1024 * 1024 // len(line)))
    client.open(URI, text)
    start, end = {"line": 1, "character": 0}, {"line": 2**31, "character": 0}
    assert len(text_of(client)["text"]) == len(text)
    client.change(URI, change(start, end, "short"))
    assert text_of(client)["text"] == line + "\nshort"
    assert_well(client)
