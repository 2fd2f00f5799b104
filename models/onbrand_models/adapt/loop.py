"""The learning itself: steps, held-out checks between them, and a stop when they get no better."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import torch
from torch import Tensor
from torch.optim import AdamW

from onbrand.errors import OnbrandError
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand_models.adapt.batches import Batch, Batches
from onbrand_models.adapt.checkpoint import (
    TrainingState,
    clear_checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from onbrand_models.adapt.device import autocast, move, precision
from onbrand_models.adapt.objective import BrandClassifier

CHECKS = 3
"""Held-out checks per epoch."""
PATIENCE = 3
"""Checks without a new best after which learning stops."""
WARM_UP = 0.1
"""Share of the steps over which the rate rises from nothing; it falls to nothing after that."""
LARGEST_STEP = 1.0
"""Gradients are shortened to this norm."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How to learn."""

    epochs: int = 3
    rate: float = 1e-4
    """Of the encoder's weights."""
    head_rate: float = 1e-3
    """Of the classifier, which starts from nothing."""
    seed: int = 0

    def factor(self, step: int, steps: int) -> float:
        """Return what the rates are multiplied by at a step, counted from 0."""
        return min(1.0, (step + 1) / (WARM_UP * steps)) * (1 - step / steps)


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a run came to."""

    state: TrainingState
    stopped_early: bool


def learn(
    model: BrandClassifier,
    batches: Batches,
    held_out: Batches,
    schedule: Schedule,
    *,
    run: str,
    work: Path,
    progress: Progress = silent,
    note: Callable[[str], None] = lambda _: None,
    warn: Callable[[str], None] = lambda _: None,
) -> Learnt:
    """Fit the classifier and its encoder, and leave the weights of the best check in ``model``.

    A killed run goes on at its last checkpoint: the order of the lines depends on the seed alone.

    Args:
        model: on the device on which to learn.
        batches: what to learn from.
        held_out: what to check on; without any, learning goes on to the end.
        schedule: rates and length.
        run: names what is learnt, for the checkpoints.
        work: folder for the checkpoints.
        progress: told the loss, and how many batches are done.
        note: told in a line what each check has found.
        warn: told of a checkpoint that is not gone on with.

    Raises:
        OnbrandError: the rate is so high that the weights are no numbers any more.
    """
    device = next(model.parameters()).device
    torch.manual_seed(schedule.seed)
    optimiser = _optimiser(model, schedule)
    rates = [group["lr"] for group in optimiser.param_groups]
    steps = len(batches) * schedule.epochs
    every = max(1, len(batches) // CHECKS)
    before = load_checkpoint(work, run, model, optimiser, warn)
    state, best = before or (TrainingState(run, precision(device)), {})
    for step, batch in _from(batches, schedule, state.step):
        if step - state.best_step >= PATIENCE * every:
            break
        factor = schedule.factor(step, steps)
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        model.train()
        with autocast(device, state.precision):
            loss = model.loss(move(batch, device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.encoder.parameters(), LARGEST_STEP)
        optimiser.step()
        optimiser.zero_grad()
        progress(ProgressEvent("loss", step + 1, steps, message=f"{loss.item():.2f}"))
        if (step + 1) % every == 0 or step + 1 == steps:
            state, best = _check(model, held_out, state, step + 1, best)
            save_checkpoint(work, state, model, best, optimiser)
            note(_in_words(state, steps))
    if not best:
        clear_checkpoints(work)  # what it holds is no good to go on with
        raise OnbrandError(
            f"learning went astray: the held-out loss was never a number; choose a --rate below "
            f"{schedule.rate:g}"
        )
    model.load_state_dict(best)
    return Learnt(state, stopped_early=state.step < steps)


def _optimiser(model: BrandClassifier, schedule: Schedule) -> AdamW:
    return AdamW(
        [
            {"params": model.head.parameters(), "lr": schedule.head_rate, "weight_decay": 0.0},
            {"params": model.encoder.parameters(), "lr": schedule.rate},
        ]
    )


def _from(batches: Batches, schedule: Schedule, start: int) -> Iterator[tuple[int, Batch]]:
    """Yield the steps from ``start`` on, counted from 0 over all epochs, with their batches."""
    for epoch in range(start // len(batches), schedule.epochs):
        for index, batch in enumerate(batches.epoch(schedule.seed * 1000 + epoch)):
            step = epoch * len(batches) + index
            if step >= start:
                yield step, batch


def _check(
    model: BrandClassifier,
    held_out: Batches,
    state: TrainingState,
    step: int,
    best: dict[str, Tensor],
) -> tuple[TrainingState, dict[str, Tensor]]:
    """Return the state after a check, and the best weights so far."""
    loss = held_out_loss(model, held_out)
    told = round(loss, 5) if math.isfinite(loss) else None
    state = msgspec.structs.replace(state, step=step, losses=(*state.losses, (step, told)))
    least = math.inf if state.best_loss is None else state.best_loss
    if loss < least or not len(held_out):
        state = msgspec.structs.replace(
            state, best_step=step, best_loss=loss if math.isfinite(loss) else None
        )
        best = {name: value.detach().clone() for name, value in model.state_dict().items()}
    return state, best


def _in_words(state: TrainingState, steps: int) -> str:
    """Return what the last check has found."""
    loss = state.losses[-1][1]
    found = "no number" if loss is None else f"{loss:.3f}"
    best = ", the best so far" if state.best_step == state.step else ""
    return f"{state.step:,} of {steps:,} batches, held-out loss {found}{best}"


def held_out_loss(model: BrandClassifier, held_out: Batches) -> float:
    """Return the mean cross-entropy over lines not learnt from, in nats; infinite without any."""
    device = next(model.parameters()).device
    model.eval()
    total, count = 0.0, 0
    with torch.inference_mode():
        for chosen, batch in held_out.in_order():
            total += float(model.loss(move(batch, device))) * len(chosen)
            count += len(chosen)
    return total / count if count else float("inf")
