"""Where the lines that a voice was trained on stand in the project, if they still do.

Only files below the folders asked about are looked at: the name comes from a voice, which may be
somebody else's work.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from onbrand.config.load import absolute
from onbrand.document.document import parse_named
from onbrand.document.positions import LineIndex, Span
from onbrand.errors import OnbrandError
from onbrand.files import read_text
from onbrand.labels.normalization import text_key
from onbrand.results import Example

if TYPE_CHECKING:
    from onbrand_lsp.checking.judging import Checked

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

    def __init__(self, checked: Checked) -> None:
        self._checked = checked
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
            checked = self._checked
            voice = checked.scorer.voice(brand).folder if checked.scorer else None
            folders = [voice] if voice else []
            folders += [file.parent for file in checked.settings.files]
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
