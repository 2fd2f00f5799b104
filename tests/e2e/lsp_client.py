"""A raw client of the language server: it can say anything, and sees every byte that comes back."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

PATIENCE = 60.0
"""Seconds until a test gives up; never what it measures."""
ONBRAND_LSP = [sys.executable, "-m", "onbrand", "lsp"]
ECHO = [sys.executable, str(Path(__file__).with_name("lsp_echo_server.py"))]
"""A server on our transport whose features show what the protocol makes of messages."""
URI = "file:///draft.md"
SECRET = "Zyzzyva, a word of the customer's"
Message = dict[str, Any]


def frame(message: object) -> bytes:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class RawClient:
    """Talks to a server process over its pipes or over TCP."""

    def __init__(
        self, command: list[str] = ONBRAND_LSP, *, tcp: bool = False, cwd: Path | None = None
    ) -> None:
        self.process = subprocess.Popen(
            [*command, "--tcp", "0"] if tcp else command,
            stdin=subprocess.DEVNULL if tcp else subprocess.PIPE,
            stdout=subprocess.DEVNULL if tcp else subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
        )
        self._log: list[str] = []
        self._log_ended = threading.Event()
        self._inbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._others: list[Message] = []
        self._socket: socket.socket | None = None
        _in_thread(self._read_log)
        self.reader, self.writer = self._connect() if tcp else self._pipes()
        _in_thread(self._read_messages)
        self._next_id = 0

    def _pipes(self) -> tuple[BinaryIO, BinaryIO]:
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        return self.process.stdout, self.process.stdin  # type: ignore[return-value]

    def _connect(self) -> tuple[BinaryIO, BinaryIO]:
        found: list[re.Match[str]] = []

        def listening() -> bool:
            found[:] = filter(None, (re.search(r"on ([\d.]+):(\d+)$", line) for line in self._log))
            return bool(found)

        wait_for(listening)
        self._log.remove(found[0].string)
        self._socket = socket.create_connection((found[0][1], int(found[0][2])))
        return self._socket.makefile("rb"), self._socket.makefile("wb")

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._log.append(line.decode().rstrip("\n"))
        self._log_ended.set()

    def _read_messages(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while header := self.reader.readline():
                length = int(header.removeprefix(b"Content-Length: "))
                assert self.reader.readline() == b"\r\n"
                self._inbox.put(json.loads(self.reader.read(length)))
        self._inbox.put(None)

    # What a test says.

    def send_bytes(self, data: bytes) -> None:
        self.writer.write(data)
        self.writer.flush()

    def send(self, message: object) -> None:
        self.send_bytes(frame(message))

    def notify(self, method: str, params: object = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: object = None) -> int:
        """Send a request and return its id."""
        self._next_id += 1
        self.send({"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params})
        return self._next_id

    # What the server says.

    def wait(self, wanted: Callable[[Message], bool]) -> Message:
        """Return the first message that is wanted, seen or to come."""
        for message in self._others:
            if wanted(message):
                self._others.remove(message)
                return message
        deadline = time.monotonic() + PATIENCE
        while True:
            message = self._inbox.get(timeout=max(0.0, deadline - time.monotonic()))
            if message is None:
                raise EOFError(f"the server has hung up; its log: {self._log}")
            if wanted(message):
                return message
            self._others.append(message)

    def answer(self, request: object) -> Message:
        """Return the whole response to a request."""
        return self.wait(lambda m: "method" not in m and m.get("id") == request)

    def call(self, method: str, params: object = None) -> Any:
        """Send a request and return its result."""
        response = self.answer(self.request(method, params))
        assert "error" not in response, response
        return response["result"]

    def error(self, method: str, params: object = None) -> Message:
        """Send a request and return its error."""
        response = self.answer(self.request(method, params))
        assert "result" not in response, response
        return response["error"]

    def initialize(self, **params: object) -> Message:
        result = self.call("initialize", {"processId": None, "capabilities": {}, **params})
        self.notify("initialized", {})
        return result

    def open(self, uri: str, text: str, *, version: int = 1, language: str = "markdown") -> None:
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, uri: str, *changes: object, version: int = 2) -> None:
        document = {"uri": uri, "version": version}
        params = {"textDocument": document, "contentChanges": list(changes)}
        self.notify("textDocument/didChange", params)

    # How it ends.

    def hang_up(self) -> None:
        """Close the connection without a word."""
        with contextlib.suppress(OSError):  # what was not sent is lost
            self.writer.close()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()

    def end(self) -> int:
        """Say goodbye by the protocol and return the exit code."""
        assert self.call("shutdown") is None
        self.notify("exit")
        return self.exit_code()

    def exit_code(self) -> int:
        return self.process.wait(PATIENCE)

    def log(self) -> list[str]:
        """Return the log of a server that has ended."""
        self.exit_code()
        assert self._log_ended.wait(PATIENCE)
        return self._log

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.hang_up()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                self._log_ended.wait(PATIENCE)
                stream.close()


@contextlib.contextmanager
def raw_client(
    command: list[str] = ONBRAND_LSP, *, tcp: bool = False, cwd: Path | None = None
) -> Iterator[RawClient]:
    client = RawClient(command, tcp=tcp, cwd=cwd)
    try:
        yield client
    finally:
        client.close()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Return whether a process exists and is more than an entry nobody has cleared away."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        pass
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


# With the echo server.


def text_of(client: RawClient, uri: str = URI) -> Any:
    return client.call("onbrand/document", {"uri": uri})


def assert_well(client: RawClient, *log: str) -> None:
    """The server still works, ends as it should, and has logged these lines and no more."""
    client.open("file:///last.md", "fine")
    assert text_of(client, "file:///last.md")["text"] == "fine"
    assert client.end() == 0
    assert client.log() == [f"onbrand-lsp: {line}" for line in log]


def change(start: Any, end: Any, text: Any) -> Any:
    return {"range": {"start": start, "end": end}, "text": text}
