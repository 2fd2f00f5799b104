"""The labelled lines that candidates are compared on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from onbrand.errors import OnbrandError
from onbrand.labels.files import LabelLine, read_labels
from onbrand.labels.grouping import group_by_brand
from onbrand.training.evaluate import TEST, TRAIN


def read_brands(folder: Path, *, warn: Callable[[str], None]) -> dict[str, list[LabelLine]]:
    """Return the training lines of each brand in a folder of label files.

    Where the folder holds ``TASK.train.jsonl`` files, nothing else is read: a test file that a
    choice was made on is no test any more.

    Args:
        folder: label files as ``onbrand train`` takes them, or pairs of training and test files.
        warn: told of contradicting labels.

    Raises:
        OnbrandError: no labels, broken ones, or fewer than ten of a class.
    """
    training = sorted(folder.glob(f"*{TRAIN}"))
    if not training and any(folder.glob(f"*{TEST}")):
        raise OnbrandError(
            f"has TASK{TEST} but no TASK{TRAIN}; a choice is made on training lines", path=folder
        )
    lines = [
        line
        for file in training
        for line in read_labels([file], brand=file.name.removesuffix(TRAIN))
    ]
    return group_by_brand(lines or read_labels([folder]), warn=warn)
