"""Progress of long work: one protocol for training, checking, fetching and exporting.

    def fetch(..., *, progress: Progress = silent) -> ...:
        progress(ProgressEvent("unpacking", 3, 10))

A part of the work reports from 0 to 1 as if it were the whole; its caller maps that into the whole
with `scaled`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """The current stage, and how much of the work is done."""

    stage: str
    """The stage, such as "unpacking", or the name of the current brand or draft."""
    done: float = 0.0
    """The part of ``total`` that is done, in any unit: shares, sentences, bytes."""
    total: float = 1.0
    message: str = ""
    """More to show beside the stage; if `waiting`, the text to show instead."""
    waiting: bool = False
    """Whether the work waits for another process; shown at once."""

    @property
    def share(self) -> float:
        """The share of the work that is done, 0 to 1; 1 if ``total`` is 0."""
        return self.done / self.total if self.total else 1.0

    @property
    def text(self) -> str:
        """The text to show."""
        return self.message if self.waiting else f"{self.stage} {self.message}".strip()


class Progress(Protocol):
    """A callback that gets events in the thread that does the work; it must be fast."""

    def __call__(self, event: ProgressEvent, /) -> None:
        """Show how far the work is."""


def silent(_event: ProgressEvent, /) -> None:
    """Show nothing."""


def scaled(
    progress: Progress, stage: str = "", *, start: float, size: float, total: float = 1.0
) -> Progress:
    """Return a callback for a part of the work, which reports from 0 to 1.

    Args:
        progress: the callback for the whole.
        stage: replaces the part's own stages.
        start: how much of the whole is done when the part begins.
        size: the part's size.
        total: the whole, in the unit of ``start`` and ``size``.
    """

    def show(event: ProgressEvent, /) -> None:
        done = start + size * event.share
        progress(replace(event, stage=stage or event.stage, done=done, total=total))

    return show
