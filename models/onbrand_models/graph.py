"""The encoder's graph in 32-bit floats: exported hidden states with the pooling appended."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, checker, helper, numpy_helper

from onbrand.encoder.bundle import INPUTS, STATES, VECTORS
from onbrand.errors import OnbrandError, summarize
from onbrand_models.loading import load_model, one_thread
from onbrand_models.quiet import compiler_cache, quiet
from onbrand_models.source import SourceModel

_MAX_BYTES = 2**31 - 2**20
"""A protocol buffer, which is what an ONNX file is, ends at 2 GB."""


def pooled_graph(source: SourceModel, layers: Sequence[int], opset: int = 18) -> onnx.ModelProto:
    """Return the ONNX model that gives the sentence vectors of ``layers``.

    Layer 0 is the embedding output. The transformer is cut after the last layer that is asked for.

    Args:
        source: the model.
        layers: which to pool, in ascending order.
        opset: version of ONNX's operators.

    Raises:
        OnbrandError: the weights are not sound, or the architecture cannot be exported.
    """
    try:
        with tempfile.TemporaryDirectory() as folder, compiler_cache():
            path = Path(folder) / "hidden_states.onnx"
            # One layer at least: without it the exporter drops the attention mask.
            _export_hidden_states(source, max(1, *layers), opset, path)
            model = onnx.load(path)
    except OSError as error:
        raise OnbrandError(
            f"has no room for temporary files ({error.strerror or error}); make some, or name "
            "another folder with TMPDIR",
            path=tempfile.gettempdir(),
        ) from None
    return append_pooling(model, layers, source.hidden)


def _export_hidden_states(source: SourceModel, depth: int, opset: int, path: Path) -> None:
    from optimum.exporters.onnx import export
    from optimum.exporters.tasks import TasksManager

    model = load_model(source, depth)
    model.config.output_hidden_states = True
    if sum(p.numel() * p.element_size() for p in model.parameters()) > _MAX_BYTES:
        raise OnbrandError(
            "is too large: an ONNX file ends at 2 GB; choose fewer layers (--layers) or a "
            "smaller model",
            path=source.folder,
        )
    with quiet(), one_thread(), _told_briefly(source, opset):
        factory = TasksManager.get_exporter_config_constructor(
            "onnx", model, task="feature-extraction", library_name="transformers"
        )
        base = factory(model.config)

        class HiddenStates(type(base)):  # type: ignore[misc]
            """Gives all hidden states, takes no token types: a sentence has one segment."""

            @property
            def inputs(self) -> dict[str, dict[int, str]]:
                return {name: axes for name, axes in super().inputs.items() if name in INPUTS}

            @property
            def outputs(self) -> dict[str, dict[int, str]]:
                return {f"{STATES}.{i}": {0: "batch", 1: "tokens"} for i in range(depth + 1)}

        export(model, HiddenStates(model.config, task="feature-extraction"), path, opset=opset)


@contextlib.contextmanager
def _told_briefly(source: SourceModel, opset: int) -> Iterator[None]:
    try:
        yield
    except OSError:  # of the temporary folder
        raise
    except Exception as error:  # the exporters' errors have no common base
        raise OnbrandError(
            f"cannot be exported with opset {opset} ({summarize(error)})", path=source.folder
        ) from error


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
