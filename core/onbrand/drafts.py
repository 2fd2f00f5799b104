"""Which files of a folder are drafts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

SUFFIXES = (".md", ".markdown", ".mkd", ".mdx", ".html", ".htm", ".xhtml", ".txt")
"""What counts as a draft when a folder is named."""
MAX_DRAFT_BYTES = 4 * 1024 * 1024
"""Some 700,000 words, two minutes of work; what is longer is an export or a log."""


def find_drafts(folder: Path, irregular: Callable[[Path], None] = lambda _: None) -> list[Path]:
    """Return the drafts in ``folder`` and below, sorted.

    Hidden folders and ``node_modules`` are not entered, links to folders neither; a folder that
    cannot be read counts as empty.

    Args:
        folder: where to look.
        irregular: told of each pipe, socket or device that has the name of a draft.
    """
    found: list[Path] = []
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not _is_aside(name)]
        found += [
            Path(root, name)
            for name in files
            if name.lower().endswith(SUFFIXES) and not _is_aside(name)
        ]
    for file in found:
        if file.exists() and not file.is_file():
            irregular(file)
    return sorted(file for file in found if file.is_file())


def _is_aside(name: str) -> bool:
    return name.startswith(".") or name == "node_modules"
