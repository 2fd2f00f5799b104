"""What cannot be exported: one line that says so, exit code 2, and nothing half-written."""

from __future__ import annotations

import json
import resource
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_runner import error_of, run, tree
from tiny_models import tiny_model

pytestmark = [
    pytest.mark.usefixtures("brief"),
    pytest.mark.heavy("torch", "transformers", "optimum", "onnx"),
    # torch and optimum announce their own deprecations.
    pytest.mark.filterwarnings("default"),
]

Break = Callable[[Path], None]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("bert", tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.fixture
def model(sound: Path, tmp_path: Path) -> Path:
    """A model of the test's own, to break."""
    return Path(shutil.copytree(sound, tmp_path / "model"))


def configure(**changes: Any) -> Break:
    def edit(model: Path) -> None:
        path = model / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return edit


def spoil(value: float, dtype: str = "float32") -> Break:
    """Put a value that is no number in the middle of one tensor."""

    def edit(model: Path) -> None:
        import torch
        from safetensors.torch import load_file, save_file

        tensors = load_file(model / "model.safetensors")
        tensors = {name: tensor.to(getattr(torch, dtype)) for name, tensor in tensors.items()}
        tensors["encoder.layer.1.output.dense.weight"][3, 5] = value
        save_file(tensors, model / "model.safetensors", metadata={"format": "pt"})

    return edit


def weigh(factor: float) -> Break:
    """Multiply all weights: zero, and those that are finite but too large, make no vectors."""

    def edit(model: Path) -> None:
        from safetensors.torch import load_file, save_file

        tensors = load_file(model / "model.safetensors")
        tensors = {name: factor * tensor for name, tensor in tensors.items()}
        save_file(tensors, model / "model.safetensors", metadata={"format": "pt"})

    return edit


def truncate(model: Path) -> None:
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def replace(content: bytes) -> Break:
    return lambda model: (model / "model.safetensors").write_bytes(content) and None


def pickle_only(model: Path) -> None:
    (model / "model.safetensors").rename(model / "pytorch_model.bin")


def several_files(model: Path) -> None:
    (model / "model.safetensors").rename(model / "model-00001-of-00002.safetensors")
    (model / "model.safetensors.index.json").write_text("{}")


def slow_tokenizer_only(model: Path) -> None:
    (model / "tokenizer.json").unlink()
    assert (model / "vocab.txt").is_file()


def tokenizer_of_another(model: Path) -> None:
    path = model / "tokenizer.json"
    content = json.loads(path.read_text())
    content["model"]["vocab"]["zzzz"] = 5000
    path.write_text(json.dumps(content))


def bare_tokenizer(model: Path) -> None:
    from tokenizers import Tokenizer, models

    (model / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]")).save(str(model / "tokenizer.json"))


def no_code(model: Path) -> None:
    """A configuration that asks for code of the model's own, and that code."""
    (model / "modeling.py").write_text(f"open({str(model / 'ran')!r}, 'w')\n")
    configure(auto_map={"AutoConfig": "modeling.C", "AutoModel": "modeling.M"})(model)


BAD: dict[str, tuple[Break, str]] = {
    "no model": (shutil.rmtree, "is no model: name a folder with config.json"),
    "pickle": (pickle_only, "weights as a pickle only, which can run code; save them as model.saf"),
    "shards": (several_files, "has its weights in several files; save them as one"),
    "slow tokenizer": (slow_tokenizer_only, "has no tokenizer.json; save a fast tokenizer there"),
    "long tokenizer": (tokenizer_of_another, "has token 5000, but the model knows 5000 tokens"),
    "bare tokenizer": (bare_tokenizer, "adds no special tokens"),
    "no tokenizer": (
        lambda model: (model / "tokenizer.json").write_text("{}") and None,
        "tokenizer.json: cannot be loaded (",
    ),
    "NaN": (spoil(float("nan")), "holds NaN or infinity in 'encoder.layer.1.output.dense.weight'"),
    "infinity": (spoil(float("-inf"), "float16"), "holds NaN or infinity in 'encoder.layer.1.outp"),
    "nothing": (weigh(0), "model: gives vectors that are nothing or no finite numbers"),
    "huge": (weigh(1e37), "no finite numbers"),
    "NaN in a norm": (configure(layer_norm_eps=float("nan")), "what are no finite numbers"),
    "truncated": (truncate, "is damaged ("),
    "no weights": (replace(b""), "is damaged ("),
    "other weights": (replace(b"x" * 5000), "is damaged ("),
    "wider": (
        configure(intermediate_size=96),
        "'encoder.layer.0.intermediate.dense.bias' has another shape (9 in all)",
    ),
    "deeper": (
        configure(num_hidden_layers=4),
        "'encoder.layer.3.attention.output.LayerNorm.bias' is missing (16 in",
    ),
    "another family": (configure(model_type="distilbert"), "does not fit config.json: '"),
    "heads": (configure(num_attention_heads=5), "config.json: cannot be loaded ("),
    "activation": (configure(hidden_act="no"), "config.json: cannot be loaded (KeyError 'no')"),
    "words": (configure(vocab_size="a"), "config.json: says vocab_size 'a'; expected a number"),
    "encoder-decoder": (configure(model_type="t5", is_encoder_decoder=True), "writes text (t5)"),
    "a decoder": (configure(is_decoder=True), "writes text (bert)"),
    "decoder-only": (
        configure(model_type="gpt2"),
        "models of type 'gpt2' cannot be exported; some that can: bert, distilbert, mpnet",
    ),
    "no type": (configure(model_type=None), "does not say what type of model it is"),
    "own code": (no_code, "code of the model's own (auto_map), which onbrand never runs"),
    "quantised": (configure(quantization_config={"quant_method": "gptq"}), "cannot be loaded ("),
}


@pytest.mark.parametrize(("damage", "message"), BAD.values(), ids=BAD)
def test_a_bad_model(model: Path, tmp_path: Path, damage: Break, message: str) -> None:
    damage(model)
    before = tree(tmp_path)
    assert message in error_of(run("models", "export", model, "-o", tmp_path / "bundle"))
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layers", "0-99999999999"], "expected all, last or a range within 0-3"),
        (["--layers", "4"], "expected all, last or a range within 0-3"),
        (["--opset", "16"], "--opset 16: expected 17 to 21"),
        (["--opset", "22"], "--opset 22: expected 17 to 21"),
        (["--max-tokens", "0"], "--max-tokens must be 3 to 64"),
        (["--max-tokens", "65"], "--max-tokens must be 3 to 64"),
        (["--name", "../x"], "--name '../x': expected up to 64 letters"),
        (["--name", ""], "--name '': expected up to 64 letters"),
        (["--target", "gpu"], "'gpu' is not one of 'portable', 'avx2'"),
    ],
)
def test_a_bad_option(sound: Path, tmp_path: Path, options: list[str], message: str) -> None:
    done = run("models", "export", sound, "-o", tmp_path / "bundle", *options)
    assert message in error_of(done)
    assert tree(tmp_path) == {}


