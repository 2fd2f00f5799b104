"""Keeps heavy libraries' output off the terminal, and checks that they are installed."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator

from onbrand.errors import missing_extra

_CACHE = "TORCHINDUCTOR_CACHE_DIR"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence warnings, and logs below the level of errors, in the block."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


@contextlib.contextmanager
def suppress_stderr() -> Iterator[None]:
    """Silence stderr in the block, on which libraries in Rust print their panics."""
    try:
        kept = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


@contextlib.contextmanager
def compiler_cache() -> Iterator[None]:
    """Give PyTorch's compiler a temporary folder in the block, unless the user has set one.

    Optimisers and the export of graphs create its folder even if nothing is compiled.
    """
    if _CACHE in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ[_CACHE] = folder
        try:
            yield
        finally:
            del os.environ[_CACHE]


EXPORT = ("torch", "transformers", "optimum.exporters.onnx", "onnx")


def require_extra(what: str, *modules: str) -> None:
    """Check that modules of the ``export`` extra are installed, without importing them (seconds).

    Args:
        what: the feature that is asked for, say "adapting an encoder".
        modules: the ones it needs; by default those that exporting a model needs.

    Raises:
        OnbrandError: one is missing; the message says how to install it.
    """
    for module in modules or EXPORT:
        try:
            found = importlib.util.find_spec(module)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise missing_extra(what, "export")
