"""What the user sees beside diagnostics: messages, read-only documents, progress bars."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from lsprotocol import types

from onbrand.progress import Progress, ProgressEvent, silent
from onbrand_lsp.rpc.jsonrpc import JsonRpcError

if TYPE_CHECKING:
    from onbrand_lsp.rpc.protocol import LanguageServer


_CLIENT_TIMEOUT = 2.0
"""Seconds for the client to agree to a bar; the work does not wait for it."""


@asynccontextmanager
async def progress(
    ls: LanguageServer, title: str, token: types.ProgressToken | None = None
) -> AsyncIterator[Progress]:
    """Show a bar while the block runs.

    Args:
        ls: the server.
        title: what is going on.
        token: the client's own bar, which came with its request; else a new one, if it can.
    """
    if token is None and ls.client.work_done_progress:
        token = await _new_token(ls)
    if token is None:
        yield silent
        return

    def send(value: object) -> None:
        ls.notify(types.PROGRESS, types.ProgressParams(token, value))

    told = 0

    def report(event: ProgressEvent, /) -> None:
        nonlocal told
        percent = int(100 * event.share)
        if percent > told:  # a hundred reports will do, however many drafts there are
            told = percent
            send(types.WorkDoneProgressReport(message=event.text, percentage=percent))

    send(types.WorkDoneProgressBegin(title, percentage=0))
    try:
        yield report
    finally:
        send(types.WorkDoneProgressEnd())


async def _new_token(ls: LanguageServer) -> str | None:
    token = uuid4().hex
    params = types.WorkDoneProgressCreateParams(token)
    with suppress(JsonRpcError, TimeoutError):
        await asyncio.wait_for(
            ls.request(types.WINDOW_WORK_DONE_PROGRESS_CREATE, params), _CLIENT_TIMEOUT
        )
        return token
    return None


SHORT = 300
"""Maximum characters of a message; longer texts, and those of several lines, are documents."""


class ClientMessages:
    """Shows messages, and texts as read-only documents. For the loop's thread."""

    def __init__(self, ls: LanguageServer) -> None:
        self._ls = ls
        self._folder: Path | None = None

    def show(self, text: str, name: str) -> None:
        """Tell the writer.

        Args:
            text: Markdown; a line, or a document.
            name: what to call the document.
        """
        ls = self._ls
        if ls.client.client_commands:
            return
        if not ls.client.show_document or (len(text) <= SHORT and "\n" not in text.strip()):
            ls.notify(
                types.WINDOW_SHOW_MESSAGE,
                types.ShowMessageParams(types.MessageType.Info, text.strip()),
            )
            return
        if self._folder is None:  # private to the user: it holds text of drafts
            self._folder = Path(tempfile.mkdtemp(prefix="onbrand-"))
        file = self._folder / f"{name}.md"
        file.write_text(text.rstrip() + "\n", encoding="utf-8", errors="replace")
        ls.ask(types.WINDOW_SHOW_DOCUMENT, types.ShowDocumentParams(file.as_uri(), take_focus=True))

    def log(self, text: str) -> None:
        """Log a message that need not interrupt: its effect shows in the draft."""
        if not self._ls.client.client_commands:
            self._ls.notify(
                types.WINDOW_LOG_MESSAGE, types.LogMessageParams(types.MessageType.Info, text)
            )

    def close(self) -> None:
        """Remove the documents."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
