"""Progress bars in the editor.

pygls' own never forget a token (pygls#607); nothing of them is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from onbrand.progress import Progress, ProgressEvent, silent

if TYPE_CHECKING:
    from onbrand_lsp.wire.protocol import SyncedServer

_PATIENCE = 2.0
"""Seconds for the client to agree to a bar; the work does not wait for it."""


@asynccontextmanager
async def progress(
    ls: SyncedServer, title: str, token: types.ProgressToken | None = None
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
        ls.progress(types.ProgressParams(token, value))

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


async def _new_token(ls: SyncedServer) -> str | None:
    token = uuid4().hex
    params = types.WorkDoneProgressCreateParams(token)
    with suppress(JsonRpcException, TimeoutError):
        await asyncio.wait_for(ls.window_work_done_progress_create_async(params), _PATIENCE)
        return token
    return None
