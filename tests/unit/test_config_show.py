from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from onbrand.installation import default_root
from onbrand_cli.config import app

GOLDEN = Path(__file__).parent.parent / "golden" / "config"
OUTER = """\
brand = "acme"
voices = [
  "voices",
  "more [voices]",
]
exclude = ["drafts/", "*.tmp.md"]

[[paths]]
glob = "docs/**"
brand = "beta"
gate = 0.8
"""
INNER = 'quotes = true\nexclude = ["!keep.tmp.md"]\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "onbrand.toml").write_text(OUTER)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/pyproject.toml").write_text(f"[tool.onbrand]\n{INNER}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def show(*arguments: str) -> str:
    parent = typer.Typer()
    parent.add_typer(app, name="config")
    result = CliRunner().invoke(parent, ["config", "show", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_front_matter_beats_the_configuration(project: Path) -> None:
    (project / "docs/launch.md").write_text("---\nbrand: gamma\n---\nHi.\n")
    assert re.search("^  brand +gamma +front matter of the file$", show("docs/launch.md"), re.M)
    shown = json.loads(show("docs/launch.md", "--format", "json"))["settings"][0]
    assert (shown["value"], shown["kind"]) == ("gamma", "front matter")


@pytest.mark.parametrize("raw", [b"\0\0\0", b"\xff", b""])
def test_a_file_that_cannot_be_read_has_settings_all_the_same(project: Path, raw: bytes) -> None:
    (project / "docs/launch.md").write_bytes(raw)
    assert "beta" in show("docs/launch.md")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("nested", ["docs/launch.md"]),
        ("excluded", ["drafts/a.md"]),
        ("taken-back", ["docs/keep.tmp.md"]),
        ("explicit", ["a.md", "--config", "docs/pyproject.toml"]),
        ("none", ["../a.md"]),
    ],
)
def test_text(project: Path, name: str, arguments: list[str]) -> None:
    made = show(*arguments)
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("ONBRAND_UPDATE_GOLDEN"):
        golden.write_text(made, encoding="utf-8")
    assert made == golden.read_text(encoding="utf-8")
    assert not [line for line in made.splitlines() if line != line.rstrip()]


def test_json(project: Path) -> None:
    shown = json.loads(show("docs/launch.md", "--format", "json"))
    assert shown["path"] == "docs/launch.md"
    assert shown["files"] == [str(project / "docs/pyproject.toml"), str(project / "onbrand.toml")]
    settings = {setting.pop("key"): setting for setting in shown["settings"]}
    assert settings["brand"] == {
        "value": "beta",
        "kind": "paths",
        "file": str(project / "onbrand.toml"),
        "line": 10,
        "glob": "docs/**",
    }
    assert settings["quotes"]["line"] == 2
    assert settings["gate"]["value"] == 0.8
    assert settings["threshold"]["kind"] == "default"
    assert settings["excluded"]["value"] is False


def test_what_a_url_stands_for(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONBRAND_DATA_DIR", str(project / "data"))
    url = "https://x.example/voices/index.json"
    (project / "onbrand.toml").write_text(
        'voices = ["more", "https://ann:hunter2@x.example/voices/index.json?token=hunter2"]\n'
    )
    root = default_root(url)
    shown = show("a.md")
    assert re.search(f"^  voices +more .*\n +{re.escape(url)}\n +not installed yet$", shown, re.M)
    root.mkdir(parents=True)
    (root / "installed.json").write_text("{}")
    assert f"{url}\n                  in {root}\n" in show("a.md")
    found = json.loads(show("a.md", "--format", "json"))
    assert found["settings"][2]["value"] == ["more", url]
    assert found["voices"] == [str(project / "more"), str(root)]
    assert "hunter2" not in shown + str(found)
