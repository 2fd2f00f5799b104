"""How long work tells how far it is: one protocol for training, checking, fetching and exporting.

    def fetch(..., *, progress: Progress = silent) -> ...:
        progress(ProgressEvent("unpacking", 3, 10))

A part of the work reports from 0 to 1 as if it were all; its caller places that within the whole
with `scaled`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """What is being done, and how much of all work is done."""

    stage: str
    """Say "unpacking", or the name of the brand or the draft at hand."""
    done: float = 0.0
    """Of ``total``, in whatever unit: shares, sentences, bytes."""
    total: float = 1.0
    message: str = ""
    """More to show beside the stage; for whom there is to wait where `waiting`."""
    waiting: bool = False
    """Nothing is being done: another process is in the way. People are told at once."""

    @property
    def share(self) -> float:
        """The share of the work that is done, 0 to 1; of no work all is done."""
        return self.done / self.total if self.total else 1.0

    @property
    def text(self) -> str:
        """What is being done, in words."""
        return self.message if self.waiting else f"{self.stage} {self.message}".strip()


class Progress(Protocol):
    """Takes events in the thread that does the work; it must be quick."""

    def __call__(self, event: ProgressEvent, /) -> None:
        """Show how far the work is."""


def silent(_event: ProgressEvent, /) -> None:
    """Show nothing."""


def scaled(
    progress: Progress, stage: str = "", *, start: float, size: float, total: float = 1.0
) -> Progress:
    """Return what a part of the work reports to, from 0 to 1.

    Args:
        progress: shows the whole.
        stage: of the whole, instead of the part's own stages.
        start: what is done of the whole when the part begins.
        size: how much of the whole the part is.
        total: the whole, in the unit of ``start`` and ``size``.
    """

    def show(event: ProgressEvent, /) -> None:
        done = start + size * event.share
        progress(replace(event, stage=stage or event.stage, done=done, total=total))

    return show
