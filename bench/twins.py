"""Tuning the default encoder on the twins of the bank: is it worth it?

A twin is a sentence of the bank in another voice. The last layers of the encoder that ships are
tuned so that what has one voice draws together and what has one content draws apart (supervised
contrast; Khosla et al., 2020, arXiv:2004.11362), staying near to the vectors of before. Judged
before and after, unquantised: registers on pieces that were held out, for voices in the bank and
for voices that were kept out of tuning and registers, and voices of brands from 320 labels.
Writes ``bench/results/twins.json`` and ``twins.md``.
Usage: ``python bench/twins.py POOL [--steps N] [--data DIR]``
"""

from __future__ import annotations

import argparse
import copy
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from adapt import BASE
from data import DATA, ROOT, need
from figures import Row, write
from numpy.typing import NDArray
from objective_kinds import supervised_contrast
from registers import subset
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from onbrand.encoder import default_bundle
from onbrand.encoder.bundle import read_manifest
from onbrand.labels.files import read_labels
from onbrand.training.background import GOOD_VOICES, NEUTRAL, WRONG_VOICES, read_pieces
from onbrand.training.ensemble import fit_dense
from onbrand.training.evaluate import TEST, TRAIN, find_tasks
from onbrand.training.registers import Bank, Population, fit_head
from onbrand_models.quantise.requantize import dequantise_bundle
from onbrand_models.source import find_source, load_model, load_tokenizer

FROZEN = 4
"""Layers that are left as they are; their output is computed once."""
TOKENS, BATCH = 48, 64
CONTENTS, VOICES_A_BATCH = 6, 8
UNSEEN = WRONG_VOICES[2::5]
"""Voices that tuning and registers never see."""
REGRESSION_C = 1e-3
"""Of the voices' penalty, the same for both."""
KEEP = 2.0
"""Weight of staying near to the vectors of before."""
SETS = ("brands14", "brands14_matched", "parallel_voices")


class States:
    """Texts as the output of the frozen layers, and the vectors that follow from it."""

    def __init__(self, folder: Path, layers: Sequence[int]) -> None:
        source = find_source(str(folder))
        self.model = load_model(source).eval().requires_grad_(requires_grad=False)
        self.tokenizer = load_tokenizer(source)
        self.layers = layers
        self.kept: dict[str, tuple[Tensor, Tensor]] = {}
        """Text → pooled lower layers; output of the last frozen layer, (tokens, hidden)."""

    @torch.no_grad()
    def read(self, texts: Sequence[str]) -> None:
        """Compute what the frozen layers make of texts."""
        new = sorted({text for text in texts if text not in self.kept}, key=len)
        for start in range(0, len(new), BATCH):
            chunk = new[start : start + BATCH]
            batch = self.tokenizer(
                chunk, padding=True, truncation=True, max_length=TOKENS, return_tensors="pt"
            )
            states = [self.model.embeddings(batch["input_ids"])]
            mask = self._mask(batch["attention_mask"])
            for layer in self.model.encoder.layer[:FROZEN]:
                states.append(_first(layer(states[-1], mask)))
            lengths = batch["attention_mask"].sum(dim=1)
            lower = [
                _pool(states[layer], batch["attention_mask"])
                for layer in self.layers
                if layer <= FROZEN
            ]
            for row, text in enumerate(chunk):
                pooled = torch.cat([each[row] for each in lower]) if lower else torch.zeros(0)
                self.kept[text] = pooled, states[-1][row, : lengths[row]].half().clone()

    def vectors(self, texts: Sequence[str], upper: nn.Module) -> tuple[Tensor, list[Tensor]]:
        """Return the vectors of texts, (texts, dim), and the upper layers' pooled states."""
        rows = [self.kept[text] for text in texts]
        state = nn.utils.rnn.pad_sequence([row[1].float() for row in rows], batch_first=True)
        attention = torch.zeros(state.shape[:2], dtype=torch.long)
        for row, (_, tokens) in enumerate(rows):
            attention[row, : len(tokens)] = 1
        mask = self._mask(attention)
        pooled = []
        for number, layer in enumerate(upper, FROZEN + 1):
            state = _first(layer(state, mask))
            if number in self.layers:
                pooled.append(_pool(state, attention))
        return torch.cat([torch.stack([row[0] for row in rows]), *pooled], dim=1), pooled

    @torch.no_grad()
    def encode(self, texts: Sequence[str], upper: nn.Module) -> NDArray[np.float32]:
        """Return the vectors of texts, shape (texts, dim)."""
        self.read(texts)
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        found: dict[int, NDArray[np.float32]] = {}
        for start in range(0, len(order), BATCH):
            some = order[start : start + BATCH]
            rows = self.vectors([texts[row] for row in some], upper)[0].numpy()
            found.update(zip(some, rows, strict=True))
        return np.stack([found[row] for row in range(len(texts))])

    def _mask(self, attention: Tensor) -> Tensor:
        return (1.0 - attention[:, None, None, :].float()) * torch.finfo(torch.float32).min


