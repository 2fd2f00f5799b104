"""8-bit weights with a scale for each block of inputs, for activations that stay floats.

The kernel rounds the activations itself, each block of each token by its own range, so that a
sentence's vector does not depend on its batch.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from onbrand_models.quantise.dense import Dense, Floats, constant, dense_layers, replace

_BLOCK = 32
"""Inputs that share a scale, those of an activation too: few, so that outliers spoil little."""
_INT8_COMPUTE = 4
"""The accuracy level of ``MatMulNBits`` at which it multiplies in 8 bits."""
_ZERO = 128
"""What stands for 0 in the kernel's unsigned weights."""


def quantise_blockwise(model: onnx.ModelProto) -> None:
    """Put the weights of the dense layers of a fused graph into 8 bits; it is changed."""
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
