"""Connections of the standard library's HTTP client that keep to a deadline at every step.

Each address of a host, the tunnel of a proxy, the handshake, and every byte of the headers and of
the body: before anything is waited for, the socket is told how much of the time is left. (Within a
handshake, Python's own timeout counts from its beginning.) Only looking up a host's name has no
limit but the system's.
"""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.request import HTTPErrorProcessor, HTTPHandler, HTTPSHandler, Request, build_opener

from onbrand_releases.deadline import Deadline, Interrupted, reason

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Response(HTTPResponse):
    """An answer that is read within a deadline, which may be replaced when the body begins."""

    def __init__(
        self,
        deadline: Deadline,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp.close()  # that of the library, which waits for each byte anew
        self._timed = _Timed(sock, deadline)
        self.fp = io.BufferedReader(self._timed)

    def keep_to(self, deadline: Deadline) -> None:
        """Read on within another deadline."""
        self._timed.deadline = deadline


def send(request: Request, deadline: Deadline) -> Response:
    """Return the answer to a request, whatever its status, when its headers are here.

    Raises:
        Interrupted: the deadline has passed.
        OSError: no connection.
        http.client.HTTPException: what comes is not HTTP.
        ValueError: the URL cannot be asked.
    """
    handlers = (_Plain(deadline), _Encrypted(deadline), _AsItIs)
    answer = build_opener(*handlers).open(request, timeout=deadline.left())
    assert isinstance(answer, Response)  # noqa: S101 - the caller asks HTTP and HTTPS alone
    return answer


class _Timed(io.RawIOBase):
    """What comes from a socket."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self.deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._sock.settimeout(self.deadline.left())
        try:
            return self._raw.readinto(buffer)
        except TimeoutError as error:
            self.deadline.left()  # it has words of its own when it has passed
            raise Interrupted(reason(error)) from None

    def close(self) -> None:
        self._raw.close()
        super().close()


class _AsItIs(HTTPErrorProcessor):
    """The library's redirects would carry passwords along and read bodies of any length."""

    def http_response(self, request: Request, response: HTTPResponse) -> HTTPResponse:  # noqa: ARG002
        return response

    https_response = http_response


class _Plain(HTTPHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, request: Request) -> HTTPResponse:
        return self.do_open(_build(HTTPConnection, self._deadline), request)


class _Encrypted(HTTPSHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def https_open(self, request: Request) -> HTTPResponse:
        return self.do_open(_build(HTTPSConnection, self._deadline), request)


def _build(kind: type[HTTPConnection], deadline: Deadline) -> Callable[..., Any]:
    def build(host: str, timeout: float) -> Any:  # noqa: ANN401 - it is the library's kind
        connection: Any = kind(host, timeout=timeout)
        connection.response_class = partial(Response, deadline)
        connection._create_connection = partial(_connect, deadline)
        return connection

    return build


def _connect(deadline: Deadline, address: tuple[str, int], *_: object) -> socket.socket:
    """Connect to the first address of a host that answers; each has its share of the time."""
    found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    failed: OSError | None = None
    for tried, (family, kind, protocol, _name, place) in enumerate(found):
        try:
            with contextlib.ExitStack() as opened:
                sock = opened.enter_context(socket.socket(family, kind, protocol))
                sock.settimeout(deadline.left() / (len(found) - tried))
                sock.connect(place)
                sock.settimeout(deadline.left())
                opened.pop_all()
                return sock
        except OSError as error:
            failed = error
    raise failed or OSError("the host has no address")
