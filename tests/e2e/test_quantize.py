"""From a bundle in floats to quantised ones, for every family of encoders and every target."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
from spoiled import sign
from tiny_models import tiny_model
from typer.testing import CliRunner

from onbrand.encoder import Encoder, default_bundle, read_manifest
from onbrand.errors import OnbrandError
from onbrand_cli.models import app
from onbrand_models.export import ExportOptions, export_bundle
from onbrand_models.quantise import Target
from onbrand_models.quantise.requantize import quantise_bundle
from onbrand_models.source import FAMILIES, find_source
from onbrand_models.validation import parity_sentences

pytestmark = [
    pytest.mark.usefixtures("brief"),
    pytest.mark.heavy("torch", "transformers", "optimum", "onnx"),
    # torch and optimum announce their own deprecations.
    pytest.mark.filterwarnings("default"),
]

QUANTISED = [target for target in Target if target is not Target.FLOAT32]


@pytest.fixture(scope="module", params=FAMILIES)
def floats(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    source = find_source(str(tiny_model(request.param, folder / "model")))
    export_bundle(source, folder / "floats", ExportOptions(target=Target.FLOAT32, measure=False))
    return folder / "floats"


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    source = find_source(str(tiny_model("bert", folder / "model")))
    export_bundle(source, folder / "floats", ExportOptions(target=Target.FLOAT32, measure=False))
    return folder / "floats"


def float_products(bundle: Path) -> int:
    """How many products with constant weights in floats the graph of a bundle has."""
    import onnx

    graph = onnx.load(bundle / "model.onnx").graph
    weights = {tensor.name for tensor in graph.initializer if len(tensor.dims) == 2}
    return sum(n.op_type in ("MatMul", "Gemm") and n.input[1] in weights for n in graph.node)


def gap_between_batches(bundle: Path) -> float:
    encoder = Encoder.load(bundle, cache_size=0)
    texts = [*parity_sentences()[:20], " ".join(parity_sentences())]
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    return float(np.abs(encoder.encode(texts) - alone).max())


@pytest.mark.slow
@pytest.mark.parametrize("target", ["portable", "accurate"])
def test_every_family_keeps_its_vectors(floats: Path, tmp_path: Path, target: str) -> None:
    bundle = tmp_path / "bundle"
    manifest = quantise_bundle(floats, bundle, Target(target))
    assert manifest.parity is not None
    assert manifest.parity.mean > (0.9995 if target == "accurate" else 0.998)
    assert manifest.parity.min > 0.99
    assert float_products(floats) > 0
    assert float_products(bundle) == 0
    assert gap_between_batches(bundle) < 1e-5


@pytest.mark.parametrize("target", QUANTISED)
def test_the_manifest_says_what_was_done_and_measured(
    bert: Path, tmp_path: Path, target: Target
) -> None:
    from onbrand_models.quantise.recipes import describe

    bundle = tmp_path / "bundle"
    arguments = ["quantize", str(bert), "--target", target.value, "-o", str(bundle)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.exception
    before, after = read_manifest(bert), read_manifest(bundle)
    assert (after.target, after.quantisation) == (target.value, describe(target))
    assert (after.layers, after.name, after.revision) == (
        *(before.layers, before.name, before.revision),
    )
    assert after.fingerprint != before.fingerprint
    assert after.size < before.size
    assert after.parity is not None
    assert after.speed is not None
    assert f"{after.parity.mean:.4f} on average" in result.output
    assert gap_between_batches(bundle) < 1e-5


def test_quantising_later_gives_what_exporting_for_the_target_gives(
    bert: Path, tmp_path: Path
) -> None:
    quantise_bundle(bert, tmp_path / "later", Target.PORTABLE)
    source = find_source(str(bert.parent / "model"))
    export_bundle(source, tmp_path / "at-once", ExportOptions(measure=False))
    texts = parity_sentences()
    later, at_once = (Encoder.load(tmp_path / name).encode(texts) for name in ("later", "at-once"))
    np.testing.assert_allclose(later, at_once, atol=1e-5)


def test_a_quantised_bundle_is_refused(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    with pytest.raises(OnbrandError, match="is quantised already.*--target float32") as caught:
        quantise_bundle(default_bundle(), bundle)
    assert caught.value.path == default_bundle()
    assert not bundle.exists()


def test_the_bundle_in_floats_is_not_overwritten(bert: Path) -> None:
    for place in (bert, bert / "inside", bert / ".." / bert.name):
        with pytest.raises(OnbrandError, match="name another folder"):
            quantise_bundle(bert, place)
    assert read_manifest(bert).target == "float32"
    assert not (bert / "inside").exists()


def test_a_bundle_that_holds_the_one_in_floats_is_not_overwritten(
    bert: Path, tmp_path: Path
) -> None:
    outer = Path(shutil.copytree(bert, tmp_path / "outer"))
    inner = Path(shutil.copytree(bert, outer / "inner"))
    with pytest.raises(OnbrandError, match="name another folder"):
        quantise_bundle(inner, outer)
    assert read_manifest(inner).target == "float32"


def test_a_length_that_the_graph_does_not_take(bert: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(bert, tmp_path / "floats"))
    sign(bundle, max_tokens=100_000)
    with pytest.raises(OnbrandError, match="cannot encode texts of up to 100000 tokens") as caught:
        quantise_bundle(bundle, tmp_path / "bundle")
    assert caught.value.path == bundle
    assert [path.name for path in tmp_path.iterdir()] == ["floats"]


def test_a_damaged_bundle_leaves_nothing(bert: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(bert, tmp_path / "damaged"))
    data = bytearray((damaged / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (damaged / "model.onnx").write_bytes(data)
    with pytest.raises(OnbrandError, match="checksum"):
        quantise_bundle(damaged, tmp_path / "bundle")
    assert [path.name for path in tmp_path.iterdir()] == ["damaged"]


def test_without_the_extra_it_says_what_to_install(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: None)
    with pytest.raises(OnbrandError, match=r"pip install '.*\[export\]'"):
        quantise_bundle(bert, tmp_path / "bundle")
