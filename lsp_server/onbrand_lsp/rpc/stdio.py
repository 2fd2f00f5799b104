"""The streams to the client: framed messages, whether the client still lives, and the log.

A thread reads, a thread writes, so that neither a silent nor a deaf client ever holds up the loop.
Both are daemons: nothing here keeps the process alive. The log has one line on standard error for
what went wrong, and never a word of anybody's text.
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any, BinaryIO, NamedTuple

from onbrand.errors import OnbrandError
from onbrand_lsp.rpc.capabilities import JSON

logger = logging.getLogger(__name__)

MAX_BODY = 64 * 1024 * 1024
"""Bytes of the longest message that is read."""
MAX_UNREAD = 256 * 1024 * 1024
"""Bytes that wait for the client; one that lets more pile up is taken for dead."""

PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS = -32700, -32600, -32602

# Not only at the start of a line: after a broken frame, the next header may follow a body.
_LENGTH = re.compile(rb"content-length:[ \t]*(\d{1,15})[ \t]*\r?\n\Z", re.IGNORECASE)
_FIELD = re.compile(rb"[\w-]+:")
_LINE = 8192


class InvalidMessage(NamedTuple):
    """A message that is none, by the error to answer with."""

    code: int
    message: str
    """Why the message is invalid, without any of its content."""


class MessageWriter:
    """Bytes on their way to a stream, written in order by a thread of its own.

    Args:
        stream: what to write to.
        limit: bytes that may wait; what is put beyond is dropped.
        failed: called, from that thread or from who puts, when bytes were lost.
    """

    def __init__(
        self, stream: BinaryIO, limit: int, failed: Callable[[], object] = lambda: None
    ) -> None:
        self._stream = stream
        self._limit = limit
        self._failed = failed
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._written = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._write, name="onbrand-write", daemon=True)
        self._thread.start()

    def put(self, data: bytes) -> None:
        """Have ``data`` written; returns at once. From any thread."""
        with self._changed:
            full = self._closed or self._size + len(data) > self._limit
            if not full:
                self._waiting.append(data)
                self._size += len(data)
                self._changed.notify()
        if full:
            self._failed()

    def close(self, timeout: float) -> None:
        """Take nothing more, and wait until all is written.

        Args:
            timeout: seconds to wait when nothing at all gets through.
        """
        with self._changed:
            self._closed = True
            self._changed.notify()
        before = -1
        while self._thread.is_alive() and before != self._written:
            before = self._written
            self._thread.join(timeout)

    def _write(self) -> None:
        try:
            while data := self._next():
                self._stream.write(data)
                self._stream.flush()
                self._written += len(data)
        except (OSError, ValueError):  # ValueError: closed meanwhile
            with self._changed:
                self._closed = True
            self._failed()

    def _next(self) -> bytes:
        """Return the message that has waited longest; empty when the writer is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            data = self._waiting.popleft() if self._waiting else b""
            self._size -= len(data)
            return data


def read_messages(stream: BinaryIO) -> Iterator[JSON | InvalidMessage]:
    """Yield what the client sends until it hangs up.

    A frame whose length is not believable cannot be skipped: what follows is dropped up to the next
    line that ends in a good one, and counts as one malformed message.
    """
    lost = False
    try:
        while (length := _read_header(stream)) is not None:
            if isinstance(length, InvalidMessage):
                if not lost:
                    yield length
                lost = True
                continue
            lost = False
            body = stream.read(length)
            if len(body) < length:
                return
            yield _parse(body)
    except (OSError, ValueError):  # the connection is gone, or the stream was closed
        return


def _read_header(stream: BinaryIO) -> int | InvalidMessage | None:
    """Return the length of the body that comes next; None when nothing does."""
    length: int | None = None
    while line := _read_line(stream):
        found = _LENGTH.search(line)
        if found:
            length = int(found[1])
        elif not line.strip():
            if length is None:
                return InvalidMessage(PARSE_ERROR, "a header without a valid Content-Length")
            if length > MAX_BODY:
                return InvalidMessage(PARSE_ERROR, f"a message of more than {MAX_BODY >> 20} MB")
            return length
        elif length is None and not _FIELD.match(line):
            return InvalidMessage(PARSE_ERROR, "not a header")
    return None


def _read_line(stream: BinaryIO) -> bytes:
    """Return the next line, of a long one the end; nothing when there is none."""
    line = stream.readline(_LINE)
    while line and not line.endswith(b"\n"):
        more = stream.readline(_LINE)
        line = line[-128:] + more if more else b""
    return line


def _parse(body: bytes) -> JSON | InvalidMessage:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return InvalidMessage(PARSE_ERROR, "the message is not JSON")
    if isinstance(message, dict):
        return message
    return InvalidMessage(INVALID_REQUEST, "the message is not a JSON object")


def frame(message: object, default: Callable[[Any], Any] | None = None) -> bytes:
    """Return a message as it goes over the wire; lone surrogates are escaped, as JSON can."""
    body = json.dumps(message, default=default, separators=(",", ":")).encode("ascii")
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def error_response(request: object, code: int, message: str, data: object = None) -> JSON:
    """Return the answer to a request that failed; a ``request`` of None: its id is not known."""
    error = {"code": code, "message": message} | ({} if data is None else {"data": data})
    return {"jsonrpc": "2.0", "id": request, "error": error}


