"""Diagnostics: what is underlined, and how the editor gets it, pulled or pushed, never both."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right, insort
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from lsprotocol import types

from onbrand.document import directives
from onbrand.document.positions import Encoding, Span
from onbrand.labels.normalization import text_key
from onbrand.report import message
from onbrand.results import Report, SentenceVerdict
from onbrand.voice.reasons import WordReason, worst_words
from onbrand.voice.storage import unknown_brand
from onbrand_lsp.analysis import Analyser, Analysis, AnalysisResult, ContentModified
from onbrand_lsp.documents import Snapshot
from onbrand_lsp.features import lookup
from onbrand_lsp.features.lookup import Sources
from onbrand_lsp.positions import to_range
from onbrand_lsp.rpc.capabilities import IDENTIFIER, NOTE, OFF_BRAND, UNKNOWN_BRAND, ClientSupport
from onbrand_lsp.rpc.jsonrpc import JsonRpcError
from onbrand_lsp.rpc.protocol import LanguageServer
from onbrand_lsp.settings import ProjectSettings, Severity
from onbrand_lsp.typing_pause import Clock, Timer, TypingPause

if TYPE_CHECKING:
    from onbrand_lsp.analysis import Analysis


SOURCE = IDENTIFIER
DOCS = "https://github.com/onbrand/onbrand/blob/main/docs/checking.md"
"""The page that findings link to, at the heading that `OFF_BRAND` names."""
SCREEN = 30
"""Sentences that a writer sees at once, more or less."""

_LEVELS = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "information": types.DiagnosticSeverity.Information,
    "note": types.DiagnosticSeverity.Information,
    "hint": types.DiagnosticSeverity.Hint,
}


def diagnostics(
    analysis: Analysis, encoding: Encoding, client: ClientSupport, severity: Severity = "auto"
) -> list[types.Diagnostic]:
    """Return the findings in a document, in reading order.

    Where a document could not be judged nothing is underlined but the brand that has no voice.
    Related information looks at files, each once until it changes. The document's settings say what
    of a sentence is underlined, and how many findings are shown in full.

    Args:
        analysis: what was found.
        encoding: unit of the columns.
        client: what the editor can show.
        severity: of off-brand sentences; "auto" follows how certain the finding is.
    """
    found = [*_findings(analysis, encoding, client, severity), *_notes(analysis, encoding)]
    return sorted(found, key=lambda one: (one.range.start.line, one.range.start.character))


def _findings(
    analysis: Analysis, encoding: Encoding, client: ClientSupport, severity: Severity
) -> Iterator[types.Diagnostic]:
    lines = analysis.snapshot.lines
    sources = Sources(analysis) if client.related_information else None
    page = types.CodeDescription(f"{DOCS}#{OFF_BRAND}") if client.code_description else None
    report, settings = analysis.report, analysis.settings
    foremost = _foremost(report, settings.max_findings or 0) if report else ()
    for index, sentence in enumerate(report.sentences if report else ()):
        if not sentence.flagged:
            continue
        level = message.severity(sentence) if severity == "auto" else severity
        words = worst_words(sentence.explanation)
        alone = settings.underline == "words" and bool(words)
        related = _related(sentence, sources, encoding) if sources else []
        if alone and sources:
            related += _other_words(words[1:], analysis, encoding)
        yield types.Diagnostic(
            range=to_range(words[0].spans[0] if alone else sentence.span, lines, encoding),
            message=message.sentence_message(sentence, nearest=False),
            severity=_LEVELS[level if index in foremost else "hint"],
            code=OFF_BRAND,
            code_description=page,
            source=SOURCE,
            related_information=related or None,
            # For every client: Eglot keeps it without saying so, and code actions do without it.
            data={
                "brand": sentence.brand,
                "text_key": text_key(sentence.text),
                "words": [
                    lookup.range_json(span, lines, encoding)
                    for word in words
                    for span in word.spans
                ],
            },
        )


def _foremost(report: Report, limit: int) -> Collection[int]:
    """Return the indexes of the findings to show in full: at most ``limit`` on any screen.

    The worst come first, and one is left out only where `SCREEN` sentences around it have as many
    worse ones; so an edit changes what is shown near it, and nowhere else.

    Args:
        report: the verdict.
        limit: 0: all of them.
    """
    flagged = [index for index, sentence in enumerate(report.sentences) if sentence.flagged]
    if not limit:
        return flagged
    shown: list[int] = []
    for index in sorted(flagged, key=lambda index: _badness(report.sentences[index])):
        first, last = index - SCREEN + 1, index + SCREEN - 1
        if bisect_right(shown, last) - bisect_left(shown, first) < limit:
            insort(shown, index)
    return shown


def _badness(sentence: SentenceVerdict) -> tuple[float, float]:
    """Return what sorts the worst sentence first: P, and where it is 0 the log-odds."""
    return sentence.probability or 0.0, min(sentence.evidence or (0.0,))


def _other_words(
    words: Iterable[WordReason], analysis: Analysis, encoding: Encoding
) -> list[types.DiagnosticRelatedInformation]:
    uri, lines = analysis.snapshot.uri, analysis.snapshot.lines
    return [
        types.DiagnosticRelatedInformation(
            types.Location(uri, to_range(word.spans[0], lines, encoding)),
            message.printable(f"Also: “{word.text}”"),
        )
        for word in words
    ]


def _related(
    sentence: SentenceVerdict, sources: Sources, encoding: Encoding
) -> list[types.DiagnosticRelatedInformation]:
    example = sentence.explanation.nearest_on if sentence.explanation else None
    place = sources.find(example, sentence.brand) if example else None
    if example is None or place is None:
        return []
    where = types.Location(place.file.as_uri(), to_range(place.span, place.lines, encoding))
    said = f"Nearest on-brand line: “{' '.join(message.printable(example.text).split())}”"
    return [types.DiagnosticRelatedInformation(where, said)]


def _notes(analysis: Analysis, encoding: Encoding) -> Iterator[types.Diagnostic]:
    lines = analysis.snapshot.lines
    unknown = _unknown_brands(analysis)
    for warning in analysis.report.warnings if analysis.report else ():
        line, said = lookup.note(warning)
        if said in unknown:
            continue
        span = lookup.line_span(line, lines)
        yield types.Diagnostic(
            range=to_range(span, lines, encoding),
            message=said,
            severity=types.DiagnosticSeverity.Information,
            code=NOTE,
            source=SOURCE,
        )
    for said, span in unknown.items():
        yield types.Diagnostic(
            range=to_range(span, lines, encoding),
            message=said,
            severity=types.DiagnosticSeverity.Warning,
            code=UNKNOWN_BRAND,
            source=SOURCE,
        )


def _unknown_brands(analysis: Analysis) -> dict[str, Span]:
    """Return a message for each brand without a voice that the document asks for, and where."""
    if analysis.scorer is None:
        return {}
    document, lines, known = analysis.document, analysis.snapshot.lines, analysis.scorer.brands
    found: dict[str, Span] = {}
    # An overriding brand is no fault of the document, nor is what it says then of any weight.
    if document.brand and document.brand not in known and analysis.report is None:
        line = lookup.brand_key(document.source, lines, analysis.settings.brand_key)
        if line is not None and analysis.problem:
            found[_no_voice(document.brand, known)] = lookup.line_span(line, lines)
    asked = {verdict.brand for verdict in analysis.report.sentences} if analysis.report else set()
    for sentence in document.sentences:
        brand = sentence.brand
        if brand is None or brand not in asked or brand in known:
            continue
        said = _no_voice(brand, known)
        if said not in found:
            found[said] = _comment_before(document.source, sentence.span, brand, analysis)
    return found


def _comment_before(source: str, sentence: Span, brand: str, analysis: Analysis) -> Span:
    """Return the comment that put a brand in force for a sentence."""
    lines = analysis.snapshot.lines
    at = sentence.start
    while (at := source.rfind("brand", 0, at)) >= 0:
        comment = lookup.comment_at(source, at)
        if comment is None:
            continue
        found, _ = directives.read_directives([comment], lines)
        if any(one.brand == brand for one in found):
            return Span(comment.start, comment.end)
    return lookup.line_span(lines.line_of(sentence.start), lines)


def _no_voice(brand: str, known: Iterable[str]) -> str:
    return message.capitalised(unknown_brand(brand, known).message)


REFRESH_AFTER = 0.05
"""Seconds in which several reasons to look again count as one."""
UNPULLED = 2.0
"""Seconds after which a client that said it would pull, and has not, gets pushes."""


class DiagnosticsPublisher:
    """Answers the clients that pull, and pushes to the others. For the loop's thread.

    Args:
        ls: the connection to the client, and its documents.
        projects: the settings of each document.
        analyser: checks documents.
        settings_ready: waits until the editor's settings are known.
        on_found: called with what was found in a document.
        on_refresh: called when everything is looked at again.
        on_pause: called with the URI of a document that has more to show.
        clock: returns what tells the time.
    """

    def __init__(
        self,
        ls: LanguageServer,
        projects: ProjectSettings,
        analyser: Analyser,
        *,
        settings_ready: Callable[[], Awaitable[None]],
        on_found: Callable[[Analysis], None],
        on_refresh: Callable[[], None],
        on_pause: Callable[[str], None],
        clock: Callable[[], Clock] = asyncio.get_running_loop,
    ) -> None:
        self._ls, self._projects, self._analyser = ls, projects, analyser
        self._settings_ready, self._on_found, self._on_refresh = (
            settings_ready,
            on_found,
            on_refresh,
        )
        self._on_pause, self._clock = on_pause, clock
        self._pause = TypingPause(self._show_again, clock)
        self._edited: dict[str, float] = {}
        self._pushes: dict[str, asyncio.Task[None]] = {}
        self._pushed: set[str] = set()
        self._refresh: asyncio.TimerHandle | None = None
        self._pulled = False
        self._unpulled: Timer | None = None
        self._tells = False
        self._saves_itself: set[str] = set()

    @property
    def pushes(self) -> bool:
        """Whether diagnostics are pushed: the client does not pull, whatever it said."""
        return self._tells or not self._ls.client.pulls

    def on_open(self, uri: str) -> None:
        """Check a document at once."""
        snapshot = self._ls.documents.get(uri)
        if snapshot is not None:
            self._pause.opened(snapshot)
        if not (self.pushes or self._pulled or self._unpulled):
            clock = self._clock()
            self._unpulled = clock.call_at(clock.time() + UNPULLED, self._tell)
        self._push(uri)

    def on_change(self, uri: str) -> None:
        """Check a document when the writer pauses."""
        self._edited[uri] = self._clock().time()
        snapshot = self._ls.documents.get(uri)
        if snapshot is not None:
            self._pause.changed(snapshot)
        self._push(uri)

    def will_save(self, uri: str, reason: types.TextDocumentSaveReason) -> None:
        """Take note of why a document is being saved."""
        if reason == types.TextDocumentSaveReason.AfterDelay:
            self._saves_itself.add(uri)

    def saved(self, uri: str) -> None:
        """Show the findings that waited in a document, unless the editor saved it by itself."""
        if uri in self._saves_itself:
            self._saves_itself.remove(uri)
        elif self._pause.left(uri):
            self._show_again(uri)

    def on_close(self, uri: str) -> None:
        """Take a document's diagnostics back, which the editor would go on to show."""
        self._edited.pop(uri, None)
        self._saves_itself.discard(uri)
        self._pause.closed(uri)
        push = self._pushes.pop(uri, None)
        if push is not None:
            push.cancel()
        if self.pushes:
            self.publish(uri, [], None)

    def close(self) -> None:
        """Wait for nothing more."""
        self._pause.close()
        if self._unpulled is not None:
            self._unpulled.cancel()

    def pulled(self) -> None:
        """Note that the client pulls, and clear the diagnostics that were pushed meanwhile."""
        self._pulled = True
        if self._unpulled is not None:
            self._unpulled.cancel()
        if self._tells:
            self._tells = False
            for push in self._pushes.values():
                push.cancel()
            self._pushes.clear()
            for uri in sorted(self._pushed):
                self.publish(uri, [], None)

    async def pull(self, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        """Answer ``textDocument/diagnostic``.

        Raises:
            JsonRpcError: the document has changed meanwhile; the client asks again.
        """
        self.pulled()
        snapshot = self._ls.documents.get(params.text_document.uri)
        if snapshot is None:
            return types.RelatedFullDocumentDiagnosticReport(items=[])
        try:
            shown = await self.shown(snapshot)
        except ContentModified:
            raise self._outdated(snapshot.uri) from None
        result_id = shown.analysis.result_id
        if params.previous_result_id == result_id:
            return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result_id)
        return types.RelatedFullDocumentDiagnosticReport(
            items=shown.diagnostics, result_id=result_id
        )

    async def analyse(self, snapshot: Snapshot) -> AnalysisResult:
        """Return the findings in a document once the writer pauses.

        Raises:
            Outdated: it has changed meanwhile.
        """
        await self._settings_ready()
        pause = self._projects.rules(snapshot.uri, snapshot.path).editor.debounce / 1000
        since = self._edited.get(snapshot.uri)
        if since is not None:
            await self._sleep_until(since + pause)
        if self._ls.documents.get(snapshot.uri) is not snapshot:
            raise ContentModified
        found = await self._analyser.check(snapshot)
        self._on_found(found.analysis)
        return found

    async def shown(self, snapshot: Snapshot) -> AnalysisResult:
        """Return the findings to show in a document: all but those that wait for a pause.

        A client that pulls and cannot be told to pull again waits for the pause itself, unless
        there is something to take back.

        Raises:
            Outdated: it has changed meanwhile.
        """
        before = self._pause.count(snapshot.uri)
        found = await self.analyse(snapshot)
        shown = self._calmed(found)
        until = self._pause.until(snapshot.uri)
        client = self._ls.client
        if until is None or self.pushes or client.pull_refresh or len(shown.diagnostics) < before:
            return shown
        await self._sleep_until(until)
        if self._ls.documents.get(snapshot.uri) is not snapshot:
            raise ContentModified
        return self._calmed(found)

    def refresh(self) -> None:
        """Look at everything again, soon: something other than a text has changed."""
        if self._refresh is None:
            loop = asyncio.get_running_loop()
            self._refresh = loop.call_later(REFRESH_AFTER, self._refresh_now)

    def publish(self, uri: str, diagnostics: list[types.Diagnostic], version: int | None) -> None:
        """Push a document's diagnostics."""
        known = version if self._ls.client.push_version else None
        (self._pushed.add if diagnostics else self._pushed.discard)(uri)
        self._ls.notify(
            types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS,
            types.PublishDiagnosticsParams(uri, diagnostics, known),
        )

    def _calmed(self, found: AnalysisResult) -> AnalysisResult:
        snapshot = found.analysis.snapshot
        editor = self._projects.rules(snapshot.uri, snapshot.path).editor
        return self._pause.show(found, editor.typing_pause / 1000, self._ls.documents.encoding)

    def _tell(self) -> None:
        """Push from now on: the client has not pulled."""
        self._unpulled = None
        if not self._pulled:
            self._tells = True
            for snapshot in self._ls.documents:
                self._push(snapshot.uri)

    def _show_again(self, uri: str) -> None:
        """Show the findings that waited in a document."""
        if self.pushes:
            self._push(uri)
        elif self._ls.client.pull_refresh:
            self._ls.ask(types.WORKSPACE_DIAGNOSTIC_REFRESH, None)
        self._on_pause(uri)

    def _refresh_now(self) -> None:
        self._refresh = None
        ls = self._ls
        if self.pushes:
            for snapshot in ls.documents:
                self._push(snapshot.uri)
        elif ls.client.pull_refresh:
            ls.ask(types.WORKSPACE_DIAGNOSTIC_REFRESH, None)
        if ls.client.code_lens_refresh:
            ls.ask(types.WORKSPACE_CODE_LENS_REFRESH, None)
        self._on_refresh()

    def _push(self, uri: str) -> None:
        if not self.pushes:
            return
        earlier = self._pushes.pop(uri, None)
        if earlier is not None:
            earlier.cancel()
        self._pushes[uri] = self._ls.spawn(self._check_and_push(uri), "pushing diagnostics")

    async def _check_and_push(self, uri: str) -> None:
        snapshot = self._ls.documents.get(uri)
        if snapshot is None:
            return
        try:
            shown = await self.shown(snapshot)
        except ContentModified:  # the change has a push of its own
            return
        self.publish(snapshot.uri, [*shown.diagnostics], snapshot.version)

    async def _sleep_until(self, when: float) -> None:
        clock = self._clock()
        if when <= clock.time():
            await asyncio.sleep(0)
            return
        over = asyncio.Event()
        timer = clock.call_at(when, over.set)
        try:
            await over.wait()
        finally:
            timer.cancel()

    def _outdated(self, uri: str) -> JsonRpcError:
        again = self._ls.documents.get(uri) is not None
        return JsonRpcError(
            "the document has changed",
            code=types.LSPErrorCodes.ServerCancelled.value,
            data={"retriggerRequest": again},
        )
