"""Label files: what is read, and the one line that says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from onbrand.errors import OnbrandError
from onbrand.labels.files import read_labels
from onbrand.labels.normalization import check_brand, normalise_text, text_key


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_jsonl_keeps_text_and_line_and_ignores_other_keys(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "a.jsonl",
        '\ufeff{"text": " Hi  there ", "label": "ON", "brand": "acme", "doc": 7, "x": {}}\n\n'
        '{"label": "off", "text": "No\u2028pe", "brand": "acme", "author": "ann"}\n',
    )
    first, second = read_labels([path])
    assert (first.text, first.label, first.doc, first.line) == (" Hi  there ", "on", "7", 1)
    assert (second.text, second.label, second.author, second.line) == (
        "No\u2028pe",
        "off",
        "ann",
        3,
    )
    assert second.path == str(path)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_in_the_dialects_that_spreadsheets_write(
    tmp_path: Path, delimiter: str, end: str
) -> None:
    rows = [
        "\ufeffLabel, Text ,BRAND,Doc,Note".replace(",", delimiter),
        delimiter.join(["on", f'"Hello, ""you""; yes{delimiter} two{end}lines|"', "acme", "", ""]),
        delimiter * 4,
        f"off{delimiter}Plain{delimiter}acme{delimiter}d1",
    ]
    path = write(tmp_path, "a.csv", end.join(rows))
    first, second = read_labels([path])
    assert first.text == f'Hello, "you"; yes{delimiter} two{end}lines|'
    assert (first.label, first.brand, first.doc, first.line) == ("on", "acme", None, 2)
    assert (second.text, second.label, second.doc, second.line) == ("Plain", "off", "d1", 5)


def test_tsv_and_folders(tmp_path: Path) -> None:
    write(tmp_path, "b.tsv", "text\tlabel\tbrand\nB, b\ton\tx\n")
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep", "a.JSONL", '{"text": "A", "label": "off", "brand": "x"}')
    write(tmp_path, "notes.txt", "not labels")
    write(tmp_path, ".hidden.csv", "rubbish")
    write(tmp_path, "~$open-in-excel.csv", b"\xff\x00")
    assert [line.text for line in read_labels([tmp_path])] == ["B, b", "A"]


def test_brand_fills_only_what_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "text,label,brand\nA,on,\nB,on,other\n")
    assert [line.brand for line in read_labels([path], brand="acme")] == ["acme", "other"]
    bare = write(tmp_path, "b.csv", "text,label\nA,on\n")
    assert [line.brand for line in read_labels([bare], brand="acme")] == ["acme"]


def test_unlabelled_lines_only_when_asked_for(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "a.jsonl",
        '{"text": "A", "label": null, "brand": "x"}\n{"text": "B", "brand": "x"}',
    )
    assert [line.label for line in read_labels([path], unlabelled=True)] == [None, None]
    with pytest.raises(OnbrandError, match=r'a\.jsonl:1: "label" is null; expected "on"'):
        read_labels([path])
    wrong = write(tmp_path, "b.csv", "text,brand,label\nA,x,maybe\n")
    with pytest.raises(OnbrandError, match="csv:2: \"label\" is 'maybe'"):
        read_labels([wrong], unlabelled=True)


def test_published_copy_needs_its_brands_in_the_file(tmp_path: Path) -> None:
    """One brand for all of it, as --brand gives labels, would compare nothing."""
    for name, content in (("a.csv", "text\nA\n"), ("a.jsonl", '{"text": "A"}')):
        path = write(tmp_path, name, content)
        with pytest.raises(OnbrandError, match=r'"brand"') as caught:
            read_labels([path], unlabelled=True)
        assert "--brand" not in caught.value.message


def test_odd_characters_are_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "a.jsonl",
        r'{"text": "cut \ud83d emoji, nul \u0000, שלום 👋🏽", "label": "on", "brand": "x"}',
    )
    assert read_labels([path])[0].text == "cut \ufffd emoji, nul \ufffd, שלום 👋🏽"


def test_a_line_of_a_megabyte_is_read(tmp_path: Path) -> None:
    long = "word " * 200_000
    path = write(tmp_path, "a.csv", f'text,label,brand\n"{long}",on,x\n')
    assert read_labels([path])[0].text == long


OK = '{"text": "A", "label": "on", "brand": "x"}\n'


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", OK + '{"text": "B", \n', ":2: is not JSON (Expecting property name"),
        ("a.jsonl", OK + "\n[1]", ":3: is a JSON array, not an object; a .jsonl file has one {…}"),
        ("a.jsonl", "[" * 100_000, ":1: is not JSON that can be read"),
        ("a.jsonl", '{"text": ' + "9" * 5000 + "}", ":1: is not JSON that can be read"),
        ("a.jsonl", OK + '{"label": "on", "brand": "x"}', ':2: "text" is missing'),
        ("a.jsonl", '{"text": " ", "label": "on", "brand": "x"}', ':1: "text" is empty'),
        ("a.jsonl", '{"text": 3, "label": "on", "brand": "x"}', ':1: "text" is a number; expected'),
        ("a.jsonl", '{"text": "A", "brand": "x"}', ':1: "label" is missing; expected "on"'),
        ("a.jsonl", '{"text": "A", "label": true, "brand": "x"}', '"label" is true or false'),
        ("a.jsonl", '{"text": "A", "label": "good", "brand": "x"}', ":1: \"label\" is 'good'"),
        ("a.jsonl", '{"text": "A", "label": "on"}', ':1: "brand" is missing; add it, or pass --b'),
        ("a.jsonl", '{"text": "A", "label": "on", "brand": ["x"]}', ':1: "brand" is an array'),
        (
            "a.jsonl",
            '{"text": "A", "label": "on", "brand": "../x"}',
            ":1: brand '../x' cannot name",
        ),
        ("a.jsonl", "\n \n", ": has no label lines; each needs "),
        ("a.jsonl", b"", ": has no label lines"),
        ("a.jsonl", OK.encode() + b'{"text": "caf\xe9"}', ":2: is not UTF-8 (byte 0xe9"),
        ("a.csv", b"\x00\x01\x02", ": looks like a binary file"),
        ("a.csv", "text,label,brand\n", ": has no label lines"),
        ("a.csv", "text,lable,brand\nA,on,x", ':1: the header lacks the column "label"; found "te'),
        (
            "a.csv",
            "text,label\nA,on",
            'the column "brand"; found "text", "label"; name the columns',
        ),
        ("a.csv", "text,text,label,brand\n", ':1: the header has the column "text" twice'),
        ("a.csv", "text,label,brand\nA,on,x\nHi, you,on,x", ":3: has 4 cells, the header 3; put"),
        ("a.csv", 'text,label,brand\nA,on,x\n"B,on,x\nC,on,x\n', ":3: is broken CSV ("),
        ("a.csv", "text,label,brand\nA,,x", ':2: "label" is missing'),
        ("a.xlsx", b"PK", ": is no label file; expected .jsonl, .csv, .tsv"),
    ],
)
def test_bad_files_name_the_line_and_the_mend(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(OnbrandError) as caught:
        read_labels([path])
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_and_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(OnbrandError, match=r"nope\.csv: no such file"):
        read_labels([tmp_path / "nope.csv"])
    with pytest.raises(OnbrandError, match=r"holds no \.jsonl, \.csv, \.tsv file"):
        read_labels([tmp_path])


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "-a", "a.", "two words", "nul", "COM1.x", "a" * 65, "a\nb"],
)
def test_brands_that_cannot_name_a_folder(name: str) -> None:
    with pytest.raises(OnbrandError, match="cannot name a folder") as caught:
        check_brand(name)
    suggestion = str(caught.value).split("(say '")[1].removesuffix("')")
    assert check_brand(suggestion) == suggestion


def test_brands_that_can() -> None:
    assert [check_brand(n) for n in ("acme", " Mülle\u0072\u0301-2.0 ", "牛奶", "a_b")] == [
        "acme",
        "Mülleŕ-2.0",
        "牛奶",
        "a_b",
    ]


def test_keys_join_what_reads_the_same() -> None:
    assert normalise_text(" Cafe\u0301\u00a0 now\n") == "Café now"
    assert text_key("Cafe\u0301 now") == text_key("Café  now")
    assert text_key("Café now") != text_key("café now")
