"""Encoders made to hang, to fill the memory or to break out are refused in one line."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_encoder as tiny
from spoiled import respell, sign

from onbrand.encoder import Encoder
from onbrand.errors import OnbrandError
from onbrand_cli.app import run

TABLE = np.ones((len(tiny.WORDS), tiny.HIDDEN), np.float32)
SOUND = tiny._model(TABLE)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    tiny.tiny_encoder(tmp_path / "encoder")
    return tmp_path / "encoder"


def refusal(bundle: Path) -> str:
    with pytest.raises(OnbrandError) as caught:
        Encoder.load(bundle).encode(["oats", "new oats"])
    assert "\n" not in str(caught.value)
    assert caught.value.path is not None
    return caught.value.message


def graph(*surprises: bytes) -> bytes:
    return tiny._model(TABLE, *surprises)


def node(kind: str, inputs: list[str], *more: bytes) -> bytes:
    return tiny._field(1, tiny._node(kind, inputs, "surprise") + b"".join(more))


def constant(name: str, shape: list[int], *values: int) -> bytes:
    """An initialiser whose shape need not fit its values."""
    data = np.array(values, np.int64).tobytes()
    sizes = b"".join(tiny._field(1, size) for size in shape)
    return tiny._field(
        5, sizes + tiny._field(2, 7) + tiny._field(8, name.encode()) + tiny._field(9, data)
    )


INNER = tiny._field(1, b"body") + tiny._field(6, b"") + tiny._field(20, 5)
OUTSIDE = tiny._field(13, tiny._field(1, b"location") + tiny._field(2, b"/etc/passwd"))
GRAPHS = {
    "endless loop": (
        graph(node("Loop", ["", "last"], tiny._field(5, INNER))),
        "operators that no encoder needs: ai.onnx.Loop, ai.onnx.Loop (holds another graph)",
    ),
    "graph in an operator that is known": (
        graph(node("Identity", ["last"], tiny._field(5, INNER))),
        "ai.onnx.Identity (holds another graph)",
    ),
    "operator of another library": (
        graph(node("Mul", ["last"], tiny._field(7, b"com.evil"))),
        "operators that no encoder needs: com.evil.Mul",
    ),
    "function": (SOUND + tiny._field(25, tiny._field(1, b"Mul")), "Mul (a function of its own)"),
    "flatbuffer of onnxruntime": (b"\x18\0\0\0ORTM" + bytes(64), "onnxruntime's own format"),
    "both formats at once": (b"\x12\x84\x80\0ORTM" + SOUND, "onnxruntime's own format"),
    "data in another file": (
        graph(tiny._field(5, tiny._field(8, b"table2") + OUTSIDE)),
        "tensor 'table2' lies in another file",
    ),
    "initialiser beyond its data": (
        graph(constant("huge", [2**40], 1)),
        "tensor 'huge' does not hold what its shape says",
    ),
    "constant that asks for terabytes": (
        graph(constant("shape", [2], 2**20, 2**20), node("ConstantOfShape", ["shape"])),
        "ai.onnx.ConstantOfShape makes a tensor larger than any encoder needs",
    ),
    "two graphs that would be mixed": (SOUND + tiny._field(7, b""), "is no ONNX graph"),
    "cut": (SOUND[:-9], "is no ONNX graph"),
    "millions of parts": (SOUND + 1_000_001 * b"\x28\0", "more than 1,000,000 parts"),
}


@pytest.mark.parametrize(("data", "reason"), GRAPHS.values(), ids=GRAPHS)
def test_a_graph_is_refused_before_onnxruntime_sees_it(
    bundle: Path, data: bytes, reason: str
) -> None:
    (bundle / "model.onnx").write_bytes(data)
    sign(bundle)
    told = refusal(bundle)
    assert told.startswith("cannot be used: ")
    assert reason in told


def replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


def charsmap(leaf: int) -> str:
    """A map of SentencePiece in which the letter a leads to a place in three letters."""
    units = np.zeros(256, "<u4")
    units[ord("a")] = ord("a") | 1 << 8 | 2 << 10
    units[ord("a") ^ 2] = 1 << 31 | leaf
    return base64.b64encode(struct.pack("<I", 1024) + units.tobytes() + b"xyz\0").decode()


def added_token(content: str, **flags: bool) -> dict[str, Any]:
    names = ("single_word", "lstrip", "rstrip", "normalized", "special")
    return {"id": 1, "content": content} | dict.fromkeys(names, False) | flags


def template(content: dict[str, Any]) -> None:
    content["post_processor"]["special_tokens"] = {}


TOKENIZERS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "backtracks": (
        lambda t: t.update(normalizer=replace({"Regex": "(a+)+$"}, "")),
        "normalizer: Replace with a 'pattern' that no encoder needs",
    ),
    "doubles the text": (
        lambda t: t.update(
            normalizer={
                "type": "Sequence",
                "normalizers": [replace({"String": "a"}, "aa")] * 16,
            }
        ),
        "normalizer: Replace whose fields do not fit together",
    ),
    "repeats itself": (
        lambda t: t.update(
            pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}] * 2}
        ),
        "pre_tokenizer: Whitespace 2 times",
    ),
    "panics by its template": (template, "post_processor: TemplateProcessing whose fields"),
    "panics by its map": (
        lambda t: t.update(
            normalizer={"type": "Precompiled", "precompiled_charsmap": charsmap(5000)}
        ),
        "normalizer: Precompiled with a 'precompiled_charsmap'",
    ),
    "takes years for a word": (
        lambda t: t.update(
            model={
                "type": "WordPiece",
                "vocab": {"[UNK]": 1, "[PAD]": 0},
                "unk_token": "[UNK]",
                "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 10**9,
            }
        ),
        "model: WordPiece with a 'max_input_chars_per_word'",
    ),
    "has a table of something else": (
        lambda t: t["model"].update(vocab={"oats": -1}),
        "model: WordLevel with a 'vocab' that no encoder needs",
    ),
    "panics by a second text": (
        lambda t: t["post_processor"]["single"][1]["Sequence"].update(id="B"),
        "post_processor: TemplateProcessing whose fields",
    ),
    "panics by a token of white space": (
        lambda t: t.update(added_tokens=[added_token(" ", rstrip=True)]),
        "added_tokens: list with a 'tokens'",
    ),
    "runs code": (
        lambda t: t.update(pre_tokenizer={"type": "Python", "code": "1"}),
        "pre_tokenizer: 'Python' is nothing that encoders need",
    ),
}


@pytest.mark.parametrize(("how", "reason"), TOKENIZERS.values(), ids=TOKENIZERS)
def test_a_tokenizer_is_refused_before_its_library_sees_it(
    bundle: Path, how: Callable[[dict[str, Any]], object], reason: str
) -> None:
    respell(bundle, how)
    told = refusal(bundle)
    assert told.startswith("is no tokenizer of an encoder (")
    assert reason in told


def test_a_token_of_which_nothing_is_left(bundle: Path) -> None:
    """The library panics where it finds it, which is everywhere."""
    respell(
        bundle,
        lambda t: t.update(
            added_tokens=[added_token(" ", normalized=True)],
            normalizer=replace({"Regex": " +"}, ""),
        ),
    )
    assert "nothing is left of the token ' '" in refusal(bundle)


def test_a_tokenizer_nested_without_end(bundle: Path) -> None:
    (bundle / "tokenizer.json").write_text('{"model": ' + 100_000 * "[")
    sign(bundle)
    assert "is no tokenizer of an encoder" in refusal(bundle)


def test_what_is_never_used_of_a_tokenizer_cannot_harm(bundle: Path) -> None:
    padding = {"strategy": {"Fixed": 10**9}, "direction": "Right", "pad_to_multiple_of": None}
    padding |= {"pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}
    before = Encoder.load(bundle).encode(["oats"])
    respell(bundle, lambda t: t.update(padding=padding, decoder={"type": "Evil"}))
    assert np.array_equal(Encoder.load(bundle).encode(["oats"]), before)


def test_a_sound_map_of_sentencepiece_is_used(bundle: Path) -> None:
    """The letter a becomes the x of its map, so that a token that was known is not any more."""
    before = Encoder.load(bundle).encode(["a", "[UNK]"])
    part = {"type": "Precompiled", "precompiled_charsmap": charsmap(0)}
    respell(bundle, lambda t: t.update(normalizer=part))
    after = Encoder.load(bundle).encode(["a", "[UNK]"])
    assert not np.array_equal(before[0], after[0])
    assert np.array_equal(after[0], Encoder.load(bundle).encode(["unheard"])[0])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers(bundle: Path, value: float) -> None:
    (bundle / "model.onnx").write_bytes(tiny._model(np.full_like(TABLE, value)))
    sign(bundle)
    assert "gives vectors that are no finite numbers" in refusal(bundle)


def test_a_token_that_the_graph_has_no_row_for(bundle: Path) -> None:
    respell(bundle, lambda t: t["model"]["vocab"].update(oats=10_000_000))
    assert "cannot encode this text" in refusal(bundle)


def test_a_panic_at_run_is_one_line(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Panic(BaseException):
        """What Rust's panics are to Python: no `Exception`."""

    class Panicking:
        def encode_batch_fast(self, _texts: list[str]) -> None:
            raise Panic("byte index 1 is not a char boundary of `secret copy`\nmore of it")

    encoder = Encoder.load(bundle)
    monkeypatch.setattr(encoder, "_tokenizer", Panicking())
    with pytest.raises(OnbrandError, match="cannot put this text into tokens") as caught:
        encoder.encode(["oats"])
    assert "secret" not in str(caught.value)


def test_the_command_line_ends_with_one_line(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bundle / "model.onnx").write_bytes(GRAPHS["endless loop"][0])
    sign(bundle)
    (tmp_path / "draft.md").write_text("Oats are new.")
    code = run(
        ["check", "--avoid", "corporate", "--encoder", str(bundle), str(tmp_path / "draft.md")]
    )
    streams = capsys.readouterr()
    assert (code, streams.out, streams.err.count("\n")) == (2, "", 1)
    assert streams.err.startswith(f"error: {bundle / 'model.onnx'}: cannot be used: operators")
