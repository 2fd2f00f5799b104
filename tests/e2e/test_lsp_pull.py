"""Clients that ask for diagnostics."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsp_session import (
    AT_ONCE,
    DRAFT,
    EDITOR_FEATURES,
    ENCODINGS,
    OFF_BRAND,
    ON_BRAND,
    Connector,
    Editor,
    connect,
    eventually,
    fresh,
    project,
    ranges,
    underlined,
)
from lsprotocol import types
from pygls.exceptions import JsonRpcException

pytestmark = pytest.mark.asyncio
__all__ = ["connect"]

_START = types.Position(0, 0)


@pytest.mark.parametrize("transport", ["stdio", "tcp"])
@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_sentences_are_underlined_where_they_stand(
    connect: Connector, tmp_path: Path, example_voices: Path, transport: str, encoding: str
) -> None:
    folder = project(tmp_path, example_voices)
    editor = await connect(folder, transport=transport, encoding=encoding)
    assert editor.result is not None
    assert editor.result.capabilities.position_encoding == encoding
    uri = (folder / "a.md").as_uri()
    editor.open(uri, DRAFT)
    report = await editor.pull(uri)
    expected = underlined(fresh(DRAFT, example_voices), DRAFT, encoding)
    assert ranges(report.items) == expected
    assert expected
    # An edit after the emoji, in the client's units.
    place = expected[0].start
    change = types.TextDocumentContentChangePartial(types.Range(place, place), "\U0001f600 ")
    document = types.VersionedTextDocumentIdentifier(version=2, uri=uri)
    editor.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))
    at = fresh(DRAFT, example_voices).flagged[0].span.start
    edited = f"{DRAFT[:at]}\U0001f600 {DRAFT[at:]}"
    report = await editor.pull(uri, report.result_id)
    assert ranges(report.items) == underlined(fresh(edited, example_voices), edited, encoding)


async def test_what_is_known_is_not_sent_again(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices)
    editor = await connect(folder, options=AT_ONCE)
    uri = (folder / "a.md").as_uri()
    editor.open(uri, OFF_BRAND)
    first = await editor.pull(uri)
    assert isinstance(first, types.RelatedFullDocumentDiagnosticReport)
    again = await editor.pull(uri, first.result_id)
    assert again == types.RelatedUnchangedDocumentDiagnosticReport(first.result_id)
    editor.replace(uri, ON_BRAND, 2)
    other = await editor.pull(uri, first.result_id)
    assert other.result_id != first.result_id
    assert ranges(other.items) == []
    editor.replace(uri, OFF_BRAND, 3)  # as undo does
    undone = await editor.pull(uri, first.result_id)
    assert undone == again


async def test_a_pull_for_an_older_text_is_asked_for_again(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices)
    # Longer than any machine takes between two messages.
    editor = await connect(folder, options={"settings": {"debounce": 5000}})
    uri = (folder / "a.md").as_uri()
    editor.open(uri, ON_BRAND)
    editor.replace(uri, OFF_BRAND, 2)
    params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
    stale = asyncio.ensure_future(editor.text_document_diagnostic_async(params))
    await asyncio.sleep(0)
    # An answer to what was asked later: the pull is waiting for the pause.
    await editor.text_document_hover_async(types.HoverParams(params.text_document, _START))
    editor.replace(uri, f"{ON_BRAND} {OFF_BRAND}", 3)
    with pytest.raises(JsonRpcException) as caught:
        await stale
    assert caught.value.code == types.LSPErrorCodes.ServerCancelled.value
    assert caught.value.data == {"retriggerRequest": True}


async def test_nothing_is_pushed_to_those_who_pull(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices)
    (folder / "b.md").write_text(OFF_BRAND)
    editor = await connect(folder)
    uri = (folder / "a.md").as_uri()
    editor.open(uri, OFF_BRAND)
    editor.replace(uri, ON_BRAND, 2)
    await editor.pull(uri)
    await editor.command("checkWorkspace")
    editor.close(uri)
    gone = await editor.pull(uri)
    assert not gone.items
    assert editor.published == []


async def test_every_request_can_be_cancelled(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices)
    editor = await connect(folder, options={"workspaceDiagnostics": True})
    uri = (folder / "a.md").as_uri()
    editor.open(uri, OFF_BRAND * 50)
    document, place = types.TextDocumentIdentifier(uri), types.Position(0, 3)
    context = types.CodeActionContext(diagnostics=[])
    requests = [
        (types.TEXT_DOCUMENT_DIAGNOSTIC, types.DocumentDiagnosticParams(document)),
        (types.TEXT_DOCUMENT_HOVER, types.HoverParams(document, place)),
        (types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensParams(document)),
        (
            types.TEXT_DOCUMENT_CODE_ACTION,
            types.CodeActionParams(document, types.Range(place, place), context),
        ),
        (types.WORKSPACE_DIAGNOSTIC, types.WorkspaceDiagnosticParams([])),
        (
            types.WORKSPACE_EXECUTE_COMMAND,
            types.ExecuteCommandParams("onbrand.showVerdict", [{"uri": uri}]),
        ),
    ]
    waiting = []
    for n, (method, params) in enumerate(requests):
        future = editor.protocol.send_request(method, params, msg_id=f"c{n}")
        editor.cancel_request(types.CancelParams(f"c{n}"))
        waiting.append(asyncio.wrap_future(future))
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    for (method, _), answer in zip(requests, answers, strict=True):
        assert isinstance(answer, JsonRpcException), method
        assert answer.code == types.LSPErrorCodes.RequestCancelled.value, method
    report = await editor.pull(uri)
    assert ranges(report.items)


async def test_hover_and_actions_speak_of_the_sentence_under_the_cursor(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices)
    editor = await connect(folder, encoding="utf-8")
    uri = (folder / "a.md").as_uri()
    editor.open(uri, DRAFT)
    report = await editor.pull(uri)
    finding = next(one for one in report.items if one.code == "off-brand")
    document, place = types.TextDocumentIdentifier(uri), finding.range.start
    hover = await editor.text_document_hover_async(types.HoverParams(document, place))
    assert hover is not None
    assert hover.range == finding.range
    assert "P for other brands" in hover.contents.value
    assert "Nearest on-brand line" in hover.contents.value
    context = types.CodeActionContext(diagnostics=[finding])
    offered = await editor.text_document_code_action_async(
        types.CodeActionParams(document, types.Range(place, place), context)
    )
    titles = [action.title for action in offered]
    assert "Mark as on-brand for oatfolk" in titles
    assert "Ignore this sentence (comment)" in titles
    assert sum(title.startswith("Check this document as ") for title in titles) == 3
    lenses = await editor.text_document_code_lens_async(types.CodeLensParams(document))
    assert lenses[0].command.command == "onbrand.showVerdict"


async def test_a_document_that_is_not_open_has_nothing_to_show(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices)
    editor = await connect(folder)
    document, place = types.TextDocumentIdentifier("file:///nowhere.md"), types.Position(0, 0)
    context = types.CodeActionContext(diagnostics=[])
    assert await editor.text_document_hover_async(types.HoverParams(document, place)) is None
    actions = types.CodeActionParams(document, types.Range(place, place), context)
    assert await editor.text_document_code_action_async(actions) == ()
    assert await editor.text_document_code_lens_async(types.CodeLensParams(document)) == ()
    assert not (await editor.pull(document.uri)).items


async def test_a_project_without_configuration_is_left_alone(
    connect: Connector, tmp_path: Path
) -> None:
    editor = await connect(tmp_path, options={"status": True})
    uri = (tmp_path / "a.md").as_uri()
    editor.open(uri, OFF_BRAND)
    assert not (await editor.pull(uri)).items
    assert editor.shown() == []
    await eventually(lambda: any(status.uri == uri for status in editor.statuses))
    assert [status.state for status in editor.statuses if status.uri == uri] == ["silent"]


async def test_an_untrusted_workspace_chooses_no_voices(
    connect: Connector, tmp_path: Path, example_voices: Path
) -> None:
    folder = project(tmp_path, example_voices)
    settings = {"": {"voices": [str(example_voices)], "brand": "oatfolk"}}
    editor = await connect(folder, options={"trusted": False}, settings=settings)
    uri = (folder / "a.md").as_uri()
    editor.open(uri, OFF_BRAND)
    assert not (await editor.pull(uri)).items
    assert editor.shown() == []


async def test_a_client_that_never_answers_gets_diagnostics_all_the_same(
    connect: Connector, tmp_path: Path, example_voices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(tmp_path, example_voices)
    asked, over = asyncio.Event(), asyncio.Event()

    async def stay_silent(_client: Editor, params: types.ConfigurationParams) -> list[None]:
        asked.set()
        await over.wait()
        return [None for _ in params.items]

    monkeypatch.setitem(EDITOR_FEATURES, types.WORKSPACE_CONFIGURATION, stay_silent)
    editor = await connect(folder, settings={})
    uri = (folder / "a.md").as_uri()
    editor.open(uri, OFF_BRAND)
    report = await editor.pull(uri)
    assert asked.is_set()
    assert len(ranges(report.items)) == 1
    over.set()
