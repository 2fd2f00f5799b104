"""What a voice from published copy loses when some of that copy is not the brand's.

Voices are trained from published lines of one side of a brand's documents, pure and mixed with
lines of other organisations, and judged on lines of the other side: against lines of
organisations that were in the mixture and of some that were not, and against the wrong voices of
the bank. The pool is a folder of ``VOICE.jsonl``; only voices that are not in the shipped
background take part (those that ``models/default_encoder/sources.csv`` does not list).

Writes ``bench/results/impure_copy.json`` and ``.md``. Usage: ``python bench/impure_copy.py
[--pool DIR] [--brands N] [--cache FILE]``
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
from data import DATA, RESULTS, ROOT, need
from numpy.typing import NDArray
from vectors import KeptEncoder

from onbrand.files import write_atomic
from onbrand.labels.files import LabelLine, read_labels
from onbrand.scorer import Scorer
from onbrand.training.background import WRONG_VOICES, read_pieces
from onbrand.training.crossval import measure
from onbrand.training.own_copy import train_from_copy

SHARES = (0.0, 0.1, 0.2, 0.3)
"""Of the lines that are trained from, that other organisations wrote."""
LINES, JUDGED = 300, 200
WRONG = 25
"""Sentences of each wrong voice."""


def read_brands(pool: Path) -> dict[str, list[LabelLine]]:
    """Return the lines of each voice that the background does not have."""
    with (ROOT / "models/default_encoder/sources.csv").open(encoding="utf-8", newline="") as file:
        known = {source["voice"] for source in csv.DictReader(file)}
    return {
        file.stem: read_labels([file], brand=file.stem, unlabelled=True)
        for file in sorted(pool.glob("*.jsonl"))
        if file.stem not in known
    }


def sides_of(lines: Sequence[LabelLine]) -> tuple[list[LabelLine], list[LabelLine]]:
    """Return lines to learn from and lines to judge by; no document is on both sides."""
    documents = defaultdict(list)
    for line in lines:
        documents[line.doc].append(line)
    sides: tuple[list[LabelLine], list[LabelLine]] = ([], [])
    # The largest first, each to the side that has less of what it needs.
    for document in sorted(documents.values(), key=len, reverse=True):
        sides[len(sides[0]) / LINES > len(sides[1]) / JUDGED].extend(document)
    random = np.random.default_rng(0)
    mixed = ([side[i] for i in random.permutation(len(side))] for side in sides)
    learnt, judged = mixed
    return learnt[:LINES], judged[:JUDGED]


def wrong_lines() -> list[str]:
    """Return sentences of the bank in all wrong voices."""
    random = np.random.default_rng(0)
    pieces = read_pieces(ROOT / "models/voice_bank/pieces")
    lines = []
    for voice in WRONG_VOICES:
        said = [line for piece in pieces for line in piece.lines[voice][1:]]
        said = [line for line in said if len(line.split()) >= 6]
        lines += [said[i] for i in random.permutation(len(said))[:WRONG]]
    return lines


def measure_brand(
    brand: str, brands: dict[str, list[LabelLine]], share: float, encoder: KeptEncoder
) -> dict[str, float]:
    """Return the figures of a brand's voice from copy of which a share is not its own."""
    sides = {name: sides_of(lines) for name, lines in brands.items()}
    others = sorted(name for name in brands if name != brand)
    mixed_in, never = others[::2], others[1::2]
    learnt, own = sides[brand]
    strange = [line for name in mixed_in for line in sides[name][0]]
    picked = np.random.default_rng(1).permutation(len(strange))[: round(share * LINES)]
    copy = [replace(strange[i], brand=brand) for i in picked]
    voice = train_from_copy(brand, learnt[: LINES - len(copy)] + copy, encoder, keep_texts=False)
    scorer = Scorer(encoder, [voice])

    def judged(texts: Sequence[str]) -> NDArray[np.float32]:
        return scorer.score(texts)[:, 0]

    def texts_of(names: Sequence[str]) -> list[str]:
        return [line.text for name in names for line in sides[name][1][: JUDGED // 4]]

    p = judged([line.text for line in own])
    figures = {"own flagged": float((p < voice.manifest.threshold).mean())}
    groups = {
        "brands mixed in": texts_of(mixed_in),
        "other brands": texts_of(never),
        "wrong voices": wrong_lines(),
    }
    for name, texts in groups.items():
        other = judged(texts)
        on = np.arange(len(p) + len(other)) < len(p)
        figures[f"AUROC, {name}"] = measure(on, np.concatenate([p, other])).auroc
        figures[f"{name} flagged"] = float((other < voice.manifest.threshold).mean())
    return figures


def markdown(results: dict[str, list[dict[str, float]]]) -> str:
    """Return the means over brands as a table, a share a column."""
    keys = [*next(iter(results.values()))[0]]
    lines = ["| | " + " | ".join(results) + " |", "|---|" + "---:|" * len(results)]
    for key in keys:
        values = [100 * np.array([each[key] for each in column]) for column in results.values()]
        cells = [f"{v.mean():.1f} (worst {worst_of(key, v):.1f})" for v in values]
        lines.append(f"| {key} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def worst_of(key: str, values: NDArray[np.float64]) -> float:
    """Return the worst value of a row: the most flagged of the own lines, the least of the rest."""
    return float(values.max() if key == "own flagged" else values.min())


def main() -> None:
    """Measure every share and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=Path, default=DATA / "voices_pool")
    parser.add_argument("--brands", type=int, default=8)
    parser.add_argument("--cache", type=Path, help="file that keeps vectors for the next run")
    options = parser.parse_args()
    brands = read_brands(need(options.pool))
    step = max(1, len(brands) // options.brands)
    chosen = sorted(brands)[::step][: options.brands]
    encoder = KeptEncoder.open(options.cache)
    results: dict[str, list[dict[str, float]]] = {}
    for share in SHARES:
        column = f"{share:.0%} of other organisations"
        results[column] = [measure_brand(brand, brands, share, encoder) for brand in chosen]
        encoder.save()
        print(f"{column}: measured", flush=True)
    intro = (
        "# Copy that is not all the brand's own\n\nMade by `python bench/impure_copy.py`. "
        f"{len(chosen)} voices from {LINES} published lines each; figures in %, mean and worst "
        "brand. Own lines are of documents that were not learnt from.\n\n"
    )
    encoded = msgspec.json.format(msgspec.json.encode(results), indent=2)
    write_atomic(RESULTS / "impure_copy.json", encoded + b"\n")
    write_atomic(RESULTS / "impure_copy.md", intro + markdown(results))
    print(markdown(results))


if __name__ == "__main__":
    main()
