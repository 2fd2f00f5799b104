"""Lines end where editors say they do, and nowhere else."""

from __future__ import annotations

import pytest

from onbrand.document.positions import LineIndex


def test_only_three_line_breaks_count() -> None:
    index = LineIndex("a\u2028b\x0bc\x0cd\x85e\x1cf\ng\r\nh\ri")
    assert index.line_count == 4
    assert [index.line_text(line) for line in range(5)] == [
        "a\u2028b\x0bc\x0cd\x85e\x1cf",
        "g",
        "h",
        "i",
        "",
    ]


@pytest.mark.parametrize(
    ("encoding", "column"), [("utf-8", 4 + 3 + 2 + 1), ("utf-16", 2 + 1 + 1 + 1), ("utf-32", 4)]
)
def test_column_units(encoding: str, column: int) -> None:
    index = LineIndex("first\n😀日éa!")
    assert index.position(10, encoding) == (1, column)
    assert index.offset(1, column, encoding) == 10


def test_columns_inside_a_character_give_its_start() -> None:
    index = LineIndex("a😀b")
    assert [index.offset(0, column, "utf-16") for column in range(6)] == [0, 1, 1, 2, 3, 3]
    assert [index.offset(0, column, "utf-8") for column in range(8)] == [0, 1, 1, 1, 1, 2, 3, 3]


def test_edges() -> None:
    assert LineIndex("").position(0) == (0, 0)
    assert LineIndex("").offset(3, 3) == 0
    assert LineIndex("abc").position(99) == (0, 3)
    assert LineIndex("abc\n").position(4) == (1, 0)
    assert LineIndex("abc\ndef").offset(0, 99) == 3
    assert LineIndex("abc\ndef").offset(99, 0) == 7
    assert LineIndex("abc\r\ndef").position(4) == (0, 3)
    assert LineIndex("abc").offset(-1, 5) == 0
