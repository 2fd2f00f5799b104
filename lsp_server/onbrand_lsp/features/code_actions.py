"""Code actions: fix a sentence, see how the brand says it, label it, ignore it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from lsprotocol import types

from onbrand.document import formats
from onbrand.document.document import Sentence
from onbrand.document.positions import Encoding, Span
from onbrand.fixes import Edit, Fix, find_fixes
from onbrand.labels.normalization import text_key
from onbrand.results import SentenceVerdict, is_brand
from onbrand_lsp.features import lookup, suppressions
from onbrand_lsp.features.diagnostics import SOURCE
from onbrand_lsp.positions import to_range
from onbrand_lsp.rpc.capabilities import OFF_BRAND, ClientSupport

if TYPE_CHECKING:
    from onbrand.fixes.rewriters import Rewriters
    from onbrand.results import SentenceVerdict
    from onbrand.scorer import Scorer
    from onbrand_lsp.analysis import Analysis
    from onbrand_lsp.settings import EffectiveSettings


MAX_QUOTE = 40
"""Characters of the writer's words in a title."""
_ARTICLE = re.compile(r"(?i)\Aan? ")


class SourceFix(NamedTuple):
    """A fix of a sentence in its document."""

    title: str
    edits: tuple[Edit, ...]
    """Sorted and disjoint; offsets into the source."""


def fixes_for(
    scorer: Scorer, sentence: SentenceVerdict, rules: EffectiveSettings, *, trusted: bool
) -> list[Fix]:
    """Return the fixes of a sentence, the best first; none unless a brand's voice flags it.

    Args:
        scorer: what judged it.
        sentence: the verdict on it.
        rules: what holds for its document; rewriters are asked only where the user wants it …
        trusted: … and trusts the workspace.
    """
    if not (sentence.flagged and is_brand(sentence.brand)):
        return []
    fixes = [*find_fixes(scorer, sentence)]
    if trusted and rules.editor.rewriters:
        fixes += _rewriters().find_fixes(scorer, sentence)
    return fixes


@lru_cache(1)
def _rewriters() -> Rewriters:
    from onbrand.fixes.rewriters import Rewriters

    return Rewriters()


def source_fixes(
    analysis: Analysis, sentence: SentenceVerdict, fixes: Iterable[Fix]
) -> Iterator[SourceFix]:
    """Yield the fixes that can be made in the source, whatever its markup.

    Left out is a fix whose words the source spells otherwise: with markup, an entity or a quote
    mark of the block between them.
    """
    sentences = analysis.document.sentences
    index = bisect_left(sentences, sentence.span, key=lambda one: one.span)
    if index >= len(sentences) or sentences[index].text != sentence.text:
        return
    for fix in fixes:
        edits = [_in_source(sentences[index], analysis.document.source, e) for e in fix.edits]
        if all(edits):
            yield SourceFix(title(sentence.text, fix), tuple(e for e in edits if e))


def _in_source(sentence: Sentence, source: str, edit: Edit) -> Edit | None:
    span = sentence.source_span(*edit.span)
    # A line may be broken where the sentence has a space, and nothing else may differ.
    there = re.sub(r"[ \t]*(?:\r\n|\n|\r)[ \t]*", " ", span.slice(source))
    return Edit(span, edit.text) if there == edit.span.slice(sentence.text) else None


def title(text: str, fix: Fix) -> str:
    """Return what a fix does, say "Replace “utilize” with “use”, delete “very”"."""
    if fix.source:
        return f"Replace with “{_short(fix.text)}” ({fix.source})"
    parts = list(dict.fromkeys(_said(edit.span.slice(text), edit.text) for edit in fix.edits))
    said = ", ".join(parts)
    return said[0].upper() + said[1:]


def _said(old: str, new: str) -> str:
    if _ARTICLE.match(old) and _ARTICLE.match(new):
        old, new = _ARTICLE.sub("", old), _ARTICLE.sub("", new)
    if new and old.lower().endswith(new.lower()) and not old[-len(new) - 1 : -len(new)].isalnum():
        old, new = old[: len(old) - len(new)], ""
    old, new = old.strip(), new.strip()
    if not new:
        return f"delete “{_short(old)}”"
    return f"replace “{_short(old)}” with “{_short(new)}”"


def _short(text: str) -> str:
    return text if len(text) <= MAX_QUOTE else text[: MAX_QUOTE - 1].rstrip() + "…"


def apply(source: str, edits: Iterable[tuple[Span, str]]) -> str:
    """Return the source with edits made."""
    for span, text in reversed(list(edits)):
        source = source[: span.start] + text + source[span.end :]
    return source


OTHER_BRANDS = 3


@dataclass(frozen=True, slots=True)
class Offers:
    """Data about a sentence that actions need beside its verdict."""

    probabilities: Mapping[str, float] = field(default_factory=dict)
    """Of the sentence for every brand, to offer the likeliest others."""
    fixes: Sequence[Fix] = ()
    """Edits that lift it over its threshold, the best first."""
    has_near: bool = False
    """Whether the brand has an on-brand line that is near."""
    marked: bool = False
    """Whether the user marked it from the editor."""


