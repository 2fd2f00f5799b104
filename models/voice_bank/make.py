"""Make what training and checking take from the bank of voices and a pool of open voices.

Writes into ``core/onbrand/data``, for the default encoder: its registers (linear heads), the
background, which is vectors of open voices in fewer dimensions, and the probes, which are pieces of
the bank that nothing else is made of. The pool is a folder of ``VOICE.jsonl`` files, as for
``models/default_encoder/make.py``; only voices that ``models/default_encoder/sources.csv`` lists
are used, and their texts are not part of the project.

Usage: ``python models/voice_bank/make.py POOL``, or ``--probes`` for the probes alone, beside the
registers and the background that are there
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray

from onbrand.encoder import Encoder
from onbrand.labels.files import read_labels
from onbrand.training.background import (
    PROBES,
    Background,
    read_pieces,
    save_background,
    save_probes,
)
from onbrand.training.registers import Bank, Population, fit_registers
from onbrand.voice.registers import load_registers, save_registers

PIECES = Path(__file__).with_name("pieces")
SOURCES = Path(__file__).parents[1] / "default_encoder/sources.csv"
LINES_A_VOICE = 40
DIMENSIONS = 448


def main() -> None:
    """Fit the registers, reduce the background, encode the probes, and write all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    made = parser.add_mutually_exclusive_group(required=True)
    made.add_argument("pool", type=Path, nargs="?")
    made.add_argument("--probes", action="store_true", help="make the probes only")
    arguments = parser.parse_args()
    encoder = Encoder.load(cache_size=0)
    pieces = read_pieces(PIECES)
    if not arguments.probes:
        bank = Bank.encode([piece for piece in pieces if piece.name not in PROBES], encoder)
        population = read_pool(arguments.pool, encoder)
        typer.echo(save_registers(fit_registers(bank, population, encoder.fingerprint)))
        typer.echo(save_background(reduce(bank, population, encoder.fingerprint)))
        load_registers.cache_clear()
    typer.echo(save_probes([piece for piece in pieces if piece.name in PROBES], encoder))


def read_pool(pool: Path, encoder: Encoder) -> Population:
    """Return a seeded sample of each voice's lines."""
    with SOURCES.open(encoding="utf-8", newline="") as file:
        names = [source["voice"] for source in csv.DictReader(file)]
    random = np.random.default_rng(0)
    texts, owners = [], []
    for name in names:
        lines = read_labels([pool / f"{name}.jsonl"], brand=name, unlabelled=True)
        for index in random.permutation(len(lines))[: 2 * LINES_A_VOICE]:
            texts.append(lines[index].one_line)
            owners.append(name)
    return Population(texts, np.array(owners), encoder.encode(texts))


def reduce(bank: Bank, population: Population, fingerprint: str) -> Background:
    """Return the background in the directions in which the bank and the pool vary most."""
    both = np.concatenate([bank.vectors, population.vectors])
    mean = both.mean(axis=0)
    _, directions = np.linalg.eigh(np.cov((both - mean).T.astype(np.float64)))
    basis = np.asarray(directions[:, ::-1][:, :DIMENSIONS], np.float32)
    kept = np.concatenate(
        [np.flatnonzero(population.owners == name)[:LINES_A_VOICE] for name in names_of(population)]
    )
    return Background.compress(fingerprint, mean, basis, population.vectors[kept])


def names_of(population: Population) -> list[str]:
    """Return the voices of the pool."""
    names: NDArray[np.str_] = np.unique(population.owners)
    return [str(name) for name in names]


if __name__ == "__main__":
    main()
