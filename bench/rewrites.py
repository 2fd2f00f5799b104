"""Do voices pass their brands' pages, and stop the same pages in a wrong voice?

Data: a folder of ``<brand>--<page>/`` with ``genuine.md``, ``faithful.md`` (the same content worded
anew in the brand's own voice), ``mixed.md`` (three sentences replaced, listed in ``index.json``)
and one file a wrong voice; a folder of tasks with ``<brand>.train.jsonl`` and
``<brand>.pool.jsonl``; and a folder of the brands' own drafts. Nothing of a page is trained on.

Usage: ``python bench/rewrites.py [--mode labels|both|few|few-both|alone|avoid] …``; writes
``results/rewrites.*``. With ``--curve`` it writes ``results/learning_curve.*`` instead: the same
voices from no label to all of them.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from onbrand.encoder import Encoder
from onbrand.labels.files import LabelLine, read_labels
from onbrand.results import Report
from onbrand.scorer import Scorer
from onbrand.training.evaluate import POOL, TEST, TRAIN, labelled_lines
from onbrand.training.own_copy import train_from_copy
from onbrand.training.train import train_voice
from onbrand.training.weak_labels import PublishedModel, learn_from_copy
from onbrand.voice.avoid import avoid_voice
from onbrand.voice.model import Voice

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench/results"


class Mode(NamedTuple):
    """What a voice is trained from."""

    title: str
    labels: int
    """As many on-brand as off-brand ones; 0 for published copy alone, or for no voice at all."""
    copy: bool
    """Whether published copy is there, too."""


MODES = {
    "labels": Mode("320 labels", 320, copy=False),
    "both": Mode("320 labels, published copy", 320, copy=True),
    "few": Mode("20 + 20 labels", 40, copy=False),
    "few-both": Mode("20 + 20 labels, published copy", 40, copy=True),
    "alone": Mode("published copy alone", 0, copy=True),
    "avoid": Mode("no voice: --avoid", 0, copy=False),
}
AVOIDED = ("hype", "corporate", "legalese", "chatbot")
LABELS = (20, 40, 80, 160, 320)
CURVE = [
    *(Mode(f"{labels} labels", labels, copy=False) for labels in LABELS),
    MODES["alone"],
    *(Mode(f"{labels} labels, published copy", labels, copy=True) for labels in LABELS),
]
"""Labels, and what a voice has of them beside published copy, which begins without any."""
CURVE_ROWS = (
    *("genuine forwarded", "wrong stopped", "genuine flagged", "wrong flagged"),
    *("own drafts flagged", "test accuracy"),
)


@lru_cache(1)
def published_models(tasks: Path, encoder: Encoder) -> dict[str, PublishedModel]:
    """Return what all brands' published copy teaches, which needs no label."""
    pools = sorted(tasks.glob("*" + POOL))
    copy = [
        line
        for pool in pools
        for line in read_labels([pool], brand=pool.name.removesuffix(POOL), unlabelled=True)
    ]
    return learn_from_copy(copy, encoder)


def voice_of(brand: str, tasks: Path, mode: Mode, encoder: Encoder) -> Voice:
    """Train the brand's voice as the mode says."""
    if not mode.labels and not mode.copy:
        return avoid_voice(encoder, AVOIDED)
    lines = labelled_lines(tasks / (brand + TRAIN), brand)
    on = [line for line in lines if line.label == "on"]
    if not mode.labels:
        pool: list[LabelLine] = read_labels([tasks / (brand + POOL)], brand=brand, unlabelled=True)
        return train_from_copy(brand, on + pool, encoder, keep_texts=False)
    if mode.labels < len(lines):
        off = [line for line in lines if line.label == "off"]
        step = len(lines) // mode.labels
        lines = on[::step] + off[::step]
    published = published_models(tasks, encoder).get(brand) if mode.copy else None
    return train_voice(brand, lines, encoder, keep_texts=False, published=published)


def count_page(n: Counter[str], kind: str, report: Report) -> None:
    """Add one page to the counts of its kind."""
    judged = [s for s in report.sentences if s.probability is not None]
    n[f"{kind} pages"] += 1
    n[f"{kind} forwarded"] += report.verdict == "forward"
    n[f"{kind} sentences"] += len(judged)
    n[f"{kind} flagged"] += sum(s.flagged for s in judged)


def count_mixed(n: Counter[str], text: str, replaced: list[dict[str, str]], report: Report) -> None:
    """Add one mixed page: how many of the replaced sentences were found, and of the others."""
    starts = [(text.find(each["new"]), len(each["new"])) for each in replaced]
    found = set()
    for sentence in report.sentences:
        if sentence.probability is None:
            continue
        inside = [
            i
            for i, (start, length) in enumerate(starts)
            if sentence.span.start < start + length and start < sentence.span.end
        ]
        found |= {i for i in inside if sentence.flagged}
        n["other sentences"] += not inside
        n["other flagged"] += sentence.flagged and not inside
    n["replaced"] += len(starts)
    n["replaced found"] += len(found)


