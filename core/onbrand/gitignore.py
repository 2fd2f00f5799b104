"""The files that git ignores: ``.gitignore`` and ``.ignore``, as ruff and ripgrep read them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pathspec import GitIgnoreSpec

from onbrand.config.load import compile_globs
from onbrand.repository import repository_root

IGNORE_FILES = (".gitignore", ".ignore")
"""Names of the files in a folder, the stronger one last."""
MAX_IGNORE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The globs that hold in a folder. As in git, the nearest file that has one for a path decides.

    In a file it is the last such glob.
    """

    layers: tuple[tuple[str, GitIgnoreSpec], ...] = ()
    """The folder that globs are relative to, with a separator at its end; the strongest last."""

    @classmethod
    def above(cls, folder: str) -> Self:
        """Return the rules for ``folder`` from the folders above it, up to the repository's root.

        Outside of a repository there are none, as git would not look there either.

        Args:
            folder: an absolute path.
        """
        root = repository_root(Path(folder))
        if root is None:
            return cls()
        rules = cls(tuple(_layer(str(root), _of_user(root))))
        for place in reversed(Path(folder).parents):
            if place.is_relative_to(root):
                rules = rules.within(str(place))
        return rules

    def within(self, folder: str) -> Self:
        """Return the rules in a folder: these, and those of its own files."""
        files = [os.path.join(folder, name) for name in IGNORE_FILES]  # noqa: PTH118 - often called
        added = tuple(_layer(folder, files))
        return type(self)((*self.layers, *added)) if added else self

    def ignores(self, path: str) -> bool:
        """Return whether a path is ignored. That of a folder ends with a separator."""
        for base, globs in reversed(self.layers):
            found = globs.check_file(path[len(base) :].replace(os.sep, "/"))
            if found.include is not None:
                return found.include
        return False


def _layer(folder: str, files: list[str]) -> Iterator[tuple[str, GitIgnoreSpec]]:
    for file in files:
        try:
            # Not `read_text`: a broken file ignores nothing, and stops nothing.
            with open(file, "rb") as opened:  # noqa: PTH123 - often called
                text = opened.read(MAX_IGNORE_BYTES).decode("utf-8", "replace")
        except OSError:
            continue
        if globs := _compile(text.removeprefix("\ufeff")):
            yield folder.rstrip(os.sep) + os.sep, globs


def _compile(text: str) -> GitIgnoreSpec | None:
    """Compile the globs of a file but for those that are none, as git does."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        return compile_globs(lines) if lines else None
    except (ValueError, re.error):
        pass
    kept = []
    for line in lines:
        try:
            compile_globs([line])
        except (ValueError, re.error):
            continue
        kept.append(line)
    return compile_globs(kept) if kept else None


def _of_user(root: Path) -> list[str]:
    """Return the files that hold for a whole repository: the user's, and the clone's own."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111
    return [str(Path(home, "git", "ignore")), str(root / ".git" / "info" / "exclude")]
