"""How many flagged sentences in a wrong voice get a quick fix, what it loses, how long it takes.

Data: the pages and tasks of ``rewrites.py``; voices from 320 labels. Whether a name, figure,
quotation or link was lost is counted by other means than the product's own check. Time is
processor time, of all threads.

Usage: ``python bench/fixes.py [--sample N]``; writes ``results/fixes.*``. With ``--list`` it prints
a hundred fixes of the bank's wrong-voice pieces, offered by the example brands, to be read one by
one; ``results/fixes_read.md`` has the verdicts.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rewrites import MODES, RESULTS, ROOT, voice_of

from onbrand.encoder import Encoder
from onbrand.fixes import find_fixes
from onbrand.labels.files import read_labels
from onbrand.results import SentenceVerdict
from onbrand.scorer import Scorer
from onbrand.training.train import train_voice

OWN = ("genuine", "faithful", "mixed")
WRONG = ("hype", "corporate", "legalese", "chatbot", "bureaucratic", "academic")
SEED = 15
LISTED = 100
BARS = {"share": 25.0, "lost": 0, "p95_ms": 150.0}


def flagged_sentences(
    scorer: Scorer, brand: str, folder: Path
) -> Iterator[tuple[str, SentenceVerdict]]:
    """Yield the wrong voice and the verdict of each flagged sentence of a page's wrong voices."""
    for page in sorted(folder.glob("*.md")):
        if page.stem not in OWN:
            report = scorer.check(page.read_text("utf-8"), brand=brand, path=page.name)
            yield from ((page.stem, s) for s in report.sentences if s.flagged)


def lost(before: str, after: str) -> list[str]:
    """Return what stands in a sentence and no longer after a fix, word by word.

    Everything with a digit, an address, between quotation marks, or with a capital beyond the
    sentence's first word; and whatever of these is new.
    """

    def parts(text: str) -> Counter[str]:
        words = text.split()
        bare = [word.strip(".,;:!?()[]—–…") for word in words]
        kept = Counter(w for w in bare if any(c.isdigit() or c in "/@#" for c in w))
        kept.update(
            w for w in bare[1:] if w != "I" and w[:2] not in ("I'", "I’") and w.lower() != w
        )
        kept.update(re.findall(r"[“\"«][^”\"»]+[”\"»]", text))
        return kept

    old, new = parts(before), parts(after)
    first = {text.split()[0].strip(".,;:!?()[]—–…") for text in (before, after)}
    return [part for part in (old - new) + (new - old) if part not in first]


def measure(rewrites: Path, tasks: Path, sample: int, encoder: Encoder) -> dict[str, object]:
    """Return the figures over a sample of the flagged sentences of all pages."""
    found: list[tuple[Scorer, str, SentenceVerdict]] = []
    scorers: dict[str, Scorer] = {}
    for folder in sorted(file.parent for file in rewrites.glob("*/index.json")):
        brand = json.loads((folder / "index.json").read_text("utf-8"))["brand"]
        if brand not in scorers:
            scorers[brand] = Scorer(encoder, [voice_of(brand, tasks, MODES["labels"], encoder)])
        for voice, sentence in flagged_sentences(scorers[brand], brand, folder):
            found.append((scorers[brand], voice, sentence))
    chosen = random.Random(SEED).sample(found, min(sample or len(found), len(found)))
    flagged, fixed = Counter[str](), Counter[str]()
    offered, losses, times = 0, 0, []
    for scorer, voice, sentence in chosen:
        start = time.process_time()
        fixes = find_fixes(scorer, sentence)
        times.append(1000 * (time.process_time() - start))
        flagged[voice] += 1
        fixed[voice] += bool(fixes)
        offered += len(fixes)
        losses += sum(bool(lost(sentence.text, fix.text)) for fix in fixes)
    return {
        "flagged": len(found),
        "measured": len(chosen),
        "share": round(100 * fixed.total() / max(1, flagged.total()), 1),
        "by voice": {v: round(100 * fixed[v] / flagged[v], 1) for v in sorted(flagged)},
        "offered": offered,
        "lost": losses,
        "p50_ms": round(float(np.percentile(times, 50))),
        "p95_ms": round(float(np.percentile(times, 95))),
    }