def _first(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    return output[0] if isinstance(output, tuple) else output


def _pool(state: Tensor, attention: Tensor) -> Tensor:
    return functional.normalize((state * attention.unsqueeze(-1)).sum(dim=1), dim=-1)


Twins = dict[tuple[str, int], dict[str, str]]
"""Piece and number of a line → voice → the line."""


def tune(states: States, base: nn.Module, lines: Twins, steps: int) -> nn.Module:
    """Return the upper layers as tuned on twins.

    Args:
        states: the frozen layers.
        base: the upper layers as they are.
        lines: the twins to learn from.
        steps: batches to learn from.
    """
    random = np.random.default_rng(0)
    upper = copy.deepcopy(base).requires_grad_().train()
    optimiser = torch.optim.AdamW(upper.parameters(), lr=5e-5, weight_decay=0.01)
    keys = list(lines)
    voices = [voice for voice in (*WRONG_VOICES, NEUTRAL) if voice not in UNSEEN]
    for step in range(steps):
        chosen = random.choice(len(voices), VOICES_A_BATCH, replace=False)
        some = [keys[i] for i in random.choice(len(keys), CONTENTS, replace=False)]
        batch = [(lines[key][voices[v]], v) for key in some for v in chosen]
        texts = [text for text, _ in batch]
        states.read(texts)
        _, pooled = states.vectors(texts, upper)
        with torch.no_grad():
            _, before = states.vectors(texts, base)
        owners = torch.tensor([voice for _, voice in batch])
        loss = supervised_contrast(pooled[-1], owners)
        near = [
            1 - (now * then).sum(dim=-1).mean() for now, then in zip(pooled, before, strict=True)
        ]
        total = loss + KEEP * torch.stack(near).mean()
        optimiser.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(upper.parameters(), 1.0)
        for group in optimiser.param_groups:
            group["lr"] = 5e-5 * min(1.0, (step + 1) / 10) * (1 - step / steps)
        optimiser.step()
        if step % 20 == 0:
            print(
                f"step {step}: contrast {loss:.3f}, off base {sum(near) / len(near):.3f}",
                flush=True,
            )
    return upper.eval()


def judge_registers(
    bank: Bank, held: NDArray[np.bool_], population: Population
) -> dict[str, float]:
    """Return the mean AUROC of registers on held-out pieces, against good lines."""
    rows = ~held & ~bank.of(UNSEEN)
    learnt = subset(bank, rows)
    known = [voice for voice in WRONG_VOICES if voice not in UNSEEN]

    def auroc(fit: object, voice: str, against: Sequence[str]) -> float:
        scores = bank.vectors @ fit.weights  # type: ignore[attr-defined]
        mine, good = held & bank.of([voice]), held & bank.of(against)
        both = mine | good
        return float(roc_auc_score(mine[both], scores[both]))

    each = [
        auroc(fit_head(learnt, population, learnt.of([v]), learnt.of([NEUTRAL])), v, [NEUTRAL])
        for v in known
    ]
    general = fit_head(learnt, population, learnt.of(known), learnt.of(GOOD_VOICES))
    return {
        "registers, mean": float(np.mean(each)),
        "registers, least": min(each),
        "voices never seen, by the general head": float(
            np.mean([auroc(general, voice, GOOD_VOICES) for voice in UNSEEN])
        ),
    }


def judge_brands(folder: Path, states: States, upper: nn.Module) -> float:
    """Return the mean accuracy of dense heads from 320 labels on held-out lines."""
    found = []
    for brand in find_tasks(folder):
        sides = [read_labels([folder / (brand + part)], brand=brand) for part in (TRAIN, TEST)]
        x, test = (states.encode([line.one_line for line in side], upper) for side in sides)
        y, truth = (np.array([line.label == "on" for line in side]) for side in sides)
        standardise, (fit,) = fit_dense(x, y, [REGRESSION_C])
        found.append(float(((standardise(test) @ fit.weights + fit.bias > 0) == truth).mean()))
    return float(np.mean(found))


def main() -> None:
    """Tune, judge before and after, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--steps", type=int, default=300)
    arguments = parser.parse_args()
    data = need(arguments.data)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as name:
        dequantise_bundle(default_bundle(), find_source(BASE), Path(name) / "model")
        states = States(Path(name) / "model", read_manifest(default_bundle()).layers)
    base = states.model.encoder.layer[FROZEN:]
    pieces = read_pieces(ROOT / "models/voice_bank/pieces")[::2]
    held = {piece.name for piece in pieces[::4]}
    lines = {
        (piece.name, number): {voice: each[number] for voice, each in piece.lines.items()}
        for piece in pieces
        if piece.name not in held
        for number in range(len(piece.lines[NEUTRAL]))
    }
    tuned = tune(states, base, lines, arguments.steps)
    texts, owners = [], []
    for file in sorted(arguments.pool.glob("*.jsonl")):
        some = read_labels([file], brand=file.stem, unlabelled=True)[::7][:30]
        texts += [line.one_line for line in some]
        owners += [file.stem] * len(some)
    figures: list[dict[str, float]] = []
    for upper in (base, tuned):
        encoder = _Encoder(states, upper)
        population = Population(texts, np.array(owners), encoder.encode(texts))
        bank = Bank.encode(pieces, encoder)  # type: ignore[arg-type]
        scores = judge_registers(bank, np.isin(bank.pieces, list(held)), population)
        for tasks in SETS:
            if (data / tasks).is_dir():
                scores[f"{tasks}, dense head alone"] = judge_brands(data / tasks, states, upper)
        print(json.dumps(scores), flush=True)
        figures.append(scores)
    rows = []
    for what in figures[0]:
        before, after = (100 * each[what] for each in figures)
        rows += [Row(f"{what}: as it is", before, "%"), Row(f"{what}: tuned", after, "%")]
    intro = f"Made by `python bench/twins.py POOL --steps {arguments.steps}`.\n\n"
    write("twins", "# Tuning on the bank's twins\n\n" + intro, rows)


class _Encoder:
    """What `Bank.encode` asks of an encoder."""

    def __init__(self, states: States, upper: nn.Module) -> None:
        self._states, self._upper = states, upper

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of texts, shape (texts, dim)."""
        return self._states.encode(texts, self._upper)


if __name__ == "__main__":
    main()
