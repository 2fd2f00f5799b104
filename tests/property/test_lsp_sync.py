"""Whatever an editor does to its text, the server has the same one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onbrand.document.positions import LINE_BREAK, Encoding
from onbrand_lsp.rpc.protocol import LanguageServer

URI = "file:///draft.md"
CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
ALPHABET = {
    "utf-8": "ab \n\r\u2028\u2029\x85\v\f\x1céñ日\ufeff😀\U0010ffff",
    "utf-16": "ab \n\r\u2028\u2029\x85\v\f\x1céñ日\ufeff😀\U0010ffff\ud83d\ude00",
    "utf-32": "ab \n\r\u2028\u2029\x85\v\f\x1céñ日\ufeff😀\U0010ffff\ud83d",
}


class Editor:
    """An editor that knows its text as units of one encoding, and nothing of ours."""

    def __init__(self, encoding: Encoding, text: str) -> None:
        self.codec, self.width = CODECS[encoding]
        self.units: list[bytes] = self.units_of(text)
        self.undo: list[list[tuple[int, int, list[bytes]]]] = []

    def units_of(self, text: str) -> list[bytes]:
        raw = text.encode(self.codec, "surrogatepass")
        return [raw[at : at + self.width] for at in range(0, len(raw), self.width)]

    def text_of(self, units: list[bytes]) -> str:
        return b"".join(units).decode(self.codec, "surrogatepass")

    def _is(self, at: int, character: str) -> bool:
        return 0 <= at < len(self.units) and self.units[at] == character.encode(self.codec)

    def can_stand_at(self, at: int) -> bool:
        """Return whether a cursor can: not within a CRLF, nor within a character of UTF-8."""
        if self._is(at - 1, "\r") and self._is(at, "\n"):
            return False
        return not (self.width == 1 and at < len(self.units) and 0x80 <= self.units[at][0] < 0xC0)

    def position(self, at: int) -> dict[str, int]:
        line, start = 0, 0
        for place in range(at):
            ends = self._is(place, "\n") or (
                self._is(place, "\r") and not self._is(place + 1, "\n")
            )
            if ends:
                line, start = line + 1, place + 1
        return {"line": line, "character": at - start}

    def edit(self, start: int, end: int, new: list[bytes], *, turned: bool = False) -> Any:
        """Replace units and return the change to send; ``turned`` sends the range end first."""
        places = [self.position(start), self.position(end)]
        self.units[start:end] = new
        first, last = reversed(places) if turned else places
        return {"range": {"start": first, "end": last}, "text": self.text_of(new)}


@st.composite
def sessions(draw: st.DrawFn, alphabet: str) -> tuple[str, list[Any]]:
    texts = st.text(alphabet, max_size=12)
    places = st.integers(0, 10_000)
    edit = st.tuples(places, places, texts, st.booleans())
    step = st.one_of(
        st.lists(edit, min_size=1, max_size=5).map(lambda edits: ("edit", edits)),
        texts.map(lambda text: ("replace", text)),
        st.just(("undo", None)),
        texts.map(lambda text: ("reopen", text)),
    )
    return draw(st.text(alphabet, max_size=40)), draw(st.lists(step, max_size=12))


def typed(editor: Editor, edits: list[Any]) -> list[Any]:
    """Make edits near where the drawn numbers point, and remember how to take them back."""
    changes, back = [], []
    for one, other, text, turned in edits:
        free = [at for at in range(len(editor.units) + 1) if editor.can_stand_at(at)]
        start, end = sorted((free[one % len(free)], free[other % len(free)]))
        new = editor.units_of(text)
        back.append((start, start + len(new), editor.units[start:end]))
        changes.append(editor.edit(start, end, new, turned=turned))
    editor.undo.append(back[::-1])
    return changes


def untyped(editor: Editor) -> list[Any]:
    """Take the last edits back; where a cursor could not stand there, send the whole text."""
    changes: list[Any] = []
    for start, end, old in editor.undo.pop() if editor.undo else []:
        representable = editor.can_stand_at(start) and editor.can_stand_at(end)
        change = editor.edit(start, end, old)
        changes.append(change if representable else {"text": editor.text_of(editor.units)})
    return changes


@pytest.fixture(scope="module")
def server() -> LanguageServer:
    return LanguageServer()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_the_server_has_the_editors_text(
    server: LanguageServer, encoding: Encoding, data: st.DataObject
) -> None:
    server.documents.encoding = encoding
    text, steps = data.draw(sessions(ALPHABET[encoding]))
    editor = Editor(encoding, text)
    version = 1

    def tell(method: str, **params: Any) -> None:
        message = {"jsonrpc": "2.0", "method": f"textDocument/{method}", "params": params}
        server.receive(json.loads(json.dumps(message)))

    def open_() -> None:
        item = {"uri": URI, "languageId": "markdown", "version": version}
        tell("didOpen", textDocument=item | {"text": editor.text_of(editor.units)})

    open_()
    for kind, what in steps:
        version += 1
        changes = []
        if kind == "reopen":
            tell("didClose", textDocument={"uri": URI})
            assert server.documents.get(URI) is None
            editor = Editor(encoding, what)
            open_()
        elif kind == "replace":
            editor.units, editor.undo = editor.units_of(what), []
            changes = [{"text": what}]
        else:
            changes = typed(editor, what) if kind == "edit" else untyped(editor)
        if changes:
            document = {"uri": URI, "version": version}
            tell("didChange", textDocument=document, contentChanges=changes)
        snapshot = server.documents.get(URI)
        assert snapshot is not None
        assert editor.units_of(snapshot.text) == editor.units
        if changes:
            assert snapshot.version == version
        assert snapshot.lines.line_count == len(LINE_BREAK.split(snapshot.text))
    tell("didClose", textDocument={"uri": URI})
