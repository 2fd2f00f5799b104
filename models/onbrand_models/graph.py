"""The encoder's graph in 32-bit floats: exported hidden states with the pooling appended."""

from __future__ import annotations

import contextlib
import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, checker, helper, numpy_helper

from onbrand.encoder.bundle import INPUTS, STATES, VECTORS
from onbrand.errors import OnbrandError
from onbrand_models.source import SourceModel

OPSET = 18


def pooled_graph(source: SourceModel, layers: Sequence[int]) -> onnx.ModelProto:
    """Return the ONNX model that gives the sentence vectors of ``layers``.

    Layer 0 is the embedding output. The transformer is cut after the last layer that is asked for.

    Raises:
        OnbrandError: the architecture cannot be exported.
    """
    with tempfile.TemporaryDirectory() as folder, quiet():
        path = Path(folder) / "hidden_states.onnx"
        _export_hidden_states(source, max(layers), path)
        model = onnx.load(path)
    return append_pooling(model, layers, source.hidden)


def _export_hidden_states(source: SourceModel, depth: int, path: Path) -> None:
    from optimum.exporters.onnx import export
    from optimum.exporters.tasks import TasksManager
    from transformers import AutoModel

    # Eager attention: plain MatMul and Softmax, which every version of onnxruntime runs well.
    model = AutoModel.from_pretrained(
        source.folder,
        num_hidden_layers=depth,
        output_hidden_states=True,
        attn_implementation="eager",
        local_files_only=True,
    )
    try:
        factory = TasksManager.get_exporter_config_constructor(
            "onnx", model, task="feature-extraction", library_name="transformers"
        )
    except (KeyError, ValueError):
        raise OnbrandError(
            f"models of type {model.config.model_type!r} cannot be exported", path=source.folder
        ) from None
    base = factory(model.config)

    class HiddenStates(type(base)):  # type: ignore[misc]
        """Gives all hidden states, takes no token types: a sentence has but one segment."""

        @property
        def inputs(self) -> dict[str, dict[int, str]]:
            return {name: axes for name, axes in super().inputs.items() if name in INPUTS}

        @property
        def outputs(self) -> dict[str, dict[int, str]]:
            return {f"{STATES}.{i}": {0: "batch", 1: "tokens"} for i in range(depth + 1)}

    export(model, HiddenStates(model.config, task="feature-extraction"), path, opset=OPSET)


def append_pooling(model: onnx.ModelProto, layers: Sequence[int], hidden: int) -> onnx.ModelProto:
    """Add mean pooling over the attention mask, L2 normalisation and concatenation to ``model``.

    The division of the mean is left out because normalisation undoes it. The hidden states stay
    outputs beside the vectors: they exist anyway, so they cost nothing until they are fetched.

    Args:
        model: has outputs ``hidden_states.<layer>``, each (batch, tokens, hidden).
        layers: which of them to pool, in the order of the result.
        hidden: width of one layer.
    """
    graph = model.graph
    axes = {"pooling.tokens": 1, "pooling.last": 2}
    graph.initializer.extend(
        numpy_helper.from_array(np.array([axis], np.int64), name) for name, axis in axes.items()
    )
    node = helper.make_node
    graph.node.extend(
        [
            node("Cast", [INPUTS[1]], ["pooling.cast"], to=TensorProto.FLOAT),
            node("Unsqueeze", ["pooling.cast", "pooling.last"], ["pooling.mask"]),
        ]
    )
    for layer in layers:
        state, name = f"{STATES}.{layer}", f"pooling.{layer}"
        graph.node.extend(
            [
                node("Mul", [state, "pooling.mask"], [f"{name}.masked"]),
                node(
                    "ReduceSum", [f"{name}.masked", "pooling.tokens"], [f"{name}.sum"], keepdims=0
                ),
                node("LpNormalization", [f"{name}.sum"], [f"{name}.vector"], axis=-1, p=2),
            ]
        )
    graph.node.append(
        node("Concat", [f"pooling.{layer}.vector" for layer in layers], [VECTORS], axis=-1)
    )
    del graph.output[:]
    value = helper.make_tensor_value_info
    graph.output.append(value(VECTORS, TensorProto.FLOAT, ["batch", hidden * len(layers)]))
    graph.output.extend(
        value(f"{STATES}.{layer}", TensorProto.FLOAT, ["batch", "tokens", hidden])
        for layer in layers
    )
    checker.check_model(model)
    return model


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporters' notes to their own developers off the user's terminal."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
