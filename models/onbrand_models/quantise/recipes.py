"""Quantisation recipes, one for each target; bench/recipes.py measures them all in one run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import onnx
import onnxruntime as ort

from onbrand.errors import OnbrandError
from onbrand_models.quantise import Target
from onbrand_models.quantise.static import Feeds, quantise_static
from onbrand_models.quantise.weights import dense_layers, quantise_blockwise, quantise_embeddings

DISABLED_OPTIMIZERS = ["SkipLayerNormFusion", "BiasGeluFusion"]
"""Fusions whose kernels are slower than the plain operators and hide dense layers' biases."""


def fuse(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph with constants folded, layer norms, GELUs and scaled products fused.

    The "extended" level is the highest whose result runs on every CPU.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fused.onnx"
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(path)
        options.log_severity_level = 4  # errors are raised: no need to log them too
        ort.InferenceSession(
            model.SerializeToString(),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=DISABLED_OPTIMIZERS,
        )
        return onnx.load(path)


def remove_unused(model: onnx.ModelProto) -> None:
    """Remove unused initialisers and opsets, and shorten the names of values inside the graph.

    Exporters' names are as long as paths and are repeated at each use: 70 kB in all.
    """
    graph = model.graph
    outside = {value.name for value in (*graph.input, *graph.output)}
    used = {name for node in graph.node for name in node.input} | outside
    for tensor in [t for t in graph.initializer if t.name not in used]:
        graph.initializer.remove(tensor)
    del graph.value_info[:]
    short = {name: name for name in (*outside, "")}
    for tensor in graph.initializer:
        tensor.name = short.setdefault(tensor.name, f"c{len(short)}")
    for node in graph.node:
        node.ClearField("name")
        node.ClearField("doc_string")
        for names in (node.input, node.output):
            names[:] = [short.setdefault(name, f"v{len(short)}") for name in names]
    domains = {node.domain for node in graph.node}
    for opset in [opset for opset in model.opset_import if opset.domain not in domains]:
        model.opset_import.remove(opset)
    for domain in domains - {opset.domain for opset in model.opset_import}:
        model.opset_import.append(onnx.helper.make_opsetid(domain, 1))


@dataclass(frozen=True)
class Recipe:
    """A quantisation recipe: how manifests describe it, and how it quantises dense layers."""

    description: str
    quantise_dense: Callable[[onnx.ModelProto, Feeds], None] | None
    """Changes the graph; None for a recipe that leaves the embeddings in floats too."""


_STATIC = (
    "weights int8 per channel{}; activations uint8 per tensor, calibrated, outlier channels "
    "equalised, biases corrected; embeddings int8 per row"
)
_PORTABLE = Recipe(
    _STATIC.format(", pairs within 16-bit sums"), partial(quantise_static, fits_int16_pairs=True)
)
_DOT_PRODUCT = Recipe(_STATIC.format(""), partial(quantise_static, fits_int16_pairs=False))

RECIPES = {
    Target.PORTABLE: _PORTABLE,
    # The kernels of AVX2 are those whose 16-bit sums the pairs must fit.
    Target.AVX2: _PORTABLE,
    Target.AVX512_VNNI: _DOT_PRODUCT,
    Target.ARM64: _DOT_PRODUCT,
    Target.ACCURATE: Recipe(
        "weights uint8 in blocks; activations in floats that the kernel rounds to int8 in blocks; "
        "embeddings int8 per row",
        lambda model, _: quantise_blockwise(model),
    ),
    Target.FLOAT32: Recipe("none: 32-bit floats", None),
}


def quantise(
    model: onnx.ModelProto, feeds: Feeds, target: Target = Target.PORTABLE
) -> onnx.ModelProto:
    """Return an ONNX model, quantised by the recipe for ``target``.

    A sentence's vector does not depend on the other sentences of its batch, whatever the target.

    Args:
        model: an ONNX model in 32-bit floats; it is changed.
        feeds: inputs to calibrate on, one sentence each.
        target: names the recipe; `Target.FLOAT32` quantises nothing.

    Raises:
        OnbrandError: the graph has neither dense layers nor embeddings to quantise.
    """
    model = fuse(model)
    if quantise_dense := RECIPES[target].quantise_dense:
        dense = bool(dense_layers(model))
        if dense:  # first, as it is calibrated on embeddings in floats
            quantise_dense(model, feeds)
        if not quantise_embeddings(model) and not dense:
            raise OnbrandError("the exported graph has no dense layers and no tables to quantise")
    remove_unused(model)
    return model


def describe(target: Target) -> str:
    """Return the description of the recipe for ``target``, one line."""
    return RECIPES[target].description
