"""Tokenizers that do not work are refused in one line, by all commands that use them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_runner import error_of, run, tree
from spoiled import respell
from tiny_models import tiny_model

from onbrand_models.export import ExportOptions, export_bundle
from onbrand_models.quantise import Target
from onbrand_models.source import find_source

pytestmark = [
    pytest.mark.usefixtures("brief"),
    pytest.mark.heavy("torch", "transformers", "optimum", "onnx"),
    # torch and optimum announce their own deprecations.
    pytest.mark.filterwarnings("default"),
]

Content = dict[str, Any]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("bert", tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.fixture(scope="module")
def floats(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "floats"
    options = ExportOptions(target=Target.FLOAT32, measure=False)
    export_bundle(find_source(str(sound)), folder, options)
    return folder


def no_words(content: Content) -> None:
    content["model"]["vocab"] = {}
    content["added_tokens"] = []
    content["post_processor"] = None


def no_unknown(content: Content) -> None:
    content["model"]["vocab"] = {"[CLS]": 2, "[SEP]": 3, "word": 7}
    content["added_tokens"] = []


def names_nothing(content: Content) -> None:
    """Let the template name tokens that it has no ids of: the library panics."""
    content["post_processor"]["special_tokens"] = {}


def beyond(content: Content) -> None:
    content["post_processor"]["special_tokens"]["[CLS]"]["ids"] = [99_999]


def long_winded(content: Content) -> None:
    content["post_processor"]["single"] = 80 * [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}]


def erasing(content: Content) -> None:
    content["normalizer"] = {"type": "Replace", "pattern": {"Regex": "."}, "content": ""}


def bare(content: Content) -> None:
    content["post_processor"] = None


BAD: dict[Callable[[Content], None], str] = {
    no_unknown: "tokenizer.json: cannot put text into tokens (WordPiece error: Missing [UNK] token",
    names_nothing: "tokenizer.json: cannot put text into tokens (no entry found for key)",
    long_winded: "tokenizer.json: adds 80 tokens to every text, which leaves no room for words",
    erasing: "tokenizer.json: gives the same tokens for every text",
    bare: "tokenizer.json: adds no special tokens",
}
REFUSED: dict[Callable[[Content], None], str] = {
    names_nothing: "tokenizer.json: is no tokenizer of an encoder (post_processor: Template",
    erasing: "tokenizer.json: is no tokenizer of an encoder (normalizer: Replace with a 'pattern'",
}
"""What a bundle is refused for before its tokenizer is tried."""


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        *BAD.items(),
        (beyond, "tokenizer.json: has token 99999, but the model knows 5000 tokens"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_of_a_model(
    sound: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    damage: Callable[[Content], None],
    message: str,
) -> None:
    model = Path(shutil.copytree(sound, tmp_path / "model"))
    content = json.loads((model / "tokenizer.json").read_text())
    damage(content)
    (model / "tokenizer.json").write_text(json.dumps(content))
    before = tree(tmp_path)
    assert message in error_of(run("models", "export", model, "-o", tmp_path / "bundle"))
    assert tree(tmp_path) == before
    assert capfd.readouterr().err == ""


def test_of_a_model_without_words(sound: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(sound, tmp_path / "model"))
    content = json.loads((model / "tokenizer.json").read_text())
    no_words(content)
    (model / "tokenizer.json").write_text(json.dumps(content))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast"}
    (model / "tokenizer_config.json").write_text(json.dumps(settings))
    (model / "special_tokens_map.json").unlink()
    error = error_of(run("models", "export", model, "-o", tmp_path / "bundle"))
    assert "tokenizer.json: knows no tokens at all" in error


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        *(BAD | REFUSED).items(),
        (beyond, "cannot encode texts of up to 64 tokens, as encoder.json promises ("),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_of_a_bundle(
    floats: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    damage: Callable[[Content], None],
    message: str,
) -> None:
    bundle = Path(shutil.copytree(floats, tmp_path / "floats"))
    respell(bundle, damage)
    before = tree(tmp_path)
    assert message in error_of(run("models", "quantize", bundle, "-o", tmp_path / "bundle"))
    assert tree(tmp_path) == before
    done = run("models", "verify", bundle)
    assert (done.code, done.err, "FAIL tokenizer" in done.out) == (1, "", True)
    assert capfd.readouterr().err == ""


def test_no_room_for_a_word(sound: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(sound, tmp_path / "model"))
    content = json.loads((model / "tokenizer.json").read_text())
    content["post_processor"]["single"].insert(0, {"SpecialToken": {"id": "[SEP]", "type_id": 0}})
    (model / "tokenizer.json").write_text(json.dumps(content))
    done = run("models", "export", model, "-o", tmp_path / "bundle", "--max-tokens", "3")
    assert "adds 3 tokens to every text" in error_of(done)
    assert run("models", "export", model, "-o", tmp_path / "bundle").code == 0
