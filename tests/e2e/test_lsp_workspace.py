"""Diagnostics of drafts that are not open, by long poll."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsp_session import (
    OFF_BRAND,
    ON_BRAND,
    Connector,
    Editor,
    connect,
    eventually,
    project,
    ranges,
)
from lsprotocol import types
from pygls.exceptions import JsonRpcException

pytestmark = pytest.mark.asyncio
__all__ = ["connect"]
WANTED = {"workspaceDiagnostics": True}


async def ask(editor: Editor, known: dict[str, str], **tokens: Any) -> list[Any]:
    previous = [types.PreviousResultId(uri, value) for uri, value in known.items()]
    params = types.WorkspaceDiagnosticParams(previous, **tokens)
    report = await editor.workspace_diagnostic_async(params)
    return list(report.items)


def take_in(known: dict[str, str], reports: list[Any]) -> None:
    for report in reports:
        known.pop(report.uri, None)
        if report.result_id:
            known[report.uri] = report.result_id


async def test_it_is_offered_only_when_asked_for(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices)
    for options, offered in ((None, False), (WANTED, True)):
        editor = await connect(folder, options=options)
        assert editor.result is not None
        provider = editor.result.capabilities.diagnostic_provider
        assert provider is not None
        assert provider.workspace_diagnostics is offered


async def test_an_answer_comes_when_something_has_changed(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices, more='exclude = ["old/"]\n')
    (folder / "old").mkdir()
    for name, text in (("b.md", OFF_BRAND), ("c.md", ON_BRAND), ("old/x.md", OFF_BRAND)):
        (folder / name).write_text(text)
    editor = await connect(folder, options=WANTED)
    known: dict[str, str] = {}
    first = await ask(editor, known)
    b, c = ((folder / name).as_uri() for name in ("b.md", "c.md"))
    assert {report.uri: (report.version, len(ranges(report.items))) for report in first} == {
        b: (None, 1),
        c: (None, 0),
    }
    take_in(known, first)

    # Everything is known: no answer, until a file changes.
    waiting = asyncio.ensure_future(ask(editor, known))
    await editor.command("checkWorkspace")
    assert not waiting.done()
    (folder / "c.md").write_text(OFF_BRAND)
    editor.tell_changed(folder / "c.md")
    second = await waiting
    assert [(report.uri, len(ranges(report.items))) for report in second] == [(c, 1)]
    take_in(known, second)

    # An open document counts as the editor has it, with its version.
    waiting = asyncio.ensure_future(ask(editor, known))
    editor.open(c, f"{OFF_BRAND} {OFF_BRAND}", version=7)
    third = await waiting
    assert [(r.uri, r.version, len(ranges(r.items))) for r in third] == [(c, 7, 2)]
    take_in(known, third)

    # What is gone is taken back; what is new is found.
    waiting = asyncio.ensure_future(ask(editor, known))
    (folder / "b.md").unlink()
    (folder / "d.md").write_text(OFF_BRAND)
    editor.tell_changed(folder / "b.md", folder / "d.md")
    fourth = {report.uri: report for report in await waiting}
    take_in(known, list(fourth.values()))
    while (folder / "d.md").as_uri() not in fourth or b in known:
        more = await ask(editor, known)
        take_in(known, more)
        fourth |= {report.uri: report for report in more}
    assert not fourth[b].items
    assert len(ranges(fourth[(folder / "d.md").as_uri()].items)) == 1


async def test_findings_are_streamed_and_progress_is_shown(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices)
    for n in range(5):
        (folder / f"{n}.md").write_text(OFF_BRAND)
    editor = await connect(folder, options=WANTED)
    assert await ask(editor, {}, partial_result_token="part", work_done_token="bar") == []
    streamed = [item for value in editor.partial["part"] for item in value["items"]]
    assert [item["uri"] for item in streamed] == [(folder / f"{n}.md").as_uri() for n in range(5)]
    assert all(item["items"] for item in streamed)
    kinds = [value["kind"] for value in editor.partial["bar"]]
    assert (kinds[0], kinds[-1], set(kinds[1:-1])) == ("begin", "end", {"report"})


async def test_a_waiting_request_can_be_cancelled(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices)
    editor = await connect(folder, options=WANTED)
    waiting = editor.protocol.send_request(
        types.WORKSPACE_DIAGNOSTIC, types.WorkspaceDiagnosticParams([]), msg_id="parked"
    )
    await editor.command("checkWorkspace")
    assert not waiting.done()
    editor.cancel_request(types.CancelParams("parked"))
    with pytest.raises(JsonRpcException) as caught:
        await asyncio.wrap_future(waiting)
    assert caught.value.code == types.LSPErrorCodes.RequestCancelled.value


async def test_a_changed_configuration_is_an_answer(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices)
    (folder / "b.md").write_text(OFF_BRAND)
    editor = await connect(folder, options=WANTED)
    known: dict[str, str] = {}
    take_in(known, await ask(editor, known))
    waiting = asyncio.ensure_future(ask(editor, known))
    project(folder, example_voices, more='exclude = ["b.md"]\n')
    editor.tell_changed(folder / "onbrand.toml")
    (report,) = await waiting
    assert report.uri == (folder / "b.md").as_uri()
    assert not report.items
    await eventually(lambda: editor.diagnostic_refresh_count > 0)
