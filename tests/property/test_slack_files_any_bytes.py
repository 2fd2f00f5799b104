"""Whatever is in a file, there is a draft in it or a word for the user, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_documents import main_part, package, written

from onbrand.document.document import parse
from onbrand.document.docx import decode
from onbrand.errors import OnbrandError
from onbrand_slack.drafts import DraftProblem, files

DOCUMENT = written("Our pumps run.", "All day.")
SMALL = package([("word/document.xml", main_part("<w:p><w:r><w:t>Pumps</w:t></w:r></w:p>"))])
VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())
KEYS = ["name", "mode", "filetype", "size", "url_private", "is_external", "file_access", "title"]


def read(data: bytes) -> None:
    try:
        decode(data)
    except OnbrandError as problem:
        assert "\n" not in problem.message


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"]))
def test_any_bytes(data: bytes, start: bytes) -> None:
    read(start + data)


@given(
    st.sampled_from([DOCUMENT, SMALL]),
    st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_a_document_with_any_bytes_changed(document: bytes, changes: list[tuple[int, int]]) -> None:
    data = bytearray(document)
    for place, value in changes:
        # Counted from the end, where the directory is.
        data[-1 - place % len(data)] = value
    read(bytes(data))


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_main_part(body: bytes) -> None:
    whole = main_part("BODY").replace(b"BODY", body)
    read(package([("word/document.xml", whole), ("_rels/.rels", body)]))


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=30)))
def test_paragraphs_come_back(paragraphs: list[str]) -> None:
    assert decode(written(*paragraphs)) == "\n".join(text.strip() for text in paragraphs)


@given(
    st.dictionaries(st.sampled_from(KEYS), VALUES),
    st.binary(max_size=100),
    st.sampled_from(["a.md", "a.txt", "a.html", "a.docx"]),
)
def test_any_file_object(info: dict[str, Any], data: bytes, name: str) -> None:
    file = {"name": name, "url_private_download": "https://files.slack.com/a"} | info
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_download", lambda *_: data)
        try:
            draft = files.fetch(file, "xoxb-test", "https://slack.com/api/")
        except DraftProblem as problem:
            assert "\n" not in problem.message
        else:
            parse(draft.text, draft.format)
