"""The standalone build, run as a writer's machine without Python has it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.heavy("standalone")

EXTENSION = Path(__file__).parents[2] / "lsp_server/vscode"
PROGRAM = EXTENSION / "standalone/onbrand"


def run(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run it with no program on PATH and an empty home."""
    environment = {"HOME": str(home), "PATH": str(home), "LANG": "C.UTF-8"}
    return subprocess.run(
        [PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_it_finds_what_is_off_brand(tmp_path: Path) -> None:
    done = run(tmp_path, "check", "--format", "json", EXTENSION / "example/draft.md")
    assert done.returncode == 1, done.stderr
    (file,) = json.loads(done.stdout)["files"]
    assert [sentence["text"][:9] for sentence in file["sentences"] if sentence["flagged"]] == [
        "Get ready",
        "Quillpot ",
    ]


def test_training_says_what_fetches_what_it_needs(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    line = "Put the kettle on first, then work down this list, and don't skip the biscuits."
    pages.joinpath("page.md").write_text(f"{line}\n", "utf-8")
    done = run(
        tmp_path, "train", "--published", pages, "--brand", "acme", "-o", tmp_path / "voices"
    )
    assert done.returncode == 2
    assert done.stderr.strip().endswith("onbrand add-training")
    assert run(tmp_path, "add-training", "--help").stdout.startswith("Usage: onbrand add-training")
    assert not (tmp_path / "voices").exists()


def test_what_it_leaves_out_is_told_in_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, "voices", "install", tmp_path, "--key", f"ed25519:{'0' * 64}")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
