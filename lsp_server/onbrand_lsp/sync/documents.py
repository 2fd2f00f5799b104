"""The open documents, in step with the editor; pygls' own store corrupts text with U+2028."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from lsprotocol import types

from onbrand.discovery import MAX_DRAFT_BYTES
from onbrand.document import formats
from onbrand.document.formats import InputFormat
from onbrand.document.positions import Encoding, LineIndex
from onbrand_lsp.sync.edits import apply_changes
from onbrand_lsp.sync.uris import path_of

logger = logging.getLogger(__name__)


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
        """What to call the document: its path, or the last part of its URI."""
        path = self.path
        return unquote(self.uri).rpartition("/")[2] if path is None else str(path)

    @property
    def input_format(self) -> InputFormat | None:
        """How to read the document: by its language id, else by its name's ending."""
        found = formats.of_document(self.language, self.name)
        return found if found is None or found.decode is None else None

    @property
    def format(self) -> str:
        """The name of its format; plain text where it has none, and is not judged (`problem`)."""
        return "text" if self.input_format is None else self.input_format.name

    @property
    def problem(self) -> str | None:
        """Why it is not judged: it is too long, or in no format that is known."""
        if self.input_format is None:
            hint = "set its language in the editor, or leave it out of the server's languages"
            return str(formats.unknown_format(self.name, hint))
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

    def __iter__(self) -> Iterator[Snapshot]:
        """Iterate over the documents as they are now, in the order in which they were opened."""
        return iter(list(self._documents.values()))

    def __len__(self) -> int:
        return len(self._documents)

    def get(self, uri: str) -> Snapshot | None:
        """Return the present version of a document; None: it is not open."""
        return self._documents.get(unquote(uri))

    def open(self, item: types.TextDocumentItem) -> Snapshot:
        """Take in a document; one that is open already is replaced."""
        language = item.language_id
        if isinstance(language, types.LanguageKind):
            language = language.value
        snapshot = Snapshot(item.uri, item.version, language, item.text, LineIndex(item.text))
        # Clients spell one URI in several ways: c%3A and c:.
        self._documents[unquote(item.uri)] = snapshot
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
        self._documents[unquote(old.uri)] = snapshot
        return snapshot

    def close(self, uri: str) -> None:
        """Forget a document."""
        if self._documents.pop(unquote(uri), None) is None:
            logger.warning("textDocument/didClose of a document that is not open; ignored")
