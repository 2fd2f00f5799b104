"""``onbrand labels`` as a brand owner uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from onbrand.errors import OnbrandError
from onbrand.labels.files import read_labels
from onbrand.labels.store import LabelStore
from onbrand_cli.labels import app

CSV = """text,label,brand,doc
"Say hello, wave.",on,acme,a.md
Leverage synergies.,off,acme,b.md
- Free returns,on,acme,
"""


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "store" / "labels.db"
    monkeypatch.setenv("ONBRAND_LABELS_DB", str(path))
    monkeypatch.setenv("COLUMNS", "200")
    return path


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "sheet.csv"
    path.write_text(CSV)
    return path


def run(*arguments: str | Path) -> tuple[str, str]:
    """Run a command that must succeed and return its output and its warnings."""
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def test_import_counts_new_and_known(sheet: Path, database: Path) -> None:
    assert run("import", sheet, "--author", "ann")[0] == f"{database}: 3 new, 0 known already\n"
    assert run("import", sheet, "--author", "ann")[0] == f"{database}: 0 new, 3 known already\n"
    assert run("import", sheet, "--author", "bob")[0] == f"{database}: 3 new, 0 known already\n"


def test_a_broken_file_imports_nothing(sheet: Path, tmp_path: Path, database: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"text": "A", "label": "on", "brand": "acme"}\n{"text": "B"}\n')
    with pytest.raises(OnbrandError, match=r"broken\.jsonl:2: "):
        run("import", sheet, broken)
    assert not database.exists()
    late = tmp_path / "late.csv"
    late.write_text("text,label,brand,time\nA,on,acme,yesterday\n")
    with pytest.raises(OnbrandError, match=r"late\.csv:2: time 'yesterday' is not ISO 8601"):
        run("import", sheet, late)
    late.write_text("text,label,brand,time\nA,on,acme,2025-03-04 12:00\n")
    with pytest.raises(OnbrandError, match=r"late\.csv:2: the time of a label needs a zone"):
        run("import", sheet, late)
    assert not database.exists()


def test_contradictions_in_a_file_are_dropped_and_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "text,label,brand,author\nA,on,acme,\nA,off,acme,\nA,off,acme,bob\nB,on,acme,\n"
    )
    out, warned = run("import", path)
    assert out.endswith("2 new, 0 known already, 2 dropped as contradicting\n")
    assert warned == (
        f'warning: {path}:2: labelled "on" here and "off" in {path}:3; both dropped\n'
    )


def test_export_is_what_training_reads(sheet: Path, tmp_path: Path) -> None:
    run("import", sheet, "--author", "ann")
    for name in ("out.jsonl", "out.csv"):
        run("export", "-o", tmp_path / name)
        exported = {(line.text, line.label, line.doc) for line in read_labels([tmp_path / name])}
        assert exported == {
            ("Say hello, wave.", "on", "a.md"),
            ("Leverage synergies.", "off", "b.md"),
            ("- Free returns", "on", None),
        }
    assert "\r\n'- Free returns,on,acme,\r\n" in (tmp_path / "out.csv").read_bytes().decode()
    assert run("export", "--format", "csv")[0].startswith("text,label,brand,doc")


def test_history_moves_a_store(sheet: Path, tmp_path: Path) -> None:
    run("import", sheet, "--author", "ann")
    sheet.write_text(CSV.replace(",on,", ",off,"))
    run("import", sheet, "--author", "ann")
    moved = tmp_path / "moved.jsonl"
    run("export", "--history", "-o", moved)
    other = tmp_path / "other.db"
    assert run("import", moved, "--db", other)[0] == f"{other}: 5 new, 0 known already\n"
    assert run("import", moved, "--db", other)[0] == f"{other}: 0 new, 5 known already\n"
    assert run("import", moved)[0].endswith(": 0 new, 5 known already\n")
    with LabelStore.open() as one, LabelStore.open(other) as two:
        assert one.current() == two.current()
        assert one.history() == two.history()


def test_undecided_texts_are_left_out_and_told(sheet: Path) -> None:
    run("import", sheet, "--author", "ann")
    sheet.write_text(CSV.replace("synergies.,off", "synergies.,on"))
    run("import", sheet, "--author", "bob")
    out, warned = run("export")
    assert len(out.splitlines()) == 2
    assert warned == "warning: left out 1 texts with as many authors for as against\n"


def test_stats(sheet: Path, database: Path) -> None:
    run("import", sheet, "--author", "ann")
    figures = json.loads(run("stats", "--format", "json")[0])
    assert figures["version"] == 1
    assert figures["database"] == str(database)
    (acme,) = figures["brands"]
    assert acme.pop("last").endswith("Z")
    assert acme == {
        "brand": "acme",
        "on": 2,
        "off": 1,
        "undecided": 0,
        "disputed": 0,
        "authors": 1,
        "sources": {"import": 3},
    }
    table = run("stats")[0]
    assert "acme" in table
    assert "import 3" in table


def test_unknown_brand_and_no_store(sheet: Path, database: Path) -> None:
    with pytest.raises(OnbrandError, match="there is no label store here"):
        run("stats")
    assert not database.exists()
    run("import", sheet)
    with pytest.raises(OnbrandError, match='no labels of brand "acne"; did you mean "acme"'):
        run("export", "--brand", "acne")
