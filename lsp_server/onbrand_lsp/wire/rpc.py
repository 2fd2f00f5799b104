"""JSON-RPC: every request is answered exactly once, whatever the client sends.

pygls keeps the registry of features and the types. What it does with messages is done anew: it
answers neither a request whose parameters do not fit nor one after shutdown; it answers errors with
tracebacks, logs bodies, and keeps a future for every notification that ever came.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import re
from collections.abc import Generator
from functools import partial
from typing import Any, cast

from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcMethodNotFound,
)
from pygls.protocol import LanguageServerProtocol

from onbrand.errors import Cancelled, OnbrandError
from onbrand_lsp.wire.capabilities import JSON
from onbrand_lsp.wire.log import describe
from onbrand_lsp.wire.transport import Connection, Malformed, error_response

logger = logging.getLogger(__name__)

_Id = str | int | None
_IDS = (str, int, type(None))
_METHOD = re.compile(r"[\w$/.]{1,60}")
_UNOFFERED = 100
"""So many methods are logged; no client that means well has more."""
_CLIENT_ERRORS = (JsonRpcInvalidParams, JsonRpcInvalidRequest, JsonRpcMethodNotFound)


class RpcProtocol(LanguageServerProtocol):
    """Takes and answers messages, on the loop's thread.

    A feature may be a function, which runs at once, or a coroutine function, which becomes a task
    that ``$/cancelRequest`` cancels. It may raise an `OnbrandError`, whose line the client gets, or
    one of pygls' errors to choose the code. Of any other error the client learns the type alone.
    """

    connection: Connection
    _requests: dict[_Id, asyncio.Task[object]]
    """What the client waits for. (pygls' `_request_futures` are what we wait for.)"""
    _notices: set[asyncio.Task[object]]
    _unoffered: set[str]
    """Methods that the client uses although nobody offered them; each is logged once."""

    def receive(self, message: JSON | Malformed) -> None:
        """Take a message from the client."""
        if isinstance(message, Malformed):
            self._invalid(None, message.code, message.message)
            return
        method, request = message.get("method"), message.get("id")
        if message.get("jsonrpc") != self.VERSION or type(request) not in _IDS:
            self._invalid(None, types.ErrorCodes.InvalidRequest, "not a JSON-RPC 2.0 message")
        elif "method" not in message and ("result" in message or "error" in message):
            self._take_response(request, message)
        elif not isinstance(method, str):
            self._invalid(request, types.ErrorCodes.InvalidRequest, "a message without a method")
        elif "id" not in message:
            self._take_notification(method, message)
        elif self._shutdown:
            self._invalid(request, types.ErrorCodes.InvalidRequest, "a request after shutdown")
        else:
            self._take_request(request, method, message)

    def _take_request(self, request: _Id, method: str, message: JSON) -> None:
        """Answer a request, now or when its task is done."""
        context = contextvars.copy_context()
        context.run(self._ctx_msg_id.set, request)
        try:
            result = context.run(self._call, method, message)
        except Exception as error:
            self._fail(request, method, error)
            return
        if not inspect.iscoroutine(result):
            self._send_response(request, result)
            return
        task = asyncio.get_running_loop().create_task(result, context=context)
        self._requests[request] = task
        task.add_done_callback(partial(self._answer, request, method))

    def _take_notification(self, method: str, message: JSON) -> None:
        if method == types.CANCEL_REQUEST:
            self._cancel(message.get("params"))
            return
        if self._shutdown and method != types.EXIT:
            return
        try:
            context = contextvars.copy_context()
            result = context.run(self._call, method, message)
        except JsonRpcMethodNotFound:
            if not method.startswith("$/"):  # those may be ignored, says the protocol
                self._log_unoffered(method, logging.INFO, "is not supported; ignored")
        except Exception as error:
            self._missed(method, message, error)
        else:
            if inspect.iscoroutine(result):
                task = asyncio.get_running_loop().create_task(result)
                self._notices.add(task)
                task.add_done_callback(partial(self._noticed, method))

    def _take_response(self, request: _Id, message: JSON) -> None:
        """Hand over what the client answered to a request of ours, if anybody still waits."""
        future = self._request_futures.pop(str(request), None)
        kind = self._result_types.pop(str(request), None)
        if future is None or future.done():
            return
        error = message.get("error")
        try:
            if error is not None:
                error = self._converter.structure(error, types.ResponseError)
                future.set_exception(JsonRpcException.from_error(error))
            else:
                typed = self._converter.structure(message, kind) if kind else None
                future.set_result(typed.result if typed else message.get("result"))
        except Exception as misfit:  # cattrs raises what it likes
            logger.warning("the client's answer does not fit the request: %s", describe(misfit))
            future.set_exception(JsonRpcException("the answer does not fit the request"))

    def _call(self, method: str, message: JSON) -> object:
        """Call a feature and return what it returns.

        Its parameters come as types, or as JSON where the method is none of the protocol's.
        """
        if method not in self.fm.builtin_features and method not in self.fm.features:
            raise JsonRpcMethodNotFound("no such method")
        kind = self.get_message_type(method)
        params: object = message.get("params")
        try:
            if kind is not None:
                params = self._converter.structure(message, kind).params
        except Exception:  # cattrs raises what it likes
            raise JsonRpcInvalidParams("the parameters do not fit the method") from None
        result: object = self._get_handler(method)(params)
        return self._walk(result) if inspect.isgenerator(result) else result

    def _walk(self, steps: Generator[Any, Any, Any]) -> object:
        """Run a built-in handler of pygls, which yields the feature to call."""
        value: object = None
        try:
            while not inspect.iscoroutine(value):
                handler, positional, named = steps.send(value)
                value = handler(*positional, **(named or {}))
        except StopIteration as end:
            return cast("object", end.value)
        return value  # no built-in handler does more after a feature than to return its result

    def _cancel(self, params: object) -> None:
        request = params.get("id") if isinstance(params, dict) else None
        task = self._requests.get(request) if isinstance(request, str | int) else None
        if task is not None:  # else the answer is on its way already
            task.cancel()

    def _cancel_all(self, but: object = None) -> None:
        for request, task in self._requests.items():
            if request != but:
                task.cancel()

    # The way out.

    def _send_data(self, data: object) -> None:
        self.connection.send(data, self._serialize_message)

    def _send_response(
        self,
        msg_id: _Id,
        result: object = None,
        error: types.ResponseError | None = None,
    ) -> None:
        if error is not None:
            self.connection.send(error_response(msg_id, error.code, error.message, error.data))
            return
        try:
            self._send_data({"jsonrpc": self.VERSION, "id": msg_id, "result": result})
        except (TypeError, ValueError, AttributeError) as mistake:  # it cannot be written as JSON
            self._fail(msg_id, "response", mistake)

    def _answer(self, request: _Id, method: str, task: asyncio.Task[object]) -> None:
        if self._requests.get(request) is task:
            del self._requests[request]
        if task.cancelled():
            self._fail(request, method, Cancelled())
        elif isinstance(error := task.exception(), Exception):  # Ctrl-C is none, and ends it all
            self._fail(request, method, error)
        elif error is None:
            self._send_response(request, task.result())

    def _noticed(self, method: str, task: asyncio.Task[object]) -> None:
        self._notices.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._missed(method, {}, error)

    def _invalid(self, request: _Id, code: int, message: str) -> None:
        logger.warning("%s; answered with an error", message)
        self.connection.send(error_response(request, code, message))

    def _fail(self, request: _Id, method: str, error: Exception) -> None:
        """Answer a request that failed, and log what the client or we did wrong."""
        data = None
        if isinstance(error, Cancelled):
            code, message = types.LSPErrorCodes.RequestCancelled.value, "cancelled"
        elif isinstance(error, OnbrandError):
            code, message = types.LSPErrorCodes.RequestFailed.value, str(error)
        elif isinstance(error, JsonRpcException):
            code, message, data = error.code, error.message, error.data
            if isinstance(error, JsonRpcMethodNotFound):
                self._log_unoffered(method, logging.WARNING, f"refused: {message}")
            elif isinstance(error, _CLIENT_ERRORS):
                logger.warning("%s refused: %s", _shown(method), message)
        else:
            code = types.ErrorCodes.InternalError.value
            message = f"internal error ({type(error).__name__}); see the log"
            logger.error("%s failed: %s", _shown(method), describe(error))
        self.connection.send(error_response(request, code, message, data))

    def _log_unoffered(self, method: str, level: int, outcome: str) -> None:
        """Log the first use of a method that is not offered; Kate uses some at every keystroke."""
        shown = _shown(method)
        if shown not in self._unoffered and len(self._unoffered) < _UNOFFERED:
            self._unoffered.add(shown)
            logger.log(level, "%s %s", shown, outcome)

    def _missed(self, method: str, _message: JSON, error: Exception) -> None:
        """Log a notification that came to nothing."""
        known = isinstance(error, JsonRpcException | OnbrandError)
        logger.warning("%s failed: %s", _shown(method), error if known else describe(error))


def _shown(method: str) -> str:
    """Return a method's name for the log, unless it is something else that a client made up."""
    return method if _METHOD.fullmatch(method) else "an odd method"
