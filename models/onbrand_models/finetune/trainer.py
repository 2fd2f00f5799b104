"""The trainer: steps, held-out evaluations between them, early stopping and checkpoints.

The model learns to tell which brand published a line, from the last pooled layer. Voices read all
pooled layers, but a classifier that reads them all as well is content with what the lower ones know
from the start. Made to answer from the last one, the encoder carries that knowledge up and adds to
it. ``bench/objectives.py`` compares this and thirteen other ways.

A checkpoint is one safetensors file, replaced atomically, so that a kill leaves a whole one. It may
lie on a share, so no pickle is read: the optimiser's state is stored as tensors, the rest as JSON
in the file's metadata.

Not ``transformers.Trainer`` (4.57, tried) or sentence-transformers' on top of it: neither starts
without accelerate, and four files of a checkpoint are pickles (optimizer.pt, scheduler.pt,
rng_state.pth, training_args.bin), three of which it reads again when it resumes.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW

from onbrand.errors import OnbrandError, summarize, wrap_errors
from onbrand.files import replace_file
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand_models.finetune.corpus import Batch, Batches

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from transformers import PreTrainedModel


EVALS_PER_EPOCH = 3
"""Held-out checks per epoch."""
EARLY_STOPPING_PATIENCE = 3
"""Checks without a new best after which learning stops."""
WARMUP_RATIO = 0.1
"""Share of the steps over which the rate rises from nothing; it falls to nothing after that."""
MAX_GRAD_NORM = 1.0
"""Gradients are shortened to this norm."""


@dataclass(frozen=True, slots=True)
class TrainingArguments:
    """How to learn."""

    epochs: int = 3
    learning_rate: float = 1e-4
    """Of the encoder's weights."""
    head_learning_rate: float = 1e-3
    """Of the classifier, which starts from nothing."""
    seed: int = 0

    def rate_factor(self, step: int, steps: int) -> float:
        """Return what the rates are multiplied by at a step, counted from 0."""
        return min(1.0, (step + 1) / (WARMUP_RATIO * steps)) * (1 - step / steps)


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a run came to."""

    state: TrainingState
    stopped_early: bool


def train(
    model: BrandClassifier,
    batches: Batches,
    held_out: Batches,
    arguments: TrainingArguments,
    *,
    run: str,
    work: Path,
    progress: Progress = silent,
    note: Callable[[str], None] = lambda _: None,
    warn: Callable[[str], None] = lambda _: None,
) -> TrainResult:
    """Fit the classifier and its encoder, and leave the weights of the best check in ``model``.

    A killed run goes on at its last checkpoint: the order of the lines depends on the seed alone.

    Args:
        model: on the device on which to learn.
        batches: what to learn from.
        held_out: what to check on; without any, learning goes on to the end.
        arguments: rates and length.
        run: names what is learnt, for the checkpoints.
        work: folder for the checkpoints.
        progress: told the loss, and how many batches are done.
        note: told in a line what each check has found.
        warn: told of a checkpoint that is not gone on with.

    Raises:
        OnbrandError: the rate is so high that the weights are no numbers any more.
    """
    device = next(model.parameters()).device
    torch.manual_seed(arguments.seed)
    optimiser = _optimiser(model, arguments)
    rates = [group["lr"] for group in optimiser.param_groups]
    steps = len(batches) * arguments.epochs
    every = max(1, len(batches) // EVALS_PER_EPOCH)
    before = load_checkpoint(work, run, model, optimiser, warn)
    state, best = before or (TrainingState(run, precision(device)), {})
    for step, batch in _steps_from(batches, arguments, state.step):
        if step - state.best_step >= EARLY_STOPPING_PATIENCE * every:
            break
        factor = arguments.rate_factor(step, steps)
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        model.train()
        with autocast(device, state.precision):
            loss = model.loss(to_device(batch, device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.encoder.parameters(), MAX_GRAD_NORM)
        optimiser.step()
        optimiser.zero_grad()
        progress(ProgressEvent("loss", step + 1, steps, message=f"{loss.item():.2f}"))
        if (step + 1) % every == 0 or step + 1 == steps:
            state, best = _evaluate(model, held_out, state, step + 1, best)
            save_checkpoint(work, state, model, best, optimiser)
            note(_format_evaluation(state, steps))
    if not best:
        clear_checkpoints(work)  # what it holds is no good to go on with
        raise OnbrandError(
            f"learning went astray: the held-out loss was never a number; choose a --rate below "
            f"{arguments.learning_rate:g}"
        )
    model.load_state_dict(best)
    return TrainResult(state, stopped_early=state.step < steps)


def _optimiser(model: BrandClassifier, arguments: TrainingArguments) -> AdamW:
    return AdamW(
        [
            {
                "params": model.head.parameters(),
                "lr": arguments.head_learning_rate,
                "weight_decay": 0.0,
            },
            {"params": model.encoder.parameters(), "lr": arguments.learning_rate},
        ]
    )


def _steps_from(
    batches: Batches, arguments: TrainingArguments, start: int
) -> Iterator[tuple[int, Batch]]:
    """Yield the steps from ``start`` on, counted from 0 over all epochs, with their batches."""
    for epoch in range(start // len(batches), arguments.epochs):
        for index, batch in enumerate(batches.epoch(arguments.seed * 1000 + epoch)):
            step = epoch * len(batches) + index
            if step >= start:
                yield step, batch


def _evaluate(
    model: BrandClassifier,
    held_out: Batches,
    state: TrainingState,
    step: int,
    best: dict[str, Tensor],
) -> tuple[TrainingState, dict[str, Tensor]]:
    """Return the state after a check, and the best weights so far."""
    loss = held_out_loss(model, held_out)
    recorded = round(loss, 5) if math.isfinite(loss) else None
    state = msgspec.structs.replace(state, step=step, losses=(*state.losses, (step, recorded)))
    lowest = math.inf if state.best_loss is None else state.best_loss
    if loss < lowest or not len(held_out):
        state = msgspec.structs.replace(
            state, best_step=step, best_loss=loss if math.isfinite(loss) else None
        )
        best = {name: value.detach().clone() for name, value in model.state_dict().items()}
    return state, best


def _format_evaluation(state: TrainingState, steps: int) -> str:
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
            total += float(model.loss(to_device(batch, device))) * len(chosen)
            count += len(chosen)
    return total / count if count else float("inf")


LOGIT_SCALE = 10.0
"""Unit vectors are longer by this for the classifier, whose weights would have to grow instead."""


class BrandClassifier(nn.Module):  # type: ignore[misc]
    """The encoder with a linear layer that names the brand and is thrown away later."""

    def __init__(self, encoder: PreTrainedModel, layers: Sequence[int], brands: int) -> None:
        """Put a fresh linear layer on an encoder.

        Args:
            encoder: a transformer with a last layer of at least ``max(layers)``.
            layers: hidden states to pool; 0 is the embedding output.
            brands: how many to tell apart.
        """
        super().__init__()
        self.encoder = encoder
        self.layers = list(layers)
        self.head = nn.Linear(encoder.config.hidden_size, brands)

    def forward(self, batch: Batch) -> Tensor:
        """Return the logits of the brands, (lines, brands)."""
        result: Tensor = self.head(LOGIT_SCALE * self._pooled(batch, self.layers[-1:])[0])
        return result

    def vectors(self, batch: Batch) -> Tensor:
        """Return what the voices read, (lines, hidden · layers) in 32-bit floats."""
        return torch.cat(self._pooled(batch, self.layers), dim=-1)

    def _pooled(self, batch: Batch, layers: Sequence[int]) -> list[Tensor]:
        states = self.encoder(
            input_ids=batch.ids, attention_mask=batch.mask, output_hidden_states=True
        ).hidden_states
        mask = batch.mask.unsqueeze(-1).float()
        # Division by the number of tokens is undone by the normalisation.
        sums = [(states[layer].float() * mask).sum(dim=1) for layer in layers]
        return [functional.normalize(total, dim=-1) for total in sums]

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean cross-entropy of a batch, in nats."""
        return functional.cross_entropy(self(batch), batch.owners)


