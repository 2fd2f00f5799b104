"""A small language client for benchmarks: raw frames over a child's pipes, one thread that reads.

It answers what the server asks as an editor would, and does no work beside the measuring.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from child import Child, ChildError

Message = dict[str, Any]
_UNUSUAL = ("PYTHONDONTWRITEBYTECODE",)
PATIENCE = 120.0
"""Seconds to wait for anything before the benchmark gives up."""

_Messages = queue.Queue[Message | ChildError]


class LanguageClient:
    """A running server and the client's half of its documents; positions are UTF-16."""

    def __init__(
        self,
        folder: Path,
        settings: Message,
        *,
        pulls: bool = True,
        program: Sequence[str | Path] = (sys.executable, "-m", "onbrand"),
    ) -> None:
        """Start a server and initialize it for a workspace folder.

        Args:
            folder: the workspace.
            settings: the editor's settings, section ``onbrand``.
            pulls: whether the client asks for diagnostics, instead of being told.
            program: the onbrand that serves.
        """
        self.started = time.perf_counter()
        command = [*program, "lsp"]
        # Compiled files are kept, as they are in whatever pip has installed.
        kept = {name: value for name, value in os.environ.items() if name not in _UNUSUAL}
        self._child = Child(command, kept)
        self._settings = settings
        self._next = 0
        self._answers: dict[int, _Messages] = {}
        self._pushed: _Messages = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        text = {"publishDiagnostics": {"versionSupport": True, "relatedInformation": True}}
        if pulls:
            text["diagnostic"] = {"dynamicRegistration": False}
        self.request(
            "initialize",
            {
                "processId": None,
                "rootUri": folder.as_uri(),
                "workspaceFolders": [{"uri": folder.as_uri(), "name": folder.name}],
                "capabilities": {
                    "textDocument": text,
                    "workspace": {
                        "configuration": True,
                        "diagnostics": {"refreshSupport": True},
                    },
                    "general": {"positionEncodings": ["utf-16"]},
                },
                "initializationOptions": {"settings": settings},
            },
        )
        self.initialized = time.perf_counter()
        self.notify("initialized", {})

    def notify(self, method: str, params: Message) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: Message) -> int:
        """Send a request and return its id, for `answer`."""
        self._next += 1
        self._answers[self._next] = queue.Queue()
        self._send({"id": self._next, "method": method, "params": params})
        return self._next

    def answer(self, request: int) -> Message:
        """Wait for the answer to a request; it holds ``result`` or ``error``."""
        return _next(self._answers[request])

    def is_answered(self, request: int) -> bool:
        """Tell whether the answer is there."""
        return not self._answers[request].empty()

    def request(self, method: str, params: Message) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Send a request and return its result; again where the server asks for that."""
        while True:
            answer = self.answer(self.ask(method, params))
            if "error" not in answer:
                return answer["result"]
            if not (answer["error"].get("data") or {}).get("retriggerRequest"):
                raise RuntimeError(f"{method}: {answer['error']}")

    def open(self, uri: str, text: str, version: int = 1) -> None:
        """Open a Markdown document."""
        item = {"uri": uri, "languageId": "markdown", "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, uri: str, version: int, changes: Sequence[Message]) -> None:
        """Send edits of an open document."""
        document = {"uri": uri, "version": version}
        changed = {"textDocument": document, "contentChanges": list(changes)}
        self.notify("textDocument/didChange", changed)

    def save(self, uri: str) -> None:
        """Say that a document was saved."""
        self.notify("textDocument/didSave", {"textDocument": {"uri": uri}})

    def close(self, uri: str) -> None:
        """Close a document."""
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def pull(self, uri: str) -> Message:
        """Return the document's full diagnostic report."""
        report: Message = self.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
        return report

    def pushed(self, uri: str, version: int) -> list[Message]:
        """Wait until the server publishes diagnostics of this version."""
        while True:
            params = _next(self._pushed)
            if params["uri"] == uri and params.get("version") == version:
                diagnostics: list[Message] = params["diagnostics"]
                return diagnostics

    def resident(self) -> float:
        """Return the server's resident memory in MB."""
        status = Path(f"/proc/{self._child.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def stop(self) -> None:
        """Shut the server down and wait until it is gone."""
        self.request("shutdown", {})
        self.notify("exit", {})
        self._child.process.wait(PATIENCE)

    def _send(self, message: Message) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._child.send(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def _read(self) -> None:
        stream = self._child.output
        while header := stream.readline():
            length = int(header.split(b":")[1])
            while stream.readline().strip():
                pass
            message = json.loads(stream.read(length))
            if "method" not in message:
                self._answers[message["id"]].put(message)
            elif "id" in message:
                self._send({"id": message["id"], "result": self._reply(message)})
            elif message["method"] == "textDocument/publishDiagnostics":
                self._pushed.put(message["params"])
        # Whoever waits for a server that is gone is told why it went.
        death = self._child.death()
        for waiting in (*self._answers.values(), self._pushed):
            waiting.put(death)

    def _reply(self, message: Message) -> Any:  # noqa: ANN401 - whatever JSON holds
        if message["method"] == "workspace/configuration":
            return [self._settings for _ in message["params"]["items"]]
        return None


def _next(messages: _Messages) -> Message:
    message = messages.get(timeout=PATIENCE)
    if isinstance(message, ChildError):
        raise message
    return message
