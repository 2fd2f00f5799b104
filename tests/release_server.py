"""A web server for releases that behaves as badly as it is told to."""

from __future__ import annotations

import base64
import contextlib
import re
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote


@dataclass
class Asked:
    """One request."""

    path: str
    start: int
    login: str | None


@dataclass
class Behaviour:
    """What the server does; by default what it should."""

    ranges: bool = True
    cuts: int = 0
    """How many answers are still to be cut half-way."""
    cut: str = ""
    """Only those whose path holds this."""
    most: int | None = None
    """Bytes after which every answer is cut."""
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every answer."""
    lies: int = 0
    """Added to Content-Length."""
    refusals: list[int] = field(default_factory=list)
    """Status codes of the next answers."""
    bodies: dict[str, bytes] = field(default_factory=dict)
    """Content in place of a file's."""
    redirects: dict[str, str] = field(default_factory=dict)
    login: str | None = None
    """``user:password`` that is asked for."""
    silent: bool = False
    """Takes requests and never answers them."""
    drips: bool = False
    """Gives the first bytes of a body and then nothing."""
    asked: list[Asked] = field(default_factory=list)


@dataclass
class Server:
    url: str
    does: Behaviour
    ended: threading.Event


@contextlib.contextmanager
def serve(folder: Path, certificate: Path | None = None) -> Iterator[Server]:
    """Serve a folder on a loopback port, encrypted if there is a certificate with its key."""
    ended = threading.Event()
    does = Behaviour()
    handler = type("Handler", (_Handler,), {"folder": folder, "does": does, "ended": ended})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None  # clients that go are no news
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        scheme = "http" if certificate is None else "https"
        yield Server(f"{scheme}://127.0.0.1:{server.server_port}", does, ended)
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    folder: Path
    does: Behaviour
    ended: threading.Event

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0])
        login = self.headers.get("Authorization")
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted else 0
        plain = base64.b64decode(login.removeprefix("Basic ")).decode() if login else None
        self.does.asked.append(Asked(self.path, start, plain))
        if self.does.silent:
            self.ended.wait()
        elif self.does.refusals:
            self._answer(self.does.refusals.pop(0), b"sorry")
        elif path in self.does.redirects:
            self._answer(302, b"", Location=self.does.redirects[path])
        elif self.does.login not in (None, plain):
            self._answer(401, b"who is it?")
        elif path not in self.does.bodies and not (self.folder / path[1:]).is_file():
            self._answer(404, b"<html>not here</html>")
        else:
            data = self.does.bodies.get(path) or (self.folder / path[1:]).read_bytes()
            self._send(data, start if self.does.ranges else 0)

    def _send(self, data: bytes, start: int) -> None:
        if start and start >= len(data):
            self._answer(416, b"")
        elif start:
            end = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self._answer(206, data[start:], **{"Content-Range": end})
        else:
            self._answer(200, data)

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in (self.does.headers | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + self.does.lies))
        self.end_headers()
        if self.does.drips:
            self.wfile.write(body[:10])
            self.wfile.flush()
            self.ended.wait()
        elif self.does.cuts and status < 300 and self.does.cut in self.path:
            self.does.cuts -= 1
            self.wfile.write(body[: len(body) // 2])
        else:
            self.wfile.write(body[: self.does.most])

    def log_message(self, *args: object) -> None:
        pass
