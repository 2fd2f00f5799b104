"""Saying which optional packages are missing, before any work is done."""

from __future__ import annotations

import importlib.util

from onbrand.errors import missing_extra

EXPORT = ("torch", "transformers", "optimum.exporters.onnx", "onnx")


def need_export(what: str) -> None:
    """Check that models can be exported here, without importing what takes seconds to import.

    Args:
        what: what is asked for, say "adapting an encoder".

    Raises:
        OnbrandError: a package is missing; the message says how to install it.
    """
    for module in EXPORT:
        try:
            found = importlib.util.find_spec(module)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise missing_extra(what, "export")
