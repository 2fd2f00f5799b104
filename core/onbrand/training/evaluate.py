"""Held-out quality of the whole recipe on a folder of labelled tasks, beside a bag of words."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder
from onbrand.errors import OnbrandError
from onbrand.labels.files import LabelLine, read_labels
from onbrand.labels.grouping import MIN_PER_CLASS
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand.training.crossval import bag_of_words, calibration_error, measure
from onbrand.training.train import train_voice
from onbrand.training.weak_labels import PublishedModel, fit_published
from onbrand.voice.model import DraftCalibration, Metrics, VoiceStack, sigmoid

TRAIN, TEST, POOL = ".train.jsonl", ".test.jsonl", ".pool.jsonl"
DRAFT_SIZE = 5
"""Fragments of one label that make a simulated draft."""


class TaskResult(msgspec.Struct, frozen=True):
    """One task: trained on its training file, judged on its test file."""

    task: str
    accuracy: float
    auroc: float
    log_loss: float
    ece: float
    recall_at_5fpr: float
    draft_accuracy: float
    """Groups of five neighbouring test lines of one label, right at P 0.5."""
    baseline: Metrics
    train: int
    test: int
    stopped: float | None = None
    """Share of probes, pages in wrong voices that no voice is trained on, that are stopped; None
    where the encoder has none."""


class Means(msgspec.Struct, frozen=True):
    """Means over the tasks, and the calibration error over all test lines together."""

    accuracy: float
    auroc: float
    log_loss: float
    ece: float
    recall_at_5fpr: float
    draft_accuracy: float
    pooled_ece: float
    baseline_accuracy: float
    stopped: float | None = None


class Evaluation(msgspec.Struct, frozen=True):
    """The result of `evaluate_folder`."""

    encoder: str
    tasks: list[TaskResult]
    mean: Means


def find_tasks(folder: Path) -> list[str]:
    """Return the names of the tasks in a folder.

    Raises:
        OnbrandError: the folder is missing, holds no task, or one half of a pair.
    """
    if not folder.is_dir():
        raise OnbrandError("no such folder; name one with TASK.train.jsonl files", path=folder)
    names = sorted(file.name.removesuffix(TRAIN) for file in folder.glob(f"*{TRAIN}"))
    if not names:
        raise OnbrandError(f"holds no TASK{TRAIN} and TASK{TEST}", path=folder)
    for name in names:
        if not (folder / (name + TEST)).is_file():
            raise OnbrandError(f"has {name}{TRAIN} but no {name}{TEST}; add it", path=folder)
    return names


def evaluate_folder(
    folder: Path,
    encoder: Encoder,
    *,
    published: bool = False,
    progress: Progress = silent,
) -> Evaluation:
    """Train and judge every task of a folder; nothing of a test file enters the training.

    Args:
        folder: pairs of ``<task>.train.jsonl`` and ``<task>.test.jsonl``.
        encoder: the encoder under test.
        published: learn from the unlabelled lines of ``<task>.pool.jsonl`` too.
        progress: told the task at hand, and how many are done.
    """
    names = find_tasks(folder)
    model = _fit_pools(folder, encoder) if published else None
    results, labels, probabilities = [], [], []
    for i, name in enumerate(names):
        progress(ProgressEvent(name, i, len(names)))
        result, on, p = _evaluate_task(folder, name, encoder, model)
        results.append(result)
        labels.append(on)
        probabilities.append(p)
    progress(ProgressEvent("", 1.0))
    pooled = calibration_error(np.concatenate(labels), np.concatenate(probabilities))
    return Evaluation(encoder.name, results, _means(results, pooled))


def _evaluate_task(
    folder: Path, name: str, encoder: Encoder, published: PublishedModel | None
) -> tuple[TaskResult, NDArray[np.bool_], NDArray[np.floating]]:
    train = labelled_lines(folder / (name + TRAIN), name)
    test = labelled_lines(folder / (name + TEST), name)
    voice = train_voice(name, train, encoder, keep_texts=False, published=published)
    texts = [" ".join(line.text.split()) for line in test]
    on = np.array([line.label == "on" for line in test])
    answers = VoiceStack([voice]).answers(encoder.encode(texts), texts)
    logits, heads, registers = (said[:, 0] for said in answers)
    p = sigmoid(logits)
    figures = measure(on, p)
    probes = voice.manifest.report.stopped
    baseline = bag_of_words(
        [line.text for line in train], np.array([line.label == "on" for line in train]), texts
    )
    result = TaskResult(
        task=name,
        **msgspec.structs.asdict(figures),
        draft_accuracy=_draft_accuracy(heads, registers, on, voice.manifest.draft),
        baseline=measure(on, baseline),
        train=len(train),
        test=len(test),
        stopped=None if probes is None else probes.count / probes.of,
    )
    return result, on, p


def _fit_pools(folder: Path, encoder: Encoder) -> PublishedModel:
    pools = sorted(folder.glob(f"*{POOL}"))
    if not pools:
        raise OnbrandError(f"holds no TASK{POOL} with published lines", path=folder)
    lines = [
        line
        for pool in pools
        for line in read_labels([pool], brand=pool.name.removesuffix(POOL), unlabelled=True)
    ]
    return fit_published(lines, encoder)


def labelled_lines(path: Path, task: str) -> list[LabelLine]:
    """Return the labelled lines of one half of a task.

    Raises:
        OnbrandError: there are too few lines of one label; see also `read_labels`.
    """
    lines = [line for line in read_labels([path], brand=task) if line.label is not None]
    for label in ("on", "off"):
        found = sum(line.label == label for line in lines)
        if found < MIN_PER_CLASS:
            raise OnbrandError(
                f"has {found} {label}-brand lines, {MIN_PER_CLASS} are the least; add more",
                path=path,
            )
    return lines


def _draft_accuracy(
    heads: NDArray[np.floating],
    registers: NDArray[np.floating],
    on: NDArray[np.bool_],
    calibration: DraftCalibration,
) -> float:
    right: list[bool] = []
    for label in (True, False):
        rows = np.flatnonzero(on == label)
        for start in range(0, len(rows) - DRAFT_SIZE + 1, DRAFT_SIZE):
            draft = rows[start : start + DRAFT_SIZE]
            right.append((calibration.logit(heads[draft], registers[draft]) >= 0) == label)
    return float(np.mean(right))


def _means(results: list[TaskResult], pooled_ece: float) -> Means:
    def mean(key: str) -> float:
        return float(np.mean([getattr(result, key) for result in results]))

    stopped = [result.stopped for result in results if result.stopped is not None]
    keys = ("accuracy", "auroc", "log_loss", "ece", "recall_at_5fpr", "draft_accuracy")
    return Means(
        **{key: mean(key) for key in keys},
        pooled_ece=pooled_ece,
        baseline_accuracy=float(np.mean([result.baseline.accuracy for result in results])),
        stopped=float(np.mean(stopped)) if stopped else None,
    )
