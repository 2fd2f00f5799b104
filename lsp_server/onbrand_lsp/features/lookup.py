"""Where things stand: in an analysed document, and in the files that a voice was trained on."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from onbrand.config.load import absolute
from onbrand.document import directives
from onbrand.document.blocks import Comment
from onbrand.document.document import parse_named
from onbrand.document.masking import PLACEHOLDER
from onbrand.document.positions import LineIndex, Span
from onbrand.errors import OnbrandError
from onbrand.files import read_text
from onbrand.labels.normalization import text_key
from onbrand.report.message import capitalised
from onbrand.results import Example

if TYPE_CHECKING:
    from onbrand.document.document import Sentence
    from onbrand.document.positions import Encoding, LineIndex
    from onbrand.results import SentenceVerdict
    from onbrand_lsp.analysis import Analysis


_LONGEST_COMMENT = 2000
_COMMENTS = (("<!--", "-->"), ("{/*", "*/}"))
_NUMBERED = re.compile(r"line (\d+): (.*)", re.DOTALL)


def sentence_at(analysis: Analysis, offset: int) -> SentenceVerdict | None:
    """Return the sentence that holds an offset or ends at it, None between sentences."""
    return sentence_in(analysis, Span(offset, offset))


def sentence_in(analysis: Analysis, span: Span) -> SentenceVerdict | None:
    """Return the sentence that a selection is about: the first flagged one, else the first."""
    touched = _touched(analysis, span)
    return next((one for one in touched if one.flagged), touched[0] if touched else None)


def _touched(analysis: Analysis, span: Span) -> list[SentenceVerdict]:
    if analysis.report is None:
        return []
    sentences = analysis.report.sentences
    first = bisect_left(sentences, span.start, key=lambda one: one.span.end)
    # A cursor between "One." and "Two." with nothing in between is on the one that begins.
    if first + 1 < len(sentences) and sentences[first + 1].span.start == span.start:
        first += 1
    last = first
    while last < len(sentences) and sentences[last].span.start <= span.end:
        last += 1
    found = list(sentences[first:last])
    if len(found) > 1 and found[-1].span.start == span.end:
        found.pop()
    return found


def shown(sentence: Sentence, source: str) -> str:
    """Return a sentence as a reader knows it: code and addresses as they stand in the source."""
    if PLACEHOLDER not in sentence.text:
        return sentence.text
    parts = [
        sentence.source_span(at, at + 1).slice(source) if char == PLACEHOLDER else char
        for at, char in enumerate(sentence.text)
    ]
    return " ".join("".join(parts).split())


def comment_at(source: str, offset: int) -> Comment | None:
    """Return the HTML or MDX comment that holds an offset."""
    for opener, closer in _COMMENTS:
        start = source.rfind(opener, max(0, offset - _LONGEST_COMMENT), offset + len(opener))
        if start < 0:
            continue
        body = start + len(opener)
        close = source.find(closer, body, body + _LONGEST_COMMENT)
        if close >= 0 and start <= offset <= close + len(closer):
            return Comment(start, close + len(closer), source[body:close])
    return None


def brand_key(source: str, lines: LineIndex, key: str = directives.BRAND_KEY) -> int | None:
    """Return the line, counted from 0, of the front matter that names the brand.

    Args:
        source: the text of the document.
        lines: its lines.
        key: the key that does.
    """
    matter = directives.read_front_matter(source, key)
    if matter.brand is None:
        return None
    last, name = lines.line_of(matter.end), re.escape(key)
    line = re.compile(rf"[ \t]*(?:{name}|\"{name}\"|'{name}')[ \t]*[:=]")
    return next((n for n in range(1, last) if line.match(lines.line_text(n))), None)


class Note(NamedTuple):
    """A warning of a report and where it belongs."""

    line: int
    """Counted from 0."""
    message: str


def note(warning: str) -> Note:
    """Split "line 7: message"; a warning without a line belongs to the first one."""
    numbered = _NUMBERED.match(warning)
    line, message = (int(numbered[1]) - 1, numbered[2]) if numbered else (0, warning)
    return Note(line, capitalised(message))


def line_span(line: int, lines: LineIndex) -> Span:
    """Return where the text of a line stands, without the white space around it."""
    text = lines.line_text(line)
    start = lines.line_start(line) + len(text) - len(text.lstrip())
    return Span(start, max(start, lines.line_start(line) + len(text.rstrip())))


def range_json(span: Span, lines: LineIndex, encoding: Encoding) -> dict[str, dict[str, int]]:
    """Return a range as it goes over the wire, for data that lsprotocol has no class for."""
    start, end = (lines.position(at, encoding) for at in span)
    return {
        "start": {"line": start[0], "character": start[1]},
        "end": {"line": end[0], "character": end[1]},
    }


_MAX_BYTES = 256 * 1024
"""Reading and parsing a longer file would be felt."""


class Place(NamedTuple):
    """A stretch of a file."""

    file: Path
    span: Span
    lines: LineIndex


class _Version(NamedTuple):
    """A file at a time; another time, another place in the caches."""

    file: Path
    modified: int
    size: int


class Sources:
    """Finds the lines that a document's findings are like; each file is looked at once."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._folders: dict[str, tuple[Path, ...]] = {}
        self._files: dict[tuple[str, str], _Version | None] = {}

    def find(self, example: Example, brand: str) -> Place | None:
        """Return where a labelled line stands, or the start of its file when the line has gone."""
        if not example.source:
            return None
        key = brand, example.source
        if key not in self._files:
            self._files[key] = self._file(example.source, brand)
        version = self._files[key]
        if version is None:
            return None
        try:
            return Place(version.file, *_place(example.text, version))
        except OnbrandError:
            return None

    def _file(self, source: str, brand: str) -> _Version | None:
        for folder in self._folders_of(brand):
            file = absolute(folder / source)
            if not file.is_relative_to(folder):
                continue
            try:
                stat = file.stat()
                if file.is_file() and stat.st_size <= _MAX_BYTES:
                    return _Version(file, stat.st_mtime_ns, stat.st_size)
            except (OSError, ValueError):
                continue
        return None

    def _folders_of(self, brand: str) -> tuple[Path, ...]:
        """Return the folders that a source may be named from: the voice's, the project's."""
        if brand not in self._folders:
            analysis = self._analysis
            voice = analysis.scorer.voice(brand).folder if analysis.scorer else None
            folders = [voice] if voice else []
            folders += [file.parent for file in analysis.settings.files]
            self._folders[brand] = tuple(dict.fromkeys(map(absolute, folders)))
        return self._folders[brand]


@lru_cache(maxsize=1024)
def _place(text: str, version: _Version) -> tuple[Span, LineIndex]:
    content, lines, sentences = _read(version)
    start = content.find(text)
    if start >= 0:
        return Span(start, start + len(text)), lines
    return sentences.get(text_key(text), Span(0, 0)), lines


@lru_cache(maxsize=32)
def _read(version: _Version) -> tuple[str, LineIndex, dict[str, Span]]:
    content = read_text(version.file, max_bytes=_MAX_BYTES)
    document = parse_named(content, version.file.name)
    return content, document.lines, {text_key(s.text): s.span for s in document.sentences}
