"""The dense layers of a graph, whichever way they are written: MatMul, MatMul and Add, or Gemm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Floats = NDArray[np.float32]


@dataclass
class Dense:
    """A product with constant weights, and the bias that is added to it."""

    nodes: list[onnx.NodeProto]
    """What computes it now."""
    input: str
    output: str
    weights: Floats
    """(inputs, outputs)"""
    bias: Floats | None
    """(outputs,)"""


def dense_layers(model: onnx.ModelProto) -> list[Dense]:
    """Return the dense layers of a graph in the order in which they run."""
    graph = model.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    readers = Counter(name for node in graph.node for name in node.input)
    readers.update(value.name for value in graph.output)
    adders = {name: node for node in graph.node if node.op_type == "Add" for name in node.input}
    found = []
    for node in graph.node:
        if node.op_type not in ("MatMul", "Gemm") or node.input[1] not in tensors:
            continue
        tensor = tensors[node.input[1]]
        if len(tensor.dims) != 2 or tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        weights = numpy_helper.to_array(tensor)
        if node.op_type == "Gemm":
            found += _from_gemm(node, weights, tensors)
            continue
        layer = Dense([node], node.input[0], node.output[0], weights, None)
        add = adders.get(layer.output)
        if add is not None and readers[layer.output] == 1:
            bias = next((n for n in add.input if n != layer.output), "")
            if bias in tensors and list(tensors[bias].dims) == [weights.shape[1]]:
                layer.nodes.append(add)
                layer.output, layer.bias = add.output[0], numpy_helper.to_array(tensors[bias])
        found.append(layer)
    return found


def _from_gemm(
    node: onnx.NodeProto, weights: Floats, tensors: dict[str, onnx.TensorProto]
) -> list[Dense]:
    settings = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    plain = settings.get("alpha", 1) == settings.get("beta", 1) == 1 and not settings.get("transA")
    if settings.get("transB"):
        weights = weights.T
    name = node.input[2] if len(node.input) > 2 else ""
    if not plain or (name and name not in tensors):
        return []
    bias = numpy_helper.to_array(tensors[name]) if name else None
    if bias is not None and bias.shape != (weights.shape[1],):
        return []
    return [Dense([node], node.input[0], node.output[0], weights, bias)]


def replace(graph: onnx.GraphProto, layer: Dense, nodes: Sequence[onnx.NodeProto]) -> None:
    """Let ``nodes`` compute a layer instead of those that did."""
    index = list(graph.node).index(layer.nodes[-1])
    for new in reversed(nodes):
        graph.node.insert(index, new)
    for old in layer.nodes:
        graph.node.remove(old)


def constant(graph: onnx.GraphProto, name: str, value: NDArray[np.generic]) -> str:
    """Add a constant to a graph and return its name."""
    graph.initializer.append(numpy_helper.from_array(value, name))
    return name