class Connection:
    """A client at the other end of two byte streams.

    Args:
        source: what the client writes.
        target: what it reads.
    """

    def __init__(self, source: BinaryIO, target: BinaryIO) -> None:
        self._messages = read_messages(source)
        self._ended: Callable[[], object] = lambda: None
        self._outbox = MessageWriter(target, MAX_UNREAD, failed=lambda: self._ended())

    def receive(self) -> JSON | InvalidMessage | None:
        """Wait for the next message; None: the client has hung up."""
        return next(self._messages, None)

    def start(
        self, deliver: Callable[[JSON | InvalidMessage], object], ended: Callable[[], object]
    ) -> None:
        """Read on in a thread, which calls ``deliver`` for a message and ``ended`` at the end.

        ``ended`` is also called when the client no longer reads.
        """
        self._ended = ended

        def read() -> None:
            for message in self._messages:
                deliver(message)
            ended()

        threading.Thread(target=read, name="onbrand-read", daemon=True).start()

    def send(self, message: object, default: Callable[[Any], Any] | None = None) -> None:
        """Send a message, see `frame`; returns at once."""
        self._outbox.put(frame(message, default))

    def close(self, timeout: float) -> None:
        """Send the messages that wait, and accept no more; see `MessageWriter.close`."""
        self._outbox.close(timeout)


def standard_streams() -> Connection:
    """Talk over standard input and output, and keep everybody else away from them.

    What is printed by mistake goes to stderr.

    Raises:
        OnbrandError: one of them is closed.
    """
    if sys.stdin is None or sys.stdout is None:
        message = "standard input or output is closed; an editor starts onbrand lsp with both open"
        raise OnbrandError(message)
    source, target = os.dup(0), os.dup(1)
    if os.isatty(source):
        logger.warning("waiting for an editor on standard input; Ctrl-C ends this")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing if sys.stderr is None else 2, 1)
    return Connection(os.fdopen(source, "rb"), os.fdopen(target, "wb"))


def tcp_client(host: str, port: int, announce: Callable[[str, int], object]) -> Connection:
    """Listen, and talk to the first client that comes.

    Args:
        host: where to listen; anything but the machine itself lets others read drafts.
        port: 0 for any that is free.
        announce: called with host and port when clients may come.

    Raises:
        OnbrandError: the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family, backlog=1) as listener:
            announce(*listener.getsockname()[:2])
            client, _ = listener.accept()
    except OSError as error:
        message = f"cannot listen on {host}, port {port} ({error.strerror}); choose another --tcp"
        raise OnbrandError(message) from None
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Connection(client.makefile("rb"), client.makefile("wb"))


INTERVAL = 3.0
"""Seconds between two looks."""


def is_alive(pid: int) -> bool:
    """Return whether a process exists; True where that cannot be told."""
    if pid <= 0:
        return True
    if sys.platform == "win32":
        return _is_alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is somebody else's
        return True
    return True


if sys.platform == "win32":

    def _is_alive_on_windows(pid: int) -> bool:
        import ctypes

        synchronize, timed_out, no_such_process = 0x00100000, 0x102, 87
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle = kernel.OpenProcess(synchronize, False, pid)
        if not handle:
            return ctypes.get_last_error() != no_such_process
        try:
            return bool(kernel.WaitForSingleObject(handle, 0) == timed_out)
        finally:
            kernel.CloseHandle(handle)


MAX_WAITING = 256 * 1024
"""Bytes of log that wait for an editor which does not read them; what comes then is dropped."""

_OURS = ("onbrand", "onbrand_lsp")


def start_logging(level: str, stream: BinaryIO | None = None) -> MessageWriter | None:
    """Send our records of ``level`` and above to stderr, and everybody else's nowhere.

    Records of libraries hold what they please: asyncio's hold the values
    of exceptions.

    Args:
        level: "debug", "info", "warning" or "error".
        stream: where to write instead of stderr.

    Returns:
        What waits to be written; None where there is no stderr.
    """
    target = stream or (sys.stderr.buffer if sys.stderr is not None else None)
    outbox = None if target is None else MessageWriter(target, MAX_WAITING)
    logging.getLogger().handlers[:] = [logging.NullHandler()]
    for name in _OURS:
        logger = logging.getLogger(name)
        logger.setLevel(level.upper())
        logger.propagate = False
        logger.handlers[:] = [logging.NullHandler() if outbox is None else _LineHandler(outbox)]
    return outbox


def describe(error: BaseException) -> str:
    """Return the type of an error and the last place in our code that it passed, not its value."""
    place = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        parts = PurePath(frame.f_code.co_filename).parts
        if package in _OURS and package in parts:
            file = "/".join(parts[len(parts) - 1 - parts[::-1].index(package) :])
            place = f" at {file}:{line}"
    return type(error).__name__ + place


class _LineHandler(logging.Handler):
    """Writes ``onbrand-lsp: LEVEL message`` to a bounded writer: stderr may never be read."""

    def __init__(self, outbox: MessageWriter) -> None:
        super().__init__()
        self._outbox = outbox

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = f"a message that cannot be formatted, from {record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[1] is not None:
            message += f": {describe(record.exc_info[1])}"
        line = f"onbrand-lsp: {record.levelname} {' '.join(message.split())}\n"
        self._outbox.put(line.encode("utf-8", "backslashreplace"))
