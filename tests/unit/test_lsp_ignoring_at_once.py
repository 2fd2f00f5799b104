"""Two windows that ignore sentences in one configuration at the same time."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import filelock
import pytest

from onbrand.errors import OnbrandError
from onbrand_lsp.features import config_edit

EACH = 15
WINDOW = """
import sys
from pathlib import Path
from onbrand_lsp.features.config_edit import ignore_in_project

place, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for n in range(count):
    ignore_in_project(place, f"Sentence {n} of window {name}.")
"""


@pytest.mark.parametrize("spelling", ["file", "link", "new"])
def test_no_sentence_of_two_processes_is_lost(tmp_path: Path, spelling: str) -> None:
    project, link = tmp_path / "project", tmp_path / "link"
    project.mkdir()
    link.symlink_to(project)
    file = project / "onbrand.toml"
    if spelling != "new":
        file.write_text('brand = "acme"  # ours\nignore = ["One."]\n')
    places = [project if spelling == "new" else file] * 2
    if spelling == "link":
        places[1] = link / file.name
    windows = [
        subprocess.Popen(
            [sys.executable, "-c", WINDOW, str(place), name, str(EACH)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for place, name in zip(places, "ab", strict=True)
    ]
    for window in windows:
        assert window.stdout is not None
        assert window.stdout.readline() == "ready\n"
    for window in windows:
        assert window.stdin is not None
        window.stdin.write("go\n")
        window.stdin.flush()
    for window in windows:
        window.communicate(timeout=120)
        assert window.returncode == 0
    written = tomllib.loads(file.read_text())
    expected = {f"Sentence {n} of window {name}." for n in range(EACH) for name in "ab"}
    assert set(written["ignore"]) - {"One."} == expected
    assert len(written["ignore"]) == len(expected) + (spelling != "new")
    assert [path.name for path in project.iterdir()] == ["onbrand.toml"]  # and no lock


def test_a_lock_that_is_never_released_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONBRAND_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(config_edit, "LOCK_TIMEOUT", 0.0)
    file = tmp_path / "onbrand.toml"
    config_edit.ignore_in_project(file, "One.")
    (lock,) = (tmp_path / "data" / "locks").iterdir()
    with filelock.FileLock(lock), pytest.raises(OnbrandError, match="another editor is writing"):
        config_edit.ignore_in_project(file, "Two.")
    config_edit.ignore_in_project(file, "Two.")
    assert tomllib.loads(file.read_text())["ignore"] == ["One.", "Two."]


def test_a_place_for_locks_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").write_text("in the way")
    monkeypatch.setenv("ONBRAND_DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(OnbrandError, match="cannot be locked"):
        config_edit.ignore_in_project(tmp_path / "onbrand.toml", "One.")
    assert not (tmp_path / "onbrand.toml").exists()
