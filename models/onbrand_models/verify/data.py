"""What the folders of --data hold: drafts, and tasks with labelled lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from onbrand.drafts import find_drafts, read_draft
from onbrand.errors import OnbrandError
from onbrand.judge import MIN_WORDS
from onbrand.labels.files import read_labels
from onbrand.text import formats
from onbrand.text.document import Document, parse
from onbrand.training.evaluate import TEST, TRAIN, find_tasks, labelled_lines

Item = TypeVar("Item")

MOST_DRAFTS = 200
MOST_LINES = 300
"""Lines of real text that parity is measured on: their vectors are made one by one."""


@dataclass(frozen=True)
class Data:
    """Real text to compare a bundle and its source on."""

    drafts: dict[Path, Document]
    found: int
    """Drafts in the folders; of very many, evenly spaced ones are taken."""
    tasks: tuple[Path, ...]
    """Folders with pairs of training and test files."""

    def lines(self) -> list[str]:
        """Return up to `MOST_LINES` different lines of drafts and test files, evenly spaced."""
        texts = {s.text for document in self.drafts.values() for s in document.sentences}
        for folder in self.tasks:
            for task in find_tasks(folder):
                lines = read_labels([folder / (task + TEST)], brand=task, unlabelled=True)
                texts |= {" ".join(line.text.split()) for line in lines}
        return _spread(sorted(t for t in texts if len(t.split()) >= MIN_WORDS), MOST_LINES)


def read_data(folders: Sequence[Path]) -> Data:
    """Return what ``folders`` hold.

    Raises:
        OnbrandError: a folder is missing or holds neither drafts nor tasks; a draft is no text; a
            task lacks one half, or labels.
    """
    drafts: list[Path] = []
    tasks: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise OnbrandError(
                "no such folder; name one with drafts or with TASK.train.jsonl files", path=folder
            )
        below = sorted(path for path in folder.iterdir() if path.is_dir())
        here = [path for path in (folder, *below) if any(path.glob(f"*{TRAIN}"))]
        written = find_drafts(folder)
        if not here and not written:
            raise OnbrandError(f"holds neither drafts nor TASK{TRAIN} files", path=folder)
        for path in here:
            _check_tasks(path)
        tasks += here
        drafts += written
    unique = sorted(set(drafts))
    documents = {
        path: parse(read_draft(path, form), form.name)
        for path in _spread(unique, MOST_DRAFTS)
        if (form := formats.of_path(path))
    }
    return Data(documents, len(unique), tuple(dict.fromkeys(tasks)))


def _check_tasks(folder: Path) -> None:
    """Read the labels of a folder: what they lack shows before the work begins."""
    for task in find_tasks(folder):
        for path in (folder / (task + half) for half in (TRAIN, TEST)):
            labelled_lines(path, task)


def _spread(items: Sequence[Item], most: int) -> list[Item]:
    places = np.linspace(0, len(items) - 1, min(len(items), most)).round().astype(int)
    return [items[place] for place in places]
