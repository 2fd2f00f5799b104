"""Making a graph smaller and faster for the machines that it is meant for."""

from __future__ import annotations

import onnx

from onbrand_models.quantise.calibration import Feeds, calibration_feeds
from onbrand_models.quantise.fuse import fuse, tidy
from onbrand_models.quantise.recipes import RECIPES
from onbrand_models.quantise.weights import graph_weights
from onbrand_models.targets import Target

__all__ = ["Feeds", "calibration_feeds", "describe", "fuse", "graph_weights", "quantise"]


def quantise(
    model: onnx.ModelProto, feeds: Feeds, target: Target = Target.PORTABLE
) -> onnx.ModelProto:
    """Return the form of an ONNX model that runs best on ``target``.

    A sentence's vector does not depend on the other sentences of its batch, whatever the target.

    Args:
        model: an ONNX model in 32-bit floats; it is changed.
        feeds: inputs to calibrate on, one sentence each.
        target: the machines; `Target.FLOAT32` leaves the floats as they are.

    Raises:
        OnbrandError: the graph has nothing that could be quantised.
    """
    model = fuse(model)
    RECIPES[target].apply(model, feeds)
    tidy(model)
    return model


def describe(target: Target) -> str:
    """Return what `quantise` does for ``target``, for people: one line."""
    return RECIPES[target].description
