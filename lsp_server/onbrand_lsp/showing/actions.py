"""What a writer can do about a sentence: mend it, look at better ones, mark it, silence it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from onbrand.document import formats
from onbrand.document.positions import Encoding, Span
from onbrand.fixes import Edit, Fix
from onbrand.labels.normalization import text_key
from onbrand.results import SentenceVerdict, is_brand
from onbrand_lsp.showing import comments, fixes, places
from onbrand_lsp.showing.diagnostics import SOURCE
from onbrand_lsp.sync.convert import to_range
from onbrand_lsp.wire.capabilities import OFF_BRAND, ClientSupport

if TYPE_CHECKING:
    from onbrand_lsp.checking.judging import Checked

OTHER_BRANDS = 3


@dataclass(frozen=True, slots=True)
class Offers:
    """What is known of a sentence beside the verdict on it."""

    probabilities: Mapping[str, float] = field(default_factory=dict)
    """Of the sentence for every brand, to offer the likeliest others."""
    fixes: Sequence[Fix] = ()
    """Edits that lift it over its threshold, the best first."""
    has_near: bool = False
    """Whether the brand has an on-brand line that is near."""
    marked: bool = False
    """Whether the user marked it from the editor."""


def code_actions(
    checked: Checked,
    span: Span,
    context: types.CodeActionContext,
    encoding: Encoding,
    client: ClientSupport,
    offers: Offers | None = None,
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
        offers: what is known of that sentence beside the verdict.
    """
    sentence = places.sentence_in(checked, span)
    if sentence is None or not _wanted(context.only):
        return []
    asked = context.trigger_kind != types.CodeActionTriggerKind.Automatic
    if not (sentence.flagged or asked):
        return []
    offers = offers or Offers()
    about = _About(checked, sentence, context.diagnostics, encoding, client)
    actions = [
        *about.fixes(offers.fixes),
        *about.examples(offers.has_near),
        *about.marks(offers.marked),
        *about.ignores(),
        *about.others(offers.probabilities),
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

    def fixes(self, found: Sequence[Fix]) -> Iterator[types.CodeAction]:
        """Yield what changes the text; the first is the best one."""
        for number, fix in enumerate(fixes.source_fixes(self.checked, self.sentence, found)):
            yield self._action(fix.title, edit=self._edit(fix.edits), preferred=number == 0)

    def examples(self, has_near: bool) -> Iterator[types.CodeAction]:
        """Yield what shows how the brand says it, where it has a line that is near."""
        if has_near and self.sentence.brand in self._brands():
            yield self._command(
                f"Show how {self.sentence.brand} says it",
                "onbrand.showExamples",
                range=self._range_json(),
                brand=self.sentence.brand,
            )

    def marks(self, marked: bool) -> Iterator[types.CodeAction]:
        """Yield what writes a label, and what takes the last one back."""
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
            )
        if marked:
            yield self._command(
                "Take back my mark",
                "onbrand.takeBack",
                version=self.checked.snapshot.version,
                text=self.sentence.text,
                brand=self.sentence.brand,
            )

    def ignores(self) -> Iterator[types.CodeAction]:
        """Yield what silences the sentence; there is nothing to silence if it is not flagged."""
        if not self.sentence.flagged:
            return
        checked = self.checked
        sentences = checked.document.sentences
        index = bisect_left(sentences, self.sentence.span, key=lambda one: one.span)
        syntax = formats.get(checked.document.format).comment
        if syntax is not None and not syntax.visible:
            quotes = checked.settings.quotes
            for found in comments.ignore_edits(checked.document, index, quotes=quotes):
                what = "sentence" if found.exact else "line"
                edits = [Edit(Span(at, at), text) for at, text in found.insertions]
                yield self._action(f"Ignore this {what} (comment)", edit=self._edit(edits))
        nearest = checked.settings.source
        if nearest or checked.snapshot.path:
            name = nearest.name if nearest else "onbrand.toml"
            yield self._command(
                f"Ignore this sentence in the project ({name})",
                "onbrand.ignoreInProject",
                text=self.sentence.text,
                range=self._range_json(),
            )

    def others(self, probabilities: Mapping[str, float]) -> Iterator[types.CodeAction]:
        """Yield what judges by another brand."""
        brand = self.sentence.brand
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

    def _edit(self, changes: Sequence[Edit]) -> types.WorkspaceEdit:
        lines, uri = self.checked.snapshot.lines, self.checked.snapshot.uri
        edits = [
            types.TextEdit(to_range(span, lines, self.encoding), text) for span, text in changes
        ]
        if not self.client.document_changes:
            return types.WorkspaceEdit(changes={uri: edits})
        document = types.OptionalVersionedTextDocumentIdentifier(uri, self.checked.snapshot.version)
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, edits)])
