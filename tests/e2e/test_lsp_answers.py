"""Who is answered what: failures of ours, answers of the client, requests that are called off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lsp_client import ECHO, SECRET, URI, RawClient, assert_well, change, frame, raw_client, text_of

INTERNAL, CANCELLED = -32603, -32800
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


# Answers of ours that fail.


def test_failures_of_features(client: RawClient) -> None:
    params = {"text": SECRET}
    for kind, expected in (
        ("onbrand", {"code": -32803, "message": "no voices; train some"}),
        ("rpc", {"code": -32802, "message": "newer text", "data": {"retriggerRequest": True}}),
        ("bug", {"code": INTERNAL, "message": "internal error (ValueError); see the log"}),
    ):
        assert client.error("onbrand/fail", params | {"kind": kind}) == expected
    for method, name in (
        ("onbrand/failLater", "ValueError"),
        ("onbrand/unwritable", "TypeError"),
    ):
        message = f"internal error ({name}); see the log"
        assert client.error(method, params) == {"code": INTERNAL, "message": message}
    client.notify("onbrand/fail", params | {"kind": "bug"})
    client.notify("onbrand/failLater", params)
    assert text_of(client) is None
    assert client.end() == 0
    # What comes after is the place in our code that the error passed.
    assert [line.partition(" at ")[0] for line in client.log()] == [
        "onbrand-lsp: ERROR onbrand/fail failed: ValueError",
        "onbrand-lsp: ERROR onbrand/failLater failed: ValueError",
        "onbrand-lsp: ERROR response failed: TypeError",
        "onbrand-lsp: WARNING onbrand/fail failed: ValueError",
        "onbrand-lsp: WARNING onbrand/failLater failed: ValueError",
    ]
    assert SECRET not in " ".join(client.log())


# Requests of ours.


def test_answers_of_the_client(client: RawClient) -> None:
    answers: list[tuple[Any, object]] = [
        ({"result": [{"brand": "acme"}]}, [{"brand": "acme"}]),
        ({"error": {"code": -32601, "message": SECRET}}, {"code": -32601}),
        ({"result": 7}, {"code": INTERNAL}),
        ({"error": SECRET}, {"code": INTERNAL}),
    ]
    for response, expected in answers:
        asked = client.request("onbrand/ask")
        ours = client.wait(lambda message: message.get("method") == "workspace/configuration")
        client.send({"jsonrpc": "2.0", "id": ours["id"], **response})
        client.send({"jsonrpc": "2.0", "id": ours["id"], **response})  # nobody waits any more
        client.send({"jsonrpc": "2.0", "id": "unheard of", "result": SECRET})
        assert client.answer(asked)["result"] == expected
    assert client.call("onbrand/counts") == {"kept": 0}
    assert client.end() == 0
    assert [line.partition(": ClassV")[0] for line in client.log()] == [
        "onbrand-lsp: WARNING the client's answer does not fit the request"
    ] * 2


def test_a_client_that_never_answers_does_not_keep_the_server(client: RawClient) -> None:
    client.request("onbrand/ask")
    client.wait(lambda message: message.get("method") == "workspace/configuration")
    assert_well(client)


# Cancelling.


@both_ways
def test_every_request_can_be_cancelled(client: RawClient) -> None:
    waiting = [client.request("onbrand/wait") for _ in range(50)]
    assert client.call("onbrand/counts") == {"kept": 50}
    for request in [*waiting, *waiting, "nobody's", -1, None, [1]]:
        client.notify("$/cancelRequest", {"id": request})
    client.notify("$/cancelRequest", SECRET)
    for request in waiting:
        assert client.answer(request)["error"] == {"code": CANCELLED, "message": "cancelled"}
        client.wait(lambda message: message.get("method") == "onbrand/stopped")
    assert client.call("onbrand/counts") == {"kept": 0}
    assert_well(client)


def test_a_request_cancelled_at_once_never_begins(client: RawClient) -> None:
    request = {"jsonrpc": "2.0", "id": "r", "method": "onbrand/wait", "params": {}}
    cancel = {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": "r"}}
    client.send_bytes((frame(request) + frame(cancel)) * 20)
    for _ in range(20):
        assert client.answer("r")["error"]["code"] == CANCELLED
    assert_well(client)


def test_an_answered_request_cannot_be_cancelled(client: RawClient) -> None:
    done = client.request("onbrand/counts")
    client.notify("$/cancelRequest", {"id": done})
    assert client.answer(done)["result"] == {"kept": 0}
    assert_well(client)


def test_many_notifications_leave_nothing_behind(client: RawClient) -> None:
    client.open(URI, "")
    place = {"line": 0, "character": 0}
    for version in range(500):
        client.change(URI, change(place, place, "x"), version=version)
    assert client.call("onbrand/counts") == {"kept": 0}
    assert len(text_of(client)["text"]) == 500
    assert_well(client)
