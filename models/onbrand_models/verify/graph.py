"""Is the graph one that every laptop can run, and that does nothing but compute vectors?

It is read, not run: what fails here is never given to onnxruntime.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from onbrand.encoder.bundle import INPUTS, MANIFEST, STATES, VECTORS, EncoderManifest
from onbrand.errors import OnbrandError, missing_extra
from onbrand_models.export import OPSETS
from onbrand_models.trying import try_tokenizer
from onbrand_models.verify.budgets import Check

if TYPE_CHECKING:
    import onnx

NEWEST_IR = 10
"""File format of ONNX that onnxruntime 1.20, the oldest that onbrand installs with, reads."""

_STANDARD = """
    Abs Add And Cast Clip Concat Constant ConstantOfShape Cos CumSum DequantizeLinear Div
    DynamicQuantizeLinear Equal Erf Exp Expand Flatten Gather GatherElements Gelu Gemm Greater
    GreaterOrEqual Identity IsNaN LayerNormalization Less LessOrEqual Log LpNormalization MatMul
    MatMulInteger Max Min Mul Neg Not Or Pow QLinearMatMul QuantizeLinear Range Reciprocal
    ReduceMax ReduceMean ReduceSum Relu Reshape Shape Sigmoid Sign Sin Slice Softmax Split Sqrt
    Squeeze Sub Tanh Tile Transpose Trilu Unsqueeze Where
"""
_MICROSOFT = """
    Attention BiasGelu BiasSoftmax DequantizeLinear DynamicQuantizeMatMul EmbedLayerNormalization
    FastGelu FusedMatMul GatherBlockQuantized Gelu MatMulIntegerToFloat MatMulNBits
    MultiHeadAttention QAttention QEmbedLayerNormalization QuantizeLinear QuickGelu
    RelativePositionBias RotaryEmbedding SkipLayerNormalization
"""
OPERATORS = {
    "ai.onnx": frozenset(_STANDARD.split()),
    "com.microsoft": frozenset(_MICROSOFT.split()),
}
"""What exporters write for the families of BERT, what onnxruntime fuses that to, and 8 bits.

None of them reads a file, loads code or holds another graph."""


def check_graph(data: bytes, manifest: EncoderManifest) -> Check:
    """Check the graph in ``data``: valid ONNX, known operators and versions, no external data."""
    if importlib.util.find_spec("onnx") is None:
        reason = missing_extra("not looked at: it", "export").message
        return Check("graph", True, reason, skipped=True)
    import onnx

    try:
        model = onnx.load_from_string(data)
    except Exception:  # protobuf is not ours to import
        return Check("graph", False, "is no ONNX graph")
    used = Counter(_name(node) for node in model.graph.node)
    opsets = {opset.domain or "ai.onnx": opset.version for opset in model.opset_import}
    figures = {
        "nodes": len(model.graph.node),
        "operators": dict(sorted(used.items())),
        "opsets": opsets,
        "ir": model.ir_version,
    }
    problem = next(_problems(model, opsets, manifest), None)
    if problem is not None:
        return Check("graph", False, problem, figures=figures)
    versions = ", ".join(f"{domain} {version}" for domain, version in opsets.items())
    detail = f"{len(model.graph.node)} nodes of {len(used)} known operators; {versions}"
    return Check("graph", True, f"{detail}; no external data", figures=figures)


def _problems(
    model: onnx.ModelProto, opsets: dict[str, int], manifest: EncoderManifest
) -> Iterator[str]:
    """Yield what is wrong with the graph, the gravest first."""
    import onnx

    outside = next((t.name for t in _tensors(model) if _is_external(t)), None)
    if outside is not None:
        yield f"tensor {outside[:80]!r} lies in another file; export the encoder again"
    strange = sorted({name for node in model.graph.node if (name := _strange(node))})
    strange += [f"{f.domain}.{f.name} (a function of its own)" for f in model.functions]
    if strange:
        named = ", ".join(name[:80] for name in strange[:5])
        yield f"operators that no encoder needs: {named}{' …' if len(strange) > 5 else ''}"
    version = opsets.get("ai.onnx", 0)
    if version not in OPSETS or opsets.get("com.microsoft", 1) != 1:
        yield (
            f"ai.onnx {version}, com.microsoft {opsets.get('com.microsoft', 1)}: outside of "
            f"{OPSETS[0]} to {OPSETS[-1]} and 1, which all supported onnxruntimes run"
        )
    if version != manifest.opset:
        yield f"ai.onnx {version}, but {MANIFEST} says {manifest.opset}"
    if model.ir_version > NEWEST_IR:
        yield (
            f"ONNX format {model.ir_version}; {NEWEST_IR} is the newest that all supported "
            "onnxruntimes read"
        )
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        yield f"not valid ONNX: {str(error).strip().splitlines()[0][:200]}"
    states = {f"{STATES}.{layer}" for layer in manifest.layers}
    inputs = {value.name for value in model.graph.input}
    outputs = {value.name for value in model.graph.output}
    if inputs != set(INPUTS) or outputs != {VECTORS} | states:
        yield f"inputs and outputs are not those that {MANIFEST} promises"


def _name(node: onnx.NodeProto) -> str:
    return f"{node.domain or 'ai.onnx'}.{node.op_type}"


def _strange(node: onnx.NodeProto) -> str | None:
    """Return the name of an operator that is not on the list or brings a graph of its own."""
    if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
        return f"{_name(node)} (holds another graph)"
    known = OPERATORS.get(node.domain or "ai.onnx", frozenset())
    return None if node.op_type in known else _name(node)


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Yield the tensors of the graph; what graphs inside of it hold is refused with their nodes."""
    yield from model.graph.initializer
    for sparse in model.graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in model.graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)


def _is_external(tensor: onnx.TensorProto) -> bool:
    return bool(tensor.external_data) or tensor.data_location == tensor.EXTERNAL


def check_tokenizer(path: Path, tokenizer: bytes, graph: bytes, max_tokens: int) -> Check | None:
    """Check that every text has tokens, and every token a row in the word table.

    A tokenizer that has grown beyond the table works until somebody writes such a token. Where the
    table cannot be found there is nothing to say.

    Args:
        path: the bundle's tokenizer file.
        tokenizer: its content.
        graph: the content of the bundle's graph.
        max_tokens: where texts are cut.
    """
    from tokenizers import Tokenizer

    words = Tokenizer.from_str(tokenizer.decode())
    try:
        highest = try_tokenizer(words, path, max_tokens)
    except OnbrandError as error:
        return Check("tokenizer", False, error.message)
    vocabulary = words.get_vocab(with_added_tokens=True)
    highest = max(highest, *vocabulary.values()) if vocabulary else highest
    rows = _word_rows(graph)
    if rows is None:
        return None
    detail = f"token ids up to {highest:,}; the word table has {rows:,} rows"
    return Check("tokenizer", highest < rows, detail, figures={"highest": highest, "rows": rows})


def _word_rows(graph: bytes) -> int | None:
    """Return how many tokens the least of a graph's word tables has; None where none is found."""
    if importlib.util.find_spec("onnx") is None:
        return None
    import onnx

    model = onnx.load_from_string(graph).graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in model.initializer}
    rows = [
        shapes[name][0]
        for node in model.node
        if INPUTS[0] in node.input
        for name in node.input
        if len(shapes.get(name, ())) == 2
    ]
    return min(rows, default=None)
