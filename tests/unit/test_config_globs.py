"""Globs match what pathspec's do, and in bounded time whatever a checkout brings."""

from __future__ import annotations

import random
import time

import pytest
from pathspec import GitIgnoreSpec

from onbrand.config.load import compile_globs


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("a*" * 60 + "b", "a" * 120),
        ("*a" * 60 + "b/" + "*a" * 60, "a" * 120 + "/" + "a" * 120),
        ("?*" * 50 + "b", "a" * 120),
        ("**/a*/" * 20 + "b", "/".join(["a" * 60] * 60)),
        ("**/a/" * 30 + "b", "a/" * 2000 + "c"),
    ],
    ids=lambda value: value[:12],
)
def test_stars_do_not_multiply(glob: str, path: str) -> None:
    """Each of these took years."""
    globs = compile_globs([glob])
    start = time.perf_counter()
    assert not globs.match_file(path)
    assert time.perf_counter() - start < 1


def test_the_result_is_that_of_pathspec() -> None:
    chance = random.Random(0)
    signs = ("a", "b", "*", "*", "?", "[ab]", "[a-b]", "\\*", ".")
    matched = 0
    for _ in range(1500):
        names = ["".join(chance.choices(signs, k=chance.randint(1, 5))) for _ in range(5)]
        parts = chance.choices([*names, "**"], k=chance.randint(1, 5))
        glob = chance.choice(["", "/", "!"]) + "/".join(parts) + chance.choice(["", "/"])
        expected, found = (
            make([glob, "!*b"]) for make in (GitIgnoreSpec.from_lines, compile_globs)
        )
        for _ in range(10):
            names = ["".join(chance.choices("ab.*", k=chance.randint(1, 6))) for _ in range(6)]
            path = "/".join(names[: chance.randint(1, 6)])
            one, other = expected.check_file(path), found.check_file(path)
            assert (one.include, one.index) == (other.include, other.index), (glob, path)
            matched += one.index == 0
    assert matched > 500
