"""A project to break."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cli_runner import OFF_BRAND


@pytest.fixture
def workplace(tmp_path: Path, example_voices: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a draft, three voices, and results of an earlier run."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "onbrand.toml").write_text("root = true\n")
    (folder / "good.md").write_text(OFF_BRAND)
    (folder / "out.json").write_text("old")
    for brand in ("oatfolk", "quillpot"):
        shutil.copytree(example_voices / brand, folder / "voices" / brand)
    shutil.copytree(example_voices / "oatfolk", folder / "voices" / "acme")
    (folder / "voices" / "acme" / "voice.json").write_text(
        (folder / "voices" / "acme" / "voice.json").read_text().replace('"oatfolk"', '"acme"', 1)
    )
    monkeypatch.chdir(folder)
    return folder
