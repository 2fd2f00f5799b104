"""8-bit weights and activations that give a sentence the same vector in every batch.

Dynamic quantisation takes the range of the activations from the whole batch, so a sentence's
vector depends on its neighbours (cosine 0.997 to itself). Here the ranges are fixed when the
bundle is made; they are narrow enough because the few outlier channels of a transformer are first
scaled down and their weights scaled up, as in SmoothQuant (Xiao et al., 2023, arXiv:2211.10438).
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from onbrand.errors import OnbrandError
from onbrand_models.graph import quiet

RECIPE = (
    "weights int8 per channel, reduced range; activations uint8 per tensor, calibrated, outlier "
    "channels equalised; embeddings int8 per row"
)

Feeds = Sequence[dict[str, NDArray[np.int64]]]

_TYPICAL_CHANNEL = 0.9
"""Quantile of the channels' ranges that outliers are scaled down to."""
_WORTH_SCALING = 2.0
"""Inputs whose widest channel is less than this times the typical one are left alone."""
_VOCABULARY = 4096
"""Tables with at least so many rows are stored in 8 bits."""


def quantise(model: onnx.ModelProto, feeds: Feeds) -> onnx.ModelProto:
    """Return the quantised form of an ONNX model.

    The weights use 7 of their 8 bits: products with 8-bit activations then cannot overflow the
    16-bit sums of CPUs without VNNI, so the bundle gives the same answer on every CPU.

    Args:
        model: an ONNX model in 32-bit floats; it is changed.
        feeds: inputs to calibrate on, one sentence each.
    """
    dense = _dense_nodes(model)
    if not dense:
        raise OnbrandError("the exported graph has no dense layers to quantise")
    _equalise(model, dense, feeds)
    _quantise_embeddings(model)
    return _fuse(_quantise_dense(model, [node.name for node in dense], feeds))


def _dense_nodes(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    weights = {tensor.name for tensor in model.graph.initializer}
    return [n for n in model.graph.node if n.op_type == "MatMul" and n.input[1] in weights]


def _equalise(model: onnx.ModelProto, dense: Sequence[onnx.NodeProto], feeds: Feeds) -> None:
    """Divide outlier channels of dense layers' inputs by what their weights are multiplied by."""
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    for name, widest in _channel_ranges(model, [node.input[0] for node in dense], feeds).items():
        factor = np.maximum(1, widest / np.quantile(widest, _TYPICAL_CHANNEL)).astype(np.float32)
        if factor.max() < _WORTH_SCALING:
            continue
        readers = [node for node in dense if node.input[0] == name]
        for node in readers:
            tensor = weights[node.input[1]]
            scaled = numpy_helper.to_array(tensor) * factor[:, None]
            tensor.CopyFrom(numpy_helper.from_array(scaled, tensor.name))
            node.input[0] = f"{name}.equalised"
        graph.initializer.append(numpy_helper.from_array(1 / factor, f"{name}.factor"))
        scale = helper.make_node("Mul", [name, f"{name}.factor"], [f"{name}.equalised"])
        graph.node.insert(list(graph.node).index(readers[0]), scale)


def _channel_ranges(
    model: onnx.ModelProto, names: Sequence[str], feeds: Feeds
) -> dict[str, NDArray[np.float32]]:
    """Return the largest magnitude of each channel of the named tensors over all ``feeds``."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    names = list(dict.fromkeys(names))
    known = {value.name for value in probe.graph.output}
    probe.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in known)
    session = ort.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    ranges: dict[str, NDArray[np.float32]] = {}
    for feed in feeds:
        for name, value in zip(names, session.run(names, feed), strict=True):
            widest = np.abs(value).reshape(-1, value.shape[-1]).max(axis=0)
            ranges[name] = np.maximum(ranges.get(name, widest), widest)
    return ranges


def _quantise_embeddings(model: onnx.ModelProto) -> None:
    """Store the word embeddings in 8 bits with a scale for each word."""
    graph = model.graph
    tables = {tensor.name: tensor for tensor in graph.initializer}
    for node in [n for n in graph.node if n.op_type == "Gather" and n.input[0] in tables]:
        tensor = tables[node.input[0]]
        if len(tensor.dims) != 2 or tensor.dims[0] < _VOCABULARY:
            continue
        table, (name, ids), output = numpy_helper.to_array(tensor), node.input, node.output[0]
        scales = np.maximum(np.abs(table).max(axis=1, keepdims=True) / 127, np.float32(1e-12))
        graph.initializer.remove(tensor)
        graph.initializer.append(
            numpy_helper.from_array(np.rint(table / scales).astype(np.int8), f"{name}.int8")
        )
        graph.initializer.append(numpy_helper.from_array(scales, f"{name}.scale"))
        index = list(graph.node).index(node)
        graph.node.remove(node)
        for new in reversed(
            [
                helper.make_node("Gather", [f"{name}.int8", ids], [f"{output}.int8"]),
                helper.make_node(
                    "Cast", [f"{output}.int8"], [f"{output}.cast"], to=TensorProto.FLOAT
                ),
                helper.make_node("Gather", [f"{name}.scale", ids], [f"{output}.scale"]),
                helper.make_node("Mul", [f"{output}.cast", f"{output}.scale"], [output]),
            ]
        ):
            graph.node.insert(index, new)


def _quantise_dense(model: onnx.ModelProto, names: Sequence[str], feeds: Feeds) -> onnx.ModelProto:
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._feeds: Iterator[dict[str, NDArray[np.int64]]] = iter(feeds)

        def get_next(self) -> dict[str, NDArray[np.int64]] | None:
            return next(self._feeds, None)

    with tempfile.TemporaryDirectory() as folder, quiet():
        path = Path(folder) / "model.onnx"
        quantize_static(
            model,
            path,
            Reader(),
            quant_format=QuantFormat.QDQ,
            nodes_to_quantize=list(names),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # What follows a dense layer (bias, softmax, GELU, residual) wants its floats.
            extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul"]},
        )
        return onnx.load(path)


def _fuse(model: onnx.ModelProto) -> onnx.ModelProto:
    """Let onnxruntime fuse the graph once and for all: loading it then takes half the time.

    The "extended" level is the highest whose result runs on every CPU. The fused skip connection
    is left out because its kernel takes several times as long as the two operators it replaces.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fused.onnx"
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(path)
        options.log_severity_level = 3
        ort.InferenceSession(
            model.SerializeToString(),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=["SkipLayerNormFusion"],
        )
        fused = onnx.load(path)
    _absorb_biases(fused.graph)
    used = {node.domain for node in fused.graph.node}
    for opset in [opset for opset in fused.opset_import if opset.domain not in used]:
        fused.opset_import.remove(opset)
    return fused


def _absorb_biases(graph: onnx.GraphProto) -> None:
    """Let the quantised products add their own bias, which saves a pass over each result.

    GELU fused with a bias is split again: its kernel takes longer than the plain one.
    """
    biases = {tensor.name for tensor in graph.initializer if len(tensor.dims) == 1}
    makers = {node.output[0]: node for node in graph.node if node.op_type == "MatMulIntegerToFloat"}
    readers = Counter(name for node in graph.node for name in node.input)
    for node in list(graph.node):
        if node.op_type not in ("Add", "BiasGelu"):
            continue
        product, bias = sorted(node.input, key=lambda name: name in biases)
        if bias not in biases or product not in makers or readers[product] > 1:
            continue
        makers[product].input.append(bias)
        if node.op_type == "BiasGelu":
            node.op_type = "Gelu"
            node.input[:] = [product]
        else:
            makers[product].output[0] = node.output[0]
            graph.node.remove(node)
