"""From the first byte to the last: `initialize` is answered before anything heavy is imported."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from onbrand_lsp.rpc import stdio
from onbrand_lsp.rpc.capabilities import JSON, ClientSupport, initialize_result
from onbrand_lsp.rpc.stdio import (
    INVALID_PARAMS,
    Connection,
    InvalidMessage,
    describe,
    error_response,
)

if TYPE_CHECKING:
    from onbrand_lsp.rpc.protocol import LanguageServer

logger = logging.getLogger(__name__)

NOT_INITIALIZED = -32002
NOT_SAID_GOODBYE = 1
"""Exit code when the client was gone without `shutdown`."""
INTERRUPTED = 130
_GRACE = 1.0
"""Seconds for tasks to notice that they are cancelled, and for the last answers to be sent."""


def serve(
    connection: Connection,
    *,
    client_pid: int | None = None,
    build: Callable[[JSON], LanguageServer] | None = None,
) -> int:
    """Serve one client until it leaves, and return the exit code.

    Args:
        connection: to the client.
        client_pid: process that the server must not outlive, beside the one `initialize` names.
        build: makes another server, from the parameters of `initialize`.
    """
    try:
        params = _initialize(connection)
        if params is None:
            return NOT_SAID_GOODBYE
        server = (build or _build)(params)
        return _run(server, connection, params, client_pid)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        connection.close(_GRACE)


def _initialize(connection: Connection) -> JSON | None:
    """Answer the client up to `initialize`, and return its parameters; None: it has left."""
    while (message := connection.receive()) is not None:
        if isinstance(message, InvalidMessage):
            logger.warning("%s; answered with an error", message.message)
            connection.send(error_response(None, message.code, message.message))
            continue
        method, params, request = (message.get(key) for key in ("method", "params", "id"))
        if method == "exit":
            return None
        if "id" not in message or method is None:
            continue
        if method == "initialize" and isinstance(params, dict):
            result = initialize_result(ClientSupport.of(params))
            connection.send({"jsonrpc": "2.0", "id": request, "result": result})
            return params
        code, why = NOT_INITIALIZED, "a request before initialize"
        if method == "initialize":
            code, why = INVALID_PARAMS, "initialize without parameters"
        logger.warning("%s; answered with an error", why)
        connection.send(error_response(request, code, why))
    return None


def _build(params: JSON) -> LanguageServer:
    from onbrand_lsp.models import begin

    session = begin(params)  # voices are loaded while lsprotocol is imported
    from onbrand_lsp.handlers import build_server

    return build_server(session)


def _run(
    server: LanguageServer, connection: Connection, params: JSON, client_pid: int | None
) -> int:
    """Serve on a loop of our own: asyncio.run would wait for whatever a worker is at."""
    import asyncio

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(_log_mistake)
    try:
        return loop.run_until_complete(_serve(server, connection, params, client_pid))
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=_GRACE))
        loop.close()


async def _serve(
    server: LanguageServer, connection: Connection, params: JSON, client_pid: int | None
) -> int:
    import asyncio

    loop = asyncio.get_running_loop()
    over = asyncio.Event()

    def from_thread(call: Callable[..., object], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know
            loop.call_soon_threadsafe(call, *args)

    server.begin(connection, params, over.set)
    connection.start(
        deliver=lambda message: from_thread(server.receive, message),
        ended=lambda: from_thread(over.set),
    )
    watch = loop.create_task(_watch([client_pid, params.get("processId")], over.set))
    await over.wait()
    watch.cancel()
    return server.exit_code


async def _watch(pids: Iterable[Any], gone: Callable[[], object]) -> None:
    """Call ``gone`` when one of the processes is; those that were never there do not count.

    An editor outside a container names a process that the server inside it cannot see.
    """
    import asyncio

    watched = [pid for pid in pids if type(pid) is int and stdio.is_alive(pid)]
    if not watched:
        return
    while all(map(stdio.is_alive, watched)):
        await asyncio.sleep(stdio.INTERVAL)
    logger.warning("the editor is gone; ending")
    gone()


def _log_mistake(_loop: object, context: dict[str, Any]) -> None:
    error = context.get("exception")
    logger.error("%s", describe(error) if error else "asyncio complains; no exception")
