"""The server: where it listens, and from when on."""

from __future__ import annotations

import socket

import pytest

from onbrand.errors import OnbrandError
from onbrand_slack.web.http import Receive, Response, Scope, Send, Server


async def hello(_scope: Scope, _receive: Receive, send: Send) -> None:
    await Response(body="hello").send(send)


def test_who_comes_before_it_serves_waits_for_the_answer() -> None:
    """The log says where it listens before its thread runs, and operators' probes are quick."""
    server = Server(hello, "127.0.0.1", 0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as early:
        early.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        server.start()
        try:
            answer = b"".join(iter(lambda: early.recv(4096), b""))
        finally:
            server.stop()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b"hello")


def test_a_port_that_is_taken_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OnbrandError, match="choose another port"):
            Server(hello, "127.0.0.1", port)
