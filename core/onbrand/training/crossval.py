"""Out-of-fold logits: what the members say of lines that they were not fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onbrand.progress import Progress, ProgressEvent, silent
from onbrand.training.baseline import bag_of_words
from onbrand.training.folds import Fold
from onbrand.training.members import Lines, Member


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """What the members say of lines that they had not seen, as natural-log odds."""

    whole: tuple[NDArray[np.float64], ...]
    """Of each member, shape (lines, candidates)."""
    short: tuple[NDArray[np.float64], ...]
    """The same of the lines cut to their first words."""
    baseline: NDArray[np.float64]
    """Shape (lines,), probabilities of the bag of words."""


def cross_validate(
    lines: Lines,
    folds: Sequence[Fold],
    members: Sequence[Member],
    *,
    progress: Progress = silent,
) -> OutOfFold:
    """Return out-of-fold logits of each member.

    Args:
        lines: the training lines.
        folds: (train, held-out) index pairs; each line is held out once.
        members: what answers.
        progress: told after each fold how many are done.
    """
    count = len(lines.texts)
    whole, short = (tuple(np.zeros((count, m.candidates)) for m in members) for _ in range(2))
    baseline = np.zeros(count)
    for done, (train, held) in enumerate(folds, start=1):
        for i, member in enumerate(members):
            whole[i][held], short[i][held] = member.held_out(lines, train, held)
        texts = [lines.texts[i] for i in train], [lines.texts[i] for i in held]
        baseline[held] = bag_of_words(texts[0], lines.on[train], texts[1])
        progress(ProgressEvent("cross-validation", done, len(folds)))
    return OutOfFold(whole, short, baseline)
