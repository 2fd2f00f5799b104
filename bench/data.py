"""Where the benchmark data is, and where results go."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
DATA = ROOT.parent / "shared" / "data"
"""Beside the checkout; it is not the project's to ship. ``--data`` names another place."""


def need(folder: Path) -> Path:
    """Return the folder, or end the program with a word on why it is skipped."""
    if not folder.is_dir():
        sys.exit(f"skipped: the benchmark data is not at {folder}; name its folder with --data")
    return folder
