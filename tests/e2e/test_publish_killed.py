"""A publication that is killed leaves the old release or the new one, and the next one heals it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("which", ["first", "next"])
def test_a_publication_that_is_killed_anywhere(tmp_path: Path, which: str) -> None:
    done = subprocess.run(
        [sys.executable, TESTS / "publish_killing.py", tmp_path, which],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["steps"] > 15
    assert told["before"] > 10
    assert told["after"] > 1, "the last steps were not reached"
