"""Copy to write and a writer to write it: Markdown of any length, and edits like a person's."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from onbrand.labels.files import read_labels
from onbrand_cli.demo import brand_files

BRAND = "oatfolk"
_BREAK = re.compile(r"\r\n|\n|\r")
_ODD = (*"😀é\u2028\x0b\x85\u200d“`", "🇫🇷", "\r\n", "\n\n", "**", "- ", "# ", "<!--")


def markdown(words: int, rng: random.Random) -> str:
    """Return a draft of so many words for the first example brand, no two sentences the same.

    Each sentence joins the beginning of one example line to the end of another; three in four are
    made of the brand's own lines, as in a draft that somebody took some care over.
    """
    lines = read_labels(brand_files())
    own = [line.text.split() for line in lines if line.brand == BRAND and line.label == "on"]
    others = [line.text.split() for line in lines if line.brand != BRAND]
    text: list[str] = []
    count = 0
    while count < words:
        if len(text) % 6 == 0:
            text.append("## " + " ".join(rng.choice(own)[:3] + rng.choice(own)[-2:]).rstrip(".!?"))
        sentences = [
            _sentence(own if rng.random() < 0.75 else others, rng) for _ in range(rng.randint(1, 5))
        ]
        bullet = "- " if rng.random() < 0.2 else ""
        text.append(bullet + " ".join(sentences))
        count += len(text[-1].split())
    return "\n\n".join(text) + "\n"


def _sentence(lines: list[list[str]], rng: random.Random) -> str:
    first, second = rng.choice(lines), rng.choice(lines)
    words = first[: rng.randint(3, 9)] + second[rng.randint(0, len(second) // 2) :]
    if rng.random() < 0.1:
        spot = rng.randrange(len(words))
        words[spot] = f"[{words[spot]}](https://example.com/{rng.randrange(10**6)})"
    return " ".join(words)


@dataclass
class Editor:
    """A document as the client has it, and the edits that it sends."""

    text: str
    rng: random.Random
    version: int = 1
    _undo: list[str] = field(default_factory=list)

    def type_something(self) -> list[dict[str, Any]]:
        """Make one edit of ordinary writing: letters, words, a deletion, a line."""
        at = self.rng.randrange(len(self.text) + 1)
        kind = self.rng.random()
        if kind < 0.2 and at < len(self.text):
            return self._replace(at, min(len(self.text), at + self.rng.randint(1, 8)), "")
        if kind < 0.3:
            return self._replace(at, at, f" {self.rng.choice(('leverage', 'oats', 'synergy'))} ")
        return self._replace(at, at, self.rng.choice("etaoinshrdlu ,."))

    def write(self) -> Iterator[list[dict[str, Any]]]:
        """Write new sentences into paragraphs, letter by letter, each in place of older ones."""
        lines = [line.text.split() for line in read_labels(brand_files())]
        length = len(self.text)
        while True:
            ends = [found.end() for found in re.finditer(r"[.!?](?=[ \n])", self.text)]
            at = self.rng.choice(ends)
            for letter in " " + _sentence(lines, self.rng):
                yield self._replace(at, at, letter)
                at += 1
            while len(self.text) > length:
                old = [found.span() for found in re.finditer(r"[^.!?\n]{20,}[.!?]", self.text)]
                yield self._replace(*self.rng.choice(old), "")

    def do_anything(self) -> list[dict[str, Any]]:
        """Make one notification's worth of edits, however odd: several at once, undo, all new."""
        kind = self.rng.random()
        if kind < 0.1 and self._undo:
            return self._whole(self._undo.pop())
        self._undo = [*self._undo[-5:], self.text]
        if kind < 0.12:
            return self._whole("".join(self.rng.sample(_ODD, 4)) + "A fresh start, friends.")
        changes = []
        for _ in range(self.rng.choice((1, 1, 1, 2, 5))):
            start = self.rng.randrange(len(self.text) + 1)
            end = min(len(self.text), start + self.rng.choice((0, 0, 1, 4, 30)))
            new = "".join(self.rng.choices((*_ODD, "oats ", "We sell. ", ""), k=2))
            changes += self._replace(start, end, new)
        self.version -= len(changes) - 1
        return changes

    def _replace(self, start: int, end: int, new: str) -> list[dict[str, Any]]:
        change = {"range": {"start": self._position(start), "end": self._position(end)}}
        # A position between \r and \n is that of the line's end: edit what the server will.
        start, end = self._settled(start), self._settled(end)
        self.text = self.text[:start] + new + self.text[end:]
        self.version += 1
        return [{**change, "text": new}]

    def _whole(self, text: str) -> list[dict[str, Any]]:
        self.text = text
        self.version += 1
        return [{"text": text}]

    def _settled(self, offset: int) -> int:
        inside = self.text[offset - 1 : offset + 1] == "\r\n" and offset > 0
        return offset - 1 if inside else offset

    def _position(self, offset: int) -> dict[str, int]:
        before = self.text[: self._settled(offset)]
        breaks = [found.end() for found in _BREAK.finditer(before)]
        start = breaks[-1] if breaks else 0
        units = len(before[start:].encode("utf-16-le")) // 2
        return {"line": len(breaks), "character": units}
