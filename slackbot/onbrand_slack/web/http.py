"""The little of HTTP that is needed on top of ASGI: one request in, one response out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from onbrand.errors import OnbrandError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 1024 * 1024
"""Slack's largest payload, a modal with all its text, has some 250 kB."""
BODY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back; header names in lower case."""

    status: int = 200
    body: str | bytes = ""
    headers: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    async def send(self, send: Send) -> None:
        """Send it over ASGI."""
        body = self.body.encode() if isinstance(self.body, str) else self.body
        headers = {"content-type": "text/plain; charset=utf-8", **self.headers}
        headers["content-length"] = str(len(body))
        pairs = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, values in headers.items()
            for value in ([values] if isinstance(values, str) else values)
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})


class Unreadable(Exception):  # noqa: N818 - it is a response in the making
    """The body cannot be had; `status` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def read_body(receive: Receive, *, limit: int = MAX_BODY) -> bytes:
    """Return the body of a request.

    Raises:
        Unreadable: it is too long (413), too slow (408) or its sender is gone (400).
    """
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Unreadable(400)
                part = message.get("body", b"")
                size += len(part)
                if size > limit:
                    raise Unreadable(413)
                parts.append(part)
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise Unreadable(408) from None


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers of a request, names in lower case; of a repeated one the last."""
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


class Server:
    """uvicorn in a thread of its own, so that signals stay with the main thread.

    Args:
        application: what to serve.
        host: address to listen on.
        port: 0 for any free one; then `port` tells which.
    """

    def __init__(self, application: Application, host: str, port: int) -> None:
        self.host = host
        self.port = port
        config = uvicorn.Config(
            application,
            host=host,
            port=port,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            backlog=1024,
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(config)
        self._socket = _listen(config)
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name=f"http-{self.port}", daemon=True)

    def start(self) -> None:
        """Begin to serve; connections made before now wait in the backlog."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what has come in, accept nothing new, and return when that is done."""
        self._server.should_exit = True
        self._thread.join()

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))


def _listen(config: uvicorn.Config) -> Any:  # noqa: ANN401 - a socket
    """Bind as uvicorn would, with an error in words instead of an exit."""
    import socket

    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((config.host, config.port))
        listening.listen(config.backlog)
    except OSError as error:
        listening.close()
        raise OnbrandError(
            f"cannot listen on {config.host}:{config.port} ({error.strerror}); choose another port"
        ) from None
    return listening
