"""Reads and checks ONNX graphs before onnxruntime loads them.

An encoder may come from a share or a mail, and onnxruntime runs whatever a graph says: endless
loops, and operators that open files. Here a graph is read without the ``onnx`` package, which the
inference install does not have, and refused unless it is plain ONNX made of operators that encoders
need.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np

from onbrand.encoder.bundle import INPUTS, MANIFEST, STATES, VECTORS, EncoderManifest
from onbrand.errors import OnbrandError, summarize

OPSETS = range(17, 22)
"""Versions of ONNX's operators: the first with LayerNormalization, the last that every onnxruntime
which onbrand runs on can read."""
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
"""Allowed operators: those of BERT-like models, fused ones of onnxruntime's, and 8-bit ones.

None of them reads a file, loads code or holds another graph."""

_ITEM_BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64}
_ITEM_BITS |= {16: 16, 21: 4, 22: 4}
"""Bits per item by the number of its type in ONNX, without strings and complex numbers."""
_MAX_FIELDS = 1_000_000
"""Limit for a whole graph; the default encoder has 5,000."""
_MAX_NODES = 50_000
_MAX_DIMENSIONS = 16
_MAX_CONSTANT_SIZE = 2**26
"""Limit on the items of a tensor whose shape is a constant."""
_SIZED_BY = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1, "Range": 1}
"""Operators whose output shape is the value of one of their inputs."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_Value = int | memoryview
T = TypeVar("T")
D = TypeVar("D")


class Node(NamedTuple):
    """A node of a graph: its operator, and the names of its inputs and outputs."""

    operator: str
    """With its domain, say ``ai.onnx.MatMul``."""
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass
class Graph:
    """The content of an ONNX file without the weights themselves."""

    ir_version: int = 0
    opsets: dict[str, int] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Of the initialisers."""
    small: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Small integer constants, which may be used as shapes."""
    external: list[str] = field(default_factory=list)
    """Tensors whose data is in other files."""
    unknown: set[str] = field(default_factory=set)
    """What no encoder needs: operators, functions, tensors without values, later additions."""


def read_graph(data: bytes) -> Graph:
    """Read an ONNX file in protobuf's wire format.

    Raises:
        OnbrandError: it is none; the message says what is wrong, without the file's name.
    """
    if data[4:8] == b"ORTM":
        raise OnbrandError("is in onnxruntime's own format, not in ONNX; export the encoder again")
    try:
        return _Reader().model(memoryview(data))
    except (ValueError, IndexError, TypeError) as error:
        raise OnbrandError(f"is no ONNX graph ({summarize(error)})") from None


def graph_problems(graph: Graph, manifest: EncoderManifest) -> Iterator[str]:
    """Yield the reasons not to run a graph, the most serious first."""
    for name in graph.external:
        yield f"tensor {name[:80]!r} lies in another file; export the encoder again"
    unknown = sorted(graph.unknown)
    if unknown:
        named = ", ".join(name[:80] for name in unknown[:5])
        yield f"operators that no encoder needs: {named}{' …' if len(unknown) > 5 else ''}"
    standard, microsoft = graph.opsets.get("ai.onnx", 0), graph.opsets.get("com.microsoft", 1)
    if standard not in OPSETS or microsoft != 1:
        yield (
            f"ai.onnx {standard}, com.microsoft {microsoft}: outside of {OPSETS[0]} to "
            f"{OPSETS[-1]} and 1, which all supported onnxruntimes run"
        )
    if graph.ir_version > NEWEST_IR:
        yield (
            f"ONNX format {graph.ir_version}; {NEWEST_IR} is the newest that all supported "
            "onnxruntimes read"
        )
    if len(graph.nodes) > _MAX_NODES:
        yield f"{len(graph.nodes):,} operators; no encoder has more than {_MAX_NODES:,}"
    for operator in filter(None, (_too_large(node, graph.small) for node in graph.nodes)):
        yield f"{operator} makes a tensor larger than any encoder needs"
    loose = _loose_end(graph)
    if loose is not None:
        yield f"tensor {loose[:80]!r} is read before an operator gives it, or given twice"
    states = {f"{STATES}.{layer}" for layer in manifest.layers}
    if set(graph.inputs) != set(INPUTS) or set(graph.outputs) != {VECTORS} | states:
        yield f"inputs and outputs are not those that {MANIFEST} promises; export the encoder again"


