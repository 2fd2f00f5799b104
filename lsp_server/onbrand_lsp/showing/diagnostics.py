"""What is wrong with a document, as the editor underlines it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lsprotocol import types

from onbrand.document import directives
from onbrand.document.positions import Encoding, Span
from onbrand.labels.normalization import text_key
from onbrand.report import message
from onbrand.results import SentenceVerdict
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
    Related information looks at files, each once until it changes.

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
    for sentence in checked.report.flagged if checked.report else ():
        level = message.severity(sentence) if severity == "auto" else severity
        yield types.Diagnostic(
            range=to_range(sentence.span, lines, encoding),
            message=message.sentence_message(sentence, nearest=False),
            severity=_LEVELS[level],
            code=OFF_BRAND,
            code_description=page,
            source=SOURCE,
            related_information=_related(sentence, sources, encoding) if sources else None,
            # For every client: Eglot keeps it without saying so, and code actions do without it.
            data={"brand": sentence.brand, "text_key": text_key(sentence.text)},
        )


def _related(
    sentence: SentenceVerdict, sources: Sources, encoding: Encoding
) -> list[types.DiagnosticRelatedInformation] | None:
    example = sentence.explanation.nearest_on if sentence.explanation else None
    place = sources.find(example, sentence.brand) if example else None
    if example is None or place is None:
        return None
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
