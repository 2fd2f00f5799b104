"""The open documents, in step with the editor; lines end where the protocol says, not at U+2028."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from lsprotocol import types

from onbrand.discovery import MAX_DRAFT_BYTES
from onbrand.document import formats
from onbrand.document.formats import InputFormat
from onbrand.document.positions import Encoding, LineIndex
from onbrand_lsp.positions import apply_changes
from onbrand_lsp.settings import is_view, path_of, uri_key

logger = logging.getLogger(__name__)

_LANGUAGE = re.compile(r"[\w.+/-]{1,40}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of an open document; safe from any thread."""

    uri: str
    """As the client spells it."""
    version: int
    language: str
    """The editor's language id."""
    text: str = field(repr=False)
    lines: LineIndex = field(repr=False, compare=False)

    @property
    def path(self) -> Path | None:
        """The file; None for a document that is none, say ``untitled:Untitled-1``."""
        return path_of(self.uri)

    @property
    def name(self) -> str:
        """Name of the document: its path, or the last part of its URI."""
        path = self.path
        return unquote(self.uri).rpartition("/")[2] if path is None else str(path)

    @property
    def input_format(self) -> InputFormat | None:
        """How to read the document: by its language id, else by its name's ending."""
        found = formats.of_document(self.language, self.name)
        return found if found is None or found.decode is None else None

    @property
    def format(self) -> str:
        """The name of its format; plain text where it has none, and is not judged (`silent`)."""
        return "text" if self.input_format is None else self.input_format.name

    @property
    def disabled_reason(self) -> str | None:
        """Why it is not to be judged, if so; nothing is wrong."""
        if is_view(self.uri):
            return "it is a view of something else, no draft"
        if self.path is not None and ".git" in self.path.parts:
            return "it is a file of git's, no draft"
        if self.input_format is None:
            named = f" ({self.language})" if _LANGUAGE.fullmatch(self.language) else ""
            return f"its language{named} is none that onbrand reads"
        return None

    @property
    def problem(self) -> str | None:
        """Why it cannot be judged: it is too long."""
        if self._too_long:
            limit = f"{MAX_DRAFT_BYTES / 1024**2:.0f} MB"
            return f"{self.name}: is longer than {limit}, the limit; split or exclude it"
        return None

    @property
    def _too_long(self) -> bool:
        if len(self.text) * 4 <= MAX_DRAFT_BYTES or len(self.text) > MAX_DRAFT_BYTES:
            return len(self.text) > MAX_DRAFT_BYTES
        return len(self.text.encode("utf-8", "surrogatepass")) > MAX_DRAFT_BYTES


class DocumentStore:
    """The documents that are open in the editor. For the loop's thread only."""

    def __init__(self, encoding: Encoding = "utf-16") -> None:
        self.encoding = encoding
        """Unit of a column in every position; the client says so at ``initialize``."""
        self._documents: dict[str, Snapshot] = {}
        self._real: dict[str, str] = {}

    def __iter__(self) -> Iterator[Snapshot]:
        """Iterate over the documents as they are now, in the order in which they were opened."""
        return iter(list(self._documents.values()))

    def __len__(self) -> int:
        return len(self._documents)

    def get(self, uri: str) -> Snapshot | None:
        """Return the present version of a document; None: it is not open."""
        return self._documents.get(uri_key(uri))

    def of_file(self, path: Path) -> Snapshot | None:
        """Return the open document of a file, which the client may know by a link to it."""
        found = self.get(path.as_uri())
        if found is None and self._documents:
            key = self._real.get(os.path.realpath(path))
            found = None if key is None else self._documents.get(key)
        return found

    def open(self, item: types.TextDocumentItem) -> Snapshot:
        """Take in a document; one that is open already is replaced."""
        language = item.language_id
        if isinstance(language, types.LanguageKind):
            language = language.value
        snapshot = Snapshot(item.uri, item.version, language, item.text, LineIndex(item.text))
        key = uri_key(item.uri)
        self._documents[key] = snapshot
        if snapshot.path is not None:
            self._real[os.path.realpath(snapshot.path)] = key
        if disabled_reason := snapshot.disabled_reason:
            logger.debug("a document is left alone: %s", disabled_reason)
        return snapshot

    def change(self, params: types.DidChangeTextDocumentParams) -> Snapshot | None:
        """Make the changes and return the new version; None: the document is not open.

        Versions are the client's affair: its text is taken even when they go backwards.
        """
        old = self.get(params.text_document.uri)
        if old is None:
            logger.warning("textDocument/didChange of a document that is not open; ignored")
            return None
        text = apply_changes(old.text, old.lines, params.content_changes, self.encoding)
        snapshot = Snapshot(
            old.uri, params.text_document.version, old.language, text, LineIndex(text)
        )
        self._documents[uri_key(old.uri)] = snapshot
        return snapshot

    def close(self, uri: str) -> Snapshot | None:
        """Forget a document and return its last version; None: it was not open."""
        key = uri_key(uri)
        closed = self._documents.pop(key, None)
        if closed is None:
            logger.warning("textDocument/didClose of a document that is not open; ignored")
        self._real = {path: known for path, known in self._real.items() if known != key}
        return closed
