"""``onbrand models list`` of bundles that others made: broken ones, and names full of tricks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_encoder import tiny_encoder
from typer.testing import CliRunner

from onbrand.errors import OnbrandError
from onbrand_cli.models import app

CLI = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a sound bundle between two that are not."""
    for name in ("a", "b", "c"):
        tiny_encoder(tmp_path / name)
    (tmp_path / "a" / "encoder.json").write_text("{")
    change(tmp_path / "c", format=99)
    return tmp_path


def change(bundle: Path, **values: object) -> None:
    path = bundle / "encoder.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_broken_bundle_hides_no_other(folder: Path, form: str) -> None:
    result = CLI.invoke(app, ["list", str(folder), "--format", form])
    assert result.exit_code == 0
    assert str(folder / "b") in result.stdout
    assert str(folder / "c") not in result.stdout
    first, second = result.stderr.splitlines()
    assert first.startswith(f"warning: {folder}/a/encoder.json: broken manifest")
    assert second.startswith(f"warning: {folder}/c/encoder.json: bundle format 99")
    if form == "json":
        assert [Path(entry["path"]).name for entry in json.loads(result.stdout)][1:] == ["b"]


def test_a_broken_bundle_that_was_named_is_an_error(folder: Path) -> None:
    result = CLI.invoke(app, ["list", str(folder / "b"), str(folder / "a")])
    assert isinstance(result.exception, OnbrandError)
    assert result.exception.path == folder / "a" / "encoder.json"


def test_names_cannot_command_the_terminal(folder: Path) -> None:
    """And brackets are no commands to the table."""
    tricky = folder / "d\x1b[31m [red]"
    (folder / "b").rename(tricky)
    change(tricky, licence="[bold]x[/nope]")
    result = CLI.invoke(app, ["list", str(folder)])
    assert result.exit_code == 0, result.exception
    row = next(line for line in result.stdout.splitlines() if "[red]" in line)
    assert " [bold]x[/nope] " in row
    assert row.rstrip().endswith("d␛[31m [red]")
    assert "\x1b" not in result.stdout
