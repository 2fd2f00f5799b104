"""How well registers hold on subjects, and on wrong voices, that they were not fitted on.

Registers are fitted on three quarters of the pieces of the bank (``models/voice_bank``) and judged
on the rest, all four ways; a piece is judged whole, so that no line has a twin that was learnt
from. Then every wrong voice is left out in turn: do the other registers stop what they have never
seen? Last, ``--avoid`` judges the held-out pieces as pages. Intervals come from drawing pieces
anew. With the style data of others (STEL, STEL-or-Content, twins) the shipped registers are judged
on that, too (``style.py``).

Writes ``bench/results/registers.json`` and ``registers.md``. Usage: ``python bench/registers.py
[--pool DIR] [--style DIR] [--cache FILE]``. The pool is the folder of open voices that the shipped
registers were fitted with; where it is missing, the shipped background stands in for it.
"""

from __future__ import annotations

import argparse
import runpy
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import msgspec
import numpy as np
from by_piece import Figure, Pieces, least_of, mean_of
from data import DATA, RESULTS, ROOT
from numpy.typing import NDArray
from style import measure_style, style_tables
from vectors import KeptEncoder

from onbrand.document.document import parse_named
from onbrand.encoder import Encoder
from onbrand.files import write_atomic
from onbrand.results import Report
from onbrand.scorer import Scorer
from onbrand.training.background import (
    GOOD_VOICES,
    NEUTRAL,
    WRONG_VOICES,
    Piece,
    load_background,
    read_pieces,
)
from onbrand.training.logistic import LinearFit
from onbrand.training.registers import (
    Bank,
    Population,
    assemble,
    fit_head,
    fit_heads,
)
from onbrand.voice import registers as shipped
from onbrand.voice.avoid import avoid_voice
from onbrand.voice.lexical import LONG_WORDS, words_of
from onbrand.voice.registers import SCALES, Registers, load_registers, save_registers

FOLDS = 4
UNSEEN_FOLDS = 2
"""Of the folds, in which each wrong voice is left out: a fit takes seconds, and there are many."""
BANK = ROOT / "models/voice_bank"
SEVERAL = ("corporate", "hype", "chatbot")
"""What the README's example avoids."""
PAGE = "page.md"
MEAN_BAR, LEAST_BAR = 0.97, 0.93
END = (".", "!", "?", "…", ":", '"', "”")
"""What does not end so is a button or a list item, and a block of its own."""


@dataclass(frozen=True, slots=True)
class Fold:
    """The registers of one way to split the pieces."""

    held: NDArray[np.bool_]
    """Which lines of the bank they have not seen."""
    fits: dict[str, LinearFit]
    """See `fit_heads`."""
    registers: Registers


def read_population(pool: Path, encoder: Encoder) -> tuple[Population, str]:
    """Return the good published lines that registers are fitted with, and what they are."""
    if pool.is_dir():
        return runpy.run_path(str(BANK / "make.py"))["read_pool"](pool, encoder), "the pool"
    background = load_background(encoder)
    assert background is not None, "the default encoder has a background"
    vectors = background.restore(background.lines())
    filler = " ".join(["word"] * LONG_WORDS)
    owners = np.full(len(vectors), "background")
    return Population([filler] * len(vectors), owners, vectors), "the shipped background"


def subset(bank: Bank, rows: NDArray[np.bool_]) -> Bank:
    """Return some lines of the bank."""
    texts = [bank.texts[row] for row in np.flatnonzero(rows)]
    return Bank(texts, bank.voices[rows], bank.pieces[rows], bank.vectors[rows], bank.deltas[rows])


def within_reach(bank: Bank, encoder: Encoder) -> Bank:
    """Return the bank in the directions that the background knows; lines of both are alike then."""
    background = load_background(encoder)
    assert background is not None, "the default encoder has a background"
    vectors = background.restore(background.project(bank.vectors))
    deltas = background.restore(background.project(bank.deltas + background.mean))
    return Bank(bank.texts, bank.voices, bank.pieces, vectors, deltas - background.mean)


def fit_fold(bank: Bank, held: NDArray[np.bool_], population: Population, mark: str) -> Fold:
    """Fit everything without the lines that are held out."""
    learnt = subset(bank, ~held)
    fits = fit_heads(learnt, population, WRONG_VOICES)
    ranged = assemble(learnt, population, mark, WRONG_VOICES, [*fits.values()])
    return Fold(held, fits, ranged)