MIN_SPEEDUP = 1.2
"""16-bit floats must be faster by this to be used."""


def find_device(name: str = "auto") -> torch.device:
    """Return the device of that name; ``auto``: a GPU where there is one, else the CPU.

    Raises:
        OnbrandError: there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        float(torch.ones(1, device=device).sum())  # read back: "meta" computes without numbers
    except Exception as error:  # torch's errors for a missing device have no common base
        reason = summarize(error)[:120]
        raise OnbrandError(f"--device {name}: not usable here ({reason}); try cpu") from None
    return device


def precision(device: torch.device) -> str:
    """Return "bfloat16" where the device multiplies faster in it, else "float32".

    Asking what a chip supports is no help: many do bfloat16 in software, slower than float32.
    """
    seconds = {dtype: _time(device, dtype) for dtype in (torch.float32, torch.bfloat16)}
    faster = seconds[torch.float32] / seconds[torch.bfloat16] >= MIN_SPEEDUP
    return "bfloat16" if faster else "float32"


def _time(device: torch.device, dtype: torch.dtype, rounds: int = 5) -> float:
    left = torch.ones((512, 768), device=device, dtype=dtype)
    right = torch.ones((768, 768), device=device, dtype=dtype)
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        float((left @ right).sum())  # waits for a GPU too
        best = min(best, time.perf_counter() - start)
    return best


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Return the context in which the model computes so; its weights stay in 32-bit floats."""
    context: AbstractContextManager[object] = torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16"
    )
    return context


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Return a batch on the device."""
    return Batch(*(tensor.to(device) for tensor in batch))


FILE = "checkpoint.safetensors"
_META = "onbrand"
_SIZE = 4
"""Of a checkpoint, in models: the weights now and at their best, and two averages each."""


class _Run(msgspec.Struct, frozen=True):
    """What tells whose checkpoint it is, whatever else an older one holds."""

    run: str


class TrainingState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a run has come."""

    run: str
    """Names what is learnt, from what and how: a checkpoint of another run is not gone on with."""
    precision: str = ""
    """What the model computes in: a run goes on as it began."""
    step: int = 0
    """Batches learnt from."""
    best_step: int = 0
    best_loss: float | None = None
    """Held-out loss at that step, in nats; None as long as it was no number (JSON has none)."""
    losses: tuple[tuple[int, float | None], ...] = ()
    """Step and held-out loss of every check."""


