"""What is wrong with a document, as the editor underlines it.

There is one diagnostic a sentence. Its ``data`` has the ranges of the words that speak most against
the brand, for clients that mark them, too.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from lsprotocol import types

from onbrand.document import directives
from onbrand.document.positions import Encoding, Span
from onbrand.labels.normalization import text_key
from onbrand.report import message
from onbrand.results import Report, SentenceVerdict
from onbrand.voice.reasons import WordReason, worst_words
from onbrand.voice.storage import unknown_brand
from onbrand_lsp.checking.options import Severity
from onbrand_lsp.showing import places
from onbrand_lsp.showing.sources import Sources
from onbrand_lsp.sync.convert import to_range
from onbrand_lsp.wire.capabilities import (
    IDENTIFIER,
    NOTE,
    OFF_BRAND,
    UNKNOWN_BRAND,
    ClientSupport,
)

if TYPE_CHECKING:
    from onbrand_lsp.checking.judging import Checked

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
    checked: Checked, encoding: Encoding, client: ClientSupport, severity: Severity = "auto"
) -> list[types.Diagnostic]:
    """Return the findings in a document, in reading order.

    Where a document could not be judged nothing is underlined but the brand that has no voice.
    Related information looks at files, each once until it changes. The document's settings say what
    of a sentence is underlined, and how many findings are shown in full.

    Args:
        checked: what was found.
        encoding: unit of the columns.
        client: what the editor can show.
        severity: of off-brand sentences; "auto" follows how certain the finding is.
    """
    found = [*_findings(checked, encoding, client, severity), *_notes(checked, encoding)]
    return sorted(found, key=lambda one: (one.range.start.line, one.range.start.character))


def _findings(
    checked: Checked, encoding: Encoding, client: ClientSupport, severity: Severity
) -> Iterator[types.Diagnostic]:
    lines = checked.snapshot.lines
    sources = Sources(checked) if client.related_information else None
    page = types.CodeDescription(f"{DOCS}#{OFF_BRAND}") if client.code_description else None
    report, settings = checked.report, checked.settings
    foremost = _foremost(report, settings.max_findings or 0) if report else ()
    for index, sentence in enumerate(report.sentences if report else ()):
        if not sentence.flagged:
            continue
        level = message.severity(sentence) if severity == "auto" else severity
        words = worst_words(sentence.explanation)
        alone = settings.underline == "words" and bool(words)
        related = _related(sentence, sources, encoding) if sources else []
        if alone and sources:
            related += _other_words(words[1:], checked, encoding)
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
                    places.range_json(span, lines, encoding)
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
    words: Iterable[WordReason], checked: Checked, encoding: Encoding
) -> list[types.DiagnosticRelatedInformation]:
    uri, lines = checked.snapshot.uri, checked.snapshot.lines
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


def _notes(checked: Checked, encoding: Encoding) -> Iterator[types.Diagnostic]:
    lines = checked.snapshot.lines
    strangers = _strangers(checked)
    for warning in checked.report.warnings if checked.report else ():
        line, said = places.note(warning)
        if said in strangers:
            continue
        span = places.line_span(line, lines)
        yield types.Diagnostic(
            range=to_range(span, lines, encoding),
            message=said,
            severity=types.DiagnosticSeverity.Information,
            code=NOTE,
            source=SOURCE,
        )
    for said, span in strangers.items():
        yield types.Diagnostic(
            range=to_range(span, lines, encoding),
            message=said,
            severity=types.DiagnosticSeverity.Warning,
            code=UNKNOWN_BRAND,
            source=SOURCE,
        )


def _strangers(checked: Checked) -> dict[str, Span]:
    """Return a message for each brand without a voice that the document asks for, and where."""
    if checked.scorer is None:
        return {}
    document, lines, known = checked.document, checked.snapshot.lines, checked.scorer.brands
    found: dict[str, Span] = {}
    # An overriding brand is no fault of the document, nor is what it says then of any weight.
    if document.brand and document.brand not in known and checked.report is None:
        line = places.brand_key(document.source, lines, checked.settings.brand_key)
        if line is not None and checked.problem:
            found[_no_voice(document.brand, known)] = places.line_span(line, lines)
    asked = {verdict.brand for verdict in checked.report.sentences} if checked.report else set()
    for sentence in document.sentences:
        brand = sentence.brand
        if brand is None or brand not in asked or brand in known:
            continue
        said = _no_voice(brand, known)
        if said not in found:
            found[said] = _comment_before(document.source, sentence.span, brand, checked)
    return found


def _comment_before(source: str, sentence: Span, brand: str, checked: Checked) -> Span:
    """Return the comment that put a brand in force for a sentence."""
    lines = checked.snapshot.lines
    at = sentence.start
    while (at := source.rfind("brand", 0, at)) >= 0:
        comment = places.comment_at(source, at)
        if comment is None:
            continue
        found, _ = directives.read_directives([comment], lines)
        if any(one.brand == brand for one in found):
            return Span(comment.start, comment.end)
    return places.line_span(lines.line_of(sentence.start), lines)


def _no_voice(brand: str, known: Iterable[str]) -> str:
    return message.capitalised(unknown_brand(brand, known).message)
