"""Of wrong labels that were put in, how many are among the most doubtful lines of the report?

Takes label files, or folders of ``TASK.train.jsonl``, one brand each; flips 15 % of their labels by
chance, trains a voice, and counts true errors among the 20 lines that its report names first.

Usage: ``python bench/doubtful.py FILE|DIR … [--seeds N] [--flipped SHARE]``
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from onbrand.encoder import Encoder
from onbrand.labels.files import LabelLine
from onbrand.training.evaluate import TRAIN, labelled_lines
from onbrand.training.train import train_voice

NAMED = 20
OTHER = {"on": "off", "off": "on"}


def flip(lines: list[LabelLine], share: float, seed: int) -> tuple[list[LabelLine], set[str]]:
    """Return the lines with a share of the labels wrong, and the places of the wrong ones."""
    chosen = np.random.default_rng(seed).permutation(len(lines))[: round(share * len(lines))]
    spoiled = list(lines)
    for i in chosen:
        spoiled[i] = replace(lines[i], label=OTHER[lines[i].label])
    return spoiled, {f"{lines[i].path}:{lines[i].line}" for i in chosen}


def errors_found(lines: list[LabelLine], encoder: Encoder, share: float, seed: int) -> int:
    """Return how many of the lines that the report names first are wrong."""
    spoiled, wrong = flip(lines, share, seed)
    report = train_voice("brand", spoiled, encoder).manifest.report
    return sum(line.place in wrong for line in report.doubtful[:NAMED])


def main() -> None:
    """Print the count of each brand and the mean."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("labels", type=Path, nargs="+")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--flipped", type=float, default=0.15)
    options = parser.parse_args()
    files = [
        file
        for path in options.labels
        for file in (sorted(path.glob(f"*{TRAIN}")) if path.is_dir() else [path])
    ]
    encoder = Encoder.load(cache_size=50_000)
    means = []
    for file in files:
        lines = labelled_lines(file, file.name.removesuffix(TRAIN))
        found = [
            errors_found(lines, encoder, options.flipped, seed) for seed in range(options.seeds)
        ]
        means.append(float(np.mean(found)))
        print(
            f"{file.name.removesuffix(TRAIN):20} {means[-1]:5.1f} of {NAMED}  {found}", flush=True
        )
    print(f"{'mean':20} {np.mean(means):5.1f} of {NAMED}, lowest {min(means):.1f}")


if __name__ == "__main__":
    main()
