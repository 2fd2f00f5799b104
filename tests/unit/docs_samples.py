"""The pages that people read, cut into fenced blocks and links."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for glob in ("*.md", "docs/*.md", "examples/**/README.md", "bench/README.md")
    for page in ROOT.glob(glob)
)

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```$", re.M | re.S
)
_STARTS = {
    "console": re.compile(r"^\$ (.*)$", re.M),
    "yaml": re.compile(r"^\s*(?:- )?(?:run|entry): (.*)$", re.M),
}
"""Where a command begins in the languages that hold other things too."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    line: int
    info: str
    body: str

    @property
    def language(self) -> str:
        return self.info.split(" ")[0]

    @property
    def title(self) -> str:
        """What follows the language: the name of the file that the block shows."""
        return self.info.partition(" ")[2]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(language: str) -> list[Block]:
    """Return the blocks of one language on all pages."""
    return [block for page in PAGES for block in page_blocks(page) if block.language == language]


def page_blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        body = textwrap.dedent(found["body"])
        yield Block(page.relative_to(ROOT).as_posix(), line, found["info"], body)


def commands(block: Block) -> Iterator[list[str]]:
    """Yield the arguments of each `onbrand` command in a block of shell input or a workflow."""
    text = block.body.replace("\\\n", " ")
    start = _STARTS.get(block.language)
    for line in start.findall(text) if start else text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for token in [*lexer, ";"]:
            if not set(token) <= set("();<>|&"):
                words.append(token)
                continue
            if words and Path(words[0]).name == "onbrand":
                yield words[1:]
            words = []
