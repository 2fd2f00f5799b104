"""Speed, memory, fidelity and accuracy of an encoder."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder
from onbrand.encoder.bundle import Parity
from onbrand.errors import OnbrandError
from onbrand.labels.files import LabelLine
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand.training.trainer import train_voice
from onbrand_models.bench.report import Accuracy, Pace, standard_error
from onbrand_models.bench.worker import Usage
from onbrand_models.reference import cosines

SAMPLE = 256
"""Texts that speed and cosine are measured on, at most."""
ROUNDS = 9
SINGLES = 20
"""Sentences a round that are encoded alone."""
ROUND_SECONDS = 1.0
"""What the slowest encoder may take for its part of a round, about."""


class Encodes(Protocol):
    """What is timed."""

    threads: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of ``texts``."""


def sample_texts(brands: Mapping[str, Iterable[LabelLine]]) -> list[str]:
    """Return up to `SAMPLE` different texts of all brands; the same labels give the same ones."""
    texts = sorted({" ".join(line.text.split()) for lines in brands.values() for line in lines})
    random.Random(0).shuffle(texts)  # noqa: S311
    return texts[:SAMPLE]


def measure_pace(
    encoders: Mapping[str, Encodes], texts: Sequence[str], progress: Progress = silent
) -> dict[str, Pace]:
    """Time all encoders in turn, round by round, so that a busy machine slows them alike.

    Args:
        encoders: what to time, by name; they must not remember vectors.
        texts: what to encode; fewer of them where an encoder is slow.
        progress: told how many rounds are done.
    """
    warm = texts[:16]
    slowest = max(_seconds(encoder, warm) for encoder in encoders.values()) / len(warm)
    texts = texts[: max(len(warm), int(ROUND_SECONDS / slowest))]
    rates: dict[str, list[float]] = {name: [] for name in encoders}
    alone: dict[str, list[float]] = {name: [] for name in encoders}
    for turn in range(ROUNDS):
        progress(ProgressEvent("speed", turn, ROUNDS))
        # There and back: no encoder always follows the same one.
        for name in list(encoders)[:: 1 if turn % 2 else -1]:
            encoder = encoders[name]
            rates[name].append(len(texts) / _seconds(encoder, texts))
            alone[name] += [1000 * _seconds(encoder, [text]) for text in texts[:SINGLES]]
    return {
        name: Pace(
            statistics.median(rates[name]),
            statistics.median(alone[name]),
            float(np.percentile(alone[name], 95)),
            encoder.threads,
        )
        for name, encoder in encoders.items()
    }


def _seconds(encoder: Encodes, texts: Sequence[str]) -> float:
    start = time.perf_counter()
    encoder.encode(texts)
    return time.perf_counter() - start


def measure_memory(bundle: Path) -> int | None:
    """Return the resident bytes of a fresh process that has used the bundle; None if unknown.

    Raises:
        OnbrandError: the process did not end well.
    """
    # -P: else the current folder is looked in for modules, and a json.py there would be run.
    command = [sys.executable, "-P", "-m", "onbrand_models.bench.worker", str(bundle.absolute())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise OnbrandError(
            f"does not run in a process of its own (exit code {done.returncode}: {reason})",
            path=bundle,
        )
    try:
        return msgspec.json.decode(done.stdout, type=Usage).memory
    except msgspec.DecodeError as error:
        raise OnbrandError(
            f"its process says something else than its memory ({error})", path=bundle
        ) from None


def measure_cosine(encoder: Encodes, float32: Encodes, texts: Sequence[str]) -> Parity:
    """Return how near the vectors are to those in 32-bit floats."""
    found = cosines(encoder.encode(texts), float32.encode(texts))
    return Parity(mean=float(found.mean()), min=float(found.min()), sentences=len(texts))


def measure_accuracy(
    encoder: Encoder,
    brands: Mapping[str, Sequence[LabelLine]],
    progress: Progress = silent,
) -> Accuracy:
    """Train every brand's voice and return what cross-validation says of them.

    The figures are those that ``onbrand train`` reports: folds keep documents together, and all
    that is learnt is learnt inside the fold.

    Args:
        encoder: remembers the vectors of all lines, else those of several brands are made anew.
        brands: the labelled lines.
        progress: told the brand at hand, and how many are done.
    """
    held_out, baseline = {}, {}
    for i, (brand, lines) in enumerate(brands.items()):
        progress(ProgressEvent("", i, len(brands), message=brand))
        report = train_voice(brand, lines, encoder, keep_texts=False).manifest.report
        held_out[brand] = report.held_out
        baseline[brand] = report.baseline or report.held_out
    accuracies = {brand: figures.accuracy for brand, figures in held_out.items()}
    return Accuracy(
        mean=statistics.fmean(accuracies.values()),
        error=standard_error(accuracies, {brand: len(lines) for brand, lines in brands.items()}),
        auroc=statistics.fmean(figures.auroc for figures in held_out.values()),
        log_loss=statistics.fmean(figures.log_loss for figures in held_out.values()),
        baseline=statistics.fmean(figures.accuracy for figures in baseline.values()),
        brands=accuracies,
    )
