"""JSON-RPC: every request is answered exactly once, whatever the client sends.

The types of messages are lsprotocol's. A server library is not used: pygls 2, on which this began,
answers neither a request whose parameters do not fit nor one after shutdown, answers errors with
tracebacks, logs what people write, keeps a future for every notification that ever came, and its
documents break lines at U+2028. What was left of it was a table of functions.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import logging
import re
from collections.abc import Callable
from enum import Enum, EnumType
from functools import partial
from typing import Any

from cattrs import Converter
from lsprotocol import types
from lsprotocol.converters import get_converter

from onbrand.errors import Cancelled, OnbrandError
from onbrand_lsp.rpc.capabilities import JSON
from onbrand_lsp.rpc.stdio import Connection, InvalidMessage, describe, error_response

logger = logging.getLogger(__name__)

VERSION = "2.0"
_Id = str | int | None
_IDS = (str, int, type(None))
_METHOD = re.compile(r"[\w$/.]{1,60}")
_UNOFFERED = 100
"""So many methods are logged; no client that means well has more."""
Handler = Callable[..., Any]


class JsonRpcError(Exception):
    """An error for the other side, with its code of JSON-RPC or of the protocol."""

    code: int = types.ErrorCodes.InternalError.value

    def __init__(self, message: str, code: int | None = None, data: object = None) -> None:
        super().__init__(message)
        self.message, self.data = message, data
        self.code = self.code if code is None else code


class InvalidParamsError(JsonRpcError):
    """The parameters do not fit the method."""

    code = types.ErrorCodes.InvalidParams.value


class InvalidRequestError(JsonRpcError):
    """Not now, or not at all."""

    code = types.ErrorCodes.InvalidRequest.value


class MethodNotFoundError(JsonRpcError):
    """There is no such method."""

    code = types.ErrorCodes.MethodNotFound.value


_CLIENT_ERRORS = (InvalidParamsError, InvalidRequestError, MethodNotFoundError)


class Endpoint:
    """One end of a connection: takes and answers messages, on the loop's thread.

    A handler may be a function, which runs at once, or a coroutine function, which becomes a task
    that ``$/cancelRequest`` cancels. It may raise an `OnbrandError`, whose line the client gets, or
    a `JsonRpcError` to choose the code. Of any other error the client learns the type alone.
    """

    connection: Connection

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        """Method → function of the server and the parameters."""
        self._converter = get_converter()
        make_strict(self._converter)
        self._requests: dict[_Id, asyncio.Task[object]] = {}
        """Requests of the client that are not answered yet, by id."""
        self._asked: dict[_Id, tuple[str, asyncio.Future[Any]]] = {}
        """Requests of the server without an answer yet: id → method and future."""
        self._notification_tasks: set[asyncio.Task[object]] = set()
        self._unoffered: set[str] = set()
        """Methods that the client uses and the server does not offer; each is logged once."""
        self._numbers = itertools.count(1)
        self._shutdown = False

    def notify(self, method: str, params: object = None) -> None:
        """Send a notification."""
        self._send({"jsonrpc": VERSION, "method": method, "params": params})

    def ask(self, method: str, params: object = None) -> str:
        """Send a request whose answer does not matter; return its id."""
        number = f"onbrand-{next(self._numbers)}"
        self._send({"jsonrpc": VERSION, "id": number, "method": method, "params": params})
        return number

    async def request(self, method: str, params: object = None) -> Any:  # noqa: ANN401
        """Ask the client, and return its result as the protocol's type.

        Raises:
            JsonRpcError: it answered with an error, or with what is no result of this method.
        """
        future = asyncio.get_running_loop().create_future()
        self._asked[self.ask(method, params)] = method, future
        return await future

    def receive(self, message: JSON | InvalidMessage) -> None:
        """Take a message from the client."""
        if isinstance(message, InvalidMessage):
            self._invalid(None, message.code, message.message)
            return
        method, request = message.get("method"), message.get("id")
        if message.get("jsonrpc") != VERSION or type(request) not in _IDS:
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
        try:
            result = self._call(method, message)
        except Exception as error:
            self._fail(request, method, error)
            return
        if not inspect.iscoroutine(result):
            self._respond(request, result)
            return
        task = asyncio.get_running_loop().create_task(result)
        self._requests[request] = task
        task.add_done_callback(partial(self._answer, request, method))

    def _take_notification(self, method: str, message: JSON) -> None:
        if method == types.CANCEL_REQUEST:
            self._cancel(message.get("params"))
            return
        if self._shutdown and method != types.EXIT:
            return
        try:
            result = self._call(method, message)
        except MethodNotFoundError:
            if not method.startswith("$/"):  # those may be ignored, says the protocol
                self._log_unoffered(method, logging.INFO, "is not supported; ignored")
        except Exception as error:
            self._on_notification_error(method, message, error)
        else:
            if inspect.iscoroutine(result):
                task = asyncio.get_running_loop().create_task(result)
                self._notification_tasks.add(task)
                task.add_done_callback(partial(self._on_notification_done, method))

    def _take_response(self, request: _Id, message: JSON) -> None:
        """Set the result of a request of the server, unless its caller has given up."""
        method, future = self._asked.pop(request, ("", None))
        if future is None or future.done():
            return
        error = message.get("error")
        try:
            if error is not None:
                error = self._converter.structure(error, types.ResponseError)
                future.set_exception(JsonRpcError(error.message, error.code, error.data))
            else:
                kinds = types.METHOD_TO_TYPES.get(method)
                kind = kinds[1] if kinds else None
                typed = self._converter.structure(message, kind) if kind else None
                future.set_result(typed.result if typed else message.get("result"))
        except Exception as misfit:  # cattrs raises what it likes
            logger.warning("the client's answer does not fit the request: %s", describe(misfit))
            future.set_exception(JsonRpcError("the answer does not fit the request"))

    def _call(self, method: str, message: JSON) -> object:
        """Call the handler of a method and return what it returns.

        Its parameters come as types, or as JSON where the method is none of the protocol's.
        """
        handler = self.handlers.get(method)
        if handler is None:
            raise MethodNotFoundError("no such method")
        kinds = types.METHOD_TO_TYPES.get(method)
        params: object = message.get("params")
        try:
            if kinds is not None:
                params = self._converter.structure(message, kinds[0]).params
        except Exception:  # cattrs raises what it likes
            raise InvalidParamsError("the parameters do not fit the method") from None
        return handler(self, params)

    def _cancel(self, params: object) -> None:
        request = params.get("id") if isinstance(params, dict) else None
        task = self._requests.get(request) if isinstance(request, str | int) else None
        if task is not None:  # else the answer is on its way already
            task.cancel()

    def _cancel_all(self) -> None:
        for task in self._requests.values():
            task.cancel()

    # The way out.

    def _send(self, message: JSON) -> None:
        self.connection.send(message, self._plain)

    def _plain(self, value: object) -> object:
        """Return a type of the protocol as JSON, for json.dumps."""
        if isinstance(value, Enum):
            return value.value
        if not hasattr(value, "__attrs_attrs__"):
            raise TypeError("not JSON")
        return self._converter.unstructure(value)

    def _respond(self, request: _Id, result: object) -> None:
        try:
            self._send({"jsonrpc": VERSION, "id": request, "result": result})
        except (TypeError, ValueError, AttributeError) as mistake:  # it cannot be written as JSON
            self._fail(request, "response", mistake)

    def _answer(self, request: _Id, method: str, task: asyncio.Task[object]) -> None:
        if self._requests.get(request) is task:
            del self._requests[request]
        if task.cancelled():
            self._fail(request, method, Cancelled())
        elif isinstance(error := task.exception(), Exception):  # Ctrl-C is none, and ends it all
            self._fail(request, method, error)
        elif error is None:
            self._respond(request, task.result())

    def _on_notification_done(self, method: str, task: asyncio.Task[object]) -> None:
        self._notification_tasks.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._on_notification_error(method, {}, error)

    def _invalid(self, request: _Id, code: int, message: str) -> None:
        logger.warning("%s; answered with an error", message)
        self.connection.send(error_response(request, code, message))

    def _fail(self, request: _Id, method: str, error: Exception) -> None:
        """Answer a request that failed, and log whether the client or the server was wrong."""
        data = None
        if isinstance(error, Cancelled):
            code, message = types.LSPErrorCodes.RequestCancelled.value, "cancelled"
        elif isinstance(error, OnbrandError):
            code, message = types.LSPErrorCodes.RequestFailed.value, str(error)
        elif isinstance(error, JsonRpcError):
            code, message, data = error.code, error.message, error.data
            if isinstance(error, MethodNotFoundError):
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

    def _on_notification_error(self, method: str, _message: JSON, error: Exception) -> None:
        """Log a notification that came to nothing."""
        known = isinstance(error, JsonRpcError | OnbrandError)
        logger.warning("%s failed: %s", _shown(method), error if known else describe(error))


def _shown(method: str) -> str:
    """Return a method's name for the log, unless it is something else that a client made up."""
    return method if _METHOD.fullmatch(method) else "an odd method"


_MOST = 2**31 - 1
"""The largest number in a position; some clients say 2**32 - 1 for the end of a line."""


def make_strict(converter: Converter) -> None:
    """Have ``converter`` refuse values of a wrong type, and take positions however far out."""
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _number)
    converter.register_structure_hook(bool, _truth)
    for kind in vars(types).values():
        # They are numbers and texts as well, and would else be structured as no more than that.
        if isinstance(kind, EnumType):
            converter.register_structure_hook(kind, _member)
    converter.register_structure_hook(types.Position, _position)


def _member(value: object, kind: type) -> object:
    return kind(value)


def _text(value: object, _: type) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _number(value: object, _: type) -> int:
    if isinstance(value, float) and value.is_integer():  # some clients know no other numbers
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not an integer")
    return value


def _truth(value: object, _: type) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def _position(value: dict[str, object], _: type) -> types.Position:
    return types.Position(*(_place(value[key]) for key in ("line", "character")))


def _place(value: object) -> int:
    return min(max(_number(value, int), 0), _MOST)
