"""Finds the weights of a graph and quantises them: dense layers in blocks, embeddings by row.

Block-wise weights have a scale for each block of inputs, for activations that stay floats. The
kernel rounds the activations itself, each block of each token by its own range, so that a
sentence's vector does not depend on its batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_PRODUCT = "MatMulIntegerToFloat"


def graph_weights(model: onnx.ModelProto) -> list[Floats | None]:
    """Return embedding tables, layer norms and dense layers, each in the order in which they run.

    A graph and its quantised form give lists of the same length. Weights of dense layers are
    transposed to (outputs, inputs), as in PyTorch; a missing bias is None.
    """
    graph = _Graph(model)
    dense = _rounded(graph) if graph.nodes(_PRODUCT) else _exact(model)
    return [*_tables(graph), *_norms(graph), *dense]


class _Graph:
    """Look-ups in a graph: constants by name, and the nodes that make or read a value."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._graph = model.graph
        self.constants = {tensor.name: tensor for tensor in model.graph.initializer}
        self.maker = {name: node for node in model.graph.node for name in node.output}
        self.reader = {name: node for node in model.graph.node for name in node.input}

    def nodes(self, kind: str) -> list[onnx.NodeProto]:
        return [node for node in self._graph.node if node.op_type == kind]

    def array(self, name: str) -> Floats:
        values: Floats = numpy_helper.to_array(self.constants[name])
        return values


def _tables(graph: _Graph) -> Iterator[Floats]:
    scales: set[str] = set()
    for node in graph.nodes("Gather"):
        table = graph.constants.get(node.input[0])
        if table is None or len(table.dims) != 2 or gather_axis(node) != 0:
            continue
        if table.data_type == TensorProto.INT8:
            cast = graph.reader[node.output[0]]
            (rows,) = set(graph.reader[cast.output[0]].input) - set(cast.output)
            scale = graph.maker[rows].input[0]
            scales.add(scale)
            yield numpy_helper.to_array(table) * graph.array(scale)
        elif table.data_type == TensorProto.FLOAT and table.name not in scales:
            yield numpy_helper.to_array(table)


def _norms(graph: _Graph) -> Iterator[Floats | None]:
    for node in graph.nodes("LayerNormalization"):
        yield graph.array(node.input[1])
        yield graph.array(node.input[2]) if len(node.input) > 2 else None


def _exact(model: onnx.ModelProto) -> Iterator[Floats | None]:
    for layer in dense_layers(model):
        yield np.ascontiguousarray(layer.weights.T)
        yield layer.bias


def _rounded(graph: _Graph) -> Iterator[Floats]:
    for node in graph.nodes(_PRODUCT):
        steps, scales, bias = (graph.array(node.input[i]) for i in (1, 3, 6))
        weights = steps * scales
        scaled = graph.maker.get(graph.maker[node.input[0]].input[0])
        if scaled is not None and scaled.op_type == "Mul":
            divisor = graph.constants.get(scaled.input[1])
            # The smoothing of outlier channels, whose weights were scaled up in return.
            if divisor is not None and list(divisor.dims) == [len(weights)]:
                weights = weights * numpy_helper.to_array(divisor)[:, None]
        yield np.ascontiguousarray(weights.T)
        yield bias


_BLOCK = 32
"""Inputs that share a scale, in weights and activations: few, so that an outlier affects few."""
_INT8_COMPUTE = 4
"""The accuracy level of ``MatMulNBits`` at which it multiplies in 8 bits."""
_ZERO = 128
"""The value for 0 in the kernel's unsigned weights."""


def quantise_blockwise(model: onnx.ModelProto) -> None:
    """Quantise the weights of a fused graph's dense layers to 8 bits in blocks; it is changed."""
    for layer in dense_layers(model):
        replace(model.graph, layer, [_product(model.graph, layer)])


def _product(graph: onnx.GraphProto, layer: Dense) -> onnx.NodeProto:
    steps, scales = round_blocks(layer.weights, _BLOCK)
    name = layer.output
    inputs = [
        layer.input,
        constant(graph, f"{name}.uint8", steps),
        constant(graph, f"{name}.scales", scales.ravel()),
    ]
    if layer.bias is not None:
        inputs += ["", "", constant(graph, f"{name}.bias", layer.bias)]
    return helper.make_node(
        "MatMulNBits",
        inputs,
        [name],
        domain="com.microsoft",
        K=layer.weights.shape[0],
        N=layer.weights.shape[1],
        bits=8,
        block_size=_BLOCK,
        accuracy_level=_INT8_COMPUTE,
    )


def round_blocks(weights: Floats, block: int) -> tuple[NDArray[np.uint8], Floats]:
    """Return 8-bit weights (outputs, blocks, block) and their scales (outputs, blocks).

    Args:
        weights: (inputs, outputs)
        block: inputs in a block; the last is filled up with zeros.
    """
    inputs, outputs = weights.shape
    blocks = -(-inputs // block)
    padded = np.zeros((outputs, blocks * block), np.float32)
    padded[:, :inputs] = weights.T
    padded = padded.reshape(outputs, blocks, block)
    scales = np.maximum(np.abs(padded).max(axis=2) / 127, 1e-12).astype(np.float32)
    steps = (np.rint(padded / scales[..., None]) + _ZERO).astype(np.uint8)
    return steps, scales


Floats = NDArray[np.float32]


@dataclass
class Dense:
    """A product with constant weights, and the bias that is added to it."""

    nodes: list[onnx.NodeProto]
    """The nodes that compute it now."""
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
    """Replace the nodes of a layer by ``nodes``."""
    index = list(graph.node).index(layer.nodes[-1])
    for new in reversed(nodes):
        graph.node.insert(index, new)
    for old in layer.nodes:
        graph.node.remove(old)


def constant(graph: onnx.GraphProto, name: str, value: NDArray[np.generic]) -> str:
    """Add a constant to a graph and return its name."""
    graph.initializer.append(numpy_helper.from_array(value, name))
    return name


_LARGE = 2**16
"""Values of a table that is worth quantising, at least: words and positions have more."""


def quantise_embeddings(model: onnx.ModelProto) -> bool:
    """Quantise the large embedding tables of ``model`` to 8 bits; return whether it has any."""
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
    """Return the axis of a Gather node."""
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
