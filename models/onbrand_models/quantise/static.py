"""Static quantisation: 8-bit weights, and 8-bit activations with ranges fixed by calibration.

Dynamic quantisation takes the range of the activations from the whole batch, so a sentence's
vector depends on its neighbours (cosine 0.997 to itself). Fixed ranges are narrow enough because
the few outlier channels of a transformer are first scaled down and their weights scaled up, as in
SmoothQuant (Xiao et al., 2023, arXiv:2211.10438). What rounding changes on average is then taken
out of the biases (Nagel et al., 2019, arXiv:1906.04721).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import helper
from tokenizers import Tokenizer

from onbrand.encoder.bundle import INPUTS
from onbrand.errors import OnbrandError, wrap_errors
from onbrand_models.quantise.weights import Dense, constant, dense_layers, replace
from onbrand_models.validation import calibration_sentences

Feeds = Sequence[dict[str, NDArray[np.int64]]]
"""Inputs of a graph, one sentence each."""

Floats = NDArray[np.float32]


def calibration_feeds(tokenizer: Tokenizer) -> Feeds:
    """Return the built-in sentences that recipes are calibrated on, as a graph's inputs.

    Args:
        tokenizer: of the model; cuts texts at the bundle's length and does not pad.
    """
    return [
        dict(zip(INPUTS, (np.array([e.ids]), np.array([e.attention_mask])), strict=True))
        for e in tokenizer.encode_batch(calibration_sentences())
    ]


def activations(
    model: onnx.ModelProto, names: Sequence[str], feeds: Feeds
) -> Iterator[dict[str, Floats]]:
    """Yield the named tensors for each of ``feeds``, each as (tokens, channels).

    One sentence at a time: those of a large model would not fit in memory together.

    Raises:
        OnbrandError: the model cannot be run on them, or its values are not finite.
    """
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    names = list(dict.fromkeys(names))
    known = {value.name for value in probe.graph.output}
    probe.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in known)
    options = ort.SessionOptions()
    options.log_severity_level = 4  # errors are raised: no need to log them too
    options.intra_op_num_threads = 1  # the same sums on every machine
    session = ort.InferenceSession(
        probe.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    for feed in feeds:
        with wrap_errors("the model cannot be run on the sentences that it is calibrated on"):
            values = session.run(names, feed)
        if not all(np.isfinite(value).all() for value in values):
            raise OnbrandError(
                "the model computes what are no finite numbers; its weights or its config.json "
                "are broken, take a sound copy"
            )
        yield {
            name: value.reshape(-1, value.shape[-1])
            for name, value in zip(names, values, strict=True)
        }


_TYPICAL_CHANNEL = 0.97
"""Quantile of the channels' ranges that outliers are scaled down to."""
_WORTH_SCALING = 2.5
"""Inputs whose widest channel is less than this times the typical one are not smoothed."""


def quantise_static(model: onnx.ModelProto, feeds: Feeds, *, fits_int16_pairs: bool) -> None:
    """Quantise the weights and inputs of the dense layers of ``model`` to 8 bits.

    Args:
        model: a fused graph; it is changed.
        feeds: inputs to calibrate on, one sentence each.
        fits_int16_pairs: see `column_scales`.
    """
    layers = dense_layers(model)
    names = list(dict.fromkeys(layer.input for layer in layers))
    params_by_name = _calibrate(model, names, feeds)
    means = _means(model, params_by_name, feeds)
    for name, params in params_by_name.items():
        readers = [layer for layer in layers if layer.input == name]
        nodes = _round_nodes(model.graph, name, params)
        for layer in readers:
            nodes.append(
                _product(model.graph, layer, params, means[name], fits_int16_pairs=fits_int16_pairs)
            )
            replace(model.graph, layer, nodes)
            nodes = []
    for node in model.graph.node:
        # The approximation is off by 5e-4 at most, a tenth of a step of 8 bits, and faster.
        if (node.op_type, node.domain) == ("Gelu", "com.microsoft"):
            node.op_type = "FastGelu"


@dataclass(frozen=True)
class QuantParams:
    """Parameters of a tensor in 8 bits: ``rint(value / smoothing_factor / scale) + zero``."""

    smoothing_factor: Floats
    """(channels,): above 1 for outliers."""
    scale: np.float32
    zero: int

    @classmethod
    def of_range(cls, low: Floats, high: Floats) -> QuantParams:
        """Fit the least (at most 0) and greatest (at least 0) value of each channel."""
        widest = np.maximum(high, -low)
        typical = np.quantile(widest, _TYPICAL_CHANNEL) or 1
        smoothing_factor = np.maximum(1, widest / typical).astype(np.float32)
        if smoothing_factor.max() < _WORTH_SCALING:
            smoothing_factor = np.ones_like(smoothing_factor)
        bottom, top = float((low / smoothing_factor).min()), float((high / smoothing_factor).max())
        scale = np.float32(max((top - bottom) / 255, 1e-9))
        return cls(smoothing_factor, scale, round(-bottom / float(scale)))

    def __call__(self, scaled: Floats) -> Floats:
        """Quantise and dequantise values that were divided by ``smoothing_factor``."""
        steps = np.clip(np.rint(scaled / self.scale) + self.zero, 0, 255)
        rounded: Floats = (steps - self.zero) * self.scale
        return rounded


