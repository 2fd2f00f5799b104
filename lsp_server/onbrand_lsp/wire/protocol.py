"""The protocol's own methods: from `initialize`, which was answered before, to `exit`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams, JsonRpcInvalidRequest
from pygls.lsp.server import LanguageServer
from pygls.protocol import lsp_method
from pygls.workspace import Workspace

from onbrand_lsp.sync.documents import DocumentStore
from onbrand_lsp.wire.capabilities import JSON, ClientSupport, folders_of
from onbrand_lsp.wire.log import describe
from onbrand_lsp.wire.rpc import RpcProtocol
from onbrand_lsp.wire.strict import make_strict
from onbrand_lsp.wire.transport import Connection

logger = logging.getLogger(__name__)

_NOTEBOOKS = "notebookDocument/"
_Feature = tuple[Callable[..., Any], tuple[Any, ...], None]
T = TypeVar("T")


class SyncedServer(LanguageServer):
    """A language server whose documents are in step with the client's."""

    protocol: OnbrandProtocol

    def __init__(self, name: str, version: str) -> None:
        super().__init__(name, version, protocol_cls=OnbrandProtocol)
        self.documents = DocumentStore()
        self.client = ClientSupport()
        self._tasks: set[asyncio.Task[Any]] = set()

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


class OnbrandProtocol(RpcProtocol):
    """Keeps our documents, not pygls', in step, and never answers `initialize` a second time."""

    _server: SyncedServer

    def __init__(self, server: SyncedServer, converter: Converter) -> None:
        super().__init__(server, converter)
        make_strict(converter)
        self._requests = {}
        self._notices = set()
        self._unoffered = set()
        self._end: Callable[[], object] = lambda: None
        for method in [name for name in self.fm.builtin_features if name.startswith(_NOTEBOOKS)]:
            del self.fm.builtin_features[method]  # they would put texts into pygls' workspace

    def begin(self, connection: Connection, params: JSON, end: Callable[[], object]) -> None:
        """Go on where `initialize` was answered.

        Args:
            connection: where answers go.
            params: what came with `initialize`.
            end: called when the client wants the server to exit.
        """
        self.connection, self._end = connection, end
        client = ClientSupport.of(params)
        self._server.client = client
        self._server.documents.encoding = client.encoding
        folders = [types.WorkspaceFolder(uri, name) for uri, name in folders_of(params)]
        self._workspace = Workspace(
            folders[0].uri if folders else None,
            types.TextDocumentSyncKind.Incremental,
            folders,
            client.encoding,
        )
        # For pygls' own sake. One word of a newer protocol would make the types refuse them all:
        # what the client can do is in `ClientSupport`.
        self.client_capabilities = types.ClientCapabilities()

    @property
    def exit_code(self) -> int:
        """The process's exit code if it ended now: 1 when the client has not said goodbye."""
        return 0 if self._shutdown else 1

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Any:  # noqa: ANN401, ARG002
        """Refuse: it was answered."""
        raise JsonRpcInvalidRequest("initialize was answered before")

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Generator[_Feature, Any, None]:  # noqa: ANN401
        """Stop all work; only `exit` is heard from now on."""
        self._shutdown = True
        self._cancel_all(but=self.msg_id)
        yield from self._feature(types.SHUTDOWN, *args)

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> Generator[_Feature, Any, None]:  # noqa: ANN401
        """End the process."""
        self._end()
        yield from self._feature(types.EXIT, *args)

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(
        self, params: types.DidOpenTextDocumentParams
    ) -> Generator[_Feature, Any, None]:
        """Take in a document."""
        self._server.documents.open(params.text_document)
        yield from self._feature(types.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(
        self, params: types.DidChangeTextDocumentParams
    ) -> Generator[_Feature, Any, None]:
        """Change a document; of one that is not open the feature does not hear.

        It hears the URI as the document was opened with, however this message spells it.
        """
        if (changed := self._server.documents.change(params)) is not None:
            params.text_document.uri = changed.uri
            yield from self._feature(types.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(
        self, params: types.DidCloseTextDocumentParams
    ) -> Generator[_Feature, Any, None]:
        """Forget a document."""
        if (closed := self._server.documents.close(params.text_document.uri)) is not None:
            params.text_document.uri = closed.uri
        yield from self._feature(types.TEXT_DOCUMENT_DID_CLOSE, params)

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    def lsp_workspace__execute_command(
        self, params: types.ExecuteCommandParams
    ) -> Generator[Any, Any, Any]:
        """Call a command; pygls would quote arguments, which hold text, in its errors."""
        if params.command not in self.fm.commands:
            raise JsonRpcInvalidParams("no such command")
        try:
            return (yield from super().lsp_workspace__execute_command(params))
        except JsonRpcInvalidParams:
            raise JsonRpcInvalidParams(f"the arguments do not fit {params.command}") from None

    def _feature(self, method: str, *args: Any) -> Generator[_Feature, Any, None]:  # noqa: ANN401
        if (feature := self.fm.features.get(method)) is not None:
            yield feature, args, None

    def _missed(self, method: str, message: JSON, error: Exception) -> None:
        super()._missed(method, message, error)
        if method != types.TEXT_DOCUMENT_DID_CHANGE or not isinstance(error, JsonRpcInvalidParams):
            return
        # The text is no longer the client's: nobody must judge it, or edit by its positions.
        params = message.get("params")
        document = params.get("textDocument") if isinstance(params, dict) else None
        uri = document.get("uri") if isinstance(document, dict) else None
        if isinstance(uri, str) and self._server.documents.get(uri) is not None:
            closing = {"textDocument": {"uri": uri}}
            method = types.TEXT_DOCUMENT_DID_CLOSE
            self.receive({"jsonrpc": self.VERSION, "method": method, "params": closing})
