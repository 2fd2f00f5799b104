"""What the editor is shown while somebody types: as little news as can be.

A server sees no cursor: where the last edit ended counts as its place. Until the writer pauses

- a new finding in the sentence there, or in another that the edit touched, waits; one that stands
  there keeps its words, and goes at once when it no longer holds;
- the sentence that was left is shown as it is found;
- elsewhere nothing comes and nothing goes, for a sentence whose text is what it was is only found
  otherwise because the rest of the draft differs, half-words and all.

A sentence without an end mark that the writer is at the end of is unfinished: nothing new is said
of it however long the pause, until it is ended or the writer leaves it, by an edit elsewhere or by
saving. White space at its end does not count as typing.
"""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote

import attrs
from lsprotocol import types

from onbrand.document.document import Document, Sentence
from onbrand.document.positions import Encoding, Span
from onbrand.results import SentenceVerdict
from onbrand_lsp.analysis import AnalysisResult
from onbrand_lsp.documents import Snapshot
from onbrand_lsp.positions import Edit, edit_between, to_range, to_span
from onbrand_lsp.rpc.capabilities import OFF_BRAND

MANY = 200
"""Edits since a document was last shown that are worth following one by one."""
_FAR = 2000
"""Characters after a sentence from which on nobody is still writing it."""
_ENDED = re.compile(r"[.!?…。！？](?:[\"'”’»)\]*_`~]|</\w+>)*\s*\Z")
_LEFT = re.compile(r"(?:\r\n?|\n)[ \t]*(?:[\r\n]|```|~~~)|</(?:p|li|h[1-6]|t[dh]|div)\b", re.I)
"""What is after a paragraph's last sentence when the next thing is another paragraph's."""


class Timer(Protocol):
    """A call to come."""

    def cancel(self) -> None:
        """Have it not come."""


class Clock(Protocol):
    """What tells the time and calls when it has come; an event loop is one."""

    def time(self) -> float:
        """Return the time in seconds."""

    def call_at(self, when: float, callback: Callable[..., object], *args: Any) -> Timer:  # noqa: ANN401
        """Call back at a time."""


class _Shown(NamedTuple):
    """A finding that the editor shows."""

    diagnostic: types.Diagnostic
    span: Span
    """Of the sentence, or of the finding itself if it is about none."""
    text: str
    """The sentence that it was said of; empty for none."""
    rules: str
    """Names what that was judged by."""


