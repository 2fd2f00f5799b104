"""A Slack of our own to test against: the Web API, response_urls, files, Socket Mode.

It records every call, keeps just enough state to answer like Slack (messages, files, views), breaks
in the ways that a test asks for, and can hand what it does not do itself to the `emulate` emulator.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl

from aiohttp import ClientSession, WSMsgType, web
from slack_fault import Fault, Faults
from slack_web_api import Payload, WebApi

NOT_EMULATED = {
    "apps.connections.open",
    "assistant.threads.setStatus",
    "assistant.threads.setSuggestedPrompts",
    "functions.completeError",
    "functions.completeSuccess",
}
"""Methods that `emulate` does not have; they are answered here."""
OK: Payload = {"ok": True}
LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in | Slack</title></head></html>"


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request that the app made; `method` is "response_url" for an answer to one."""

    method: str
    arguments: Payload
    token: str | None
    time: float
    """Monotonic, when it came in."""
    answer: Payload

    @property
    def ok(self) -> bool:
        """Whether it was answered as done."""
        return bool(self.answer.get("ok"))

    @property
    def body(self) -> str:
        """All that it sent, to search in."""
        return json.dumps(self.arguments, ensure_ascii=False)


class SlackPeer(WebApi):
    """Serves on a port of its own, from a thread of its own, until it is closed.

    Args:
        emulator: base URL of an `emulate` server that Web API calls are passed on to.
        tenants: bot tokens and the teams they belong to.
    """

    def __init__(
        self, *, emulator: str | None = None, tenants: Mapping[str, str] | None = None
    ) -> None:
        self.emulator = emulator
        super().__init__(tenants)
        self.calls: list[ApiCall] = []
        self._faults = Faults()
        self._changed = threading.Condition()
        self._sockets: list[web.WebSocketResponse] = []
        self._acks: dict[str, asyncio.Future[Any]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port: int = self._run(self._start())
        self.url = f"http://127.0.0.1:{self.port}"
        self.api_url = f"{self.url}/api/"

    # --- what tests say ---------------------------------------------------------------------

    def fail(self, method: str, *, times: int = 1, **fault: Any) -> None:
        """Let the next calls of a method fail; see `Fault`."""
        self._faults.add(method, Fault(times, **fault))

    def refuse(self, method: str, error: str, *, times: int = 1, only: str = "") -> None:
        """Let the next calls of a method be answered with an error of Slack's."""
        self.fail(method, times=times, body={"ok": False, "error": error}, only=only)

    def mend(self) -> None:
        """Forget the faults that did not happen yet."""
        self._faults.clear()

    def response_url(self) -> str:
        """Return a new URL for answers to a command or an interaction."""
        return f"{self.url}/hooks/{self.next_number()}"

    def of(self, *methods: str) -> list[ApiCall]:
        """Return the calls of some methods that took effect, in order."""
        return [call for call in list(self.calls) if call.method in methods and call.ok]

    def wait(
        self, happened: Callable[[SlackPeer], Any], timeout: float = 60.0, what: str = "it"
    ) -> Any:
        """Wait until a condition on the calls holds and return its value."""
        until = time.monotonic() + timeout
        with self._changed:
            while not (value := happened(self)):
                left = until - time.monotonic()
                if left <= 0:
                    made = [(c.method, c.answer.get("error", "ok")) for c in self.calls[-12:]]
                    raise AssertionError(f"{what} did not happen within {timeout:.0f} s: {made}")
                self._changed.wait(min(left, 0.1))
        return value

    def wait_for(self, *methods: str, count: int = 1, timeout: float = 60.0) -> list[ApiCall]:
        """Wait for a number of calls of some methods and return them."""
        what = f"{count} of {' or '.join(methods)}"
        return self.wait(
            lambda peer: (found := peer.of(*methods)) and len(found) >= count and found,
            timeout,
            what,
        )

    def push(self, envelope: Payload, timeout: float = 10.0) -> Payload | None:
        """Send a Socket Mode envelope and return the payload of its acknowledgement."""
        return self._run(self._push(envelope, timeout))

    def connected(self) -> int:
        """Return how many Socket Mode connections there are."""
        return sum(not socket.closed for socket in self._sockets)

    def disconnect(self) -> None:
        """Ask Socket Mode clients to come again, as Slack does now and then."""
        for socket in [socket for socket in self._sockets if not socket.closed]:
            self._run(socket.send_json({"type": "disconnect", "reason": "refresh_requested"}))

    def cut(self) -> None:
        """Close all Socket Mode connections without a word."""
        for socket in [socket for socket in self._sockets if not socket.closed]:
            self._run(socket.close())

    def close(self) -> None:
        """Stop serving."""
        self._run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # --- the server -------------------------------------------------------------------------

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    async def _start(self) -> int:
        app = web.Application(client_max_size=1 << 28)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/hooks/{number}", self._hook)
        app.router.add_get("/files-pri/{id}/{name}", self._file)
        app.router.add_post("/upload/{id}", self._upload)
        app.router.add_get("/link", self._socket)
        app.router.add_route("*", "/{rest:.*}", self._elsewhere)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, backlog=512)
        await site.start()
        return self._runner.addresses[0][1]

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        raw = await request.read()
        arguments = dict(request.query) | _arguments(request.content_type, raw)
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = arguments.pop("token", None) or bearer or None
        fault = self._faults.take(method, arguments)
        if fault is not None and not fault.takes_effect:
            self._record(method, arguments, token, fault.recorded)
            return await fault.answer(request)
        if self.emulator is not None and method not in NOT_EMULATED:
            answer = json.loads((await self._pass_on(request, raw)).body)
        else:
            answer = self.answer(method, arguments, token)
        self._record(method, arguments, token, answer)
        return await fault.answer(request, answer) if fault else web.json_response(answer)

    async def _pass_on(self, request: web.Request, raw: bytes) -> web.Response:
        kept = ("authorization", "content-type")
        headers = {key: value for key, value in request.headers.items() if key.lower() in kept}
        url = f"{self.emulator}{request.path_qs}"
        async with (
            ClientSession() as session,
            session.request(
                request.method, url, headers=headers, data=raw, allow_redirects=False
            ) as answer,
        ):
            told = ("Content-Type", "Location")
            back = {name: answer.headers[name] for name in told if name in answer.headers}
            return web.Response(status=answer.status, body=await answer.read(), headers=back)

    async def _elsewhere(self, request: web.Request) -> web.Response:
        """Serve pages and uploads of the emulator."""
        if self.emulator is None:
            return web.Response(status=404)
        return await self._pass_on(request, await request.read())

    def _record(self, method: str, arguments: Payload, token: str | None, answer: Payload) -> None:
        with self._changed:
            self.calls.append(ApiCall(method, arguments, token, time.monotonic(), answer))
            self._changed.notify_all()

    async def _hook(self, request: web.Request) -> web.Response:
        raw = await request.read()
        arguments = {"url": str(request.url), **_arguments("application/json", raw)}
        fault = self._faults.take("response_url", arguments)
        done = fault is None or fault.takes_effect
        self._record("response_url", arguments, None, OK if done else fault.recorded)
        return await fault.answer(request, OK) if fault else web.Response(text="ok")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        fault = self._faults.take("file", dict(request.match_info))
        self._record("file", dict(request.match_info), token, fault.recorded if fault else OK)
        if fault is not None:
            return await fault.answer(request)
        stored = self.files.get(request.match_info["id"])
        if stored is None:
            return await self._elsewhere(request)
        known = token in self.tenants and self.sees(token, stored)
        if not known and not stored.open:
            return web.Response(body=LOGIN_PAGE, headers={"Content-Type": "text/html"})
        response = web.StreamResponse(status=stored.status, headers=dict(stored.headers))
        if "Content-Length" not in stored.headers:
            response.content_length = len(stored.content)
        await response.prepare(request)
        await response.write(stored.content)
        return response

    async def _upload(self, request: web.Request) -> web.Response:
        content = await request.read()
        fault = self._faults.take("upload", dict(request.match_info))
        self._record("upload", dict(request.match_info), None, fault.recorded if fault else OK)
        if fault is not None:
            return await fault.answer(request)
        if request.content_type.startswith("multipart/"):
            content = content.split(b"\r\n\r\n", 1)[-1].rsplit(b"\r\n--", 1)[0]
        self.files[request.match_info["id"]].content = content
        return web.Response(text="OK")

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        await socket.send_json({"type": "hello", "num_connections": 1})
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                answer = json.loads(message.data)
                waiting = self._acks.pop(answer.get("envelope_id"), None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer.get("payload"))
        return socket

    async def _push(self, envelope: Payload, timeout: float) -> Payload | None:
        envelope.setdefault("envelope_id", f"envelope-{self.next_number()}")
        acknowledged = asyncio.get_running_loop().create_future()
        self._acks[envelope["envelope_id"]] = acknowledged
        socket = next(socket for socket in reversed(self._sockets) if not socket.closed)
        await socket.send_json(envelope)
        return await asyncio.wait_for(acknowledged, timeout)


def _arguments(content_type: str, raw: bytes) -> Payload:
    if content_type == "application/json":
        return dict(json.loads(raw or b"{}"))
    if content_type == "application/x-www-form-urlencoded":
        pairs = dict(parse_qsl(raw.decode(), keep_blank_values=True))
        return {key: _decoded(value) for key, value in pairs.items()}
    return {}


def _decoded(value: str) -> Any:
    # slack_sdk sends lists and objects in a form as JSON.
    if value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            pass
    return value
