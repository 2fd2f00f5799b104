"""The ways in which a Slack of our own fails when a test asks for it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from slack_web_api import Payload


@dataclass(slots=True)
class Fault:
    """How a method misbehaves, for a number of calls."""

    times: int
    status: int = 200
    body: bytes | Payload = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    until: threading.Event | None = None
    """No answer before it is set."""
    after: bool = False
    """The call takes effect first, then the answer is lost."""
    late: bool = False
    """All is well, but for the delay."""
    reset: bool = False
    """No answer: the connection is cut."""
    only: str = ""
    """Of all calls of the method, those that hold this, say a channel."""

    @property
    def takes_effect(self) -> bool:
        """Whether the call is carried out."""
        return self.after or self.late

    @property
    def recorded(self) -> Payload:
        """What the answer is called among the peer's calls."""
        if isinstance(self.body, dict):
            return self.body
        return {"ok": False, "error": "cut" if self.reset else f"http {self.status}"}

    async def answer(self, request: web.Request, right: Payload | None = None) -> web.Response:
        """Answer a request so, where the right answer would be another."""
        await asyncio.sleep(self.delay)
        while self.until is not None and not self.until.is_set():
            await asyncio.sleep(0.01)
        if self.late:
            return web.json_response(right)
        if self.reset and request.transport is not None:
            request.transport.abort()
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = {"Content-Type": "application/json", **self.headers}
        return web.Response(status=self.status, body=body, headers=headers)


class Faults:
    """The faults that are still to happen."""

    def __init__(self) -> None:
        self._faults: dict[str, list[Fault]] = defaultdict(list)

    def add(self, method: str, fault: Fault) -> None:
        """Let the next calls of a method fail."""
        self._faults[method].append(fault)

    def take(self, method: str, arguments: Mapping[str, Any]) -> Fault | None:
        """Return how this call fails, if it does."""
        said = json.dumps(arguments)
        for fault in self._faults[method]:
            if fault.times > 0 and fault.only in said:
                fault.times -= 1
                return fault
        return None

    def clear(self) -> None:
        """Let all be well."""
        self._faults.clear()
