"""Sentences that a project leaves alone, whatever they sound like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from onbrand.config import load_config, settings_for
from onbrand.errors import OnbrandError
from onbrand.labels.normalization import text_key
from onbrand_cli.app import app

OFF_BRAND = "Our stakeholders leverage synergies to drive scalable, best-in-class outcomes."


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "onbrand.toml").write_text(text, encoding="utf-8")
    return folder / "draft.md"


def test_all_files_add_up(tmp_path: Path) -> None:
    write(tmp_path, 'ignore = ["One.", "Two."]')
    draft = write(tmp_path / "docs", 'ignore = ["Three."]')
    assert settings_for(draft).ignore == {text_key(text) for text in ("One.", "Two.", "Three.")}
    write(tmp_path / "docs", 'root = true\nignore = ["Three."]')
    assert settings_for(draft).ignore == {text_key("Three.")}


def test_without_the_key_nothing_is_ignored(tmp_path: Path) -> None:
    assert settings_for(write(tmp_path, "quotes = true")).ignore == frozenset()


def test_space_and_composition_do_not_matter(tmp_path: Path) -> None:
    draft = write(tmp_path, 'ignore = ["""\n  The cafe\\u0301 \n  opens. """]')
    assert settings_for(draft).ignore == {text_key("The café opens.")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('ignore = "One."', '"ignore" must be a list of sentences that are never underlined'),
        ('ignore = ["One.", 2]', "item 2 is 2"),
        ('ignore = [""]', 'item 1 is ""'),
        ('ignored = ["One."]', 'did you mean "ignore"?'),
        ('[[paths]]\nglob = "a"\nignore = ["One."]', 'unknown key "ignore" (known: glob, brand,'),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, text)
    with pytest.raises(OnbrandError) as error:
        load_config(tmp_path / "onbrand.toml")
    assert message in error.value.message


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    return result.exit_code, result.stdout


def test_each_file_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, 'quotes = true\nignore = [\n  "One.",\n  "Two.",\n]')
    draft = write(tmp_path / "docs", 'ignore = ["Three."]')
    _, shown = run("config", "show", draft)
    lines = [line.split() for line in shown.splitlines() if line.startswith("  ignore ")]
    assert lines == [
        ["ignore", "1", "sentence", "docs/onbrand.toml:1"],
        ["ignore", "2", "sentences", "onbrand.toml:2"],
    ]
    _, shown = run("config", "show", draft, "--format", "json")
    settings = json.loads(shown)["settings"]
    ignored = [(one["value"], one["line"]) for one in settings if one["key"] == "ignore"]
    assert ignored == [(["Three."], 1), (["One.", "Two."], 2)]


def test_check_leaves_them_alone(tmp_path: Path, example_voices: Path) -> None:
    draft = write(tmp_path, "")
    draft.write_text(f"# Oats\n\nSee *{OFF_BRAND}*\n", encoding="utf-8")
    arguments = "check", draft, "--voices", example_voices, "--brand", "oatfolk", "--exit", "any"
    code, out = run(*arguments)
    assert (code, "1 of 1 sentence off-brand" in out) == (1, True)
    write(tmp_path, f'ignore = ["See {OFF_BRAND}"]')
    code, out = run(*arguments)
    assert (code, "0 of 1 sentence off-brand" in out) == (0, True)
