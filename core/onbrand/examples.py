"""The example brands and drafts, in a checkout or in an installed package."""

from __future__ import annotations

from pathlib import Path

PACKAGED = Path(__file__).parent / "_examples"
CHECKOUT = Path(__file__).parents[2] / "examples"


def examples_folder() -> Path:
    """Return the folder with ``brands``, ``drafts`` and ``rewrites``."""
    return PACKAGED if PACKAGED.is_dir() else CHECKOUT


def brand_files() -> list[Path]:
    """Return the label files of the example brands."""
    return sorted((examples_folder() / "brands").glob("*.jsonl"))


def draft_files() -> list[Path]:
    """Return the example drafts."""
    return sorted((examples_folder() / "drafts").glob("*.md"))
