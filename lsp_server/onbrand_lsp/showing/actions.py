"""What a writer can do about a sentence: mark it, silence it, look at better ones."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from onbrand.document.positions import Encoding, Span
from onbrand.labels.normalization import text_key
from onbrand.results import SentenceVerdict, is_brand
from onbrand_lsp.showing import comments, places
from onbrand_lsp.showing.diagnostics import SOURCE
from onbrand_lsp.sync.convert import to_range
from onbrand_lsp.wire.capabilities import OFF_BRAND, ClientSupport

if TYPE_CHECKING:
    from onbrand_lsp.checking.judging import Checked

OTHER_BRANDS = 3


def code_actions(
    checked: Checked,
    span: Span,
    context: types.CodeActionContext,
    encoding: Encoding,
    client: ClientSupport,
    probabilities: Mapping[str, float] | None = None,
) -> list[types.CodeAction | types.Command]:
    """Return what can be done about the sentence in a selection, the first flagged one of several.

    A sentence that is not flagged has actions only when the writer asks for them, so that there is
    no light bulb on every line. Finding where a comment may stand reads the document again, which
    takes a tenth of a second at 30,000 words.

    Args:
        checked: what was found.
        span: the selection or cursor.
        context: the diagnostics there, and the kinds of actions wanted.
        encoding: unit of the columns.
        client: what the editor can do.
        probabilities: of the sentence for every brand, to offer the likeliest others.
    """
    sentence = places.sentence_in(checked, span)
    if sentence is None or not _wanted(context.only):
        return []
    asked = context.trigger_kind != types.CodeActionTriggerKind.Automatic
    if not (sentence.flagged or asked):
        return []
    about = _About(checked, sentence, context.diagnostics, encoding, client)
    actions = [
        *about.marks(),
        *about.ignores(),
        *about.commands(probabilities or {}),
    ]
    if client.code_action_literals:
        return [*actions]
    return [action.command for action in actions if action.command]


def _wanted(only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Tell whether quick fixes are among the kinds asked for; a kind has sub-kinds after a dot."""
    kinds = [str(getattr(kind, "value", kind)) for kind in only or [""]]
    return any(kind in ("", types.CodeActionKind.QuickFix.value) for kind in kinds)


@dataclass(frozen=True, slots=True)
class _About:
    """Makes the actions about one sentence."""

    checked: Checked
    sentence: SentenceVerdict
    diagnostics: Sequence[types.Diagnostic]
    encoding: Encoding
    client: ClientSupport

    def marks(self) -> Iterator[types.CodeAction]:
        """Yield what writes a label."""
        if self.sentence.brand not in self._brands():
            return
        for label in ("on", "off"):
            yield self._command(
                f"Mark as {label}-brand for {self.sentence.brand}",
                "onbrand.label",
                version=self.checked.snapshot.version,
                text=self.sentence.text,
                brand=self.sentence.brand,
                label=label,
                preferred=label == "on" and self.sentence.flagged,
            )

    def ignores(self) -> Iterator[types.CodeAction]:
        """Yield what silences the sentence; there is nothing to silence if it is not flagged."""
        if not self.sentence.flagged:
            return
        checked = self.checked
        sentences = checked.document.sentences
        index = bisect_left(sentences, self.sentence.span, key=lambda one: one.span)
        for edit in comments.ignore_edits(checked.document, index, quotes=checked.settings.quotes):
            what = "sentence" if edit.exact else "line"
            yield self._action(f"Ignore this {what} (comment)", edit=self._edit(edit.insertions))
        nearest = checked.settings.source
        if nearest or checked.snapshot.path:
            name = nearest.name if nearest else "onbrand.toml"
            yield self._command(
                f"Ignore this sentence in the project ({name})",
                "onbrand.ignoreInProject",
                text=self.sentence.text,
                range=self._range_json(),
            )

    def commands(self, probabilities: Mapping[str, float]) -> Iterator[types.CodeAction]:
        """Yield what shows better lines, or judges by another brand."""
        brand = self.sentence.brand
        if brand in self._brands():
            yield self._command(
                "Show the nearest on-brand lines",
                "onbrand.showExamples",
                range=self._range_json(),
                brand=brand,
            )
        others = [
            (-p, name) for name, p in probabilities.items() if name != brand and is_brand(name)
        ]
        for _, name in sorted(others)[:OTHER_BRANDS]:
            yield self._command(f"Check this document as {name}", "onbrand.checkAs", brand=name)

    def _brands(self) -> Sequence[str]:
        known = self.checked.scorer.brands if self.checked.scorer else ()
        return [*filter(is_brand, known)]

    def _range(self) -> types.Range:
        return to_range(self.sentence.span, self.checked.snapshot.lines, self.encoding)

    def _range_json(self) -> dict[str, Any]:
        lines = self.checked.snapshot.lines
        return places.range_json(self.sentence.span, lines, self.encoding)

    def _command(
        self, title: str, name: str, *, preferred: bool = False, **arguments: object
    ) -> types.CodeAction:
        given = {"uri": self.checked.snapshot.uri, **arguments}
        command = types.Command(title, name, arguments=[given])
        return self._action(title, command=command, preferred=preferred)

    def _action(
        self,
        title: str,
        *,
        command: types.Command | None = None,
        edit: types.WorkspaceEdit | None = None,
        preferred: bool = False,
    ) -> types.CodeAction:
        return types.CodeAction(
            title=title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[one for one in self.diagnostics if self._is_about(one)] or None,
            is_preferred=preferred or None,
            edit=edit,
            command=command,
        )

    def _is_about(self, diagnostic: types.Diagnostic) -> bool:
        if (diagnostic.source, diagnostic.code) != (SOURCE, OFF_BRAND):
            return False
        data = diagnostic.data
        key = data.get("text_key") if isinstance(data, Mapping) else None
        if key is None:  # the client keeps no data
            mine, its = self._range(), diagnostic.range
            return mine.start <= its.start and its.end <= mine.end
        return bool(key == text_key(self.sentence.text))

    def _edit(self, insertions: Sequence[comments.Insertion]) -> types.WorkspaceEdit:
        lines, uri = self.checked.snapshot.lines, self.checked.snapshot.uri
        edits = [
            types.TextEdit(to_range(Span(at, at), lines, self.encoding), text)
            for at, text in insertions
        ]
        if not self.client.document_changes:
            return types.WorkspaceEdit(changes={uri: edits})
        document = types.OptionalVersionedTextDocumentIdentifier(uri, self.checked.snapshot.version)
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, edits)])
