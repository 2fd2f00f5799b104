"""Compares encoders by speed, memory and accuracy, on the same lines and in one run."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder, read_manifest
from onbrand.encoder.bundle import Parity
from onbrand.errors import OnbrandError
from onbrand.labels.files import LabelLine, group_by_brand, read_labels
from onbrand.progress import Progress, ProgressEvent, scaled, silent
from onbrand.training.evaluate import TEST, TRAIN
from onbrand.training.train import train_voice
from onbrand_models.bench.report import Accuracy, Metrics, Throughput, standard_error
from onbrand_models.bench.worker import Usage
from onbrand_models.export import ExportOptions, cosines, export_bundle, parse_layers
from onbrand_models.quantise import Target
from onbrand_models.quantise.requantize import quantise_bundle
from onbrand_models.source import SourceModel
from onbrand_models.validation import validate_encoder

SAMPLE = 256
"""Texts that speed and cosine are measured on, at most."""
ROUNDS = 9
SINGLES = 20
"""Sentences that are encoded alone in each round, for the latency."""
ROUND_SECONDS = 1.0
"""Seconds, about, that the slowest encoder gets in each round."""


class Encodes(Protocol):
    """An encoder whose speed is measured."""

    threads: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of ``texts``."""


def sample_texts(brands: Mapping[str, Iterable[LabelLine]]) -> list[str]:
    """Return up to `SAMPLE` distinct texts of all brands; the same labels give the same texts."""
    texts = sorted({line.one_line for lines in brands.values() for line in lines})
    random.Random(0).shuffle(texts)  # noqa: S311
    return texts[:SAMPLE]


