"""Embedding tables in 8 bits with a scale for each row."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from onbrand_models.quantise.dense import constant

_LARGE = 2**16
"""Tables with at least so many values are stored in 8 bits: words, and positions."""


def quantise_embeddings(model: onnx.ModelProto) -> bool:
    """Store the large embedding tables of ``model`` in 8 bits; tell whether it has any."""
    graph = model.graph
    tables = {
        tensor.name: tensor
        for tensor in graph.initializer
        if tensor.data_type == TensorProto.FLOAT
        and len(tensor.dims) == 2
        and np.prod(tensor.dims) >= _LARGE
    }
    lookups = [
        node
        for node in graph.node
        if node.op_type == "Gather" and node.input[0] in tables and gather_axis(node) == 0
    ]
    for name in dict.fromkeys(node.input[0] for node in lookups):
        table = numpy_helper.to_array(tables[name])
        scales = np.maximum(np.abs(table).max(axis=1, keepdims=True) / 127, np.float32(1e-12))
        constant(graph, f"{name}.int8", np.rint(table / scales).astype(np.int8))
        constant(graph, f"{name}.scale", scales)
    for node in lookups:
        _replace(graph, node)
    return bool(lookups)


def gather_axis(node: onnx.NodeProto) -> int:
    """Return the axis that a Gather looks things up along."""
    return next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)


def _replace(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
    (name, ids), output = node.input, node.output[0]
    index = list(graph.node).index(node)
    graph.node.remove(node)
    for new in reversed(
        [
            helper.make_node("Gather", [f"{name}.int8", ids], [f"{output}.int8"]),
            helper.make_node("Cast", [f"{output}.int8"], [f"{output}.cast"], to=TensorProto.FLOAT),
            helper.make_node("Gather", [f"{name}.scale", ids], [f"{output}.scale"]),
            helper.make_node("Mul", [f"{output}.cast", f"{output}.scale"], [output]),
        ]
    ):
        graph.node.insert(index, new)
