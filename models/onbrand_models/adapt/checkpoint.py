"""Checkpoints: one safetensors file, replaced atomically, so that a kill leaves a whole one.

No pickle, unlike ``torch.save``: a checkpoint may lie on a share. The optimiser's state is stored
as tensors, the rest as JSON in the file's metadata.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from onbrand.errors import OnbrandError, wrap_errors
from onbrand.files import replace_file

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

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
            told = (file.metadata() or {}).get(_META, "")
            if msgspec.json.decode(told, type=_Run).run != run:
                warn(
                    f"{path} is of another run (other copy, another base or other options): "
                    "beginning anew, which replaces it"
                )
                return None
            state = msgspec.json.decode(told, type=TrainingState)
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
