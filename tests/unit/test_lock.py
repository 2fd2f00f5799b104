"""requirements/*.txt: what `make` installs, exactly."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
EXTRAS = {"dev": ["dev"], "all": ["dev", "editors", "export", "postgres", "bench"]}
LOCKS = sorted(path.stem for path in (ROOT / "requirements").glob("*.txt"))
ELSEWHERE = "torch"
"""Installed by version before the rest, see the Makefile."""


def declared(extras: list[str]) -> list[Requirement]:
    """Return what pyproject.toml asks for, the extras that extras name included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [Requirement(text) for text in project["dependencies"]]
    waiting = list(extras)
    while waiting:
        for text in project["optional-dependencies"][waiting.pop()]:
            requirement = Requirement(text)
            if requirement.name == project["name"]:
                waiting += requirement.extras
            else:
                asked.append(requirement)
    return asked


def entries(name: str) -> list[tuple[Requirement, list[str]]]:
    """Return the requirements in a lock, each with its hashes."""
    text = (ROOT / f"requirements/{name}.txt").read_text("utf-8")
    lines = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [
        (Requirement(head), hashes)
        for head, *hashes in (re.split(r"\s+--hash=", line.strip()) for line in lines)
    ]


@pytest.mark.parametrize("name", EXTRAS)
def test_the_lock_satisfies_what_is_declared(name: str) -> None:
    locked: dict[str, list[str]] = {}
    for entry, _ in entries(name):
        (pin,) = entry.specifier
        assert pin.operator == "==", entry
        locked.setdefault(canonicalize_name(entry.name), []).append(pin.version)
    for asked in declared(EXTRAS[name]):
        if asked.name == ELSEWHERE:
            continue
        versions = locked.get(canonicalize_name(asked.name), [])
        assert versions, f"{asked} is not in the lock: make lock"
        assert all(asked.specifier.contains(version) for version in versions), asked


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_has_hashes(name: str) -> None:
    for entry, hashes in entries(name):
        assert hashes, entry
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), entry


@pytest.mark.parametrize("name", LOCKS)
def test_pytorch_is_in_no_lock(name: str) -> None:
    heavy = re.compile(r"torch|triton|nvidia|cuda")
    assert [entry.name for entry, _ in entries(name) if heavy.match(entry.name)] == []


@pytest.mark.parametrize("name", LOCKS)
def test_no_index_is_named(name: str) -> None:
    text = (ROOT / f"requirements/{name}.txt").read_text("utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links| @ ", text)


@pytest.mark.parametrize("name", LOCKS)
def test_the_head_says_what_made_it(name: str) -> None:
    assert "make lock" in (ROOT / f"requirements/{name}.txt").read_text("utf-8")[:200]


def test_what_builds_the_editable_install_is_locked() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]
    needed = {Requirement(text).name for text in build["requires"]} | {"editables"}
    assert needed <= {entry.name for entry, _ in entries("dev")}
