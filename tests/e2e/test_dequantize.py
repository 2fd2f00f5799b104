"""From a quantised bundle back to a model, and from there to another bundle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import tiny_model
from typer.testing import CliRunner

from onbrand.encoder import Encoder, read_manifest
from onbrand.errors import OnbrandError
from onbrand_cli.models import app
from onbrand_models.export import ExportOptions, cosines, export_bundle
from onbrand_models.quantise import Target
from onbrand_models.quantise.requantize import dequantise_bundle
from onbrand_models.source import FAMILIES, find_source
from onbrand_models.validation import parity_sentences

pytestmark = [
    pytest.mark.usefixtures("brief"),
    pytest.mark.heavy("torch", "transformers", "optimum", "onnx"),
    # torch and optimum announce their own deprecations.
    pytest.mark.filterwarnings("default"),
]

BEYOND_POOLING = ("pooler", "final_norm")
KEY_BIASES = ("key.bias", "k_lin.bias", ".k.bias")
"""They move all scores of a query alike, which the softmax does not see."""


def export(
    model: Path, folder: Path, layers: str = "all", target: Target = Target.PORTABLE
) -> Path:
    export_bundle(
        find_source(str(model)), folder, ExportOptions(layers, target=target, measure=False)
    )
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model, and the base with other weights that it was tuned from."""
    folder = tmp_path_factory.mktemp("models")
    tuned, base = (tiny_model("bert", folder / name, seed) for seed, name in enumerate("ab"))
    return tuned, base


@pytest.fixture(scope="module")
def bundle(models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(models[0], tmp_path_factory.mktemp("bundle") / "tuned")


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_comes_back_whole(family: str, tmp_path: Path) -> None:
    """Its weights are those of the bundle, not the base's; an export gives the same vectors."""
    first, other = (tiny_model(family, tmp_path / f"m{seed}", seed) for seed in (0, 1))
    bundle, back = export(first, tmp_path / "bundle"), tmp_path / "back"
    dequantise_bundle(bundle, find_source(str(other)), back)
    expected, found = weights(first), weights(back)
    assert found.keys() == weights(other).keys()
    for name, value in found.items():
        if any(part in name for part in BEYOND_POOLING) or name.endswith(KEY_BIASES):
            continue
        # What rounding changes on average was put into the biases.
        tolerance = 0.01 if value.ndim > 1 else 0.1
        assert np.abs(value - expected[name]).max() < tolerance * np.abs(expected[name]).max(), name
    again = export(back, tmp_path / "again")
    vectors = [Encoder.load(path).encode(parity_sentences()) for path in (bundle, again)]
    assert cosines(*vectors).mean() > 0.995


def test_floats_come_back_as_they_were(models: tuple[Path, Path], tmp_path: Path) -> None:
    tuned, base = models
    bundle = export(tuned, tmp_path / "bundle", target=Target.FLOAT32)
    cosine = dequantise_bundle(bundle, find_source(str(base)), tmp_path / "back")
    assert cosine == pytest.approx(1, abs=1e-5)
    expected, found = weights(tuned), weights(tmp_path / "back")
    assert all(
        np.array_equal(found[name], value)
        for name, value in expected.items()
        if "pooler" not in name
    )


def test_it_ends_with_the_highest_layer_of_the_bundle(
    models: tuple[Path, Path], tmp_path: Path
) -> None:
    tuned, base = models
    bundle = export(tuned, tmp_path / "bundle", layers="1-2")
    dequantise_bundle(bundle, find_source(str(base)), tmp_path / "back")
    assert find_source(str(tmp_path / "back")).num_layers == 2
    again = export(tmp_path / "back", tmp_path / "again", layers="1-2")
    vectors = [Encoder.load(path).encode(parity_sentences()) for path in (bundle, again)]
    assert cosines(*vectors).mean() > 0.995


def test_the_command_says_how_near_it_is(
    models: tuple[Path, Path], bundle: Path, tmp_path: Path
) -> None:
    result = run("dequantize", bundle, "--base", models[1], "-o", tmp_path / "back")
    assert (result.exit_code, result.exception) == (0, None)
    assert "cosine to the bundle: " in result.output
    assert (tmp_path / "back" / "LICENSE").read_bytes() == (bundle / "LICENSE").read_bytes()
    exported = run("export", tmp_path / "back", "--layers", "0-1", "-o", tmp_path / "small")
    assert exported.exit_code == 0
    assert read_manifest(tmp_path / "small").layers == (0, 1)


@pytest.mark.parametrize("family", ["distilbert", "roberta", "mpnet", "modernbert"])
def test_a_base_of_another_kind_is_told(family: str, bundle: Path, tmp_path: Path) -> None:
    other = find_source(str(tiny_model(family, tmp_path / "other")))
    with pytest.raises(OnbrandError, match="was not made from a model like"):
        dequantise_bundle(bundle, other, tmp_path / "back")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_base_with_another_vocabulary_is_told(
    models: tuple[Path, Path], bundle: Path, tmp_path: Path
) -> None:
    """All weights fit, but the vectors are not those of the bundle."""
    from tokenizers import Tokenizer

    base = shutil.copytree(models[1], tmp_path / "base")
    tokenizer = json.loads((base / "tokenizer.json").read_text("utf-8"))
    words = list(tokenizer["model"]["vocab"])
    special = [word for word in words if word.startswith("[")]
    plain = [word for word in words if not word.startswith("[")]
    turned = dict(zip(special + plain[::-1], tokenizer["model"]["vocab"].values(), strict=True))
    tokenizer["model"]["vocab"] = turned
    (base / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    assert Tokenizer.from_file(str(base / "tokenizer.json"))
    with pytest.raises(OnbrandError, match="was not made from a model like"):
        dequantise_bundle(bundle, find_source(str(base)), tmp_path / "back")
    assert [path.name for path in tmp_path.iterdir()] == ["base"]


def test_what_cannot_be_restored_is_told(
    models: tuple[Path, Path], bundle: Path, tmp_path: Path
) -> None:
    base = find_source(str(models[1]))
    blocks = export(models[0], tmp_path / "blocks", target=Target.ACCURATE)
    with pytest.raises(OnbrandError, match="quantised in blocks"):
        dequantise_bundle(blocks, base, tmp_path / "back")
    with pytest.raises(OnbrandError, match="is not empty, so it is left alone"):
        dequantise_bundle(bundle, base, blocks)
    spoiled = shutil.copytree(bundle, tmp_path / "spoiled")
    content = bytearray((spoiled / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (spoiled / "model.onnx").write_bytes(content)
    with pytest.raises(OnbrandError, match="checksum|SHA-256|damaged"):
        dequantise_bundle(spoiled, base, tmp_path / "back")
    assert not (tmp_path / "back").exists()
