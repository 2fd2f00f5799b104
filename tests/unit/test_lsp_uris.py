"""The many spellings of one URI."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onbrand_lsp.settings import is_view, uri_key

NAMES = st.text(st.characters(exclude_characters="/%\\", exclude_categories=["Cs"]), min_size=1)


@pytest.mark.parametrize(
    "spellings",
    [
        ("file:///c:/drafts/a.md", "file:///C%3A/drafts/a.md", "file:///c%3a/drafts/a.md"),
        ("file:///drafts/a.md", "file://localhost/drafts/a.md", "file:/drafts/a.md"),
        ("file:///drafts", "file:///drafts/", "FILE:///drafts//"),
        ("file:///caf%C3%A9.md", "file:///café.md", "file:///caf%c3%a9.md"),
        ("file://server/share/a.md", "file://server/share/a%2Emd"),
        ("untitled:Untitled-1", "untitled:Untitled%2D1"),
    ],
)
def test_spellings_of_one_uri_have_one_key(spellings: tuple[str, ...]) -> None:
    assert len({uri_key(uri) for uri in spellings}) == 1


def test_different_files_have_different_keys() -> None:
    uris = [
        "file:///a.md",
        "file:///A.md",
        "file:///C/a.md",
        "file:///c/a.md",
        "file:///c:/a.md",
        "file:///d:/a.md",
        "file://server/a.md",
        "file:///server/a.md",
        "untitled:a.md",
        "untitled:a.md/",
        "",
        "a.md",
    ]
    assert len({uri_key(uri) for uri in uris}) == len(uris)


@given(st.lists(NAMES, min_size=1))
def test_what_is_escaped_does_not_matter(names: list[str]) -> None:
    path = "/".join(names)
    assert uri_key(f"file:///{quote(path)}") == uri_key(f"file://localhost/{quote(path, safe='')}/")


@given(st.text())
def test_any_text_has_a_key_that_escaping_keeps(text: str) -> None:
    key = uri_key(text)
    assert uri_key(text) == key
    assert is_view(text) in (True, False)
    if "%" not in unquote(text):
        assert uri_key(unquote(text)) == key
