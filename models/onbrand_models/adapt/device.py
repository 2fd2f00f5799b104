"""Where to learn, and in which precision."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager

import torch

from onbrand.errors import OnbrandError, summarize
from onbrand_models.adapt.batches import Batch

_WORTH = 1.2
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
    faster = seconds[torch.float32] / seconds[torch.bfloat16] >= _WORTH
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


def move(batch: Batch, device: torch.device) -> Batch:
    """Return a batch on the device."""
    return Batch(*(tensor.to(device) for tensor in batch))
