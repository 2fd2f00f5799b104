"""The git repository that a file is in, and the paths in it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_SUBMODULE = "/modules/"


def repository_root(path: Path) -> Path | None:
    """Return the root folder of the repository that a file or folder is in, None outside of one.

    That of a submodule is the repository around it, whose pages show the submodule's files.

    Args:
        path: a file or folder, which need not exist.
    """
    place = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the links
    for folder in (place, *place.parents):
        git = os.path.join(folder, ".git")  # noqa: PTH118 - called for each file
        if os.path.lexists(git) and not _is_submodule(git):
            return folder
    return None


def _is_submodule(git: str) -> bool:
    """Return whether a ``.git`` is that of a submodule: a file that says where its data are."""
    with contextlib.suppress(OSError, ValueError):
        if os.path.isfile(git):  # noqa: PTH113
            with open(git, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
                return _SUBMODULE in file.read(4096).replace("\\", "/")
    return False


def repository_path(path: str) -> str:
    """Return a path with slashes, relative to the root of its repository.

    Code hosts match findings to files by it, wherever the command runs. Outside of a repository it
    is relative to the working folder where that is around the file.
    """
    root = repository_root(Path(path).parent)
    base = Path.cwd() if root is None else root
    if root is None and not Path(path).is_absolute():
        return Path(path).as_posix()
    place = Path(os.path.abspath(path))  # noqa: PTH100 - see above
    return (
        place.relative_to(base).as_posix() if place.is_relative_to(base) else Path(path).as_posix()
    )
