"""A graph that does not belong in a bundle is refused without being run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from spoiled import sign, spoil
from tiny_encoder import tiny_encoder
from typer.testing import CliRunner

from onbrand.encoder import Encoder
from onbrand_cli.models import app

if TYPE_CHECKING:
    import onnx

pytestmark = pytest.mark.heavy("onnx")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    tiny_encoder(tmp_path / "encoder")
    return tmp_path / "encoder"


def verify(bundle: Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["verify", str(bundle)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_a_small_bundle_is_fine(bundle: Path) -> None:
    code, output = verify(bundle)
    assert code == 0, output
    assert "ok   graph     6 nodes of 6 known operators; ai.onnx 18; no external data" in output
    assert "ok   tokenizer token ids up to 17; the word table has 18 rows" in output


def custom_domain(model: onnx.ModelProto) -> None:
    model.graph.node[3].domain = "com.evil"
    model.opset_import.add(domain="com.evil", version=1)


def unknown_operator(model: onnx.ModelProto) -> None:
    model.graph.node[3].op_type = "ImageDecoder"


def python_operator(model: onnx.ModelProto) -> None:
    model.graph.node[3].op_type = "PyOp"
    model.graph.node[3].domain = "com.microsoft"


def subgraph(model: onnx.ModelProto) -> None:
    from onnx import helper

    inner = helper.make_graph([], "inner", [], [])
    model.graph.node[3].attribute.append(helper.make_attribute("body", inner))


def function(model: onnx.ModelProto) -> None:
    from onnx import helper

    made = helper.make_function("mine", "Mul", ["a"], ["b"], [], [helper.make_opsetid("", 18)])
    model.functions.append(made)


def external_weights(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = tensor.EXTERNAL
    tensor.external_data.add(key="location", value="../../secrets")


def external_constant(model: onnx.ModelProto) -> None:
    from onnx import TensorProto, helper

    tensor = TensorProto(name="outside", data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    node = helper.make_node("Constant", [], ["unused"], value=tensor)
    model.graph.node.insert(0, node)


def new_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 22


def old_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 11


def another_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 17


def new_microsoft(model: onnx.ModelProto) -> None:
    model.opset_import.add(domain="com.microsoft", version=2)


def new_format(model: onnx.ModelProto) -> None:
    model.ir_version = 11


def loose_end(model: onnx.ModelProto) -> None:
    model.graph.node[3].input[0] = "nowhere"


def another_output(model: onnx.ModelProto) -> None:
    model.graph.output[1].name = "floats"


def another_input(model: onnx.ModelProto) -> None:
    model.graph.input.add().CopyFrom(model.graph.input[0])
    model.graph.input[-1].name = "token_type_ids"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (custom_domain, "operators that no encoder needs: com.evil.Mul"),
        (unknown_operator, "operators that no encoder needs: ai.onnx.ImageDecoder"),
        (python_operator, "operators that no encoder needs: com.microsoft.PyOp"),
        (subgraph, "operators that no encoder needs: ai.onnx.Mul (holds another graph)"),
        (function, "operators that no encoder needs: mine.Mul (a function of its own)"),
        (external_weights, "tensor 'table' lies in another file"),
        (external_constant, "tensor 'unused' lies in another file"),
        (new_opset, "ai.onnx 22, com.microsoft 1: outside of 17 to 21"),
        (old_opset, "ai.onnx 11, com.microsoft 1: outside of 17 to 21"),
        (another_opset, "ai.onnx 17, but encoder.json says 18"),
        (new_microsoft, "ai.onnx 18, com.microsoft 2: outside"),
        (new_format, "ONNX format 11; 10 is the newest"),
        (loose_end, "tensor 'nowhere' is read before an operator gives it"),
        (another_output, "inputs and outputs are not those that encoder.json promises"),
        (another_input, "inputs and outputs are not those that encoder.json promises"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_graph_with_a_surprise_is_not_run(
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: Callable[[onnx.ModelProto], None],
    reason: str,
) -> None:
    spoil(bundle, how)
    monkeypatch.setattr(Encoder, "load", None)
    code, output = verify(bundle)
    assert code == 1
    assert "ok   files" in output
    assert f"FAIL graph     {reason}" in output
    assert "parity" not in output


def test_what_is_no_graph_at_all(bundle: Path) -> None:
    (bundle / "model.onnx").write_bytes(b"\xff" * 100)
    sign(bundle)
    code, output = verify(bundle)
    assert (code, "FAIL graph     is no ONNX graph" in output) == (1, True)


def test_a_graph_that_breaks_when_it_runs(bundle: Path) -> None:
    def narrow_table(model: onnx.ModelProto) -> None:
        from onnx import numpy_helper

        table = numpy_helper.to_array(model.graph.initializer[0])
        model.graph.initializer[0].CopyFrom(numpy_helper.from_array(table[:1], "table"))

    spoil(bundle, narrow_table)
    code, output = verify(bundle)
    assert code == 1
    assert "FAIL tokenizer token ids up to 17; the word table has 1 rows" in output
    assert "FAIL vectors   cannot encode this text" in output
    assert "parity" not in output