def test_a_model_is_not_replaced_by_its_bundle(model: Path) -> None:
    (model / "encoder.json").write_text("that of a bundle, in the same folder")
    before = tree(model.parent)
    for output in (model, model / ".." / model.name):
        error = error_of(run("models", "export", model, "-o", output))
        assert error.endswith("holds the model itself; name another folder")
    assert tree(model.parent) == before


def test_a_model_that_gives_tuples_is_exported(model: Path, tmp_path: Path) -> None:
    configure(return_dict=False)(model)
    assert run("models", "export", model, "-o", tmp_path / "bundle").code == 0


def test_a_folder_that_is_no_bundle_is_left_alone(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    for target in (tmp_path, tmp_path / "thesis.txt"):
        error = error_of(run("models", "export", sound, "-o", target))
        assert error == f"{target}: is there and is no encoder bundle, so it is left alone; " + (
            "name a new folder"
        )
    assert tree(tmp_path) == {"thesis.txt": b"years of work"}


def test_a_folder_that_cannot_be_written(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> str:
        raise PermissionError(13, "Permission denied")

    # A folder without write permission stops everyone but root, who often runs tests.
    monkeypatch.setattr("onbrand.files.tempfile.mkdtemp", refuse)
    error = error_of(run("models", "export", sound, "-o", tmp_path / "bundle"))
    assert "cannot be written (Permission denied); " in error
    assert tree(tmp_path) == {}


def test_a_target_inside_a_file(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = error_of(run("models", "export", sound, "-o", tmp_path / "file" / "bundle"))
    assert "cannot be written" in error


@pytest.fixture
def old_bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "encoder.json").write_text("old")
    return folder


@pytest.mark.parametrize("limit", [1_000, 20_000, 100_000, 300_000])
def test_no_space(
    sound: Path, old_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """A limit on the size of files stops the tokenizer, the graph or what is made of it."""
    aside = tmp_path / "temporary"
    aside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(aside))
    before = tree(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        done = run("models", "export", sound, "-o", old_bundle)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "File too large" in error_of(done)
    assert tree(tmp_path) == before


def test_no_space_for_the_last_file(
    sound: Path, old_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnx

    save = onnx.save

    def fill(model: Any, path: Any, *rest: Any, **options: Any) -> None:
        if Path(path).name == "model.onnx":
            Path(path).write_bytes(b"half")
            raise OSError(28, "No space left on device")
        save(model, path, *rest, **options)

    monkeypatch.setattr(onnx, "save", fill)
    error = error_of(run("models", "export", sound, "-o", old_bundle))
    assert error == f"{old_bundle}: cannot be written (No space left on device); " + (
        "nothing was changed, name another place"
    )
    assert tree(tmp_path) == {"bundle": b"a folder", "bundle/encoder.json": b"old"}
