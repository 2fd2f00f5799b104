"""Thin handlers: each finds the document, asks the part that knows, and returns its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lsprotocol import types

from onbrand.results import is_brand
from onbrand_lsp import commands
from onbrand_lsp.features import code_actions, code_lens, hover, lookup, payloads
from onbrand_lsp.features.code_actions import fixes_for
from onbrand_lsp.label_store import author_of
from onbrand_lsp.models import Session
from onbrand_lsp.positions import to_span
from onbrand_lsp.server import OnbrandServer, tune_gc
from onbrand_lsp.settings import path_of


def initialized(ls: OnbrandServer, _params: types.InitializedParams) -> None:
    """Begin to talk."""
    ls.start()


def shutdown(ls: OnbrandServer, _params: None) -> None:
    """Stop all work."""
    ls.close()


def did_open(ls: OnbrandServer, params: types.DidOpenTextDocumentParams) -> None:
    """Check a document."""
    uri = params.text_document.uri
    if (snapshot := ls.documents.get(uri)) is not None:
        ls.workspace_diagnostics.opened(snapshot)
    ls.publisher.on_open(uri)
    ls.workspace_diagnostics.invalidate(uri)


def did_change(ls: OnbrandServer, params: types.DidChangeTextDocumentParams) -> None:
    """Check a document when the writer pauses."""
    uri = params.text_document.uri
    ls.publisher.on_change(uri)
    ls.workspace_diagnostics.invalidate(uri)


def did_close(ls: OnbrandServer, params: types.DidCloseTextDocumentParams) -> None:
    """Let go of a document."""
    uri = params.text_document.uri
    ls.forget(uri)
    ls.workspace_diagnostics.invalidate(uri)


def will_save(ls: OnbrandServer, params: types.WillSaveTextDocumentParams) -> None:
    """Note whether it is the writer who saves."""
    ls.publisher.will_save(params.text_document.uri, params.reason)


def did_save(ls: OnbrandServer, params: types.DidSaveTextDocumentParams) -> None:
    """Show all findings, and notice configuration if the client cannot watch files."""
    ls.publisher.saved(params.text_document.uri)
    if not ls.client.watched_files_dynamic:
        ls.watcher.on_files_changed([params.text_document.uri])


def did_change_configuration(ls: OnbrandServer, params: types.DidChangeConfigurationParams) -> None:
    """Take new settings; what comes along is null in VS Code."""
    ls.settings_sent(params.settings)


def did_change_watched_files(ls: OnbrandServer, params: types.DidChangeWatchedFilesParams) -> None:
    """Take note of files that have changed."""
    ls.watcher.on_files_changed(change.uri for change in params.changes)


def did_change_folders(ls: OnbrandServer, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Let folders come and go."""
    for folder in params.event.removed:
        ls.projects.remove_folder(folder.uri)
    for folder in params.event.added:
        path = path_of(folder.uri)
        if path is not None:
            ls.projects.add_folder(folder.uri, path)
    ls.ask_settings()
    ls.configuration_changed()


async def diagnostic(
    ls: OnbrandServer, params: types.DocumentDiagnosticParams
) -> types.DocumentDiagnosticReport:
    """Answer a client that pulls."""
    return await ls.publisher.pull(params)


async def workspace_diagnostic(
    ls: OnbrandServer, params: types.WorkspaceDiagnosticParams
) -> types.WorkspaceDiagnosticReport:
    """Answer when something has changed."""
    return await ls.workspace_diagnostics.pull(params)


async def show_hover(ls: OnbrandServer, params: types.HoverParams) -> types.Hover | None:
    """Explain a sentence, from what is known now: no check keeps a hover waiting."""
    snapshot = ls.documents.get(params.text_document.uri)
    if snapshot is None:
        return None
    place, encoding = params.position, ls.documents.encoding
    offset = snapshot.lines.offset(place.line, place.character, encoding)
    analysis = await ls.analyser.peek(snapshot, offset)
    if analysis is None:
        return None

    def explained() -> types.Hover | None:
        sentence, scorer = lookup.sentence_at(analysis, offset), analysis.scorer
        if sentence is None or scorer is None or sentence.probability is None:
            return hover.hover(analysis, offset, encoding, ls.client)
        others = scorer.probabilities(sentence.text)
        why = scorer.explain(sentence.text, sentence.brand)
        return hover.hover(analysis, offset, encoding, ls.client, others, why)

    return await ls.analyser.run_interactive(explained)


async def offer_code_actions(
    ls: OnbrandServer, params: types.CodeActionParams
) -> list[types.CodeAction | types.Command]:
    """Offer what can be done about a sentence."""
    analysis = await ls.current(params.text_document.uri)
    if analysis is None:
        return []
    encoding = ls.documents.encoding
    span = to_span(params.range, analysis.snapshot.lines, encoding)

    rules = ls.projects.rules(analysis.snapshot.uri, analysis.snapshot.path)
    marks = ls.labels.known(rules)

    def offered() -> list[types.CodeAction | types.Command]:
        sentence, scorer = lookup.sentence_in(analysis, span), analysis.scorer
        offers = None
        if sentence is not None and scorer is not None:
            authors = marks.by(sentence.brand, sentence.text)
            offers = code_actions.Offers(
                probabilities=scorer.probabilities(sentence.text),
                fixes=fixes_for(scorer, sentence, rules, trusted=ls.projects.trusted),
                has_near=is_brand(sentence.brand)
                and bool(payloads.near(scorer, sentence.text, sentence.brand)),
                marked=bool(authors) and author_of(rules.editor.author, rules.folder) in authors,
            )
        return code_actions.code_actions(
            analysis, span, params.context, encoding, ls.client, offers
        )

    return await ls.analyser.run_interactive(offered)


async def show_code_lenses(ls: OnbrandServer, params: types.CodeLensParams) -> list[types.CodeLens]:
    """Show the verdict above the text."""
    uri = params.text_document.uri
    if not ls.projects.rules(uri, path_of(uri)).editor.code_lens:
        return []
    analysis = await ls.current(uri)
    if analysis is None:
        return []
    if code_lens.is_missing(analysis):
        # An editor that shows the status offers it there.
        return [] if ls.client.status else ls.set_up.lenses(analysis)
    return await ls.analyser.run_interactive(
        lambda: code_lens.lenses(analysis, ls.documents.encoding)
    )


FEATURES: dict[str, Callable[..., Any]] = {
    types.INITIALIZED: initialized,
    types.SHUTDOWN: shutdown,
    types.TEXT_DOCUMENT_DID_OPEN: did_open,
    types.TEXT_DOCUMENT_DID_CHANGE: did_change,
    types.TEXT_DOCUMENT_DID_CLOSE: did_close,
    types.TEXT_DOCUMENT_WILL_SAVE: will_save,
    types.TEXT_DOCUMENT_DID_SAVE: did_save,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: did_change_configuration,
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: did_change_watched_files,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: did_change_folders,
    types.TEXT_DOCUMENT_DIAGNOSTIC: diagnostic,
    types.WORKSPACE_DIAGNOSTIC: workspace_diagnostic,
    types.TEXT_DOCUMENT_HOVER: show_hover,
    types.TEXT_DOCUMENT_CODE_ACTION: offer_code_actions,
    types.TEXT_DOCUMENT_CODE_LENS: show_code_lenses,
}


def build_server(session: Session) -> OnbrandServer:
    """Return a server with all features and commands."""
    server = OnbrandServer(session)
    for method, feature in FEATURES.items():
        server.feature(method)(feature)
    commands.register(server)
    tune_gc()
    return server
