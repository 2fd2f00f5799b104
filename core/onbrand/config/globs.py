"""Globs as in ``.gitignore``, matched in bounded time.

pathspec turns a glob into a regular expression that backtracks: a name of 120 letters against
``a*a*a*a*a*a*b`` takes years, and a checkout brings both. Here every star but the last of a name,
and every ``**`` but the last of a path, settles for the first place where what follows it fits. For
a glob that finds whatever there is to find, and no star is ever tried again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

_STAR, _LEADING, _INNER = "[^/]*", "(?:.+/)?", "(?:/.+)?"
_ENDS = ("(?P<ps_d>/)", "(?:(?P<ps_d>/)|$)")
_WHOLE = (_STAR, _LEADING, _INNER, *_ENDS, "[^/]+", "[^/]")
_TOKEN = re.compile("|".join(map(re.escape, _WHOLE)) + r"|\[\^?\]?[^\]]*\]|\\.|.", re.DOTALL)
"""What pathspec makes regular expressions of."""


def compile_globs(globs: Iterable[str]) -> GitIgnoreSpec:
    """Compile globs; of those that match a path the last one decides.

    Raises:
        ValueError: one of them is no glob.
        re.error: the same.
    """
    # The other backends are for regular expressions of their own.
    return GitIgnoreSpec.from_lines(globs, _Glob, backend="simple")


class _Glob(GitIgnoreSpecPattern):
    __slots__ = ()

    @classmethod
    def pattern_to_regex(cls, pattern: str) -> tuple[str | None, bool | None]:  # type: ignore[override]
        regex, include = super().pattern_to_regex(pattern)
        return regex and _bounded(regex), include


def _bounded(regex: str) -> str:
    """Rewrite a regular expression of pathspec's so that it does not backtrack."""
    tokens: list[str] = _TOKEN.findall(regex)
    parts = ["".join(map(_bounded_name, _names(run))) for run in _runs(tokens)]
    # Each run but the first begins with a ``**``; the last one decides what the whole matches.
    for n, part in enumerate(parts[:-1]):
        for begin, lazy in ((_LEADING, "(?:.+?/)??"), (_INNER, "(?:/.+?)??")):
            if part.startswith(begin):
                parts[n] = f"(?>{lazy}{part.removeprefix(begin)}(?=/))"
    return "".join(parts)


def _runs(tokens: list[str]) -> list[list[str]]:
    """Cut tokens before each ``**``."""
    runs: list[list[str]] = [[]]
    for token in tokens:
        if token in (_LEADING, _INNER):
            runs.append([])
        runs[-1].append(token)
    return runs


def _names(tokens: list[str]) -> list[list[str]]:
    """Cut tokens into the names of folders and files, and what stands between them."""
    between = ("/", _LEADING, _INNER, *_ENDS)
    return [list(group) for _, group in groupby(tokens, key=lambda token: token in between)]


def _bounded_name(tokens: list[str]) -> str:
    """Let every star of a name but the last one take the first place where what follows fits."""
    first, *others = _split(tokens)
    if not others:
        return first
    *middle, last = others
    inner = "".join(f"(?>{_STAR}?{text})" for text in middle if text)
    return f"{first}{inner}{_STAR}{last}"


def _split(tokens: list[str]) -> list[str]:
    """Return what stands before, between and after the stars."""
    texts = [""]
    for token in tokens:
        if token == _STAR:
            texts.append("")
        else:
            texts[-1] += token
    return texts