def markdown(result: dict[str, object]) -> str:
    """Return the figures as a table, with the bars."""
    rows = [
        ("sentences that get a fix, %", result["share"], f"≥ {BARS['share']:g}"),
        ("fixes that lose a name, figure, quotation or link", result["lost"], BARS["lost"]),
        ("processor time a sentence, median, ms", result["p50_ms"], ""),
        ("processor time a sentence, p95, ms", result["p95_ms"], f"≤ {BARS['p95_ms']:g}"),
    ]
    voices = result["by voice"]
    assert isinstance(voices, dict)
    lines = [
        "# Quick fixes",
        "",
        "Made by `python bench/fixes.py`. Voices from 320 labels; flagged sentences of pages in",
        f"wrong voices: {result['measured']} of {result['flagged']}. Fixes offered: "
        f"{result['offered']}.",
        "",
        "| | measured | bar |",
        "|---|---:|---:|",
        *(f"| {name} | {value} | {bar} |" for name, value, bar in rows),
        "",
        "Sentences that get a fix, by voice, in %: "
        + ", ".join(f"{voice} {share}" for voice, share in voices.items())
        + ".",
        "",
        "A hundred fixes, read one by one: [fixes_read.md](fixes_read.md).",
    ]
    return "\n".join(lines) + "\n"


def pieces_of(file: Path) -> dict[str, list[str]]:
    """Return the sentences of a piece of the bank, by voice."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in file.read_text("utf-8").splitlines():
        if line.startswith("## "):
            name = line[3:]
        elif name and re.match(r"\d+\. ", line):
            found.setdefault(name, []).append(line.split(". ", 1)[1])
    return found


def list_fixes(encoder: Encoder) -> list[str]:
    """Return a hundred fixes that the example brands' voices offer, as rows of a table."""
    files = sorted((ROOT / "examples/brands").glob("*.jsonl"))
    brands = [file.stem for file in files]
    scorer = Scorer(
        encoder,
        [
            train_voice(f.stem, read_labels([f], brand=f.stem), encoder, keep_texts=True)
            for f in files
        ],
    )
    pieces = sorted((ROOT / "models/voice_bank/pieces").glob("*.md"))
    choose = random.Random(SEED)
    choose.shuffle(pieces)
    rows: dict[str, str] = {}
    for number, file in enumerate(pieces):
        voices = pieces_of(file)
        brand = brands[number % len(brands)]
        for voice in WRONG:
            report = scorer.check("\n\n".join(voices.get(voice, [])), brand=brand, path="piece.txt")
            for sentence in report.sentences:
                fixes = find_fixes(scorer, sentence) if sentence.flagged else ()
                if fixes:
                    rows[sentence.text] = (
                        f"{brand} | {voice} | {sentence.text} | {choose.choice(fixes).text}"
                    )
    chosen = choose.sample(sorted(rows), min(LISTED, len(rows)))
    return [f"| {n} | {rows[text]} |" for n, text in enumerate(chosen, 1)]


def main() -> None:
    """Measure and write the results, or print the list to read."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    data = ROOT.parent / "shared/data"
    parser.add_argument("--rewrites", type=Path, default=data / "rewrites")
    parser.add_argument("--tasks", type=Path, default=data / "brands14")
    parser.add_argument("--sample", type=int, default=0, help="sentences; 0 for all")
    parser.add_argument("--list", action="store_true", help="fixes to read instead")
    options = parser.parse_args()
    if options.list:
        return print("\n".join(list_fixes(Encoder.load(cache_size=30_000))))
    if not options.rewrites.is_dir():
        return print(f"skipped: no pages in {options.rewrites}; name a folder with --rewrites")
    result = measure(options.rewrites, options.tasks, options.sample, Encoder.load(cache_size=0))
    (RESULTS / "fixes.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    (RESULTS / "fixes.md").write_text(markdown(result), "utf-8")
    return print(markdown(result))


if __name__ == "__main__":
    main()
