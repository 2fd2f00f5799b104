"""Published copy of brands with habits of their own, and the command that learns from it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner, Result

from onbrand_cli.models import app

HABITS = {
    "acme": ("hello", "you", "we", "really", "great"),
    "beta": ("pursuant", "shall", "the", "party", "herein"),
    "gamma": ("stir", "until", "add", "salt", "warm"),
}
LEARNING = ("--epochs", "8", "--rate", "5e-3")
"""Enough for most lines to be named right, in some seconds."""
WORDS = [
    "house",
    "tree",
    "river",
    "paper",
    "light",
    "stone",
    "market",
    "window",
    "garden",
    "letter",
    "music",
    "train",
]


def write_published(path: Path, doc: Callable[[str, int], str | None], count: int = 120) -> Path:
    """Write copy whose brands differ in a word or two a line, ``count`` lines each.

    ``doc`` names the document of a brand's line.
    """
    rng = random.Random(3)
    with path.open("w") as file:
        for brand, habits in HABITS.items():
            for i in range(count):
                words = [rng.choice(WORDS) for _ in range(9)]
                words[rng.randrange(9)] = rng.choice(habits)
                record = {"text": " ".join(words), "brand": brand, "doc": doc(brand, i)}
                file.write(json.dumps(record) + "\n")
    return path


def six_lines_each(brand: str, line: int) -> str:
    """Return the document of a line: documents have six."""
    return f"{brand}/{line // 6}"


def adapt(base: Path, published: Path, output: Path, *more: str) -> Result:
    arguments = ["adapt", "--published", str(published), "--base", str(base), "-o", str(output)]
    return CliRunner().invoke(app, [*arguments, *LEARNING, *more])
