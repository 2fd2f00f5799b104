"""A project to break, and a release to tamper with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli_runner import OFF_BRAND

if TYPE_CHECKING:
    from release_tampering import Check


@pytest.fixture(scope="session")
def brief() -> Iterator[None]:
    """Measure the speed of new bundles for a moment, not for the two seconds that users wait."""
    from onbrand_models.export import measure_speed

    usual = measure_speed.__defaults__
    measure_speed.__defaults__ = (0.05,)
    yield
    measure_speed.__defaults__ = usual


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


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The folder of a release that is an update of the installed one."""
    from release_samples import TRUSTED, write_release

    from onbrand_releases.install import install

    folder = tmp_path / "release"
    write_release(folder)
    install(str(folder), tmp_path / "root", [TRUSTED])
    write_release(folder, 2, voices={"acme": 1, "beta": 1}, encoder=1)
    return folder


@pytest.fixture
def refused(tmp_path: Path, release: Path) -> Check:
    """Checks that an update and an install are refused, and leave everything as it was."""
    from release_tampering import refusal_of

    return refusal_of(release, tmp_path)
