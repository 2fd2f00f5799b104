"""Tasks in the benchmark's form from a pool of voices, to choose by without the benchmark.

The pool is a folder of ``VOICE.jsonl`` files whose lines have ``text`` and ``doc``; the benchmark's
brands are not in it. Each voice's documents go to one side, to learn from, or to the other, to
judge by. 160 and 200 lines of it are "on"; "off" are as many lines of the other voices, drawn by
chance in one task and nearest in subject in the other.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

LINES, DOCUMENTS = 800, 20
"""What a voice needs to take part."""
VOICES = 14
"""To adapt to, and as many others."""
LEARNT, JUDGED = 160, 200
"""On-brand lines that a voice is trained from, and that it is judged on."""
LEARNING_SIDE = 0.6
"""Share of a voice's lines whose documents are to learn from."""


@dataclass(frozen=True, slots=True)
class Task:
    """On-brand and off-brand lines, to train a voice from and to judge it on."""

    learn: tuple[list[str], list[str]]
    judge: tuple[list[str], list[str]]


@dataclass(frozen=True, slots=True)
class Group:
    """Some voices: a task each of two kinds, and further lines of the learning side."""

    brands: list[Task]
    matched: list[Task]
    published: dict[str, list[str]]


def groups(pool: Path, seed: int = 7) -> tuple[Group, Group]:
    """Return the voices to adapt to and the others, every fifth of those with enough lines."""
    voices = large_voices(pool)
    large = list(voices)
    chosen = large[0::5][:VOICES], large[2::5][:VOICES]
    adapted, others = (
        _group({name: voices[name] for name in names}, random.Random(seed)) for names in chosen
    )
    return adapted, others


def large_voices(pool: Path) -> dict[str, dict[str, list[str]]]:
    """Return the lines of each document of the voices that have enough of them."""
    voices = {path.stem: _documents(path) for path in sorted(pool.glob("*.jsonl"))}
    return {
        voice: docs
        for voice, docs in voices.items()
        if len(docs) >= DOCUMENTS and sum(map(len, docs.values())) >= LINES
    }


def _documents(path: Path) -> dict[str, list[str]]:
    docs: dict[str, list[str]] = defaultdict(list)
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        docs[row["doc"]].append(row["text"])
    return docs


def _group(voices: dict[str, dict[str, list[str]]], rng: random.Random) -> Group:
    sides = {name: _sides(docs, rng) for name, docs in voices.items()}
    group = Group([], [], {name: side[0][LEARNT:] for name, side in sides.items()})
    for name in voices:
        parts = []
        for side, count in enumerate((LEARNT, JUDGED)):
            on = sides[name][side][:count]
            others = [line for other in voices if other != name for line in sides[other][side]]
            rng.shuffle(others)
            parts.append((on, others[: len(on)], _nearest(on, others)))
        learn, judge = parts
        group.brands.append(Task((learn[0], learn[1]), (judge[0], judge[1])))
        group.matched.append(Task((learn[0], learn[2]), (judge[0], judge[2])))
    return group


def _sides(docs: dict[str, list[str]], rng: random.Random) -> tuple[list[str], list[str]]:
    """Return the lines of some documents, and those of the others, each in random order."""
    learn, judge = ([line for doc in side.values() for line in doc] for side in split(docs, rng))
    rng.shuffle(learn)
    rng.shuffle(judge)
    return learn, judge


def split(
    docs: dict[str, list[str]], rng: random.Random
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the documents to learn from, and those to judge by."""
    names = sorted(docs)
    rng.shuffle(names)
    enough = LEARNING_SIDE * sum(map(len, docs.values()))
    learn: dict[str, list[str]] = {}
    judge: dict[str, list[str]] = {}
    count = 0
    for name in names:
        (learn if count < enough else judge)[name] = docs[name]
        count += len(docs[name])
    return learn, judge


def _nearest(on: Sequence[str], others: Sequence[str]) -> list[str]:
    """Return for each line an unused one of another voice, of like length and subject."""
    words = TfidfVectorizer(sublinear_tf=True, stop_words="english").fit(others)
    alike = (words.transform(on) @ words.transform(others).T).toarray()
    used: set[int] = set()
    for line, row in zip(on, alike, strict=True):
        length = len(line.split())
        used.add(
            next(
                index
                for index in np.argsort(-row)
                if index not in used and abs(len(others[index].split()) - length) <= 20
            )
        )
    return [others[index] for index in sorted(used)]
