"""What a writer waits for: a check from process start, start-up, training, many brands at once.

Writes ``bench/results/engine.json`` and ``engine.md``. Uses the example brands and drafts, so it
runs in any checkout. Usage: ``python bench/engine.py [--runs 7]``
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import child
import msgspec
import numpy as np
from figures import Row, write

from onbrand import Scorer
from onbrand.encoder import Encoder
from onbrand.labels.files import group_by_brand, read_labels
from onbrand.training.train import train_voices
from onbrand.voice.model import Voice
from onbrand_cli.demo import brand_files, draft_files

DRAFT_WORDS = 1000
BRANDS = 14


# A child's peak memory counts from its parent's size at the fork: so the parent is a small one.
LAUNCHER = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([done.returncode, seconds, peak, done.stderr.decode("utf-8", "replace")]))
"""


def run(command: list[str]) -> tuple[float, float]:
    """Return wall seconds and peak memory in MB of a command that may exit with 0 or 1."""
    launched = child.run([sys.executable, "-S", "-c", LAUNCHER, *command])
    code, seconds, peak, stderr = json.loads(launched)
    if code not in (0, 1):
        raise child.ChildError(command, code, stderr)
    return seconds, peak / 1024


def middle(measure: Callable[[], float], runs: int) -> float:
    """Return the median of several runs after one that does not count."""
    measure()
    return statistics.median(measure() for _ in range(runs))


def thousand_words() -> str:
    """Return a draft of about a thousand words made of the example drafts."""
    text = "\n\n".join(path.read_text("utf-8").split("---", 2)[2] for path in draft_files())
    words = text.split(" ")
    return " ".join(words[:DRAFT_WORDS])


def command_line(voices: Path, runs: int) -> list[Row]:
    """Time the commands that people wait for, each in a process of its own."""
    onbrand = [sys.executable, "-m", "onbrand"]
    draft = voices.parent / "draft.md"
    draft.write_text(thousand_words(), "utf-8")
    check = [*onbrand, "check", str(draft), "--voices", str(voices), "--brand", "oatfolk"]
    checks = [run(check) for _ in range(runs + 1)][1:]
    seconds = statistics.median(wall for wall, _ in checks)
    return [
        Row("check of 1,000 words, from process start", seconds, "s", 1.2),
        Row("its peak memory", max(memory for _, memory in checks), "MB", 250),
        Row("onbrand --help", middle(lambda: run([*onbrand, "--help"])[0], runs), "s", 0.3),
    ]


def many_brands(encoder: Encoder, voices: list[Voice], runs: int) -> Row:
    """Score the same lines against one brand and against fourteen, in turns."""
    import dataclasses

    def renamed(i: int) -> Voice:
        voice = voices[i % len(voices)]
        manifest = msgspec.structs.replace(voice.manifest, brand=f"{voice.brand}-{i}")
        return dataclasses.replace(voice, manifest=manifest)

    alone = [Scorer(encoder, [voice]) for voice in voices]
    many = Scorer(encoder, [renamed(i) for i in range(BRANDS)])
    texts = [line.text for line in read_labels(brand_files())]
    ratios = []
    for _ in range(runs):
        for one in alone:
            times = []
            for scorer in (one, many, many, one):
                started = time.perf_counter()
                scorer.score(texts)
                times.append(time.perf_counter() - started)
            ratios.append((times[1] + times[2]) / (times[0] + times[3]))
    return Row(f"scoring {BRANDS} brands against one", float(np.median(ratios)), "x", 1.05)


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    # No cache: remembered vectors would leave only the product of the heads to measure.
    encoder = Encoder.load(cache_size=1)
    brands = group_by_brand(read_labels(brand_files()))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "voices"
        started = time.perf_counter()
        voices = train_voices(brands, folder)
        training = (time.perf_counter() - started) / len(brands)
        table = [
            *command_line(folder, runs),
            many_brands(encoder, voices, runs),
            Row("training one example voice, 160 lines", training, "s", 10),
        ]
    write("engine", "# What a writer waits for\n\nMade by `python bench/engine.py`.\n\n", table)


if __name__ == "__main__":
    main()