def code_actions(
    analysis: Analysis,
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
        analysis: what was found.
        span: the selection or cursor.
        context: the diagnostics there, and the kinds of actions wanted.
        encoding: unit of the columns.
        client: what the editor can do.
        offers: what is known of that sentence beside the verdict.
    """
    sentence = lookup.sentence_in(analysis, span)
    if sentence is None or not _wanted(context.only):
        return []
    asked = context.trigger_kind != types.CodeActionTriggerKind.Automatic
    if not (sentence.flagged or asked):
        return []
    offers = offers or Offers()
    about = _About(analysis, sentence, context.diagnostics, encoding, client)
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

    analysis: Analysis
    sentence: SentenceVerdict
    diagnostics: Sequence[types.Diagnostic]
    encoding: Encoding
    client: ClientSupport

    def fixes(self, found: Sequence[Fix]) -> Iterator[types.CodeAction]:
        """Yield the fixes; the first is the best one."""
        for number, fix in enumerate(source_fixes(self.analysis, self.sentence, found)):
            yield self._action(fix.title, edit=self._edit(fix.edits), preferred=number == 0)

    def examples(self, has_near: bool) -> Iterator[types.CodeAction]:
        """Yield "Show how …", where the brand has a line that is near."""
        if has_near and self.sentence.brand in self._brands():
            yield self._command(
                f"Show how {self.sentence.brand} says it",
                "onbrand.showExamples",
                range=self._range_json(),
                brand=self.sentence.brand,
            )

    def marks(self, marked: bool) -> Iterator[types.CodeAction]:
        """Yield the actions that write a label, and the one that takes the last one back."""
        if self.sentence.brand not in self._brands():
            return
        for label in ("on", "off"):
            yield self._command(
                f"Mark as {label}-brand for {self.sentence.brand}",
                "onbrand.label",
                version=self.analysis.snapshot.version,
                text=self.sentence.text,
                brand=self.sentence.brand,
                label=label,
            )
        if marked:
            yield self._command(
                "Take back my mark",
                "onbrand.takeBack",
                version=self.analysis.snapshot.version,
                text=self.sentence.text,
                brand=self.sentence.brand,
            )

    def ignores(self) -> Iterator[types.CodeAction]:
        """Yield the actions that ignore the sentence, if it is flagged."""
        if not self.sentence.flagged:
            return
        analysis = self.analysis
        sentences = analysis.document.sentences
        index = bisect_left(sentences, self.sentence.span, key=lambda one: one.span)
        syntax = formats.get(analysis.document.format).comment
        if syntax is not None and not syntax.visible:
            quotes = analysis.settings.quotes
            for found in suppressions.ignore_edits(analysis.document, index, quotes=quotes):
                what = "sentence" if found.exact else "line"
                edits = [Edit(Span(at, at), text) for at, text in found.insertions]
                yield self._action(f"Ignore this {what} (comment)", edit=self._edit(edits))
        nearest = analysis.settings.source
        if nearest or analysis.snapshot.path:
            name = nearest.name if nearest else "onbrand.toml"
            yield self._command(
                f"Ignore this sentence in the project ({name})",
                "onbrand.ignoreInProject",
                text=self.sentence.text,
                range=self._range_json(),
            )

    def others(self, probabilities: Mapping[str, float]) -> Iterator[types.CodeAction]:
        """Yield the actions that check the document as another brand."""
        brand = self.sentence.brand
        others = [
            (-p, name) for name, p in probabilities.items() if name != brand and is_brand(name)
        ]
        for _, name in sorted(others)[:OTHER_BRANDS]:
            yield self._command(f"Check this document as {name}", "onbrand.checkAs", brand=name)

    def _brands(self) -> Sequence[str]:
        known = self.analysis.scorer.brands if self.analysis.scorer else ()
        return [*filter(is_brand, known)]

    def _range(self) -> types.Range:
        return to_range(self.sentence.span, self.analysis.snapshot.lines, self.encoding)

    def _range_json(self) -> dict[str, Any]:
        lines = self.analysis.snapshot.lines
        return lookup.range_json(self.sentence.span, lines, self.encoding)

    def _command(
        self, title: str, name: str, *, preferred: bool = False, **arguments: object
    ) -> types.CodeAction:
        given = {"uri": self.analysis.snapshot.uri, **arguments}
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
        lines, uri = self.analysis.snapshot.lines, self.analysis.snapshot.uri
        edits = [
            types.TextEdit(to_range(span, lines, self.encoding), text) for span, text in changes
        ]
        if not self.client.document_changes:
            return types.WorkspaceEdit(changes={uri: edits})
        document = types.OptionalVersionedTextDocumentIdentifier(
            uri, self.analysis.snapshot.version
        )
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, edits)])
