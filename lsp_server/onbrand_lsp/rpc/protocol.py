"""The protocol's own methods: from `initialize`, which was answered before, to `exit`."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from lsprotocol import types

from onbrand_lsp.documents import DocumentStore
from onbrand_lsp.rpc.capabilities import JSON, ClientSupport
from onbrand_lsp.rpc.jsonrpc import (
    VERSION,
    Endpoint,
    Handler,
    InvalidParamsError,
    InvalidRequestError,
)
from onbrand_lsp.rpc.stdio import Connection, describe

logger = logging.getLogger(__name__)

T = TypeVar("T")


class LanguageServer(Endpoint):
    """A language server whose documents are in step with the client's.

    It hears of each method before the function that was registered for it: `feature`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.documents = DocumentStore()
        self.client = ClientSupport()
        self.features: dict[str, Handler] = {}
        """Method → function that is called after the server's own part."""
        self.commands: dict[str, Handler] = {}
        """Name → function of the server and the arguments of ``workspace/executeCommand``."""
        self._end: Callable[[], object] = lambda: None
        self._tasks: set[asyncio.Task[Any]] = set()
        own: dict[str, Callable[[Any], bool]] = {
            types.INITIALIZE: self._initialize,
            types.SHUTDOWN: self._begin_shutdown,
            types.EXIT: self._exit,
            types.TEXT_DOCUMENT_DID_OPEN: self._open,
            types.TEXT_DOCUMENT_DID_CHANGE: self._change,
            types.TEXT_DOCUMENT_DID_CLOSE: self._close,
        }
        for method, part in own.items():
            self.handlers[method] = self._followed_by_feature(method, part)
        self.handlers[types.WORKSPACE_EXECUTE_COMMAND] = self._execute
        for ignored in (types.INITIALIZED, types.SET_TRACE, types.WINDOW_WORK_DONE_PROGRESS_CANCEL):
            self.handlers[ignored] = lambda _ls, _params: None

    def feature(self, method: str) -> Callable[[Handler], Handler]:
        """Register the decorated function, of the server and the parameters, for a method."""

        def register(function: Handler) -> Handler:
            self.features[method] = function
            if method not in _OWN:
                self.handlers[method] = function
            return function

        return register

    def command(self, name: str) -> Callable[[Handler], Handler]:
        """Register the decorated function, of the server and the arguments, as a command."""

        def register(function: Handler) -> Handler:
            self.commands[name] = function
            return function

        return register

    def begin(self, connection: Connection, params: JSON, end: Callable[[], object]) -> None:
        """Go on where `initialize` was answered.

        Args:
            connection: where answers go.
            params: what came with `initialize`. One word of a newer protocol would make the types
                refuse it: what the client can do is in `ClientSupport`.
            end: called when the client wants the server to exit.
        """
        self.connection, self._end = connection, end
        self.client = ClientSupport.of(params)
        self.documents.encoding = self.client.encoding

    @property
    def exit_code(self) -> int:
        """The process's exit code if it ended now: 1 when the client has not said goodbye."""
        return 0 if self._shutdown else 1

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run something in the background; a failure is logged, without its text."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)

        def ended(task: asyncio.Task[T]) -> None:
            self._tasks.discard(task)
            if not task.cancelled() and (error := task.exception()):
                logger.error("%s failed: %s", name, describe(error))

        task.add_done_callback(ended)
        return task

    def cancel_tasks(self) -> None:
        """Cancel everything that runs in the background."""
        for task in self._tasks:
            task.cancel()

    def _followed_by_feature(self, method: str, part: Callable[[Any], bool]) -> Handler:
        def handle(ls: LanguageServer, params: object) -> object:
            if part(params) and (feature := self.features.get(method)) is not None:
                return feature(ls, params)
            return None

        return handle

    def _initialize(self, _params: object) -> bool:
        raise InvalidRequestError("initialize was answered before")

    def _begin_shutdown(self, _params: object) -> bool:
        """Cancel all requests; from now on only `exit` is handled."""
        self._shutdown = True
        self._cancel_all()
        return True

    def _exit(self, _params: object) -> bool:
        self._end()
        return True

    def _open(self, params: types.DidOpenTextDocumentParams) -> bool:
        self.documents.open(params.text_document)
        return True

    def _change(self, params: types.DidChangeTextDocumentParams) -> bool:
        """Change a document; the feature is called only if it is open.

        Its URI becomes the one that the document was opened with, however this message spells it.
        """
        changed = self.documents.change(params)
        if changed is not None:
            params.text_document.uri = changed.uri
        return changed is not None

    def _close(self, params: types.DidCloseTextDocumentParams) -> bool:
        closed = self.documents.close(params.text_document.uri)
        if closed is not None:
            params.text_document.uri = closed.uri
        return True

    @staticmethod
    def _execute(ls: LanguageServer, params: types.ExecuteCommandParams) -> object:
        """Call a command; its arguments, which hold text, are never part of an error."""
        command = ls.commands.get(params.command)
        if command is None:
            raise InvalidParamsError("no such command")
        try:
            inspect.signature(command).bind(ls, *(params.arguments or ()))
        except TypeError:
            raise InvalidParamsError(f"the arguments do not fit {params.command}") from None
        return command(ls, *(params.arguments or ()))

    def _on_notification_error(self, method: str, message: JSON, error: Exception) -> None:
        super()._on_notification_error(method, message, error)
        if method != types.TEXT_DOCUMENT_DID_CHANGE or not isinstance(error, InvalidParamsError):
            return
        # The text is no longer the client's: nobody must judge it, or edit by its positions.
        params = message.get("params")
        document = params.get("textDocument") if isinstance(params, dict) else None
        uri = document.get("uri") if isinstance(document, dict) else None
        if isinstance(uri, str) and self.documents.get(uri) is not None:
            closing = {"textDocument": {"uri": uri}}
            method = types.TEXT_DOCUMENT_DID_CLOSE
            self.receive({"jsonrpc": VERSION, "method": method, "params": closing})


_OWN = (
    types.SHUTDOWN,
    types.EXIT,
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
)
"""Methods that the server has a part in itself."""
