"""Does the verdict see what is mixed into a page: how many sentences, and is P still true?

Data: the pool of voices (``pool_tasks.py``). A voice learns from 160 lines of its documents and 160
of other voices; pages are made of its other documents. Into each page go sentences of other voices,
or of the bank in a wrong voice, whose registers every voice has: the latter are no news to it.

Usage: ``python bench/mixed.py [--pool DIR]``; writes ``results/mixed.*``.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pool_tasks import LEARNT, large_voices, split

from onbrand.encoder import Encoder
from onbrand.labels.files import LabelLine
from onbrand.results import Report
from onbrand.scorer import Scorer
from onbrand.training.background import WRONG_VOICES, read_pieces
from onbrand.training.train import train_voice
from onbrand.voice.model import Voice, probability

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench/results"
BANK = ROOT / "models/voice_bank/pieces"
FIRST, STEP = 3, 8
"""The voices that are judged; the prior of the mixture was chosen with others."""
LINES = 30
"""Of a page."""
MIXED = (0, 1, 2, 3, 5)
FOREIGN_PAGES = 20
"""Pages of other voices, for each voice."""
BINS = 10


@dataclass(frozen=True, slots=True)
class Page:
    """One page, and what was said of it."""

    kind: str
    """Where its foreign lines are from."""
    lines: int
    """How many of them there are."""
    true: int
    """Judged sentences in them."""
    count: float
    """Estimated number of foreign sentences."""
    found: int
    """Sentences to mend that are foreign …"""
    wrong: int
    """… and others."""
    verdict: str
    own: float
    """Share of its judged sentences that is the brand's: what P should be."""
    probability: float
    mean: float
    """P by the mean of the sentences alone."""


def pages_of(documents: Sequence[Sequence[str]], rng: random.Random) -> Iterator[list[str]]:
    """Yield pages of `LINES` lines, documents whole as far as they go."""
    order = list(documents)
    rng.shuffle(order)
    lines = [line for document in order for line in document]
    for start in range(0, len(lines) - LINES + 1, LINES):
        yield lines[start : start + LINES]


