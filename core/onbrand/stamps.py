"""Telling that files have changed, by what the file system says of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

Stamp = tuple[tuple[str, int, int], ...]
"""Path, time of the last change in nanoseconds (-1: not there) and size in bytes."""


def stamp(paths: Iterable[Path]) -> Stamp:
    """Return what changes when one of the files or folders does."""
    return tuple(_of(str(path)) for path in paths)


def _of(path: str) -> tuple[str, int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116 - half the time of Path.stat, and polled often
    except (OSError, ValueError):
        return path, -1, 0
    return path, found.st_mtime_ns, found.st_size