@dataclass(slots=True)
class _Draft:
    """What the editor shows of a document, and how it has been edited since."""

    snapshot: Snapshot
    shown_in: Snapshot
    """The version that ``shown`` is of."""
    shown: Sequence[_Shown] = ()
    edits: list[Edit] = field(default_factory=list)
    """What made ``shown_in`` into ``snapshot``."""
    written: list[Span] = field(default_factory=list)
    """What was edited since the writer began to type, where it stands now."""
    last: Edit | None = None
    """The last edit, in the text as it is now; None: nobody is writing here."""
    since: float = 0.0
    paused: bool = False
    differs: bool = False
    """Whether what is shown is not all that was found."""
    until: float | None = None
    """When more will be shown if nothing happens."""
    timer: Timer | None = None

    def stop(self) -> None:
        """Wait for no pause."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer = self.until = None

    def write(self, edit: Edit) -> None:
        """Keep in mind what was edited."""
        written = [edit.after(span) for span in self.written] + [Span(edit.start, edit.new_end)]
        joined: list[Span] = []
        for span in sorted(written):
            if joined and span.start <= joined[-1].end:
                joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
            else:
                joined.append(span)
        self.written = joined


class TypingPause:
    """Keeps what the editor is shown of each document calm. For the loop's thread.

    Args:
        on_pause: called with the URI of a document whose writer pauses, and that has more to show.
        clock: returns what tells the time.
    """

    def __init__(
        self,
        on_pause: Callable[[str], object],
        clock: Callable[[], Clock] = asyncio.get_running_loop,
    ) -> None:
        self._on_pause, self._clock = on_pause, clock
        self._drafts: dict[str, _Draft] = {}

    def opened(self, snapshot: Snapshot) -> None:
        """Take in a document, of which the editor shows nothing."""
        self.closed(snapshot.uri)
        self._drafts[unquote(snapshot.uri)] = _Draft(snapshot, snapshot)

    def changed(self, snapshot: Snapshot) -> None:
        """Take in a new version of a document."""
        draft = self._drafts.get(unquote(snapshot.uri))
        if draft is None:
            self.opened(snapshot)
            return
        old, draft.snapshot = draft.snapshot.text, snapshot
        if old == snapshot.text:
            return
        edit, before, now = edit_between(old, snapshot.text), draft.last, self._clock().time()
        added = snapshot.text[edit.start : edit.new_end] if edit.start == edit.old_end else ""
        if before is None or edit.start != before.new_end or not added.isspace():
            if before is None or draft.paused:
                draft.written = []
            draft.since, draft.paused = now, False
        draft.stop()
        draft.write(edit)
        draft.last = edit
        draft.edits.append(edit)
        if len(draft.edits) > MANY:
            draft.edits = [edit_between(draft.shown_in.text, snapshot.text)]

    def left(self, uri: str) -> bool:
        """Count a document as not being written in, until the next edit.

        Returns:
            Whether there is more to show now.
        """
        draft = self._drafts.get(unquote(uri))
        if draft is None:
            return False
        draft.stop()
        draft.last = None
        return draft.differs

    def closed(self, uri: str) -> None:
        """Forget a document."""
        draft = self._drafts.pop(unquote(uri), None)
        if draft is not None:
            draft.stop()

    def close(self) -> None:
        """Forget all of them."""
        for uri in list(self._drafts):
            self.closed(uri)

    def count(self, uri: str) -> int:
        """Return how many findings the editor shows in a document."""
        draft = self._drafts.get(unquote(uri))
        return len(draft.shown) if draft else 0

    def until(self, uri: str) -> float | None:
        """Return when there is more to show of a document; None: not by waiting alone."""
        draft = self._drafts.get(unquote(uri))
        return draft.until if draft else None

    def show(self, found: AnalysisResult, pause: float, encoding: Encoding) -> AnalysisResult:
        """Return what to show of what was found in the present version of a document.

        What is returned counts as shown. Its result id says, too, what waits.

        Args:
            found: all that was found.
            pause: seconds without an edit from which on the writer is not typing; 0: show all.
            encoding: unit of the columns.
        """
        snapshot = found.analysis.snapshot
        key = unquote(snapshot.uri)
        draft = self._drafts.get(key)
        if draft is None or draft.snapshot is not snapshot:
            return found
        draft.stop()
        writing = draft.last is not None and pause > 0
        typing = writing and not draft.paused and self._clock().time() < draft.since + pause
        draft.paused = writing and not typing
        view = _View(draft, found, encoding)
        calm = view.calm(typing=typing) if writing else view.found
        draft.shown, draft.shown_in, draft.edits = calm, snapshot, []
        diagnostics = [one.diagnostic for one in calm]
        draft.differs = diagnostics != [*found.diagnostics]
        if not draft.differs:
            return found
        if typing:
            draft.until = draft.since + pause
            draft.timer = self._clock().call_at(draft.until, self._paused, key)
        result_id = f"{found.analysis.result_id}-{view.news}"
        return AnalysisResult(replace(found.analysis, result_id=result_id), diagnostics)

    def _paused(self, key: str) -> None:
        draft = self._drafts[key]
        draft.stop()
        draft.paused = True
        self._on_pause(draft.snapshot.uri)


class _View:
    """What was found in a version of a document, beside what the editor shows."""

    def __init__(self, draft: _Draft, found: AnalysisResult, encoding: Encoding) -> None:
        self._draft, self._analysis, self._encoding = draft, found.analysis, encoding
        self._digest = blake2b(digest_size=6)
        self.found = list(self._located(found))

    @property
    def news(self) -> str:
        """Name how what is shown differs from what was found."""
        return self._digest.hexdigest()

    def calm(self, *, typing: bool) -> list[_Shown]:
        """Return what to show instead of all that was found.

        Args:
            typing: the writer has not paused; else only an unfinished sentence is held.
        """
        standing = _moved(self._draft)
        untouched = {one.span: one for one in standing if one.text}
        held = set(self._held(typing=typing))
        shown: list[_Shown] = []
        for one in self.found:
            old = untouched.get(one.span) if one.text else None
            if one.span in held if one.text else typing and self._is_on_edited_lines(one):
                old = next((s for s in standing if _is_kin(s, one)), None)
            elif not (typing and one.text) or self._is_free(one, old):
                shown.append(one)
                continue
            if old is not None:
                shown.append(self._kept(old, one))
            self._differs(one.diagnostic.range, old)
        if typing:
            shown += self._still_standing(standing, {one.span for one in shown})
            shown.sort(key=lambda one: one.span)
        return shown

    def _located(self, found: AnalysisResult) -> Iterator[_Shown]:
        """Yield the findings, each with the sentence that it is about."""
        analysis, encoding = found.analysis, self._encoding
        lines, rules = analysis.snapshot.lines, analysis.rules_id
        flagged = analysis.report.flagged if analysis.report else ()
        about: Iterator[SentenceVerdict] | None = None
        if len(flagged) == sum(one.code == OFF_BRAND for one in found.diagnostics):
            about = iter(flagged)  # which saves looking for them
        for one in found.diagnostics:
            sentence = None
            if one.code == OFF_BRAND and about is not None:
                sentence = next(about)
            span = sentence.span if sentence else to_span(one.range, lines, encoding)
            if one.code == OFF_BRAND and sentence is None:
                index = bisect_right(flagged, span.start, key=lambda each: each.span.start) - 1
                sentence = flagged[index] if index >= 0 else None
                span = sentence.span if sentence else span
            yield _Shown(one, span, sentence.text if sentence else "", rules)

    def _held(self, *, typing: bool) -> Iterator[Span]:
        """Yield the sentences of which nothing new is said."""
        edit, sentences = self._draft.last, self._analysis.document.sentences
        if edit is None:
            return
        current = _written_at(self._analysis.document, edit.new_end)
        if current is not None and (typing or self._is_unfinished(current, edit.new_end)):
            yield current.span
        if typing:
            first = bisect_left(sentences, edit.start, key=lambda one: one.span.end)
            last = bisect_right(sentences, edit.new_end, key=lambda one: one.span.start)
            yield from (sentence.span for sentence in sentences[first:last])

    def _is_unfinished(self, sentence: Sentence, position: int) -> bool:
        """Tell whether a sentence has no end mark, and the writer is at its end."""
        start, end = sentence.span
        text = self._analysis.snapshot.text[start:position]
        return position >= end and not _ENDED.search(text)

    def _is_free(self, one: _Shown, old: _Shown | None) -> bool:
        """Tell whether a finding outside of what is being edited is shown as it was found.

        It is where it comes of what was written, or says what the editor shows already.
        """
        if old is not None:
            same = (old.text, old.rules) == (one.text, one.rules)
            return not same or _says_the_same(old.diagnostic, one.diagnostic)
        written = self._draft.written
        index = bisect_left(written, one.span.start, key=lambda each: each.end)
        return index < len(written) and written[index].start <= one.span.end

    def _is_on_edited_lines(self, one: _Shown) -> bool:
        edit, lines = self._draft.last, self._analysis.snapshot.lines
        if edit is None:
            return False
        place = one.diagnostic.range
        before_end = place.start.line <= lines.line_of(edit.new_end)
        return before_end and place.end.line >= lines.line_of(edit.start)

    def _kept(self, old: _Shown, new: _Shown) -> _Shown:
        """Return a finding that the editor shows, about what was found in its place."""
        lines, place = self._analysis.snapshot.lines, new.diagnostic.range
        if new.text and to_range(new.span, lines, self._encoding) != place:
            # It is about words: those that were marked stay marked.
            place = self._place(old, new.span)
        diagnostic = attrs.evolve(old.diagnostic, range=place, data=new.diagnostic.data)
        return new._replace(diagnostic=diagnostic)

    def _still_standing(self, standing: Sequence[_Shown], shown: set[Span]) -> Iterator[_Shown]:
        """Yield what holds no longer, but only because of what the rest of the draft is like."""
        analysis = self._analysis
        sentences = analysis.report.sentences if analysis.report else ()
        for one in standing:
            if not one.text or one.span in shown or one.rules != analysis.rules_id:
                continue
            index = bisect_left(sentences, one.span, key=lambda each: each.span)
            sentence = sentences[index] if index < len(sentences) else None
            if sentence is None or (sentence.span, sentence.text) != (one.span, one.text):
                continue
            if sentence.probability is None or sentence.flagged:
                continue
            place = self._place(one, one.span)
            self._differs(place, one)
            yield one._replace(diagnostic=attrs.evolve(one.diagnostic, range=place))

    def _place(self, old: _Shown, within: Span) -> types.Range:
        """Return where a finding that the editor shows stands now, in a sentence."""
        span = to_span(old.diagnostic.range, self._draft.shown_in.lines, self._encoding)
        for edit in self._draft.edits:
            span = edit.after(span)
        start, end = max(span.start, within.start), min(span.end, within.end)
        return to_range(Span(start, max(start, end)), self._analysis.snapshot.lines, self._encoding)

    def _differs(self, place: types.Range, old: _Shown | None) -> None:
        said = f"{place!r} {old.diagnostic.message if old else None!r}\n"
        self._digest.update(said.encode("utf-8", "backslashreplace"))


def _moved(draft: _Draft) -> list[_Shown]:
    """Return what the editor shows, where it stands after the edits."""
    moved = []
    for one in draft.shown:
        span = one.span
        for edit in draft.edits:
            span = edit.after(span)
        moved.append(one if span == one.span else one._replace(span=span))
    return moved


def _is_kin(old: _Shown, new: _Shown) -> bool:
    """Tell whether two findings are of one kind, in one place."""
    meet = old.span.start < new.span.end and new.span.start < old.span.end
    return meet and old.diagnostic.code == new.diagnostic.code


def _says_the_same(one: types.Diagnostic, other: types.Diagnostic) -> bool:
    return (one.message, one.severity) == (other.message, other.severity)


def _written_at(document: Document, position: int) -> Sentence | None:
    """Return the sentence that goes on if somebody writes at a position."""
    index = bisect_right(document.sentences, position, key=lambda one: one.span.start) - 1
    if index < 0:
        return None
    sentence = document.sentences[index]
    between = document.source[sentence.span.end : position]
    if len(between) > _FAR or _LEFT.search(between):
        return None
    goes_on = sentence.kind in ("paragraph", "list item") or not re.search(r"[\r\n]", between)
    return sentence if goes_on else None
