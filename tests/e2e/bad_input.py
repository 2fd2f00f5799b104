"""Ways to break a project, and what the command line must say of each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cli_runner import error_of, run, tree

Break = Callable[[Path], None]
OFF = {"text": "We leverage synergies.", "label": "off", "brand": "acme"}


def write(name: str, content: str | bytes) -> Break:
    def make(folder: Path) -> None:
        raw = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(raw)

    return make


def jsonl(*records: dict[str, object]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def labelled(on: int, off: int) -> str:
    lines = [{"text": f"Line number {n} on", "label": "on", "brand": "acme"} for n in range(on)]
    lines += [{"text": f"Line number {n} off", "label": "off", "brand": "acme"} for n in range(off)]
    return jsonl(*lines)


def refuse_reading(folder: Path) -> None:
    """Make a file that cannot be read, not even by root: a process' memory at offset 0."""
    (folder / "draft.md").symlink_to("/proc/self/mem")


def change(name: str, old: str, new: str) -> Break:
    def edit(folder: Path) -> None:
        file = folder / name
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


def cut(name: str) -> Break:
    def shorten(folder: Path) -> None:
        file = folder / name
        file.write_bytes(file.read_bytes()[:-100])

    return shorten


def flip(name: str) -> Break:
    def tamper(folder: Path) -> None:
        raw = bytearray((folder / name).read_bytes())
        raw[len(raw) // 2] ^= 1
        (folder / name).write_bytes(bytes(raw))

    return tamper


def remove(name: str) -> Break:
    return lambda folder: (folder / name).unlink()


def nothing(_folder: Path) -> None:
    """Leave the folder as it is."""


@dataclass(frozen=True)
class Case:
    """Something that is wrong in a project, and what the command says of it."""

    name: str
    broken: Break
    command: str
    message: str
    """A pattern of the whole line, after ``error: ``."""


CHECK = "check draft.md -b oatfolk --format json -o out.json"
CHECK_GOOD = "check good.md -b oatfolk --format json -o out.json"
CHECK_ENCODER = f"{CHECK_GOOD} --encoder encoder"
TRAIN = "train labels.jsonl"


def check_refusal(project: Path, case: Case) -> None:
    """Break the project and check that the command says so, and touches nothing."""
    case.broken(project)
    before = tree(project)
    message = error_of(run(*case.command.split()))
    assert re.fullmatch(case.message, message), message
    assert tree(project) == before
