"""Frames, the boxes they leave by, and what may be said on stderr."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from onbrand.errors import OnbrandError
from onbrand_lsp.rpc import stdio
from onbrand_lsp.rpc.stdio import (
    Connection,
    InvalidMessage,
    MessageWriter,
    describe,
    frame,
    read_messages,
    start_logging,
)

HELLO = {"jsonrpc": "2.0", "method": "hello"}


class Pipe:
    """A stream that takes what is written only while it is open, and remembers it."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.opened = threading.Event()
        self.begun = threading.Event()
        self.pieces: list[bytes] = []
        if is_open:
            self.opened.set()

    def write(self, data: bytes) -> None:
        self.begun.set()
        self.opened.wait()
        self.pieces.append(data)

    def flush(self) -> None:
        pass


class BrokenPipe(Pipe):
    def write(self, data: bytes) -> None:
        raise BrokenPipeError


def read(data: bytes) -> list[Any]:
    return list(read_messages(io.BytesIO(data)))


# In.


def test_messages_come_one_by_one() -> None:
    assert read(frame(HELLO) + frame({"text": "\ud83d é 😀\u2028"})) == [
        HELLO,
        {"text": "\ud83d é 😀\u2028"},
    ]
    assert read(b"") == []


def test_headers_in_any_case_and_order() -> None:
    body = json.dumps(HELLO).encode()
    kind = b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n"
    length = b"content-LENGTH:\t%d \r\n" % len(body)
    for header in (kind + length, length + kind, length.replace(b"\r", b"")):
        assert read(header + b"\r\n" + body) == [HELLO]


@pytest.mark.parametrize("cut", range(1, len(frame(HELLO))))
def test_a_frame_cut_short_is_no_message(cut: int) -> None:
    assert read(frame(HELLO) + frame(HELLO)[:cut]) == [HELLO]


@pytest.mark.parametrize("junk", [b"x", b"x" * 8190, b"x" * 8192, b"x" * 100_000, b"x\ny: 1\n\n"])
def test_after_a_broken_header_the_next_message_is_found(junk: bytes) -> None:
    found = read(b"Content-Length: ?\r\n\r\n" + junk + frame(HELLO) + frame(HELLO))
    assert [type(message) for message in found] == [InvalidMessage, dict, dict]


def test_a_body_of_any_believable_length_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdio, "MAX_BODY", len(json.dumps(HELLO)))
    longer = {**HELLO, "more": "x"}
    first, refused, last = read(frame(HELLO) + frame(longer) + frame(HELLO))
    assert first == last == HELLO
    assert isinstance(refused, InvalidMessage)


def test_a_stream_that_fails_is_one_that_ends() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError

    assert list(read_messages(Failing(frame(HELLO)))) == []


# Out.


def test_what_is_put_first_leaves_first() -> None:
    pipe = Pipe()
    box = MessageWriter(pipe, 10_000)
    expected = [b"%d" % number for number in range(1000)]
    for piece in expected:
        box.put(piece)
    box.close(60)
    assert b"".join(pipe.pieces) == b"".join(expected)


def test_a_full_box_takes_nothing_and_says_so() -> None:
    pipe, lost = Pipe(is_open=False), []
    box = MessageWriter(pipe, 10, failed=lambda: lost.append(1))
    box.put(b"under way")
    assert pipe.begun.wait(60)
    box.put(b"ten bytes!")
    assert lost == []
    box.put(b"x")
    assert lost == [1]
    pipe.opened.set()
    box.close(60)
    assert pipe.pieces == [b"under way", b"ten bytes!"]


def test_a_box_into_the_void_says_so_and_does_not_block() -> None:
    failed = threading.Event()
    box = MessageWriter(BrokenPipe(), 10, failed=failed.set)
    box.put(b"x")
    assert failed.wait(60)
    failed.clear()
    box.put(b"y")
    assert failed.is_set()
    box.close(60)


def test_closing_does_not_wait_for_a_reader_that_sleeps() -> None:
    pipe = Pipe(is_open=False)
    box = MessageWriter(pipe, 100)
    box.put(b"x")
    box.close(0.01)
    assert pipe.pieces == []
    pipe.opened.set()


def test_a_connection_tells_of_the_end_in_both_directions() -> None:
    heard, ended = [], threading.Event()
    connection = Connection(io.BytesIO(frame(HELLO) + frame(HELLO)), Pipe())
    assert connection.receive() == HELLO
    connection.start(heard.append, ended.set)
    assert ended.wait(60)
    assert heard == [HELLO]
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source, os.fdopen(writer, "wb"):
        ended.clear()
        connection = Connection(source, BrokenPipe())
        connection.start(heard.append, ended.set)
        connection.send(HELLO)
        assert ended.wait(60)


def test_a_port_that_is_taken() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OnbrandError, match=rf"^cannot listen on 127.0.0.1, port {port} \("):
            stdio.tcp_client("127.0.0.1", port, lambda *_: None)


# On stderr.


@pytest.fixture
def log() -> Iterator[io.BytesIO]:
    names = (None, "sqlalchemy", "onbrand", "onbrand_lsp")
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.level, logger.handlers[:], logger.propagate) for logger in loggers]
    yield io.BytesIO()
    for logger, (level, handlers, propagate) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.handlers[:] = handlers
        logger.propagate = propagate


def test_the_log_has_one_line_for_everything_of_ours(log: io.BytesIO) -> None:
    box = start_logging("info", log)
    ours = logging.getLogger("onbrand_lsp.somewhere")
    ours.debug("too fine")
    ours.info("two\r\nlines \ud800 é")
    logging.getLogger("onbrand.document").warning("%s went wrong", "it")
    for name in ("sqlalchemy", "asyncio", "somebody.else"):
        logging.getLogger(name).error("Sending data: secret")
    try:
        raise ValueError("secret")
    except ValueError:
        ours.exception("a handler failed")
    box.close(60)
    assert log.getvalue().decode().splitlines() == [
        "onbrand-lsp: INFO two lines \\ud800 é",
        "onbrand-lsp: WARNING it went wrong",
        "onbrand-lsp: ERROR a handler failed: ValueError",
    ]


def test_a_record_that_cannot_be_formatted_tells_no_values(log: io.BytesIO) -> None:
    box = start_logging("info", log)
    logging.getLogger("onbrand_lsp").warning("%d", "secret")
    box.close(60)
    line = log.getvalue().decode()
    assert line.startswith("onbrand-lsp: WARNING a message that cannot be formatted, from test_lsp")


def test_an_error_is_told_by_its_type_and_place() -> None:
    with pytest.raises(OnbrandError) as caught:
        stdio.tcp_client("256.0.0.1", 0, lambda *_: None)
    described = describe(caught.value)
    assert described.startswith("OnbrandError at onbrand_lsp/rpc/stdio.py:")


# The editor's process.


def test_processes_live_and_die() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert stdio.is_alive(process.pid)
        process.communicate(b"\n")
    assert not stdio.is_alive(process.pid)
    assert stdio.is_alive(os.getpid())
    for nonsense in (0, -1):
        assert stdio.is_alive(nonsense)
    assert not stdio.is_alive(10**30)
