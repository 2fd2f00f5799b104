"""Fixes as edits of the document: where they stand in the source, and what they are called."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from onbrand.document.document import Sentence
from onbrand.document.positions import Span
from onbrand.fixes import Edit, Fix, find_fixes
from onbrand.results import is_brand

if TYPE_CHECKING:
    from onbrand.fixes.rewriters import Rewriters
    from onbrand.results import SentenceVerdict
    from onbrand.scorer import Scorer
    from onbrand_lsp.checking.judging import Checked
    from onbrand_lsp.checking.projects import Rules

MAX_QUOTE = 40
"""Characters of the writer's words in a title."""
_ARTICLE = re.compile(r"(?i)\Aan? ")


class SourceFix(NamedTuple):
    """A fix of a sentence in its document."""

    title: str
    edits: tuple[Edit, ...]
    """Sorted and disjoint; offsets into the source."""


def fixes_for(
    scorer: Scorer, sentence: SentenceVerdict, rules: Rules, *, trusted: bool
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
    checked: Checked, sentence: SentenceVerdict, fixes: Iterable[Fix]
) -> Iterator[SourceFix]:
    """Yield the fixes that can be made in the source, whatever its markup.

    Left out is a fix whose words the source spells otherwise: with markup, an entity or a quote
    mark of the block between them.
    """
    sentences = checked.document.sentences
    index = bisect_left(sentences, sentence.span, key=lambda one: one.span)
    if index >= len(sentences) or sentences[index].text != sentence.text:
        return
    for fix in fixes:
        edits = [_in_source(sentences[index], checked.document.source, e) for e in fix.edits]
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
