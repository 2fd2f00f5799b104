"""Excerpts of source with underlined sentences for terminals; regions and paths for CI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from onbrand.document.masking import PLACEHOLDER
from onbrand.document.positions import LineIndex, Span
from onbrand.results import Report, SentenceVerdict

MAX_ROWS = 8
_MIN_ROOM = 20
_TAB = 4

# Draft text must not control the terminal: controls and line separators become their pictures; C1
# controls, characters that reorder text, and lone surrogates become U+FFFD; placeholders of code
# become an ellipsis.
_SAFE = {code: 0x2400 + code for code in range(0x20)} | {
    0x7F: 0x2421,
    0x2028: 0x2424,
    0x2029: 0x2424,
    ord(PLACEHOLDER): ord("…"),
}
for _first, _last in (
    (0x80, 0x9F),
    (0x061C, 0x061C),
    (0x200E, 0x200F),
    (0x202A, 0x202E),
    (0x2066, 0x2069),
    (0xD800, 0xDFFF),
):
    _SAFE |= dict.fromkeys(range(_first, _last + 1), 0xFFFD)


class ExcerptRow(NamedTuple):
    """A line of an excerpt, and the marks to print under it."""

    number: int | None
    """The source line, counted from 1; None if it continues the row before."""
    text: str
    marks: str


def sanitize(text: str) -> str:
    """Return ``text`` in one line, without characters that a terminal would act on."""
    return " ".join(text.split()).translate(_SAFE)


def truncate(text: str, room: int) -> str:
    """Return ``text`` sanitized, and cut with an ellipsis to ``room`` terminal cells."""
    text = sanitize(text)
    if cell_len(text) <= room:
        return text
    end = room - 1
    while cell_len(text[:end]) > room - 1:
        end -= 1
    return text[:end].rstrip() + "…"


def render_source_excerpt(
    source: str, index: LineIndex, span: Span, accents: Sequence[Span], room: int
) -> list[ExcerptRow]:
    """Lay out the source lines of a sentence.

    Args:
        source: the text of the draft.
        index: its lines.
        span: the sentence; it gets ``~`` under it, or ``^`` when there are no accents.
        accents: the words in it that get ``^``.
        room: the terminal cells that a row may take.

    Returns:
        At most `MAX_ROWS` rows. A line that is wider than ``room`` is cropped around the
        sentence, a sentence that is wider is wrapped.
    """
    room = max(room, _MIN_ROOM)
    made: list[ExcerptRow] = []
    for number in range(index.line_of(span.start), index.line_of(span.end) + 1):
        line = Span(index.line_start(number), index.line_end(number))
        part = _strip(source, Span(max(span.start, line.start), min(span.end, line.end)))
        if part.start < part.end:
            made += _Line(source, line, part, accents, room).rows(number + 1)
        if len(made) > MAX_ROWS:
            return [*made[: MAX_ROWS - 1], ExcerptRow(None, "…", "")]
    return made


def _strip(source: str, span: Span) -> Span:
    text = span.slice(source)
    start = span.start + len(text) - len(text.lstrip())
    return Span(start, max(start, span.start + len(text.rstrip())))


class _Line:
    """A source line by code points: what each prints, its width in cells and the mark under it."""

    def __init__(
        self, source: str, line: Span, part: Span, accents: Sequence[Span], room: int
    ) -> None:
        # A line may be a megabyte long: use only the part that can be shown.
        start = max(line.start, part.start - room)
        end = min(line.end, part.end + room, part.start + (MAX_ROWS + 1) * room)
        self.cut_left, self.cut_right = start > line.start, end < line.end
        self.part = (part.start - start, min(part.end, end) - start)
        self.room = room
        self.glyphs: list[str] = []
        column = 0
        for char in source[start:end]:
            glyph = " " * (_TAB - column % _TAB) if char == "\t" else char.translate(_SAFE)
            self.glyphs.append(glyph)
            column += cell_len(glyph)
        self.cells = [cell_len(glyph) for glyph in self.glyphs]
        self.marks = [" "] * len(self.glyphs)
        self._mark(*self.part, "~" if accents else "^")
        for accent in accents:
            low, high = (min(max(at - start, self.part[0]), self.part[1]) for at in accent)
            self._mark(low, high, "^")

    def rows(self, number: int) -> list[ExcerptRow]:
        """Return the line's rows, the first with the line's number."""
        made = [self._row(start, end) for start, end in self._windows()]
        return [row._replace(number=None if n else number) for n, row in enumerate(made)]

    def _mark(self, start: int, end: int, mark: str) -> None:
        self.marks[start:end] = mark * (end - start)

    def _windows(self) -> list[tuple[int, int]]:
        """Return the range of glyphs that each row shows."""
        cut = self.cut_left or self.cut_right
        if not cut and sum(self.cells) <= self.room:
            return [(0, len(self.glyphs))]
        room = self.room - 2  # an ellipsis on either side
        start, end = self.part
        if sum(self.cells[start:end]) <= room:
            return [self._with_context(start, end, room)]
        return self._wrapped(start, end, room)

    def _with_context(self, start: int, end: int, room: int) -> tuple[int, int]:
        spare = room - sum(self.cells[start:end])
        while True:
            before = start, end
            if start > 0 and self.cells[start - 1] <= spare:
                start -= 1
                spare -= self.cells[start]
            if end < len(self.cells) and self.cells[end] <= spare:
                spare -= self.cells[end]
                end += 1
            if (start, end) == before:
                return start, end

    def _wrapped(self, start: int, end: int, room: int) -> list[tuple[int, int]]:
        windows: list[tuple[int, int]] = []
        while start < end and len(windows) <= MAX_ROWS:
            stop, spare = start, room
            while stop < end and self.cells[stop] <= spare:
                spare -= self.cells[stop]
                stop += 1
            if stop < end:
                blanks = (n for n in range(stop, start, -1) if self.glyphs[n].isspace())
                stop = next(blanks, stop - 1) + 1
            windows.append((start, stop))
            start = stop
        return windows

    def _row(self, start: int, end: int) -> ExcerptRow:
        first, last = self.part
        # The rows of a wrapped sentence continue each other without an ellipsis.
        cut_left = (start > 0 or self.cut_left) and start <= first
        cut_right = (end < len(self.glyphs) or self.cut_right) and end >= last
        lead, tail = "…" * cut_left, "…" * cut_right
        text = lead + "".join(self.glyphs[start:end])
        marks, width = " " * len(lead), len(lead)
        for n in range(start, end):
            # Joined emoji are narrower than their parts: measure the whole text so far.
            total = cell_len(lead + "".join(self.glyphs[start : n + 1]))
            marks += self.marks[n] * (total - width)
            width = max(width, total)
        return ExcerptRow(None, text.rstrip() + tail, marks.rstrip())


class Region(NamedTuple):
    """Lines and columns counted from 1, columns in code points; the end is past the last one."""

    line: int
    column: int
    end_line: int
    end_column: int


def flagged_regions(report: Report, source: str) -> Iterator[tuple[SentenceVerdict, Region]]:
    """Yield the flagged sentences of a report with the region of each in its source."""
    if not report.flagged:
        return
    index = LineIndex(source)
    for sentence in report.flagged:
        end_line, end_column = index.position(sentence.span.end)
        yield sentence, Region(sentence.line, sentence.column, end_line + 1, end_column + 1)
