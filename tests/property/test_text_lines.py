"""Offsets survive the way to lines and columns and back, in every unit an editor may use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onbrand.document.positions import LINE_BREAK, Encoding, LineIndex

UNIT = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
texts = st.text(
    st.sampled_from("ab\n\r\u2028\x85\v\fé日😀\ud800\U0010ffff") | st.characters(codec=None)
)
encodings = pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])


def units(text: str, encoding: Encoding) -> int:
    codec, size = UNIT[encoding]
    return len(text.encode(codec, "surrogatepass")) // size


@encodings
@given(text=texts, data=st.data())
def test_round_trip(encoding: Encoding, text: str, data: st.DataObject) -> None:
    index = LineIndex(text)
    offset = data.draw(st.integers(0, len(text)))
    line, column = index.position(offset, encoding)
    inside_break = text[offset - 1 : offset + 1] == "\r\n" and offset > 0
    assert index.offset(line, column, encoding) == offset - inside_break


@encodings
@given(text=texts)
def test_columns_are_what_an_encoder_counts(encoding: Encoding, text: str) -> None:
    index = LineIndex(text)
    lines = LINE_BREAK.split(text)
    assert index.line_count == len(lines)
    for number, line in enumerate(lines):
        assert index.line_text(number) == line
        start = index.line_start(number)
        for column in range(len(line) + 1):
            expected = number, units(line[:column], encoding)
            assert index.position(start + column, encoding) == expected


@encodings
@given(text=texts, line=st.integers(-2, 9), column=st.integers(-2, 40))
def test_any_position_is_clamped_into_its_line(
    encoding: Encoding, text: str, line: int, column: int
) -> None:
    index = LineIndex(text)
    offset = index.offset(line, column, encoding)
    assert 0 <= offset <= len(text)
    if 0 <= line < index.line_count:
        assert index.line_start(line) <= offset <= index.line_end(line)
        assert index.position(offset, encoding)[1] <= max(column, 0)


@given(text=texts, offset=st.integers(-5, 500))
def test_any_offset_is_clamped_into_the_text(text: str, offset: int) -> None:
    index = LineIndex(text)
    line, column = index.position(offset)
    assert 0 <= line < index.line_count
    assert 0 <= column <= len(index.line_text(line))
