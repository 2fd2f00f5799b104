"""Kill -9 at any moment of an install, update or rollback: the old or the new release works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from release_samples import TRUSTED, write_release

from onbrand_releases.install import install, update

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forks a process for each kill"),
    pytest.mark.slow,
]
KILLING = Path(__file__).parents[1] / "release_killing.py"
Kill = Callable[[str, list[int | None]], dict[str, int]]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where there is such: some thousand files are written and removed."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


@pytest.fixture
def kill(place: Path) -> Kill:
    def run(action: str, allowed: list[int | None]) -> dict[str, int]:
        done = subprocess.run(
            [
                sys.executable, KILLING, action, place, str(place / "release"), TRUSTED,
                json.dumps(allowed),
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    return run


def test_a_first_install(place: Path, kill: Kill) -> None:
    write_release(place / "release")
    told = kill("install", [None, 1])
    assert told["steps"] > 60
    assert told["before"] > 50
    assert told["after"] > 2


def test_an_update(place: Path, kill: Kill) -> None:
    for number in (1, 2):  # so that the update has a release to clear away
        write_release(place / "release", number, voices={"acme": number, "beta": 0})
        install(str(place / "release"), place / "before", [TRUSTED])
    write_release(place / "release", 3, voices={"acme": 3, "beta": 0}, encoder=0)
    told = kill("update", [2, 3])
    assert told["steps"] > 60
    assert told["before"] > 40
    assert told["after"] > 5


def test_an_update_of_the_encoder_and_all_voices(place: Path, kill: Kill) -> None:
    write_release(place / "release")
    install(str(place / "release"), place / "before", [TRUSTED])
    write_release(place / "release", 2, encoder=1)
    assert kill("update", [1, 2])["steps"] > 60


def test_a_rollback(place: Path, kill: Kill) -> None:
    write_release(place / "release")
    install(str(place / "release"), place / "before", [TRUSTED])
    write_release(place / "release", 2, voices={"acme": 1, "beta": 1})
    update(place / "before")
    told = kill("rollback", [2, 1])
    assert told["steps"] > 5
    assert told["before"] > 3
    assert told["after"] > 1