def _calibrate(
    model: onnx.ModelProto, names: Sequence[str], feeds: Feeds
) -> dict[str, QuantParams]:
    low: dict[str, Floats] = {}
    high: dict[str, Floats] = {}
    for values in activations(model, names, feeds):
        for name, value in values.items():
            low[name] = np.minimum(low.get(name, np.float32(0)), value.min(axis=0))
            high[name] = np.maximum(high.get(name, np.float32(0)), value.max(axis=0))
    return {name: QuantParams.of_range(low[name], high[name]) for name in names}


def _means(
    model: onnx.ModelProto, params_by_name: dict[str, QuantParams], feeds: Feeds
) -> dict[str, Floats]:
    """Return the means of scaled channels before and after rounding: (2, channels) each."""
    sums = {name: np.zeros((2, len(r.smoothing_factor))) for name, r in params_by_name.items()}
    tokens = 0
    for values in activations(model, list(params_by_name), feeds):
        for name, value in values.items():
            scaled = value / params_by_name[name].smoothing_factor
            sums[name] += [scaled.sum(axis=0), params_by_name[name](scaled).sum(axis=0)]
        tokens += len(value)
    return {name: (total / tokens).astype(np.float32) for name, total in sums.items()}


def _round_nodes(graph: onnx.GraphProto, name: str, params: QuantParams) -> list[onnx.NodeProto]:
    nodes, source = [], name
    if params.smoothing_factor.max() > 1:
        source = f"{name}.smoothed"
        divisor = constant(graph, f"{name}.smoothing_factor", 1 / params.smoothing_factor)
        nodes.append(helper.make_node("Mul", [name, divisor], [source]))
    scale = constant(graph, f"{name}.scale", np.array(params.scale))
    zero = constant(graph, f"{name}.zero", np.array(params.zero, np.uint8))
    nodes.append(helper.make_node("QuantizeLinear", [source, scale, zero], [f"{name}.uint8"]))
    return nodes


def _product(
    graph: onnx.GraphProto,
    layer: Dense,
    params: QuantParams,
    means: Floats,
    *,
    fits_int16_pairs: bool,
) -> onnx.NodeProto:
    weights = layer.weights * params.smoothing_factor[:, None]
    scales = column_scales(weights, fits_int16_pairs=fits_int16_pairs)
    steps = np.rint(weights / scales).astype(np.int8)
    exact, rounded = means
    bias = exact @ weights - rounded @ (steps * scales)
    if layer.bias is not None:
        bias = bias + layer.bias
    name, source = layer.output, layer.input
    return helper.make_node(
        "MatMulIntegerToFloat",
        [
            f"{source}.uint8",
            constant(graph, f"{name}.int8", steps),
            f"{source}.scale",
            constant(graph, f"{name}.scales", scales),
            f"{source}.zero",
            "",
            constant(graph, f"{name}.bias", bias.astype(np.float32)),
        ],
        [name],
        domain="com.microsoft",
    )


def column_scales(weights: Floats, *, fits_int16_pairs: bool) -> Floats:
    """Return the scale of each column of ``weights``, the size of a step in 8 bits: (outputs,).

    x86-64 chips without VNNI multiply the weights of two neighbouring inputs and add the products
    in 16 bits, where too large a sum is cut. Only a few pairs come near that; measuring a column
    by its largest pair leaves it nearly all of its bits, and every chip gives the same answer.

    Args:
        weights: (inputs, outputs)
        fits_int16_pairs: whether two products with activations of up to 255 must fit in 16 bits.
    """
    largest = np.abs(weights).max(axis=0)
    if fits_int16_pairs:
        inputs, outputs = weights.shape
        pairs = np.zeros(((inputs + 1) // 2, 2, outputs), np.float32)
        pairs.reshape(-1, outputs)[:inputs] = weights
        largest = np.maximum(largest, np.abs(pairs.sum(axis=1)).max(axis=0))
    # Rounding adds half a step to each of a pair: 255 * (127 + 1) < 2**15.
    scales: Floats = np.maximum(largest / 127, 1e-12).astype(np.float32)
    return scales
