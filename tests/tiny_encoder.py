"""An encoder bundle of some kilobytes, for tests that need one and not its judgement.

Its graph looks up a random vector for each word and takes the mean. It is written in protobuf's
wire format here, so that no test needs the ``onnx`` package for it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import numpy as np

from onbrand.encoder.bundle import BundleFile, EncoderManifest, Parity

COMMON = ("the", "of", "and", "a", "to", "in", "we", "you", "our", "your", "is", "are")
WORDS = ("[PAD]", "[UNK]", *COMMON, "oats", "brand", "new", "simple")
HIDDEN = 8
_FLOAT, _INT64 = 1, 7


def tiny_encoder(folder: Path, seed: int = 0) -> EncoderManifest:
    """Write a bundle; another seed gives another encoder under the same name."""
    folder.mkdir(parents=True)
    vectors = np.random.default_rng(seed).normal(size=(len(WORDS), HIDDEN)).astype(np.float32)
    contents = {
        "model.onnx": _model(vectors),
        "tokenizer.json": _tokenizer().encode(),
        "LICENSE": b"Public domain.\n",
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    manifest = EncoderManifest(
        format=1,
        name="tiny",
        source="tiny",
        revision="0" * 64,
        licence="CC0-1.0",
        layers=(0,),
        hidden=HIDDEN,
        dim=HIDDEN,
        max_tokens=64,
        quantisation="none",
        target="float32",
        opset=18,
        files={
            name: BundleFile(len(data), hashlib.sha256(data).hexdigest())
            for name, data in contents.items()
        },
        parity=Parity(1.0, 1.0, 50),
    )
    (folder / "encoder.json").write_bytes(msgspec.json.encode(manifest))
    return manifest


def _tokenizer() -> str:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    ids = {word: i for i, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    # So that an empty text has a vector too.
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[PAD] $A", special_tokens=[("[PAD]", ids["[PAD]"])]
    )
    return tokenizer.to_str()


def _model(vectors: np.ndarray, *surprises: bytes) -> bytes:
    """Return an ONNX model: `Gather`, then the mean over the mask, normalised.

    It has further fields of a graph, ``surprises``.
    """
    states = "hidden_states.0"
    nodes = [
        _node("Gather", ["table", "input_ids"], states),
        _node("Cast", ["attention_mask"], "floats", to=_FLOAT),
        _node("Unsqueeze", ["floats", "last"], "mask"),
        _node("Mul", [states, "mask"], "kept"),
        _node("ReduceSum", ["kept", "tokens"], "sum", keepdims=0),
        _node("LpNormalization", ["sum"], "vectors", axis=-1, p=2),
    ]
    constants = [
        _tensor("table", vectors, _FLOAT),
        _tensor("last", np.array([2], np.int64), _INT64),
        _tensor("tokens", np.array([1], np.int64), _INT64),
    ]
    inputs = [_value(name, _INT64, ["batch", "tokens"]) for name in ("input_ids", "attention_mask")]
    outputs = [
        _value("vectors", _FLOAT, ["batch", HIDDEN]),
        _value(states, _FLOAT, ["batch", "tokens", HIDDEN]),
    ]
    graph = b"".join(
        _field(number, part)
        for number, parts in (
            (1, nodes),
            (2, [b"tiny"]),
            (5, constants),
            (11, inputs),
            (12, outputs),
        )
        for part in parts
    )
    graph += b"".join(surprises)
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, b"") + _field(2, 18))


def _node(kind: str, inputs: list[str], output: str, **attributes: int) -> bytes:
    ints = [
        _field(1, name.encode()) + _field(3, i) + _field(20, 2) for name, i in attributes.items()
    ]
    return (
        b"".join(_field(1, name.encode()) for name in inputs)
        + _field(2, output.encode())
        + _field(4, kind.encode())
        + b"".join(_field(5, attribute) for attribute in ints)
    )


def _tensor(name: str, values: np.ndarray, kind: int) -> bytes:
    shape = b"".join(_field(1, size) for size in values.shape)
    return shape + _field(2, kind) + _field(8, name.encode()) + _field(9, values.tobytes())


def _value(name: str, kind: int, shape: list[str | int]) -> bytes:
    sizes = [_field(1, s) if isinstance(s, int) else _field(2, s.encode()) for s in shape]
    tensor = _field(1, kind) + _field(2, b"".join(_field(1, size) for size in sizes))
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, value: int | bytes) -> bytes:
    """Return a field in protobuf's wire format."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value % 2**64)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