def _loose_end(graph: Graph) -> str | None:
    """Return a tensor that is read before it is computed, or computed by two nodes."""
    known = {"", *graph.inputs, *graph.shapes}
    for node in graph.nodes:
        outputs = set(filter(None, node.outputs))
        for name in (*(set(node.inputs) - known), *(outputs & known)):
            return name
        known |= outputs
    return next((name for name in graph.outputs if name not in known), None)


def _too_large(node: Node, constants: dict[str, tuple[int, ...]]) -> str | None:
    """Return the operator of a node whose constant shape has more items than allowed."""
    domain, _, name = node.operator.rpartition(".")
    place = _SIZED_BY.get(name, len(node.inputs))
    if domain != "ai.onnx" or place >= len(node.inputs):
        return None
    sizes = constants.get(node.inputs[place], ())
    return node.operator if math.prod(map(abs, sizes)) > _MAX_CONSTANT_SIZE else None


class _Reader:
    """Reads the protobuf messages of ONNX; onnx.proto names their numbered fields.

    Of a message that stands twice where one is expected protobuf makes a mixture of both; that is
    refused. Of a number or a text the last one counts.
    """

    def __init__(self) -> None:
        self._left = _MAX_FIELDS
        self._graph = Graph()

    def model(self, data: memoryview) -> Graph:
        # 2 to 6 and 14: who made it, and notes.
        parts = self._parts(data, (1, 2, 3, 4, 5, 6, 7, 8, 14, 25), "the model")
        graph = self._graph
        graph.ir_version = _last(parts, 1, _number, 0)
        for opset in map(_message, parts.get(8, ())):
            fields = self._parts(opset, (1, 2), "a version")
            domain = _last(fields, 1, _text, "") or "ai.onnx"
            if domain in graph.opsets:
                raise ValueError(f"two versions of {domain[:80]}")
            graph.opsets[domain] = _last(fields, 2, _number, 0)
        for function in map(_message, parts.get(25, ())):
            names = [_text(value) for number, value in self._fields(function) if number in (1, 10)]
            graph.unknown.add(f"{'.'.join(names[::-1])} (a function of its own)")
        whole = parts.get(7, [])
        if len(whole) != 1:
            raise ValueError(f"it has {len(whole)} graphs")
        # 2, 10, 13, 14 and 16: its name, notes, and types of what lies between.
        parts = self._parts(_message(whole[0]), (1, 2, 5, 10, 11, 12, 13, 14, 16), "the graph")
        for initialiser in parts.get(5, ()):
            name, shape = self._tensor(_message(initialiser))
            graph.shapes[name] = shape
        graph.nodes = [self._node(_message(node)) for node in parts.get(1, ())]
        graph.inputs = [self._name(_message(value)) for value in parts.get(11, ())]
        graph.outputs = [self._name(_message(value)) for value in parts.get(12, ())]
        return graph

    def _name(self, data: memoryview) -> str:
        return next((_text(value) for number, value in self._fields(data) if number == 1), "")

    def _node(self, data: memoryview) -> Node:
        # 3, 6 and 9: its name and notes.
        parts = self._parts(data, (1, 2, 3, 4, 5, 6, 7, 9), "an operator")
        inputs, outputs = (tuple(map(_text, parts.get(number, ()))) for number in (1, 2))
        domain, name = _last(parts, 7, _text, "") or "ai.onnx", _last(parts, 4, _text, "")
        operator = f"{domain}.{name}"
        if name not in OPERATORS.get(domain, ()):
            self._graph.unknown.add(operator)
        constant = outputs[0] if name == "Constant" and outputs else None
        for attribute in map(_message, parts.get(5, ())):
            self._attribute(attribute, operator, constant)
        return Node(operator, inputs, outputs)

    def _attribute(self, data: memoryview, operator: str, constant: str | None) -> None:
        """Read an attribute; ``constant`` names the output if the operator is a Constant."""
        parts: dict[int, list[_Value]] = {}
        for number, value in self._fields(data):
            parts.setdefault(number, []).append(value)
        if parts.keys() & {6, 11}:
            self._graph.unknown.add(f"{operator} (holds another graph)")
        # Numbers, texts, one tensor, its name and kind, notes.
        elif parts.keys() - {1, 2, 3, 4, 5, 7, 8, 9, 13, 20} or len(parts.get(5, ())) > 1:
            self._graph.unknown.add(f"{operator} (holds what is no number, text or tensor)")
        elif 5 in parts:
            self._tensor(_message(parts[5][0]), constant)
        elif constant:
            whole = [*parts.get(3, ()), *parts.get(8, ())]
            self._graph.small[constant] = tuple(n for value in whole for n in _numbers(value))

    def _tensor(self, data: memoryview, name: str | None = None) -> tuple[str, tuple[int, ...]]:
        """Read a tensor and return its name and shape; one in an attribute may lack a name."""
        # 12 and 16: notes.
        parts = self._parts(data, (1, 2, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 16), "a tensor")
        name = name or _last(parts, 8, _text, "")
        if 13 in parts or _last(parts, 14, _number, 0):
            self._graph.external.append(name)
            return name, ()
        shape = tuple(size for value in parts.get(1, ()) for size in _numbers(value))
        kind, raw = _last(parts, 2, _number, 0), _last(parts, 9, _message, None)
        bits = _ITEM_BITS.get(kind, 0)
        if not bits or len(shape) > _MAX_DIMENSIONS or min(shape, default=0) < 0:
            raise ValueError(f"tensor {name[:80]!r} is of an odd type or shape")
        size = math.prod(shape)
        if raw is None:
            right = _items(parts) == (math.ceil(size / 2) if bits == 4 else size)
        else:
            right = len(raw) == math.ceil(size * bits / 8)
            if kind in (6, 7) and right and size <= _MAX_DIMENSIONS:
                values = np.frombuffer(raw, "<i4" if kind == 6 else "<i8")
                self._graph.small[name] = tuple(values.tolist())
        if not right:
            raise ValueError(f"tensor {name[:80]!r} does not hold what its shape says")
        return name, shape

    def _parts(
        self, data: memoryview, known: tuple[int, ...], what: str
    ) -> dict[int, list[_Value]]:
        """Return the values of a message by the numbers of their fields."""
        parts: dict[int, list[_Value]] = {}
        for number, value in self._fields(data):
            if number not in known:
                self._graph.unknown.add(f"field {number} of {what}")
            parts.setdefault(number, []).append(value)
        return parts

    def _fields(self, data: memoryview) -> Iterator[tuple[int, _Value]]:
        """Yield the number and the value of each field of a message."""
        at, end = 0, len(data)
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise ValueError(f"it has more than {_MAX_FIELDS:,} parts")
            tag, at = _varint(data, at)
            number, wire = tag >> 3, tag & 7
            value: _Value
            if wire == _BYTES:
                size, at = _varint(data, at)
                value = data[at : at + size]
                at += size
            elif wire == _VARINT:
                value, at = _varint(data, at)
            elif wire in (_FIXED32, _FIXED64):
                size = 4 if wire == _FIXED32 else 8
                value = int.from_bytes(data[at : at + size], "little")
                at += size
            else:
                raise ValueError(f"kind {wire} of field {number}")
            if not number or at > end:
                raise ValueError("its end is missing" if number else "field 0")
            yield number, value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return the variable-length number at an offset, and the offset after it."""
    byte = data[at]
    if byte < 128:
        return byte, at + 1
    value, shift = byte & 127, 7
    while shift < 70:
        at += 1
        byte = data[at]
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (2**64 - 1), at + 1
        shift += 7
    raise ValueError("a number of more than 64 bits")


def _items(parts: dict[int, list[_Value]]) -> int:
    """Return how many numbers a tensor holds in fields of numbers, raw data aside."""
    items = 0
    for number, width in ((4, 4), (10, 8), (5, 0), (7, 0), (11, 0)):
        for value in parts.get(number, ()):
            if isinstance(value, int):
                items += 1
            elif width:
                items += len(value) // width
            else:  # the last byte of each is below 128
                items += int(np.count_nonzero(np.frombuffer(value, np.uint8) < 128))
    return items


def _last(
    parts: dict[int, list[_Value]], number: int, read: Callable[[_Value], T], default: D
) -> T | D:
    values = parts.get(number)
    return read(values[-1]) if values else default


def _numbers(value: _Value) -> list[int]:
    """Return the signed 64-bit numbers of a repeated field, packed or not."""
    if isinstance(value, int):
        return [_number(value)]
    numbers, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        numbers.append(_number(number))
    return numbers


def _number(value: _Value) -> int:
    if not isinstance(value, int):
        raise TypeError("text in the place of a number")
    return value - 2**64 if value >= 2**63 else value


def _message(value: _Value) -> memoryview:
    if isinstance(value, int):
        raise TypeError("a number in the place of text")
    return value


def _text(value: _Value) -> str:
    return str(_message(value), "utf-8")
