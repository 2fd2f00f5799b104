"""What is written out reads back as it was, whatever the characters."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from onbrand.labels.files import escape_cell, read_labels, to_csv, to_jsonl, unescape_cell
from onbrand.labels.normalization import normalise_text

# NUL and surrogates are replaced on reading; all else must survive.
characters = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
awkward = st.sampled_from("=+-@'\"\t\r\n,;| \u2028\u0085\ufeff")
texts = st.text(awkward | characters, min_size=1).filter(str.strip)
records = st.lists(
    st.fixed_dictionaries(
        {
            "text": texts,
            "label": st.sampled_from(["on", "off"]),
            "brand": st.sampled_from(["acme", "brand-2"]),
            "doc": st.none() | texts,
            "author": st.none() | texts,
        }
    ),
    min_size=1,
    max_size=5,
)
COLUMNS = ["text", "label", "brand", "doc", "author"]


def read_back(name: str, content: str) -> list[dict[str, str | None]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content.encode())
        return [{key: getattr(line, key) for key in COLUMNS} for line in read_labels([path])]


@given(records)
def test_jsonl(given_records: list[dict[str, str | None]]) -> None:
    content = to_jsonl(given_records)
    assert read_back("a.jsonl", content) == given_records
    assert len(content.splitlines()) == len(given_records)


@given(records, st.sampled_from(["", "\ufeff"]))
@example([{"text": "-1", "label": "on", "brand": "acme", "doc": "'=x", "author": "''"}], "")
def test_csv(given_records: list[dict[str, str | None]], mark: str) -> None:
    assert read_back("a.csv", mark + to_csv(given_records, COLUMNS)) == given_records


@given(st.text(awkward | characters))
def test_no_cell_begins_like_a_formula_and_every_cell_comes_back(cell: str) -> None:
    escaped = escape_cell(cell)
    assert not escaped.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unescape_cell(escaped) == cell


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise_text(text)
    assert normalise_text(once) == once
    assert normalise_text(f"\u2003{text}\n") == once
    once.encode()
