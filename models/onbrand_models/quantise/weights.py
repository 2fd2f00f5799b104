"""Reading the weights of a fused graph, in floats or put into 8 bits by `quantise_static`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from onbrand_models.quantise.dense import Floats, dense_layers
from onbrand_models.quantise.embeddings import gather_axis

_PRODUCT = "MatMulIntegerToFloat"


def graph_weights(model: onnx.ModelProto) -> list[Floats | None]:
    """Return embedding tables, layer norms and dense layers, each in the order in which they run.

    A graph and its quantised form give lists of one length. Weights of dense layers are turned
    round, (outputs, inputs), as PyTorch has them; a bias that there is not is None.
    """
    graph = _Graph(model)
    dense = _rounded(graph) if graph.nodes(_PRODUCT) else _exact(model)
    return [*_tables(graph), *_norms(graph), *dense]


class _Graph:
    """A graph that can be walked."""

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
            # Of outlier channels, whose weights were scaled up in return.
            if divisor is not None and list(divisor.dims) == [len(weights)]:
                weights = weights * numpy_helper.to_array(divisor)[:, None]
        yield np.ascontiguousarray(weights.T)
        yield bias
