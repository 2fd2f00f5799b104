"""The trainer: steps, held-out evaluations between them, early stopping and checkpoints.

The model is trained to predict which brand published a line, from the last pooled layer. Voices use
all pooled layers, but a classifier on all of them relies on what the lower ones encode from the
start; on the last layer alone, the encoder must carry that up and add to it.
``bench/objectives.py`` compares this with thirteen other ways.

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
"""Evaluations on held-out lines per epoch."""
EARLY_STOPPING_PATIENCE = 3
"""Evaluations without a new lowest loss after which training stops."""
WARMUP_RATIO = 0.1
"""Share of the steps in which the learning rate rises from 0; it falls to 0 after that."""
MAX_GRAD_NORM = 1.0
"""Gradients are clipped to this norm."""


@dataclass(frozen=True, slots=True)
class TrainingArguments:
    """Hyperparameters of the training."""

    epochs: int = 3
    learning_rate: float = 1e-4
    """For the encoder's weights."""
    head_learning_rate: float = 1e-3
    """For the classifier, whose weights start at random."""
    seed: int = 0

    def rate_factor(self, step: int, steps: int) -> float:
        """Return the factor of the learning rates at a step, counted from 0."""
        return min(1.0, (step + 1) / (WARMUP_RATIO * steps)) * (1 - step / steps)


@dataclass(frozen=True, slots=True)
class TrainResult:
    """Result of the training."""

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
    """Train the classifier with its encoder, and leave the weights of the lowest loss in ``model``.

    A killed run resumes at its last checkpoint: the order of the lines depends on the seed alone.

    Args:
        model: on the device to train on.
        batches: of the training lines.
        held_out: of the lines to evaluate on; if empty, all epochs are trained.
        arguments: learning rates and epochs.
        run: identifies the run in its checkpoints.
        work: folder for the checkpoints.
        progress: receives the loss, and how many batches are done.
        note: called with one line on each evaluation.
        warn: called with a message if the checkpoint is of another run.

    Raises:
        OnbrandError: the loss was never finite, as the learning rate is too high.
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
        clear_checkpoints(work)  # its weights are useless
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
    """Evaluate on held-out lines; return the new state and the best weights so far."""
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
    """Return the last evaluation in one line."""
    loss = state.losses[-1][1]
    found = "no number" if loss is None else f"{loss:.3f}"
    best = ", the best so far" if state.best_step == state.step else ""
    return f"{state.step:,} of {steps:,} batches, held-out loss {found}{best}"


def held_out_loss(model: BrandClassifier, held_out: Batches) -> float:
    """Return the mean cross-entropy over the held-out lines in nats; infinite if there are none."""
    device = next(model.parameters()).device
    model.eval()
    total, count = 0.0, 0
    with torch.inference_mode():
        for chosen, batch in held_out.in_order():
            total += float(model.loss(to_device(batch, device))) * len(chosen)
            count += len(chosen)
    return total / count if count else float("inf")


LOGIT_SCALE = 10.0
"""Factor of the unit vectors (1 / temperature), so that the classifier's weights stay small."""


class BrandClassifier(nn.Module):  # type: ignore[misc]
    """The encoder with a linear layer that predicts the brand, for training only."""

    def __init__(self, encoder: PreTrainedModel, layers: Sequence[int], brands: int) -> None:
        """Put a new linear layer on an encoder.

        Args:
            encoder: a transformer with a last layer of at least ``max(layers)``.
            layers: hidden states to pool; 0 is the embedding output.
            brands: number of classes.
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
        """Return the vectors that voices use: (lines, hidden · layers), 32-bit floats."""
        return torch.cat(self._pooled(batch, self.layers), dim=-1)

    def _pooled(self, batch: Batch, layers: Sequence[int]) -> list[Tensor]:
        states = self.encoder(
            input_ids=batch.ids, attention_mask=batch.mask, output_hidden_states=True
        ).hidden_states
        mask = batch.mask.unsqueeze(-1).float()
        # Not the mean: the normalisation undoes the division.
        sums = [(states[layer].float() * mask).sum(dim=1) for layer in layers]
        return [functional.normalize(total, dim=-1) for total in sums]

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean cross-entropy of a batch, in nats."""
        return functional.cross_entropy(self(batch), batch.owners)


MIN_SPEEDUP = 1.2
"""Factor by which 16-bit floats must be faster to be used."""


def find_device(name: str = "auto") -> torch.device:
    """Return the device of a name; ``auto`` is a GPU if there is one, else the CPU.

    Raises:
        OnbrandError: there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        float(torch.ones(1, device=device).sum())  # read back: the device "meta" has no values
    except Exception as error:  # torch's errors for a missing device have no common base
        reason = summarize(error)[:120]
        raise OnbrandError(f"--device {name}: not usable here ({reason}); try cpu") from None
    return device


def precision(device: torch.device) -> str:
    """Return "bfloat16" if the device multiplies faster in it, else "float32".

    It is measured, since many chips that support bfloat16 compute it in software, and slower.
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
    """Return a context in which the model computes in ``precision``; weights stay 32-bit floats."""
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
"""Size of a checkpoint in models: current and best weights, and the optimiser's two averages."""


class _Run(msgspec.Struct, frozen=True):
    """The part of the state that identifies the run, in checkpoints of every version."""

    run: str


class TrainingState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """State of a run."""

    run: str
    """Hash of base, corpus and options: a checkpoint of another run is not resumed."""
    precision: str = ""
    """Floats that the model computes in, the same after resuming."""
    step: int = 0
    """Batches trained on."""
    best_step: int = 0
    best_loss: float | None = None
    """Held-out loss at that step, in nats; None while it is not finite, which JSON cannot hold."""
    losses: tuple[tuple[int, float | None], ...] = ()
    """Step and held-out loss of every evaluation."""


def save_checkpoint(
    folder: Path,
    state: TrainingState,
    model: nn.Module,
    best: dict[str, torch.Tensor],
    optimiser: Optimizer,
) -> None:
    """Write everything that is needed to resume exactly.

    Raises:
        OnbrandError: it cannot be written.
    """
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in best.items()}
    for index, averages in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in averages.items()}
    tensors["random"] = torch.get_rng_state()
    # Copies, as tied weights share memory, which the format refuses.
    whole = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    path = folder / FILE
    with wrap_errors("cannot be written", path), replace_file(path) as fresh:
        save_file(whole, fresh, {_META: msgspec.json.encode(state).decode()})


def check_room(folder: Path, model: nn.Module) -> None:
    """Make the folder for checkpoints and check that the disk has room, before training.

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
    # Twice: the old one stays until the new one is complete.
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
    """Load the checkpoint of the same run, if there is one.

    Args:
        folder: of the checkpoint.
        run: see `TrainingState.run`.
        model: receives the weights.
        optimiser: receives its state.
        warn: called with a message if the checkpoint is of another run and will be replaced.

    Returns:
        The state and the best weights so far; None to start at the beginning.

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
    """Remove the checkpoint, and unfinished ones that killed runs have left."""
    for path in (folder / FILE, *folder.glob(f".{FILE}.*.tmp")):
        path.unlink(missing_ok=True)


def remove_if_empty(folder: Path) -> None:
    """Remove a folder if it is empty."""
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