def judge(scorer: Scorer, page: Sequence[str], foreign: Sequence[int], kind: str) -> Page | None:
    """Check a page, each line a paragraph; None where nothing in it could be judged."""
    report = scorer.check("\n\n".join(" ".join(line.split()) for line in page), path="page.txt")
    if report.probability is None:
        return None
    judged = [s for s in report.sentences if s.probability is not None]
    theirs = [(s.line - 1) // 2 in foreign for s in judged]
    mend = [s.to_mend for s in judged]
    return Page(
        kind,
        len(foreign),
        sum(theirs),
        sum(s.foreign or 0.0 for s in judged),
        sum(a and b for a, b in zip(mend, theirs, strict=True)),
        sum(a and not b for a, b in zip(mend, theirs, strict=True)),
        "mend" if report.verdict == "forward" and report.mend else report.verdict,
        1 - sum(theirs) / len(judged),
        report.probability,
        _by_mean(scorer.voice(report.brand), report),
    )


def _by_mean(voice: Voice, report: Report) -> float:
    heads, registers = np.array([s.evidence for s in report.sentences if s.evidence]).T
    return probability(voice.manifest.draft.logit(heads, registers))


def measure(pool: Path) -> list[Page]:
    """Train the voices and judge their pages, mixed and not, and pages of others."""
    voices, rng = large_voices(pool), random.Random(5)
    sides = {name: split(docs, rng) for name, docs in voices.items()}
    bank = [line for p in read_pieces(BANK) for v in WRONG_VOICES for line in p.lines[v][1:]]
    encoder, made = Encoder.load(cache_size=30_000), []
    for name in list(voices)[FIRST::STEP]:
        scorer = Scorer(encoder, [_voice(name, sides, encoder, rng)])
        others = [doc for o in sides if o != name for doc in sides[o][1].values()]
        sources = {"others": [line for doc in others for line in doc], "bank": bank}
        for page in pages_of(list(sides[name][1].values()), rng):
            for kind, lines in sources.items():
                for count in MIXED:
                    places = rng.sample(range(LINES), count)
                    mixed = list(page)
                    for place, line in zip(places, rng.sample(lines, count), strict=True):
                        mixed[place] = line
                    made.append(judge(scorer, mixed, places, kind))
        foreign = list(pages_of(others, rng))[:FOREIGN_PAGES]
        made += [judge(scorer, page, range(LINES), "others") for page in foreign]
        print(name, len(made), flush=True)
    return [page for page in made if page is not None]


def _voice(
    name: str,
    sides: dict[str, tuple[dict[str, list[str]], dict[str, list[str]]]],
    encoder: Encoder,
    rng: random.Random,
) -> Voice:
    def lines(label: str, voice: str) -> list[LabelLine]:
        docs = sides[voice][0].items()
        blank = {"author": None, "source": None, "time": None, "path": "pool", "line": 1}
        return [
            LabelLine(text=text, label=label, brand=name, doc=f"{voice} {doc}", **blank)
            for doc, texts in docs
            for text in texts
        ]

    on = rng.sample(lines("on", name), LEARNT)
    off = [line for other in sides if other != name for line in lines("off", other)]
    return train_voice(name, on + rng.sample(off, LEARNT), encoder, keep_texts=False)


def summary(pages: Sequence[Page]) -> dict[str, list[dict[str, object]]]:
    """Return the means of each kind of page, and how well P is calibrated."""
    groups: dict[tuple[int, str], list[Page]] = defaultdict(list)
    for page in pages:
        if page.lines or page.kind == "bank":  # unmixed, the pages of both kinds are the same ones
            groups[page.lines, page.kind if page.lines else "nothing"].append(page)
    unmixed = [page for page in pages if page.lines in (0, LINES)]
    return {
        "pages": [
            {"lines": lines, "replaced by": kind, "pages": len(some)}
            | {name: _mean(some, field) for name, field in MEANS.items()}
            | {f"{v}, %": 100 * float(np.mean([p.verdict == v for p in some])) for v in VERDICTS}
            for (lines, kind), some in sorted(groups.items())
        ],
        "calibration": [
            {"of": title, "P": how, **calibration(some, field)}
            for title, some in (("all pages", pages), ("pages of one voice", unmixed))
            for how, field in (("shipped", "probability"), ("by the mean alone", "mean"))
        ],
    }


def _mean(pages: Sequence[Page], field: str) -> float:
    return float(np.mean([getattr(page, field) for page in pages]))


def calibration(pages: Sequence[Page], field: str) -> dict[str, float]:
    """Return log loss against the share that is the brand's, and expected calibration error."""
    p, own = (np.array([getattr(page, f) for page in pages]) for f in (field, "own"))
    q = np.clip(p, 1e-4, 1 - 1e-4)
    loss = -(own * np.log(q) + (1 - own) * np.log(1 - q)).mean()
    bins = np.minimum((p * BINS).astype(int), BINS - 1)
    parts = [bins == k for k in range(BINS)]
    error = sum(abs(p[b].mean() - own[b].mean()) * b.mean() for b in parts if b.any())
    return {"log loss": float(loss), "ECE": float(error)}


def markdown(found: dict[str, list[dict[str, object]]]) -> str:
    """Return the figures as tables."""
    lines = [f"Pages of {LINES} lines of open voices, some of them replaced: means of each page."]
    for rows in found.values():
        lines += ["", "| " + " | ".join(rows[0]) + " |", "|---" * len(rows[0]) + "|"]
        for row in rows:
            cells = (f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values())
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


VERDICTS = ("forward", "mend", "review")
MEANS = {
    "foreign sentences": "true",
    "estimated": "count",
    "to mend": "found",
    "own to mend": "wrong",
    "P": "probability",
    "P by the mean alone": "mean",
}


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pool", type=Path, default=ROOT.parent / "shared/data/voices_pool")
    options = parser.parse_args()
    if not options.pool.is_dir():
        return print(f"skipped: no pool of voices in {options.pool}; name its folder with --pool")
    found = summary(measure(options.pool))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "mixed.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    (RESULTS / "mixed.md").write_text(markdown(found), "utf-8")
    return print(markdown(found))


if __name__ == "__main__":
    main()
