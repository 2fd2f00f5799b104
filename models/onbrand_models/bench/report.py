"""What a comparison found: the figures of each candidate, and which one to take."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping, Sequence

import msgspec

from onbrand.encoder.bundle import Parity

FORMAT = 1


class Accuracy(msgspec.Struct, frozen=True):
    """Quality on held-out lines; means over the brands, rates from 0 to 1."""

    mean: float
    error: float
    """Standard error of the mean."""
    auroc: float
    log_loss: float
    baseline: float
    """Accuracy of a bag of words on the same folds."""
    brands: dict[str, float]
    """Accuracy of each brand."""


class Pace(msgspec.Struct, frozen=True):
    """How fast an encoder was, in turns with the others."""

    sentences_per_second: float
    """Median over the rounds, on all threads."""
    latency_ms: float
    """Of one sentence alone: median."""
    latency_p95_ms: float
    threads: int


class Figures(msgspec.Struct, frozen=True):
    """What was measured of one candidate."""

    name: str
    fingerprint: str
    layers: tuple[int, ...]
    dim: int
    target: str
    quantisation: str
    accuracy: Accuracy
    pace: Pace
    size: int
    """Bytes of all files."""
    memory: int | None
    """Resident bytes of a process that has used it; None where the system does not tell."""
    cosine: Parity | None
    """To 32-bit floats on the labelled lines; of a ready bundle, what its manifest says."""


class LeftOut(msgspec.Struct, frozen=True):
    """A candidate that could not be made or run."""

    name: str
    reason: str


class Report(msgspec.Struct, frozen=True):
    """Content of ``bench.json``."""

    format: int
    source: str | None
    """The model that was exported; None if all bundles were there."""
    machine: str
    lines: dict[str, int]
    """Labelled lines of each brand."""
    candidates: list[Figures]
    left_out: list[LeftOut]
    front: list[str]
    """Names on the Pareto front, the fastest first."""
    best: str
    """The most accurate."""
    choice: str
    """The fastest within one standard error of the best, see `fastest_of_the_best`."""
    advice: str


def summarise(
    candidates: Sequence[Figures],
    left_out: Sequence[LeftOut],
    lines: Mapping[str, int],
    source: str | None,
) -> Report:
    """Return the report on a comparison of at least one candidate, made on this machine.

    Args:
        candidates: what was measured.
        left_out: what could not be.
        lines: the number of labelled lines of each brand.
        source: the model that was exported, if any.
    """
    return Report(
        format=FORMAT,
        source=source,
        machine=f"{platform.system()} {platform.machine()}",
        lines=dict(lines),
        candidates=list(candidates),
        left_out=list(left_out),
        front=[candidate.name for candidate in pareto_front(candidates)],
        best=most_accurate(candidates).name,
        choice=fastest_of_the_best(candidates).name,
        advice=advise(candidates),
    )


SAME_SPEED = 0.05
"""Speeds that differ by less than this share are taken for equal: runs differ by as much."""


def standard_error(accuracies: Mapping[str, float], lines: Mapping[str, int]) -> float:
    """Return the standard error of the mean of the brands' accuracies (binomial).

    Candidates are judged on the same lines, so a difference between two of them is surer than this.

    Args:
        accuracies: of each brand, 0 to 1.
        lines: how many each accuracy is of.
    """
    variance = sum(p * (1 - p) / lines[brand] for brand, p in accuracies.items())
    return math.sqrt(variance) / len(accuracies)


def pareto_front(candidates: Sequence[Figures]) -> list[Figures]:
    """Return those that no other beats in accuracy or speed without loss in the other, by speed."""
    front: list[Figures] = []
    fastest_first = sorted(
        candidates, key=lambda c: (-c.pace.sentences_per_second, -c.accuracy.mean)
    )
    for candidate in fastest_first:
        if not front or candidate.accuracy.mean > front[-1].accuracy.mean:
            front.append(candidate)
    return front


def most_accurate(candidates: Sequence[Figures]) -> Figures:
    """Return the candidate of the highest accuracy, the faster one of two that are level."""
    return pareto_front(candidates)[-1]


def fastest_of_the_best(candidates: Sequence[Figures]) -> Figures:
    """Return the fastest candidate within one standard error of the best accuracy.

    Of several that are about equally fast it is the most accurate. The one-standard-error rule is
    of Breiman, Friedman, Olshen and Stone (1984), Classification and Regression Trees, section
    3.4.3, with speed in the place of simplicity.
    """
    best = most_accurate(candidates)
    least = best.accuracy.mean - best.accuracy.error
    good = [c for c in pareto_front(candidates) if c.accuracy.mean >= least]
    fastest = good[0].pace.sentences_per_second
    return [c for c in good if c.pace.sentences_per_second >= (1 - SAME_SPEED) * fastest][-1]


def advise(candidates: Sequence[Figures]) -> str:
    """Return one line: what to take, and what else is worth a thought."""
    best, choice = most_accurate(candidates), fastest_of_the_best(candidates)
    others = ", ".join(c.name for c in pareto_front(candidates) if c is not choice)
    if choice is best:
        reason = "the most accurate, and none clearly faster comes within one standard error of it"
    else:
        reason = (
            f"the fastest within one standard error ({100 * best.accuracy.error:.1f} points) "
            f"of the best accuracy ({best.name})"
        )
    return f"take {choice.name}: {reason}; " + (
        f"also on the Pareto front: {others}" if others else "nothing else is on the Pareto front"
    )
