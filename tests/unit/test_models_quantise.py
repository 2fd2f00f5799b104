"""The parts of quantisation that can be checked by hand: dense layers, pairs, blocks, tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.heavy("onnx")


Generator = np.random.Generator


def graph(nodes: list[Any], constants: dict[str, Any], shape: list[Any]) -> Any:
    """A graph from ``x`` to ``y``."""
    from onnx import TensorProto, helper, numpy_helper

    return helper.make_model(
        helper.make_graph(
            nodes,
            "small",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(value, name) for name, value in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,
    )


def run(model: Any, x: Any) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(["y"], {"x": x})[0]


def dense(rng: Generator, kind: str, inputs: int = 96, outputs: int = 40) -> Any:
    """One dense layer, written in one of the ways in which exporters write it."""
    from onnx import helper

    weights = rng.normal(size=(inputs, outputs)).astype(np.float32)
    bias = rng.normal(size=outputs).astype(np.float32)
    node = helper.make_node
    if kind == "gemm":
        nodes = [node("Gemm", ["x", "w", "b"], ["y"])]
    elif kind == "gemm, transposed, no bias":
        weights, nodes = weights.T.copy(), [node("Gemm", ["x", "w"], ["y"], transB=1)]
    elif kind == "product":
        nodes = [node("MatMul", ["x", "w"], ["y"])]
    else:
        nodes = [node("MatMul", ["x", "w"], ["p"]), node("Add", ["b", "p"], ["y"])]
    constants = {"w": weights} | ({"b": bias} if "b" in [n for m in nodes for n in m.input] else {})
    shape = ["tokens", inputs] if "gemm" in kind else ["batch", "tokens", inputs]
    return graph(nodes, constants, shape)


def pairs_saturate() -> bool:
    """Whether this CPU adds pairs of 8-bit products in 16 bits, as those without VNNI do."""
    from onnx import TensorProto, helper, numpy_helper

    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("MatMulInteger", ["x", "w"], ["y"])],
            "pairs",
            [helper.make_tensor_value_info("x", TensorProto.UINT8, [8, 64])],
            [helper.make_tensor_value_info("y", TensorProto.INT32, [8, 64])],
            [numpy_helper.from_array(np.full((64, 64), 127, np.int8), "w")],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,
    )
    return bool((run(model, np.full((8, 64), 255, np.uint8)) != 64 * 127 * 255).any())


WRITTEN = ["gemm", "gemm, transposed, no bias", "product", "product and bias"]


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("target", ["portable", "avx512_vnni", "accurate"])
def test_a_dense_layer_is_quantised_however_it_is_written(
    rng: Generator, written: str, target: str
) -> None:
    from onbrand_models.quantise import Target
    from onbrand_models.quantise.recipes import quantise

    model = dense(rng, written)
    x = rng.normal(size=(50, 96) if "gemm" in written else (1, 50, 96)).astype(np.float32)
    expected = run(model, x)
    quantised = quantise(model, [{"x": x}], Target(target))
    kinds = {node.op_type for node in quantised.graph.node}
    assert kinds & {"MatMulIntegerToFloat", "MatMulNBits"}
    assert not kinds & {"MatMul", "Gemm", "Add"}
    error = np.abs(run(quantised, x) - expected).mean() / np.abs(expected).mean()
    # What is made for another CPU runs here too, but sums of two products may not fit into 16 bits.
    assert error < (0.05 if target == "avx512_vnni" and pairs_saturate() else 0.02)


@pytest.mark.parametrize("inputs", [32, 33])
def test_no_pair_of_products_leaves_16_bits(rng: Generator, inputs: int) -> None:
    from onbrand_models.quantise.static import column_scales

    weights = rng.normal(size=(inputs, 20)).astype(np.float32)
    weights[4:6] = 3  # two neighbours that would not fit with all of their bits
    worst = {}
    for fits_int16_pairs in (True, False):
        steps = np.rint(weights / column_scales(weights, fits_int16_pairs=fits_int16_pairs)).astype(
            int
        )
        padded = np.zeros((inputs + inputs % 2, 20), int)
        padded[:inputs] = steps
        worst[fits_int16_pairs] = np.abs(255 * padded.reshape(-1, 2, 20).sum(axis=1)).max()
        assert np.abs(steps).max() <= 127
    assert worst[True] < 2**15 <= worst[False]


def test_the_mean_error_is_taken_out_of_the_bias(rng: Generator) -> None:
    from onbrand_models.quantise.recipes import quantise

    model = dense(rng, "product and bias")
    # Far from the middle of a step, so that rounding shifts the result.
    x = np.concatenate([np.full((1, 200, 96), 0.3), rng.normal(size=(1, 8, 96))], axis=1)
    x = x.astype(np.float32)
    expected = run(model, x)
    shift = (run(quantise(model, [{"x": x}]), x) - expected).mean(axis=(0, 1))
    assert np.abs(shift).max() < 1e-4


def test_blocks_keep_what_one_scale_would_lose(rng: Generator) -> None:
    from onbrand_models.quantise.weights import round_blocks

    weights = rng.normal(size=(70, 3)).astype(np.float32)
    weights[:32] *= 1000
    steps, scales = round_blocks(weights, 32)
    assert (steps.shape, steps.dtype, scales.shape) == ((3, 3, 32), np.uint8, (3, 3))
    restored = ((steps.astype(np.float32) - 128) * scales[..., None]).reshape(3, -1)[:, :70].T
    bound = np.repeat(scales / 2, 32, axis=1)[:, :70].T
    assert (np.abs(restored - weights) <= bound * 1.001).all()


def test_weights_that_are_shared_or_no_table_are_left_alone() -> None:
    from onnx import helper

    from onbrand_models.quantise.weights import dense_layers

    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"]),
        helper.make_node("Add", ["p", "b"], ["q"]),
        helper.make_node("Mul", ["p", "q"], ["y"]),
    ]
    constants = {
        "w": np.ones((4, 4), np.float32),
        "b": np.ones(4, np.float32),
    }
    (layer,) = dense_layers(graph(nodes, constants, ["tokens", 4]))
    assert (layer.output, layer.bias) == ("p", None)  # the product is wanted without the bias too


def test_a_constant_input_does_not_divide_by_zero(rng: Generator) -> None:
    from onbrand_models.quantise.recipes import quantise

    model = dense(rng, "product and bias")
    x = np.zeros((1, 9, 96), np.float32)
    expected = run(model, x)
    np.testing.assert_allclose(run(quantise(model, [{"x": x}]), x), expected, atol=1e-5)


def test_each_target_says_what_it_does_in_one_line() -> None:
    from onbrand_models.quantise import Target
    from onbrand_models.quantise.recipes import describe

    for target in Target:
        assert "\n" not in describe(target)
    assert "16-bit" in describe(Target.PORTABLE)
    assert "16-bit" not in describe(Target.AVX512_VNNI)
