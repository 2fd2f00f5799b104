"""What is locked for writers' machines, and how the standalone build is made of it."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from scripts import load_script

ROOT = Path(__file__).parents[2]
SERVER = (ROOT / "requirements/server.txt").read_text("utf-8")
STANDALONE = (ROOT / "requirements/standalone.txt").read_text("utf-8")


def entries(lock: str) -> list[str]:
    """Return each requirement of a lock with its hashes."""
    return [part for part in re.split(r"^(?=\S)", lock, flags=re.MULTILINE) if part[:1] not in "#"]


def names(lock: str) -> set[str]:
    """Return the names of what a lock holds."""
    return {canonicalize_name(part.split("==")[0]) for part in entries(lock)}


def needed(*extras: str) -> set[str]:
    """Return the names that the project asks for, with some extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [Requirement(line) for line in project["dependencies"]]
    for extra in extras:
        asked += map(Requirement, project["optional-dependencies"][extra])
    return {canonicalize_name(requirement.name) for requirement in asked} - {"onbrand"}


@pytest.mark.parametrize("lock", [SERVER, STANDALONE], ids=["server", "standalone"])
def test_all_is_taken_by_version_and_hash_and_nothing_of_ours_from_an_index(lock: str) -> None:
    assert needed("lsp", "train", "labels") <= names(lock)
    assert "onbrand" not in names(lock)
    for entry in entries(lock):
        assert re.match(r"[a-z0-9._-]+==[^ ]+ (; .+ )?\\\n    --hash=sha256:[0-9a-f]{64}", entry)


def test_macs_with_an_intel_processor_get_the_last_version_that_was_built_for_them() -> None:
    from packaging.markers import default_environment

    mac = {**default_environment(), "sys_platform": "darwin", "platform_machine": "x86_64"}
    lines = [entry.split("\\")[0] for entry in entries(SERVER)]
    runtimes = [Requirement(line) for line in lines if line.startswith("onnxruntime==")]
    (found,) = [each for each in runtimes if each.marker and each.marker.evaluate(mac)]
    assert "1.23.2" in found.specifier
    assert "1.24.0" not in found.specifier


@pytest.fixture
def build() -> ModuleType:
    return load_script("lsp_server/standalone/build.py")


def test_what_is_fetched_for_training_is_all_that_the_build_leaves_out(build: ModuleType) -> None:
    fetched = build.training_lock(STANDALONE)
    assert names(fetched) == set(build.TRAINING)
    assert {"scikit-learn", "scipy"} <= names(fetched)
    assert "numpy" not in names(fetched), "the build's own one is used"
    assert set(entries(fetched)) <= set(entries(STANDALONE))


def test_libraries_for_training_are_kept_by_lock_and_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = load_script("lsp_server/standalone/program.py")
    lock = tmp_path / "training.txt"
    monkeypatch.setattr(program, "LOCK", lock)
    lock.write_text("a==1\n")
    first = program.training_folder()
    lock.write_text("a==2\n")
    assert program.training_folder().parent == first.parent
    assert program.training_folder() != first
    assert first.name.startswith(str(sys.implementation.cache_tag))


def test_nothing_is_left_of_libraries_that_could_not_be_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = load_script("lsp_server/standalone/program.py")
    lock = tmp_path / "training.txt"
    lock.write_text(f"nothing==1 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(program, "LOCK", lock)
    folder = tmp_path / "data" / "libraries"
    monkeypatch.setattr(program, "training_folder", lambda: folder)
    monkeypatch.setitem(sys.modules, "pip._internal.cli.main", _Pip("pip._internal.cli.main"))
    assert program.add_training() == 1
    assert list(folder.parent.iterdir()) == []


class _Pip(ModuleType):
    """A pip that writes half of a library and fails."""

    def main(self, arguments: list[str]) -> int:
        target = Path(arguments[arguments.index("--target") + 1])
        (target / "half").write_text("")
        assert {"--require-hashes", "--no-deps"} <= set(arguments)
        return 1
