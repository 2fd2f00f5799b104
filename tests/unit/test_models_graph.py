"""Pooling and quantisation, on a graph small enough to compute by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.heavy("onnx")

HIDDEN, WORDS = 32, 5000


def _samples() -> tuple[Any, Any, list[dict[str, Any]]]:
    rng = np.random.default_rng(7)
    table = rng.normal(size=(WORDS, HIDDEN)).astype(np.float32)
    weights = rng.normal(size=(HIDDEN, HIDDEN)).astype(np.float32)
    feeds = [
        {"input_ids": rng.integers(0, WORDS, (1, n)), "attention_mask": np.ones((1, n), np.int64)}
        for n in range(5, 40)
    ]
    return table, weights, feeds


TABLE, WEIGHTS, FEEDS = _samples()
WIDE = np.ones(HIDDEN, np.float32)
WIDE[3] = 40  # a channel far wider than the others, as transformers have
WEIGHTS[3] /= 40


def tiny() -> Any:
    """A word table and one dense layer, a channel widened between them: hidden states 0 and 1."""
    from onnx import TensorProto, helper, numpy_helper

    value = helper.make_tensor_value_info
    return helper.make_model(
        helper.make_graph(
            [
                helper.make_node("Gather", ["table", "input_ids"], ["hidden_states.0"], "words"),
                helper.make_node("Mul", ["hidden_states.0", "wide"], ["widened"], "widen"),
                helper.make_node("MatMul", ["widened", "w"], ["hidden_states.1"], "dense"),
            ],
            "tiny",
            [
                value(name, TensorProto.INT64, ["batch", "tokens"])
                for name in ("input_ids", "attention_mask")
            ],
            [
                value(f"hidden_states.{i}", TensorProto.FLOAT, ["batch", "tokens", HIDDEN])
                for i in range(2)
            ],
            [
                numpy_helper.from_array(array, name)
                for name, array in (("table", TABLE), ("wide", WIDE), ("w", WEIGHTS))
            ],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,
    )


def run(model: Any, ids: Any, mask: Any, output: str = "vectors") -> Any:
    import onnxruntime as ort

    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run([output], {"input_ids": ids, "attention_mask": mask})[0]


def by_hand(ids: Any) -> Any:
    states = [TABLE[ids], TABLE[ids] * WIDE @ WEIGHTS]
    means = [state.mean(axis=0) for state in states]
    return np.concatenate([mean / np.linalg.norm(mean) for mean in means])


def test_pooling_is_the_normalised_mean_over_the_mask() -> None:
    from onbrand_models.export import append_pooling

    model = append_pooling(tiny(), [0, 1], HIDDEN)
    ids = np.array([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8]])
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    vectors = run(model, ids, mask)
    np.testing.assert_allclose(vectors[0], by_hand([1, 2, 3]), atol=1e-5)
    np.testing.assert_allclose(vectors[1], by_hand([4, 5, 6, 7, 8]), atol=1e-5)
    np.testing.assert_allclose(run(model, ids, mask, "hidden_states.0"), TABLE[ids])


def test_only_the_layers_asked_for_are_given() -> None:
    from onbrand_models.export import append_pooling

    model = append_pooling(tiny(), [1], HIDDEN)
    assert [o.name for o in model.graph.output] == ["vectors", "hidden_states.1"]
    ids = np.array([[1, 2, 3]])
    np.testing.assert_allclose(
        run(model, ids, np.ones_like(ids))[0], by_hand([1, 2, 3])[HIDDEN:], atol=1e-5
    )


TARGETS = ["portable", "avx2", "avx512_vnni", "arm64", "accurate", "float32"]


@pytest.fixture(scope="module", params=TARGETS)
def quantised(request: pytest.FixtureRequest) -> Any:
    from onbrand_models.export import append_pooling
    from onbrand_models.quantise import Target
    from onbrand_models.quantise.recipes import quantise

    return quantise(append_pooling(tiny(), [0, 1], HIDDEN), FEEDS, Target(request.param))


def test_quantisation_keeps_the_vectors_in_spite_of_a_wide_channel(quantised: Any) -> None:
    kinds = {node.op_type for node in quantised.graph.node}
    # All of these channels are one block, so that the wide one takes bits from the others.
    least = 0.99 if "MatMulNBits" in kinds else 0.9985
    for feed in FEEDS:
        vector = run(quantised, ids=feed["input_ids"], mask=feed["attention_mask"])[0]
        assert vector @ by_hand(feed["input_ids"][0]) / 2 > least


def large_tensors(model: Any) -> list[Any]:
    from onnx import numpy_helper

    stored = [numpy_helper.to_array(tensor) for tensor in model.graph.initializer]
    return [array for array in stored if array.size >= HIDDEN * HIDDEN and array.shape[-1] > 1]


@pytest.mark.parametrize("target", [target for target in TARGETS if target != "float32"])
def test_weights_and_word_table_are_stored_in_8_bits(target: str) -> None:
    from onbrand_models.export import append_pooling
    from onbrand_models.quantise import Target
    from onbrand_models.quantise.recipes import quantise

    model = quantise(append_pooling(tiny(), [0, 1], HIDDEN), FEEDS, Target(target))
    large = large_tensors(model)
    assert len(large) == 2
    assert {array.itemsize for array in large} == {1}


def test_floats_stay_floats() -> None:
    from onbrand_models.export import append_pooling
    from onbrand_models.quantise import Target
    from onbrand_models.quantise.recipes import quantise

    model = quantise(append_pooling(tiny(), [0, 1], HIDDEN), FEEDS, Target.FLOAT32)
    assert {array.dtype for array in large_tensors(model)} == {np.dtype(np.float32)}


def test_a_vector_does_not_depend_on_its_batch(quantised: Any) -> None:
    quiet, loud = np.argsort(np.abs(TABLE).max(axis=1))[[0, -1]]
    ids = np.array([[quiet, quiet], [loud, loud]])
    together = run(quantised, ids, np.ones_like(ids))[0]
    alone = run(quantised, ids[:1], np.ones_like(ids[:1]))[0]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_graph_without_dense_layers_keeps_its_words_in_8_bits() -> None:
    from onbrand_models.quantise.recipes import quantise

    model = tiny()
    del model.graph.node[1:], model.graph.output[1]
    quantised = quantise(model, FEEDS)
    ids = np.array([[1, 2, 3]])
    states = run(quantised, ids, np.ones_like(ids), "hidden_states.0")
    np.testing.assert_allclose(states[0], TABLE[ids[0]], atol=0.03)
    assert states.any()


def test_a_graph_with_nothing_to_quantise_is_refused() -> None:
    from onnx import numpy_helper

    from onbrand.errors import OnbrandError
    from onbrand_models.quantise.recipes import quantise

    model = tiny()
    del model.graph.node[1:], model.graph.output[1]
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(TABLE[:9], "table"))
    with pytest.raises(OnbrandError, match="no dense layers and no tables"):
        quantise(model, FEEDS)
