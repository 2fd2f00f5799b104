"""Held-out quality on the benchmark's three sets, beside a bag of words.

Writes ``bench/results/quality.json`` and ``quality.md``. A set that is not there is skipped, and
said so. Usage: ``python bench/quality.py [--data DIR] [--encoder DIR]``
"""

from __future__ import annotations

import argparse
import platform
import time
from pathlib import Path

import msgspec
from data import DATA, RESULTS, need

import onbrand
from onbrand.encoder import Encoder
from onbrand.files import write_atomic
from onbrand.report.evaluation import rounded, rows, to_markdown
from onbrand.training.evaluate import evaluate_folder

SETS = ("brands14", "brands14_matched", "parallel_voices")


def main() -> None:
    """Evaluate every set and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--encoder", type=Path, default=None)
    arguments = parser.parse_args()
    need(arguments.data)
    encoder = Encoder.load(arguments.encoder)
    results, tables = {}, []
    for name in SETS:
        folder = arguments.data / name
        if not folder.is_dir():
            print(f"skipped: {name} is not in {arguments.data}")
            continue
        started = time.perf_counter()
        result = evaluate_folder(folder, encoder)
        seconds = time.perf_counter() - started
        print(f"{name}: {' '.join(rows(result)[-1])} in {seconds:.0f} s", flush=True)
        results[name] = {**rounded(msgspec.to_builtins(result)), "seconds": round(seconds, 1)}
        tables.append(f"## {name}\n\n{to_markdown(result)}")
    document = {
        "onbrand": onbrand.__version__,
        "encoder": {"name": encoder.name, "fingerprint": encoder.fingerprint},
        "python": platform.python_version(),
        "machine": platform.machine(),
        "sets": results,
    }
    encoded = msgspec.json.format(msgspec.json.encode(document), indent=2)
    write_atomic(RESULTS / "quality.json", encoded + b"\n")
    intro = (
        "# Held-out quality\n\nMade by `python bench/quality.py`. Each task is trained on its 320 "
        "labelled lines alone and judged on lines of other documents.\n\n"
    )
    write_atomic(RESULTS / "quality.md", intro + "\n".join(tables))


if __name__ == "__main__":
    main()
