"""What registers and scales know of style that is none of their own: STEL and twins of others.

The data is a folder with ``stel/quad_*.tsv`` (Wegmann and Nguyen 2021, Does it capture STEL?) and
``twins/*.jsonl.gz`` (Krishna et al. 2020, Reformulating unsupervised style transfer as paraphrase
generation): texts of eleven styles, each with its own bland paraphrase. It is not part of the
repository.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder
from onbrand.training.crossval import measure
from onbrand.training.logistic import fit_weighted
from onbrand.training.registers import REGRESSION_C
from onbrand.voice.model import unit
from onbrand.voice.registers import SCALES, load_registers

TWINS = 100
"""Texts of each style to learn from, and as many to judge by."""
ANCHORS = ("Anchor 1", "Anchor 2", "Alternative 1.1", "Alternative 1.2")
Floats = NDArray[np.floating]


def measure_style(folder: Path, encoder: Encoder) -> dict[str, dict[str, dict[str, float]]]:
    """Return the figures of the shipped registers by benchmark and task; none where no data is."""
    if not folder.is_dir():
        print(f"skipped: no style data in {folder}; name its folder with --style")
        return {}
    stel: dict[str, dict[str, float]] = {}
    content: dict[str, dict[str, float]] = {}
    for file in sorted((folder / "stel").glob("quad_*.tsv")):
        quads, first = read_quads(file)
        views = views_of([text for quad in quads for text in quad], encoder)
        name = file.stem.split("_")[-1] if "dimension" not in file.stem else "simplicity"
        stel[name], content[name] = {}, {}
        for view, table in views.items():
            stel[name][view], content[name][view] = judge_quads(table, first)
    twins = {}
    for file in sorted((folder / "twins").glob("*.jsonl.gz")):
        twins |= measure_twins(file, encoder)
    return {"STEL": stel, "STEL-or-Content": content, "twins": twins}


def views_of(texts: Sequence[str], encoder: Encoder) -> dict[str, Floats]:
    """Return texts as the raw encoder, all registers and scales, and each scale see them.

    Each has shape (texts, any); those of the registers are in standard deviations of these texts.
    """
    registers = load_registers(encoder.fingerprint)
    assert registers is not None, "the default encoder has registers"
    vectors = encoder.encode(texts)
    scales = registers.scales(vectors)
    profile = np.concatenate([registers.raw(vectors), scales], axis=1)
    profile = (profile - profile.mean(axis=0)) / profile.std(axis=0)
    each = {name: scales[:, [column]] for column, name in enumerate(SCALES)}
    return {"encoder": vectors, "registers": profile, **each}


def read_quads(file: Path) -> tuple[list[list[str]], NDArray[np.bool_]]:
    """Return (two anchors, two alternatives) and whether the alternatives are in their order."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    first = np.array([int(float(row["Correct Alternative"])) == 1 for row in rows])
    return [[row[name] for name in ANCHORS] for row in rows], first


def judge_quads(table: Floats, first: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the shares of STEL and of STEL-or-Content that are right, a draw counting half.

    Args:
        table: of all quads' texts, shape (4 * quads, any). A single column is compared by
            difference, more by cosine.
        first: which quads have their alternatives in the order of their anchors.
    """
    one, two, left, right = (table[k::4] for k in range(4))

    def apart(these: Floats, those: Floats) -> Floats:
        if table.shape[1] == 1:
            return np.abs(these - those)[:, 0]
        return 1 - (unit(these) * unit(those)).sum(axis=1)

    in_order = apart(one, left) ** 2 + apart(two, right) ** 2
    swapped = apart(one, right) ** 2 + apart(two, left) ** 2
    ordered = np.where(first, swapped - in_order, in_order - swapped)
    # The alternative in the style of the first anchor, against the anchor with its content.
    same_style = np.where(first, apart(one, left), apart(one, right))
    return _right(ordered), _right(apart(one, two) - same_style)


def _right(margin: Floats) -> float:
    return float(np.mean((margin > 1e-9) + 0.5 * (np.abs(margin) <= 1e-9)))


def measure_twins(file: Path, encoder: Encoder) -> dict[str, dict[str, float]]:
    """Return, a style each, how a head on a view tells texts from their own paraphrases (AUROC).

    With ``more …``: how far a text lies above its paraphrase on a scale, on average.
    """
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    figures = {}
    for style in sorted({row["style"] for row in rows}):
        chosen = [row for row in rows if row["style"] == style][: 2 * TWINS]
        texts = [_bare(row[key]) for key in ("text", "paraphrase") for row in chosen]
        views = views_of(texts, encoder)
        on = np.arange(len(texts)) < len(chosen)
        learnt = np.arange(len(texts)) % len(chosen) < TWINS
        figures[style] = {
            view: head_auroc(views[view], on, learnt) for view in ("encoder", "registers")
        } | {
            f"more {name}": float(views[name][on].mean() - views[name][~on].mean())
            for name in SCALES
        }
    return figures


def head_auroc(table: Floats, on: NDArray[np.bool_], learnt: NDArray[np.bool_]) -> float:
    """Return the AUROC of a logistic head, on what it was not fitted on."""
    # The same shrinkage for a weight, whatever the number of columns.
    fit = fit_weighted(table[learnt], on[learnt], max(REGRESSION_C, 1 / table.shape[1]))
    logits = fit.logits(table[~learnt])
    return measure(on[~learnt], 1 / (1 + np.exp(-logits))).auroc


def _bare(text: str) -> str:
    """Return a text without case and punctuation, which the paraphraser makes uniform."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower())) or "."


def style_tables(figures: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """Return the tables in Markdown; none where there are no figures."""
    lines: list[str] = []
    captions = {
        "STEL": "Share of questions answered right; the registers are the shipped ones.",
        "STEL-or-Content": "The same where style is set against content.",
        "twins": "AUROC of a logistic head that tells texts of a style from their own "
        "paraphrases, case and punctuation taken off, from 100 twins on; and how far the texts lie "
        "above their paraphrases on each scale, in standard deviations of published copy.",
    }
    for benchmark, tasks in figures.items():
        columns = [*next(iter(tasks.values()))]
        lines += [f"\n## {benchmark}\n", captions[benchmark], ""]
        lines += ["| | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
        rows = tasks | {
            "mean": {c: float(np.mean([t[c] for t in tasks.values()])) for c in columns}
        }
        lines += [
            f"| {name} | " + " | ".join(f"{row[column]:.2f}" for column in columns) + " |"
            for name, row in rows.items()
        ]
    return lines