def measure(
    mode: Mode, rewrites: Path, tasks: Path, drafts: Path, encoder: Encoder
) -> dict[str, object]:
    """Return all figures of one mode, in per cent."""
    n: Counter[str] = Counter()
    right, flagged_in_drafts, by_voice = [], [], {}
    for folder in sorted(file.parent for file in rewrites.glob("*/index.json")):
        index = json.loads((folder / "index.json").read_text("utf-8"))
        brand = index["brand"]
        test = labelled_lines(tasks / (brand + TEST), brand)
        own_drafts = sorted((drafts / brand).glob("*.md"))
        voice = voice_of(brand, tasks, mode, encoder)
        brand, scorer = voice.brand, Scorer(encoder, [voice])
        p = scorer.score([line.text for line in test])[:, 0]
        right.append(np.mean((p > 0.5) == [line.label == "on" for line in test]))
        for page in sorted(folder.glob("*.md")):
            text = page.read_text("utf-8")
            report = scorer.check(text, brand=brand, path=page.name)
            kind = page.stem if page.stem in ("genuine", "faithful", "mixed") else "wrong"
            count_page(n, kind, report)
            if kind == "wrong":
                count_page(by_voice.setdefault(page.stem, Counter()), kind, report)
            if kind == "mixed":
                count_mixed(n, text, index["mixed"], report)
        own: Counter[str] = Counter()
        for draft in own_drafts:
            report = scorer.check(draft.read_text("utf-8"), brand=brand, path=draft.name)
            count_page(own, "own", report)
        n["own forwarded"] += own["own forwarded"]
        n["own pages"] += own["own pages"]
        flagged_in_drafts.append(own["own flagged"] / max(1, own["own sentences"]))

    def share(part: str, whole: str) -> float:
        return round(100 * n[part] / max(1, n[whole]), 1)

    return {
        "mode": mode.title,
        "genuine forwarded": share("genuine forwarded", "genuine pages"),
        "faithful forwarded": share("faithful forwarded", "faithful pages"),
        "wrong stopped": round(100 - share("wrong forwarded", "wrong pages"), 1),
        "genuine flagged": share("genuine flagged", "genuine sentences"),
        "faithful flagged": share("faithful flagged", "faithful sentences"),
        "wrong flagged": share("wrong flagged", "wrong sentences"),
        "replaced found": share("replaced found", "replaced"),
        "others flagged": share("other flagged", "other sentences"),
        "own drafts flagged": round(100 * float(np.mean(flagged_in_drafts)), 1),
        "worst brand": round(100 * max(flagged_in_drafts), 1),
        "own drafts forwarded": share("own forwarded", "own pages"),
        "test accuracy": round(100 * float(np.mean(right)), 1),
        "stopped by voice": {
            voice: round(100 - 100 * each["wrong forwarded"] / each["wrong pages"])
            for voice, each in sorted(by_voice.items())
        },
    }


def markdown(results: list[dict[str, object]]) -> str:
    """Return the figures as a table, a mode a column."""
    rows = [key for key in results[0] if key not in ("mode", "stopped by voice")]
    lines = [
        "Shares in %, with thresholds as shipped.",
        "",
        "| | " + " | ".join(str(each["mode"]) for each in results) + " |",
        "|---|" + "---:|" * len(results),
        *(f"| {row} | " + " | ".join(str(each[row]) for each in results) + " |" for row in rows),
    ]
    for each in results:
        voices = each["stopped by voice"]
        assert isinstance(voices, dict)
        stopped = ", ".join(f"{voice} {share}" for voice, share in voices.items())
        lines.append(f"\nStopped by voice, {each['mode']}: {stopped}.")
    return "\n".join(lines) + "\n"


def curve_markdown(results: list[dict[str, object]]) -> str:
    """Return the learning curve as a table, a number of labels a row."""
    lines = [
        "Shares in %, with thresholds as shipped; half of the labels are off-brand.",
        "",
        "| | " + " | ".join(CURVE_ROWS) + " |",
        "|---|" + "---:|" * len(CURVE_ROWS),
    ]
    for each in results:
        cells = [each["mode"], *(each[row] for row in CURVE_ROWS)]
        lines += [f"| {' | '.join(map(str, cells))} |"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure the modes and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    data = ROOT.parent / "shared/data"
    parser.add_argument("--rewrites", type=Path, default=data / "rewrites")
    parser.add_argument("--tasks", type=Path, default=data / "brands14")
    parser.add_argument("--drafts", type=Path, default=data / "drafts")
    parser.add_argument("--mode", choices=[*MODES], action="append")
    parser.add_argument("--curve", action="store_true", help="the learning curve instead")
    options = parser.parse_args()
    if not options.rewrites.is_dir():
        return print(f"skipped: no pages in {options.rewrites}; name a folder with --rewrites")
    encoder = Encoder.load(cache_size=30_000)
    modes = CURVE if options.curve else [MODES[name] for name in options.mode or MODES]
    results = [
        measure(mode, options.rewrites, options.tasks, options.drafts, encoder) for mode in modes
    ]
    name, table = ("learning_curve", curve_markdown) if options.curve else ("rewrites", markdown)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    (RESULTS / f"{name}.md").write_text(table(results), "utf-8")
    return print(table(results))


if __name__ == "__main__":
    main()