def without(bank: Bank, fold: Fold, voice: str, population: Population) -> Registers:
    """Return a fold's registers as they are when one wrong voice is not in the bank at all."""
    learnt = subset(bank, ~fold.held & (bank.voices != voice))
    names = tuple(name for name in WRONG_VOICES if name != voice)
    general = fit_head(learnt, population, learnt.of(names), learnt.of(GOOD_VOICES))
    fits = [fold.fits[name] for name in names]
    fits += [general, *(fold.fits[scale] for scale in SCALES)]
    return assemble(learnt, population, fold.registers.fingerprint, names, fits)


def largest(
    registers: Registers, vectors: NDArray[np.float32], words: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return how far each sentence lies outside of good copy, and in which register."""
    excess = registers.excess(vectors, words, registers.reference)
    return np.maximum(excess.max(axis=1), -99), excess.argmax(axis=1)


def measure_voices(
    bank: Bank, learnt: Bank, population: Population, folds: Sequence[Fold], pieces: Pieces
) -> dict[str, dict[str, Figure]]:
    """Return the figures of each wrong voice.

    Args:
        bank: all lines, as the product sees them.
        learnt: the same as registers are fitted on them.
        population: good published lines.
        folds: the registers of each.
        pieces: which lines are drawn together.
    """
    words = np.array([len(words_of(text)) for text in bank.texts])
    raw = np.zeros((len(words), len(WRONG_VOICES) + 1))
    furthest, named = np.zeros(len(words)), np.zeros(len(words), np.intp)
    for fold in folds:
        held = fold.held
        raw[held] = fold.registers.raw(bank.vectors[held])
        furthest[held], named[held] = largest(
            fold.registers, bank.vectors[held], words[held].tolist()
        )
    neutral, good = bank.of([NEUTRAL]), bank.of(GOOD_VOICES)
    figures = {}
    for column, voice in enumerate(WRONG_VOICES):
        mine = bank.of([voice])
        figures[voice] = {
            "neutral": pieces.auroc(raw[:, column], mine, neutral),
            "good": pieces.auroc(raw[:, column], mine, good),
            "any": pieces.auroc(furthest, mine, good),
            "named": pieces.share(named == column, mine),
            **measure_unseen(bank, learnt, population, folds, pieces, voice),
        }
        print(f"{voice}: " + ", ".join(f"{key} {each}" for key, each in figures[voice].items()))
    return figures


def measure_unseen(
    bank: Bank,
    learnt: Bank,
    population: Population,
    folds: Sequence[Fold],
    pieces: Pieces,
    voice: str,
) -> dict[str, Figure]:
    """Return how registers that have never seen a wrong voice tell it from good lines."""
    general, furthest = np.zeros(len(bank.texts)), np.zeros(len(bank.texts))
    judged = np.zeros(len(bank.texts), np.bool_)
    first = WRONG_VOICES.index(voice)
    for fold in (folds[(first + i * FOLDS // UNSEEN_FOLDS) % FOLDS] for i in range(UNSEEN_FOLDS)):
        rows = fold.held & bank.of([voice, *GOOD_VOICES])
        unseen = without(learnt, fold, voice, population)
        words = [len(words_of(bank.texts[row])) for row in np.flatnonzero(rows)]
        general[rows] = unseen.raw(bank.vectors[rows])[:, -1]
        furthest[rows] = largest(unseen, bank.vectors[rows], words)[0]
        judged |= rows
    mine, good = judged & bank.of([voice]), judged & bank.of(GOOD_VOICES)
    return {
        "unseen general": pieces.auroc(general, mine, good),
        "unseen largest": pieces.auroc(furthest, mine, good),
    }


def page_of(piece: Piece, voice: str) -> str:
    """Return a piece as a page in Markdown: its heading, then sentences, buttons and items."""
    heading, *rest = piece.lines[voice]
    blocks: list[str] = [f"# {heading}"]
    running = False
    for line in rest:
        ended = line.endswith(END)
        if running and ended:
            blocks[-1] += f" {line}"
        else:
            blocks.append(line if ended else f"- {line}")
        running = ended
    return "\n\n".join(blocks) + "\n"


@contextmanager
def installed(registers: Registers) -> Iterator[None]:
    """Let the product find these registers in the place of the shipped ones."""
    with tempfile.TemporaryDirectory() as folder:
        save_registers(registers, Path(folder))
        load_registers.cache_clear()
        try:
            with mock.patch.object(shipped, "_FOLDER", Path(folder)):
                yield
        finally:
            load_registers.cache_clear()


def measure_pages(
    pieces: Sequence[Piece], bank: Bank, folds: Sequence[Fold], encoder: Encoder
) -> dict[str, dict[str, Figure]]:
    """Return what `--avoid` says of held-out pieces as pages, by what is avoided."""
    rows: dict[str, list[tuple[str, str, bool, int, int]]] = {}
    for fold in folds:
        held = set(bank.pieces[fold.held].tolist())
        with installed(fold.registers):
            for avoided, names, wrong in ways_to_avoid():
                scorer = Scorer(encoder, [avoid_voice(encoder, names)])
                for piece in pieces:
                    for voice in (*GOOD_VOICES, *wrong):
                        if piece.name in held and voice in piece.lines:
                            report = verdict_on(page_of(piece, voice), scorer)
                            sure = [s for s in report.sentences if s.probability is not None]
                            row = (
                                *(piece.name, voice, report.verdict == "forward"),
                                *(len(sure), sum(s.flagged for s in sure)),
                            )
                            rows.setdefault(avoided, []).append(row)
    return {avoided: page_figures(each) for avoided, each in rows.items()}


def verdict_on(page: str, scorer: Scorer) -> Report:
    """Return the report on a page, without explanations: they cost most and change nothing."""
    return scorer.check_document(parse_named(page, PAGE), path=PAGE, explained=0)


def ways_to_avoid() -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Return what is asked of `--avoid`: a heading, the names, the wrong voices of the pages."""
    return [
        ("all sixteen", WRONG_VOICES, WRONG_VOICES),
        (", ".join(SEVERAL), SEVERAL, SEVERAL),
        *((name, (name,), (name,)) for name in WRONG_VOICES),
    ]


def page_figures(rows: Sequence[tuple[str, str, bool, int, int]]) -> dict[str, Figure]:
    """Return the shares of pages and of sentences, from (piece, voice, forwarded, judged, flagged).

    Wrong voices have a figure each, too.
    """
    names, voices, forwarded, judged, flagged = map(np.array, zip(*rows, strict=True))
    pieces = Pieces(names)
    neutral, wrong = voices == NEUTRAL, ~np.isin(voices, GOOD_VOICES)
    sentences = Pieces(np.repeat(names, judged))
    hit = np.concatenate([np.arange(n) < k for n, k in zip(judged, flagged, strict=True)])

    def of_sentences(pages: NDArray[np.bool_]) -> Figure:
        return sentences.share(hit, np.repeat(pages, judged))

    return {
        "wrong stopped": pieces.share(~forwarded, wrong),
        "neutral forwarded": pieces.share(forwarded, neutral),
        "good forwarded": pieces.share(forwarded, ~wrong),
        "wrong flagged": of_sentences(wrong),
        "neutral flagged": of_sentences(neutral),
        "good flagged": of_sentences(~wrong),
    } | {
        f"{voice} stopped": pieces.share(~forwarded, voices == voice)
        for voice in np.unique(voices[wrong]).tolist()
    }


def voice_tables(figures: dict[str, dict[str, Figure]]) -> list[str]:
    """Return the table of wrong voices, in Markdown."""
    columns = [*figures[WRONG_VOICES[0]]]
    over = {key: [each[key] for each in figures.values()] for key in columns}
    means = {key: mean_of(each) for key, each in over.items()}
    leasts = {key: least_of(each) for key, each in over.items()}
    mark = {
        "mean": (means, MEAN_BAR),
        "least": (leasts, LEAST_BAR),
    }
    lines = [
        "| | own register, against neutral twins | … all good twins | largest of all registers "
        "| named right | never seen: general | never seen: largest |",
        "|---|" + "---:|" * len(columns),
        *(row_of(voice, [str(each[key]) for key in columns]) for voice, each in figures.items()),
    ]
    for name, (row, bar) in mark.items():
        cells = [str(row[key]) for key in columns]
        cells[0] += f", bar {bar}" + ("" if row["neutral"].value >= bar else " **not met**")
        lines.append(row_of(f"**{name}**", cells))
    return lines


def page_tables(pages: dict[str, dict[str, Figure]]) -> list[str]:
    """Return the tables of pages, in Markdown."""
    keys = list(pages["all sixteen"])[:6]
    lines = ["| avoided | " + " | ".join(keys) + " |", "|---|" + "---:|" * len(keys)]
    lines += [row_of(name, [percent(each[key]) for key in keys]) for name, each in pages.items()]
    stopped = [
        f"{voice} {100 * pages['all sixteen'][f'{voice} stopped'].value:.0f}"
        for voice in WRONG_VOICES
    ]
    return [*lines, "", f"All sixteen avoided, pages stopped by voice (%): {', '.join(stopped)}."]


def percent(figure: Figure) -> str:
    """Return a share as it stands in a table."""
    low, high = figure.interval
    return f"{100 * figure.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def row_of(name: str, cells: Sequence[str]) -> str:
    """Return a row of a table."""
    return f"| {name} | " + " | ".join(cells) + " |"


def timed() -> Callable[[str], None]:
    """Return what tells how long the run has taken so far."""
    started = time.perf_counter()
    return lambda what: print(f"{time.perf_counter() - started:.0f} s: {what}", flush=True)


def main() -> None:
    """Measure everything and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=Path, default=DATA / "voices_pool")
    parser.add_argument("--style", type=Path, default=DATA / "style")
    parser.add_argument("--cache", type=Path, help="file that keeps vectors for the next run")
    options = parser.parse_args()
    tell = timed()
    encoder = KeptEncoder.open(options.cache)
    pieces = read_pieces(BANK / "pieces")
    bank = Bank.encode(pieces, encoder)
    population, of_what = read_population(options.pool, encoder)
    learnt = bank if options.pool.is_dir() else within_reach(bank, encoder)
    encoder.save()
    tell(f"encoded {len(bank.texts)} lines; registers are fitted with {of_what}")
    names = np.random.default_rng(0).permutation([piece.name for piece in pieces])
    folds = []
    for k in range(FOLDS):
        held = np.isin(bank.pieces, names[k::FOLDS])
        folds.append(fit_fold(learnt, held, population, encoder.fingerprint))
        tell(f"fitted on all but {len(names[k::FOLDS])} pieces")
    voices = measure_voices(bank, learnt, population, folds, Pieces(bank.pieces))
    tell("measured voices")
    pages = measure_pages(pieces, bank, folds, encoder)
    tell("measured pages")
    style = measure_style(options.style, encoder)
    encoder.save()
    tell("measured style")
    document = {
        "encoder": {"name": encoder.name, "fingerprint": encoder.fingerprint},
        "fitted with": of_what,
        "voices": {v: {k: f.to_dict() for k, f in each.items()} for v, each in voices.items()},
        "pages": {n: {k: f.to_dict() for k, f in each.items()} for n, each in pages.items()},
        "style": style,
    }
    text = "\n".join(
        [
            "# Registers on what they were not fitted on\n",
            f"Made by `python bench/registers.py`; fitted with {of_what}. {len(pieces)} pieces, a "
            "quarter held out at a time; AUROC of single sentences, headings and buttons included. "
            "In brackets: 95 % intervals, from drawing pieces anew.\n",
            "## Wrong voices\n",
            '"Largest" is the one that lies furthest outside of good published copy. "Never seen": '
            f"the wrong voice was not in the bank either, on {UNSEEN_FOLDS} of {FOLDS} quarters.\n",
            *voice_tables(voices),
            "\n## Pages, judged by `--avoid` without a voice\n",
            "Shares of pages and of their judged sentences; 2 % of neutral sentences may be "
            "flagged. Pages in a wrong voice are in those that are avoided.\n",
            *page_tables(pages),
            *style_tables(style),
        ]
    )
    write_atomic(RESULTS / "registers.md", text + "\n")
    encoded = msgspec.json.format(msgspec.json.encode(document), indent=2)
    write_atomic(RESULTS / "registers.json", encoded + b"\n")
    print(text)


if __name__ == "__main__":
    main()
