"""Result of a check, and how much a bundle may differ from its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Check:
    """Result of one check."""

    name: str
    passed: bool
    detail: str
    """One line: the measurements, each with its tolerance."""
    notes: tuple[str, ...] = ()
    """Further lines: the layers or the task, and the text, that differ most."""
    figures: Mapping[str, object] = field(default_factory=dict)
    """The measurements for programs, fit for JSON."""


@dataclass(frozen=True)
class Budgets:
    """How much a bundle may differ from its source before a check fails."""

    min_cosine: float = 0.985
    """Mean cosine to the source's vectors; less is known to cost the voices accuracy."""
    min_worst: float = 0.95
    """The same of the worst line."""
    min_layer: float = 0.93
    """Mean cosine of each layer after subtracting the mean vector of all lines.

    The vectors of many encoders all point much the same way (Ethayarajh, 2019, arXiv:1909.00512):
    the plain cosine stays high even if the differences between lines are lost. And the plain cosine
    of all layers together hides the loss of one. For the default encoder, 0.93 goes with a
    `min_cosine` of 0.985.
    """
    max_changed: float = 2.0
    """Percent of sentence flags that differ from those on the source's vectors."""
    max_accuracy_loss: float = 0.5
    """Percentage points of held-out accuracy."""


DEFAULT = Budgets()

_MAX_QUOTE = 200


def quote(text: str) -> str:
    """Return a line of text for a check's notes, in quotation marks, cut if it is long."""
    return f"“{text[:_MAX_QUOTE]}{'…' if len(text) > _MAX_QUOTE else ''}”"