def measure_throughput(
    encoders: Mapping[str, Encodes], texts: Sequence[str], progress: Progress = silent
) -> dict[str, Throughput]:
    """Time all encoders in turn, round by round, so that a busy machine slows them alike.

    Args:
        encoders: by name; they must have no cache.
        texts: to be encoded; only the first ones if an encoder is slow.
        progress: receives how many rounds are done.
    """
    warm = texts[:16]
    slowest = max(_seconds(encoder, warm) for encoder in encoders.values()) / len(warm)
    texts = texts[: max(len(warm), int(ROUND_SECONDS / slowest))]
    rates: dict[str, list[float]] = {name: [] for name in encoders}
    alone: dict[str, list[float]] = {name: [] for name in encoders}
    for turn in range(ROUNDS):
        progress(ProgressEvent("speed", turn, ROUNDS))
        # Forwards and backwards, so that no encoder always runs after the same one.
        for name in list(encoders)[:: 1 if turn % 2 else -1]:
            encoder = encoders[name]
            rates[name].append(len(texts) / _seconds(encoder, texts))
            alone[name] += [1000 * _seconds(encoder, [text]) for text in texts[:SINGLES]]
    return {
        name: Throughput(
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
        OnbrandError: the process failed.
    """
    # -P: modules in the current folder, say a json.py, must not be imported.
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
    """Return the cosine of the vectors to those in 32-bit floats."""
    found = cosines(encoder.encode(texts), float32.encode(texts))
    return Parity(mean=float(found.mean()), min=float(found.min()), sentences=len(texts))


def measure_accuracy(
    encoder: Encoder,
    brands: Mapping[str, Sequence[LabelLine]],
    progress: Progress = silent,
) -> Accuracy:
    """Train a voice for each brand and return their cross-validated accuracy.

    The figures are those that ``onbrand train`` reports: documents stay in one fold, and everything
    is fitted inside the fold.

    Args:
        encoder: with a cache for all lines, as brands may share lines.
        brands: the labelled lines.
        progress: receives the brand at hand, and how many are done.
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


Brands = Mapping[str, Sequence[LabelLine]]

_CACHE_BYTES = 512 * 1024**2


def compare(
    candidates: Sequence[Candidate],
    brands: Brands,
    *,
    refuse: Refuse,
    progress: Progress = silent,
) -> list[Metrics]:
    """Measure all candidates: memory, then speed in turns, then fidelity and accuracy.

    Args:
        candidates: the bundles; their names differ.
        brands: the labelled lines of each brand.
        refuse: called for each candidate that does not run; the others go on.
        progress: receives the stage and how much is done.

    Raises:
        OnbrandError: not one of them runs, or scikit-learn is not installed.
    """
    texts = sample_texts(brands)
    part = scaled(progress, start=0.0, size=0.1)
    encoders, memory = _open(candidates, texts, refuse, part)
    running = [candidate for candidate in candidates if candidate.name in encoders]
    if not running:
        raise _nothing_left()
    throughputs = measure_throughput(encoders, texts, scaled(progress, start=0.1, size=0.1))
    cosines = {c.name: _cosine(c, encoders[c.name], texts) for c in running}
    encoders.clear()  # a big model takes a gigabyte, and accuracy needs one encoder at a time
    figures = []
    share = 0.8 / len(running)
    for i, candidate in enumerate(running):
        name, start = candidate.name, 0.2 + i * share
        try:
            encoder = _load_with_cache(candidate, brands)
        except OnbrandError as error:
            refuse(name, error)
            continue
        part = scaled(progress, f"{name}:", start=start, size=share)
        manifest = encoder.manifest
        figures.append(
            Metrics(
                name=name,
                fingerprint=manifest.fingerprint,
                layers=manifest.layers,
                dim=manifest.dim,
                target=manifest.target,
                quantisation=manifest.quantisation,
                accuracy=measure_accuracy(encoder, brands, part),
                pace=throughputs[name],
                size=manifest.size,
                memory=memory[name],
                cosine=cosines[name],
            )
        )
    if not figures:
        raise _nothing_left()
    return figures


def _nothing_left() -> OnbrandError:
    return OnbrandError("no candidate is left to compare; the warnings say why")


def _open(
    candidates: Sequence[Candidate], texts: Sequence[str], refuse: Refuse, progress: Progress
) -> tuple[dict[str, Encoder], dict[str, int | None]]:
    """Return the encoders and the memory in bytes of the candidates that run."""
    encoders, memory = {}, {}
    for i, candidate in enumerate(candidates):
        progress(ProgressEvent("memory of", i, len(candidates), message=candidate.name))
        try:
            encoder = Encoder.load(candidate.bundle, cache_size=0)
            validate_encoder(encoder, candidate.bundle, texts)
            memory[candidate.name] = measure_memory(candidate.bundle)
        except OnbrandError as error:
            refuse(candidate.name, error)
        else:
            encoders[candidate.name] = encoder
    return encoders, memory


def _cosine(candidate: Candidate, encoder: Encoder, texts: Sequence[str]) -> Parity | None:
    if candidate.float32 is None:
        return encoder.manifest.parity
    return measure_cosine(encoder, Encoder.load(candidate.float32, cache_size=0), texts)


def _load_with_cache(candidate: Candidate, brands: Brands) -> Encoder:
    """Load a candidate with a cache, so that lines that brands share are encoded once.

    Training encodes each line twice, whole and cut short.

    Raises:
        OnbrandError: one of the lines cannot be encoded.
    """
    texts = [line.one_line for lines in brands.values() for line in lines]
    cache_size = min(2 * len(texts), _CACHE_BYTES // (4 * read_manifest(candidate.bundle).dim))
    encoder = Encoder.load(candidate.bundle, cache_size=cache_size)
    # Now, so that a failure leaves the candidate out; the vectors stay in the cache.
    validate_encoder(encoder, candidate.bundle, texts[:cache_size])
    return encoder


def read_brands(folder: Path, *, warn: Callable[[str], None]) -> dict[str, list[LabelLine]]:
    """Return the training lines of each brand in a folder of label files.

    If the folder holds ``TASK.train.jsonl`` files, nothing else is read: a choice that was made on
    the test files would spoil them.

    Args:
        folder: label files as ``onbrand train`` takes them, or pairs of training and test files.
        warn: called with a message on contradicting labels.

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


TARGETS = (Target.PORTABLE, Target.ACCURATE)
"""Targets that are compared by default: the fast recipe and the faithful one."""

Refuse = Callable[[str, OnbrandError], None]
"""Called with the name of a candidate that is left out, and the error that is the reason."""


@dataclass(frozen=True)
class Candidate:
    """A bundle under comparison."""

    name: str
    """Layers and target as ``onbrand models export`` takes them; or an existing bundle's name."""
    bundle: Path
    float32: Path | None = None
    """The bundle of the same layers in 32-bit floats; None for an existing bundle."""


def default_layers(depth: int) -> list[str]:
    """Return the default choices of layers: all, the lower half, and the last of ``depth``."""
    return ["all", f"0-{depth // 2}", "last"]


def existing_bundles(bundles: Sequence[Path]) -> list[Candidate]:
    """Return existing bundles as candidates, without duplicates."""
    unique = {bundle.resolve(): bundle for bundle in bundles}
    names = [bundle.resolve().name for bundle in unique.values()]
    return [
        Candidate(name if names.count(name) == 1 else str(bundle), bundle)
        for name, bundle in zip(names, unique.values(), strict=True)
    ]


def export_candidates(
    source: SourceModel,
    layers: Sequence[str],
    targets: Sequence[Target],
    folder: Path,
    *,
    refuse: Refuse,
    progress: Progress = silent,
) -> Iterator[Candidate]:
    """Export every pair of layers and target, and yield each bundle when it is complete.

    Each choice of layers is exported from PyTorch once, in 32-bit floats, and then quantised.

    Args:
        source: the model.
        layers: choices as `ExportOptions.layers` takes them.
        targets: the recipes.
        folder: for the bundles, one folder each.
        refuse: called for each that cannot be made; the others go on.
        progress: receives the stage and how much is done.
    """
    choices, targets = _distinct(layers, source.num_layers, refuse), list(dict.fromkeys(targets))
    for i, choice in enumerate(choices):
        progress(ProgressEvent(choice, i, len(choices)))
        float32 = folder / f"{choice}-{Target.FLOAT32}"
        options = ExportOptions(layers=choice, target=Target.FLOAT32, measure=False)
        try:
            export_bundle(source, float32, options)
        except OnbrandError as error:
            refuse(choice, error)
            continue
        for j, target in enumerate(targets, start=1):
            name, bundle = f"{choice} {target}", folder / f"{choice}-{target}"
            progress(ProgressEvent(name, i + j / (1 + len(targets)), len(choices)))
            try:
                if target is not Target.FLOAT32:
                    quantise_bundle(float32, bundle, target)
            except OnbrandError as error:
                refuse(name, error)
                continue
            yield Candidate(name, bundle, float32)


def _distinct(layers: Sequence[str], depth: int, refuse: Refuse) -> list[str]:
    """Return the valid choices without duplicates: ``all`` may equal ``0-6``."""
    choices: dict[tuple[int, ...], str] = {}
    for choice in layers:
        try:
            choices.setdefault(tuple(parse_layers(choice, depth)), choice)
        except OnbrandError as error:
            refuse(choice, error)
    return list(choices.values())