def save_checkpoint(
    folder: Path,
    state: TrainingState,
    model: nn.Module,
    best: dict[str, torch.Tensor],
    optimiser: Optimizer,
) -> None:
    """Write all that is needed to go on as if nothing had happened.

    Raises:
        OnbrandError: it cannot be written.
    """
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in best.items()}
    for index, averages in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in averages.items()}
    tensors["random"] = torch.get_rng_state()
    # A copy each: tied weights share their memory, which the format does not store.
    whole = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    path = folder / FILE
    with wrap_errors("cannot be written", path), replace_file(path) as fresh:
        save_file(whole, fresh, {_META: msgspec.json.encode(state).decode()})


def check_room(folder: Path, model: nn.Module) -> None:
    """Make the folder for checkpoints, and check that they fit, before anything is learnt.

    Raises:
        OnbrandError: the folder cannot be made or written, or the disk is too full.
    """
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        old = path.stat().st_size if path.exists() else 0
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise OnbrandError(
            f"cannot be written ({error.strerror}); name another folder for checkpoints (--work)",
            path=folder,
        ) from None
    size = sum(value.numel() * value.element_size() for value in model.state_dict().values())
    # Two of them: one is there until the next is whole.
    if free + old < (need := 2 * _SIZE * size):
        raise OnbrandError(
            f"has {free / 1e6:,.0f} MB free, and checkpoints take {need / 1e6:,.0f} MB; "
            "make room, or name another folder for them (--work)",
            path=folder,
        )


def load_checkpoint(
    folder: Path,
    run: str,
    model: nn.Module,
    optimiser: Optimizer,
    warn: Callable[[str], None] = lambda _: None,
) -> tuple[TrainingState, dict[str, torch.Tensor]] | None:
    """Take up a checkpoint of the same run, if there is one.

    Args:
        folder: where it would be.
        run: what the checkpoint has to be of, see `TrainingState.run`.
        model: takes the weights.
        optimiser: takes its state.
        warn: told of a checkpoint of another run, which the next one will replace.

    Returns:
        How far it had come, and the best weights so far; None: start at the beginning.

    Raises:
        OnbrandError: the file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:
            metadata = (file.metadata() or {}).get(_META, "")
            if msgspec.json.decode(metadata, type=_Run).run != run:
                warn(
                    f"{path} is of another run (other copy, another base or other options): "
                    "beginning anew, which replaces it"
                )
                return None
            state = msgspec.json.decode(metadata, type=TrainingState)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        model.load_state_dict(_part(tensors, "model."))
        _load_optimiser(optimiser, _part(tensors, "optimiser."))
        torch.set_rng_state(tensors["random"])
    except (SafetensorError, msgspec.DecodeError, RuntimeError, KeyError, ValueError, OSError):
        raise OnbrandError(
            "is no checkpoint that can be gone on with; delete it to begin anew", path=path
        ) from None
    return state, _part(tensors, "best.")


def clear_checkpoints(folder: Path) -> None:
    """Remove the checkpoint, and what a run that was killed while it wrote one has left."""
    for path in (folder / FILE, *folder.glob(f".{FILE}.*.tmp")):
        path.unlink(missing_ok=True)


def remove_if_empty(folder: Path) -> None:
    """Remove a folder that nobody has put anything else into."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def _load_optimiser(optimiser: Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
