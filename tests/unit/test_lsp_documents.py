"""The open documents: changes as editors really send them."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from lsprotocol import types

from onbrand.discovery import MAX_DRAFT_BYTES
from onbrand.document.positions import LineIndex
from onbrand_lsp import positions
from onbrand_lsp.documents import DocumentStore, Snapshot

URI = "file:///drafts/a.md"


def opened(text: str, encoding: str = "utf-16", **item: object) -> DocumentStore:
    store = DocumentStore(encoding)
    fields = {"uri": URI, "language_id": "markdown", "version": 1, "text": text, **item}
    store.open(types.TextDocumentItem(**fields))
    return store


def edit(start: tuple[int, int], end: tuple[int, int], text: str) -> object:
    span = types.Range(types.Position(*start), types.Position(*end))
    return types.TextDocumentContentChangePartial(range=span, text=text)


def changed(store: DocumentStore, *changes: object, uri: str = URI, version: int = 2) -> Snapshot:
    document = types.VersionedTextDocumentIdentifier(version, uri)
    return store.change(types.DidChangeTextDocumentParams(document, changes))


@pytest.mark.parametrize(
    ("text", "change", "expected"),
    [
        ("one\ntwo", edit((0, 1), (1, 1), "X"), "oXwo"),
        ("one\ntwo", edit((1, 1), (0, 1), "X"), "oXwo"),
        ("one\ntwo", edit((0, 99), (0, 99), "!"), "one!\ntwo"),
        ("one\r\ntwo", edit((0, 99), (1, 0), " "), "one two"),
        ("one\ntwo", edit((9, 9), (9, 9), "!"), "one\ntwo!"),
        ("one\n", edit((1, 0), (1, 0), "two"), "one\ntwo"),
        ("", edit((0, 0), (0, 0), "a\r\nb\rc"), "a\r\nb\rc"),
        ("a\u2028b\x85c\vd\fe\nsecond", edit((1, 0), (1, 3), "S"), "a\u2028b\x85c\vd\fe\nSond"),
        ("Hello\u2028world\nSecond line", edit((0, 6), (0, 11), "w"), "Hello\u2028w\nSecond line"),
        ("a\rb", edit((1, 0), (1, 0), "\n"), "a\r\nb"),
        ("😀b", edit((0, 2), (0, 3), "c"), "😀c"),
        ("😀b", edit((0, 1), (0, 2), ""), "\ud83db"),
        ("\ud83db", edit((0, 1), (0, 2), "\ude00"), "😀"),
        ("old", types.TextDocumentContentChangeWholeDocument("new"), "new"),
    ],
)
def test_a_change(text: str, change: object, expected: str) -> None:
    store = opened(text)
    assert changed(store, change).text == expected
    assert store.get(URI).text == expected


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 4), ("utf-16", 2), ("utf-32", 1)])
def test_columns_count_in_the_encoding_agreed_on(encoding: str, column: int) -> None:
    store = opened("😀b", encoding)
    assert changed(store, edit((0, column), (0, column + 1), "c")).text == "😀c"


@pytest.mark.parametrize("column", [1, 2, 3])
def test_a_position_within_a_character_of_utf_8_is_its_start(column: int) -> None:
    store = opened("a😀b", "utf-8")
    assert changed(store, edit((0, 1 + column), (0, 1 + column), "c")).text == "ac😀b"


def test_changes_are_made_in_order_each_on_what_the_last_one_left() -> None:
    store = opened("one")
    snapshot = changed(
        store,
        edit((0, 3), (0, 3), "\r"),
        edit((1, 0), (1, 0), "\n"),
        edit((1, 0), (1, 0), "two"),
        edit((0, 0), (0, 3), "ONE"),
    )
    assert snapshot.text == "ONE\r\ntwo"
    whole = types.TextDocumentContentChangeWholeDocument("a\nb")
    assert changed(store, whole, edit((1, 0), (1, 1), "c")).text == "a\nc"


@pytest.mark.parametrize("order", [1, -1])
def test_a_thousand_cursors_cost_the_lines_they_touch(
    monkeypatch: pytest.MonkeyPatch, order: int
) -> None:
    text = "The café sells bread.\n" * 40_000
    store = opened(text)
    read = []

    def indexed(part: str) -> LineIndex:
        read.append(len(part))
        return LineIndex(part)

    monkeypatch.setattr(positions, "LineIndex", indexed)
    places = range(0, 40_000, 40)[::order]
    snapshot = changed(store, *(edit((line, 4), (line, 8), "bakery") for line in places))
    assert snapshot.text.count("bakery") == 1000
    assert sum(read) < len(text)


def test_versions_are_the_clients_affair() -> None:
    store = opened("a", version=7)
    assert changed(store, edit((0, 0), (0, 0), "b"), version=3).version == 3
    assert changed(store, edit((0, 0), (0, 0), "c"), version=3).text == "cba"


def test_opening_again_replaces() -> None:
    store = opened("old")
    store.open(types.TextDocumentItem(URI, types.LanguageKind.Html, 9, "new"))
    (snapshot,) = store
    assert (snapshot.text, snapshot.version, snapshot.language) == ("new", 9, "html")


def test_what_is_not_open_is_logged_once_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    store = DocumentStore()
    with caplog.at_level(logging.INFO):
        assert changed(store, edit((0, 0), (0, 0), "secret")) is None
        store.close(URI)
    assert [record.getMessage() for record in caplog.records] == [
        "textDocument/didChange of a document that is not open; ignored",
        "textDocument/didClose of a document that is not open; ignored",
    ]
    assert (list(store), store.get(URI)) == ([], None)


def test_a_uri_is_one_however_it_is_spelt() -> None:
    store = opened("x", uri="file:///c%3A/My%20drafts/a.md")
    assert store.get("file:///c:/My drafts/a.md") is not None
    assert changed(store, edit((0, 0), (0, 0), "y"), uri="file:///c:/My%20drafts/a.md").text == "yx"
    assert store.get("file:///c:/My%2520drafts/a.md") is None
    store.close("file:///c:/My drafts/a.md")
    assert len(store) == 0


def test_documents_may_close_while_they_are_walked() -> None:
    store = opened("x")
    store.open(types.TextDocumentItem("untitled:b", "markdown", 1, "y"))
    for snapshot in store:
        store.close(snapshot.uri)
    assert len(store) == 0


def test_a_snapshot_stays_as_it_was() -> None:
    store = opened("one\ntwo")
    before = store.get(URI)
    changed(store, edit((0, 0), (1, 3), ""))
    assert (before.text, before.version, before.lines.line_count) == ("one\ntwo", 1, 2)


def test_no_text_in_a_repr() -> None:
    snapshot = opened("secret words").get(URI)
    assert "secret" not in repr(snapshot)


@pytest.mark.parametrize(
    ("uri", "language", "expected"),
    [
        (URI, "markdown", "markdown"),
        (URI, "plaintext", "markdown"),  # an editor without a plug-in for Markdown
        ("file:///a.mdx", "mdx", "mdx"),
        ("file:///a.mdx", "plaintext", "mdx"),
        ("file:///a.txt", "markdown", "markdown"),
        ("file:///a.md", "html", "html"),
        ("file:///a.htm", "", "html"),
        ("file:///a.rst", "restructuredtext", "rst"),
        ("file:///a.textile", "textile", "text"),
        ("file:///locales/en.json", "json", "json"),
        ("file:///package.json", "json", "text"),
        ("file:///a.ipynb", "json", "notebook"),
        ("untitled:Untitled-1", "markdown", "markdown"),
        ("untitled:Untitled-1", "plaintext", "text"),
        ("vscode-vfs://github/org/repo/a.html", "handlebars", "html"),
    ],
)
def test_formats(uri: str, language: str, expected: str) -> None:
    (snapshot,) = opened("x", uri=uri, language_id=language)
    assert snapshot.format == expected


@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX")
@pytest.mark.parametrize(
    ("uri", "path", "name"),
    [
        ("file:///drafts/My%20draft.md", Path("/drafts/My draft.md"), "/drafts/My draft.md"),
        ("file:///a;b%3F%23.md", Path("/a;b?#.md"), "/a;b?#.md"),
        ("file:///%FF.md", Path("/\udcff.md"), "/\udcff.md"),
        ("file:///a%00.md", None, "a\0.md"),
        ("untitled:Untitled-1", None, "untitled:Untitled-1"),
        ("vscode-vfs://github/org/a%20b.md", None, "a b.md"),
        ("file://[", None, "["),
        ("", None, ""),
    ],
)
def test_names(uri: str, path: Path | None, name: str) -> None:
    (snapshot,) = opened("x", uri=uri)
    assert (snapshot.path, snapshot.name) == (path, name)


@pytest.mark.parametrize("character", ["a", "é", "日", "😀", "\ud800"])
def test_too_long_is_counted_in_bytes(character: str) -> None:
    size = len(character.encode("utf-8", "surrogatepass"))
    fits = character * (MAX_DRAFT_BYTES // size)
    for text, expected in ((fits, False), (fits + character, True)):
        (snapshot,) = opened(text)
        assert bool(snapshot.problem) is expected


@pytest.mark.parametrize(
    ("name", "language", "read_as"),
    [
        ("a.rst", "restructuredtext", "rst"),
        ("a.textile", "textile", None),
        ("a.textile", "plaintext", "text"),  # the editor, or the writer, says that it is
        ("paper.tex", "latex", "latex"),
        ("package.json", "json", None),
        ("COMMIT_EDITMSG", "git-commit", None),
        ("requirements.txt", "pip-requirements", None),
        ("notes.txt", "", "text"),
        ("notes.txt", "text", "text"),
        ("README.md", "vimwiki", "markdown"),
        ("README.md", "plaintext", "markdown"),
        ("report.docx", "plaintext", None),
    ],
)
def test_what_is_in_no_format_is_no_prose_and_no_problem(
    name: str, language: str, read_as: str | None
) -> None:
    (snapshot,) = opened("x", uri=f"file:///{name}", language_id=language)
    assert snapshot.problem is None
    assert (snapshot.disabled_reason is None) == (read_as is not None)
    if read_as is not None:
        assert snapshot.format == read_as


@pytest.mark.parametrize(
    ("uri", "is_silent"),
    [
        ("file:///a.md", False),
        ("untitled:Untitled-1", False),
        ("inmemory://model/1", False),
        ("C:\\drafts\\a.md", False),  # no URI, but some client means a file by it
        ("git:/drafts/a.md?%7B%22ref%22%3A%22HEAD%22%7D", True),
        ("vscode-notebook-cell:/n.ipynb#W0sZmlsZQ%3D%3D", True),
        ("fugitive:///drafts/.git//0/a.md", True),
        ("gitlens://0a1b/drafts/a.md", True),
        ("diffview:///drafts/a.md", True),
        ("file:///drafts/.git/COMMIT_EDITMSG", True),
    ],
)
def test_views_of_something_else_are_silent(uri: str, is_silent: bool) -> None:
    (snapshot,) = opened("x", uri=uri, language_id="markdown")
    assert bool(snapshot.disabled_reason) is is_silent


def test_a_document_that_is_left_alone_is_one_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("DEBUG"):
        opened("x", uri="file:///secret/package.json", language_id="json")
        opened("x", uri="file:///secret/a.md", language_id="markdown")
        opened("x", uri="file:///secret/b", language_id="a language\nof more than a word")
    assert caplog.messages == [
        "a document is left alone: its language (json) is none that onbrand reads",
        "a document is left alone: its language is none that onbrand reads",
    ]


def test_a_document_is_found_by_a_link_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.md").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store = DocumentStore()
    uri = (tmp_path / "link" / "a.md").as_uri()
    snapshot = store.open(types.TextDocumentItem(uri, "markdown", 1, "x"))
    assert store.of_file(tmp_path / "real" / "a.md") is snapshot
    assert store.of_file(tmp_path / "link" / "a.md") is snapshot
    assert store.of_file(tmp_path / "real" / "b.md") is None
    store.close(uri)
    assert store.of_file(tmp_path / "real" / "a.md") is None
