"""For tests of calls to Slack: a server that answers as it is told."""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """How one request is answered."""

    status: int = 200
    body: bytes | Mapping[str, Any] = b'{"ok": true, "ts": "1.0"}'
    headers: Mapping[str, str] = field(default_factory=dict)
    until: threading.Event | None = None
    """No answer before it is set."""


@dataclass(frozen=True)
class Got:
    """One request as it came in."""

    path: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


class SlackServer:
    """An HTTP server that answers every path with what it was given for it, then with "ok"."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self._replies: dict[str, deque[Reply]] = defaultdict(deque)
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server._answer(self)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self.api_url = f"{self.url}/api/"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def answer(self, path: str, *replies: Reply) -> None:
        """Answer the next requests for a path so."""
        self._replies[path].extend(replies)

    def refuse(self, method: str, error: str, times: int = 1) -> None:
        """Answer the next calls of a method with an error of Slack's."""
        self.answer(f"/api/{method}", *[Reply(body={"ok": False, "error": error})] * times)

    def of(self, path: str) -> list[Got]:
        return [got for got in self.got if got.path == path]

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        self.got.append(Got(request.path, body, dict(request.headers)))
        replies = self._replies[request.path]
        reply = replies.popleft() if replies else Reply()
        if reply.until is not None:
            reply.until.wait(60)
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        try:
            request.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                request.send_header(name, value)
            request.send_header("Content-Length", str(len(content)))
            request.end_headers()
            request.wfile.write(content)
        except OSError:
            pass  # nobody waits for it any more


def slack_server() -> Iterator[SlackServer]:
    """For a fixture."""
    server = SlackServer()
    yield server
    server.close()
