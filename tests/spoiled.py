"""Ways in which a quantised encoder goes wrong, the manifest signed anew after each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnx

Array = NDArray[Any]


def sign(bundle: Path, **changes: Any) -> None:
    """Make the manifest say what the bundle's files are now, and ``changes``."""
    path = bundle / "encoder.json"
    manifest = json.loads(path.read_text("utf-8")) | changes
    for name, entry in manifest["files"].items():
        data = (bundle / name).read_bytes()
        entry |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    path.write_text(json.dumps(manifest), "utf-8")


def spoil(bundle: Path, how: Callable[[onnx.ModelProto], None]) -> None:
    """Change the graph of a bundle."""
    import onnx

    model = onnx.load(bundle / "model.onnx")
    how(model)
    (bundle / "model.onnx").write_bytes(model.SerializeToString())
    sign(bundle)


def respell(bundle: Path, how: Callable[[dict[str, Any]], None]) -> None:
    """Change the tokenizer of a bundle."""
    path = bundle / "tokenizer.json"
    tokenizer = json.loads(path.read_text("utf-8"))
    how(tokenizer)
    path.write_text(json.dumps(tokenizer), "utf-8")
    sign(bundle)


def three_bits(model: onnx.ModelProto) -> None:
    """Round the weights of the dense layers to 3 bits."""
    for name in {node.input[1] for node in _dense(model)}:
        _change(model, name, lambda w: (np.rint(w / 32.0).clip(-3, 3) * 32).astype(w.dtype))


def scales_off(model: onnx.ModelProto) -> None:
    """Give each column of the dense layers the scale of its neighbour but ten."""
    for name in {node.input[3] for node in _dense(model)}:
        _change(model, name, lambda scales: np.roll(scales, 10))


def last_layer_off(model: onnx.ModelProto) -> None:
    """Get the scale of one dense layer wrong, in the last layer, so that no other one suffers."""
    _change(model, _dense(model)[-1].input[3], lambda scales: scales / 4)


def saturating(model: onnx.ModelProto) -> None:
    """Calibrate the activations on too little: their ranges are a tenth of what they were."""
    for name in {node.input[2] for node in _dense(model)}:
        _change(model, name, lambda scale: scale / 10)


def zero_points_wrong(model: onnx.ModelProto) -> None:
    """Take the activations for symmetric: what is negative is cut off."""
    for name in {node.input[4] for node in _dense(model)}:
        _change(model, name, np.zeros_like)


def shuffled(model: onnx.ModelProto) -> None:
    """Shuffle the rows of the weights of one transformer layer: six dense ones."""
    order = np.random.default_rng(0)
    for node in _dense(model)[:6]:
        _change(model, node.input[1], order.permutation)


def words_off(model: onnx.ModelProto) -> None:
    """Give each word the scale of the next one."""
    table = max(model.graph.initializer, key=lambda tensor: tensor.dims[0] if tensor.dims else 0)
    scales = next(
        tensor.name
        for tensor in model.graph.initializer
        if list(tensor.dims) == [table.dims[0], 1] and tensor.name != table.name
    )
    _change(model, scales, lambda rows: rows[::-1].copy())


def swapped_layers(model: onnx.ModelProto) -> None:
    """Concatenate the pooled layers in another order than the manifest's."""
    concat = next(node for node in model.graph.node if "vectors" in node.output)
    concat.input[:] = list(concat.input)[::-1]


def renamed_layers(model: onnx.ModelProto) -> None:
    """Swap the pooled layers and their token states alike."""
    swapped_layers(model)
    states = [value.name for value in model.graph.output if value.name != "vectors"]
    names = dict(zip(states, states[::-1], strict=True))
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]


def blind_to_padding(model: onnx.ModelProto) -> None:
    """Pool the padding of a batch with its texts."""
    makers = {node.output[0]: node for node in model.graph.node}
    for node in model.graph.node:
        if node.op_type == "ReduceSum":
            masked = makers[node.input[0]]
            node.input[0] = next(name for name in masked.input if name.startswith("hidden_states."))


def not_numbers(model: onnx.ModelProto) -> None:
    """Let the weights of one norm be NaN."""
    norms = [node for node in model.graph.node if node.op_type == "LayerNormalization"]
    _change(model, norms[-1].input[1], lambda weights: np.full_like(weights, np.nan))


def cased(tokenizer: dict[str, Any]) -> None:
    """Forget to lower the case: words with capitals are unknown."""
    tokenizer["normalizer"] = None


def reordered(tokenizer: dict[str, Any]) -> None:
    """Take the tokenizer of another model of the same size."""
    words = sorted(tokenizer["model"]["vocab"].items(), key=lambda item: item[1])
    special = {token["id"] for token in tokenizer["added_tokens"]}
    free = [i for _, i in words if i not in special]
    turned = dict(zip(free, free[::-1], strict=True))
    tokenizer["model"]["vocab"] = {word: turned.get(i, i) for word, i in words}


def grown(tokenizer: dict[str, Any]) -> None:
    """Add a token that the word table has no row for."""
    token = {"id": 40_000, "content": "[BRAND]", "special": True}
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    tokenizer["added_tokens"].append(token | flags)


def _dense(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    nodes = [node for node in model.graph.node if node.op_type == "MatMulIntegerToFloat"]
    assert nodes, "the recipe of the bundle has changed: spoil what it makes now"
    return nodes


def _change(model: onnx.ModelProto, name: str, how: Callable[[Array], Array]) -> None:
    from onnx import numpy_helper

    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == name)
    tensor.CopyFrom(numpy_helper.from_array(how(numpy_helper.to_array(tensor)), name))
