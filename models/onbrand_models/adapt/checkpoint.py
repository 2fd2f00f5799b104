"""Checkpoints: one safetensors file, replaced atomically, so that a kill leaves a whole one.

No pickle, unlike ``torch.save``: a checkpoint may lie on a share. The optimiser's state is stored
as tensors, the rest as JSON in the file's metadata.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from onbrand.errors import OnbrandError
from onbrand.files import replace_file

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

FILE = "checkpoint.safetensors"
_META = "onbrand"


class Progress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a run has come."""

    run: str
    """Names what is learnt, from what and how: a checkpoint of another run is not gone on with."""
    precision: str = ""
    """What the model computes in: a run goes on as it began."""
    step: int = 0
    """Batches learnt from."""
    best_step: int = 0
    best_loss: float = float("inf")
    """Held-out loss at that step, in nats."""
    losses: tuple[tuple[int, float], ...] = ()
    """Step and held-out loss of every check."""


def save_checkpoint(
    folder: Path,
    progress: Progress,
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
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in state.items()}
    tensors["random"] = torch.get_rng_state()
    # A copy each: tied weights share their memory, which the format does not store.
    whole = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    with replace_file(folder / FILE) as fresh:
        save_file(whole, fresh, {_META: msgspec.json.encode(progress).decode()})


def load_checkpoint(
    folder: Path, run: str, model: nn.Module, optimiser: Optimizer
) -> tuple[Progress, dict[str, torch.Tensor]] | None:
    """Take up a checkpoint of the same run, if there is one.

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
            progress = msgspec.json.decode((file.metadata() or {}).get(_META, ""), type=Progress)
            if progress.run != run:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        model.load_state_dict(_part(tensors, "model."))
        _load_optimiser(optimiser, _part(tensors, "optimiser."))
        torch.set_rng_state(tensors["random"])
    except (SafetensorError, msgspec.DecodeError, RuntimeError, KeyError, ValueError, OSError):
        raise OnbrandError(
            "is no checkpoint that can be gone on with; delete it to begin anew", path=path
        ) from None
    return progress, _part(tensors, "best.")


def clear_checkpoints(folder: Path) -> None:
    """Remove the checkpoint, and what a run that was killed while it wrote one has left."""
    for path in (folder / FILE, *folder.glob(f".{FILE}.*.tmp")):
        path.unlink(missing_ok=True)


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
