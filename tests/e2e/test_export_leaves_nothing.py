"""What is written beside a bundle: nothing that lasts, and of the base model what is needed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from tiny_models import tiny_model

from onbrand.errors import OnbrandError
from onbrand_models.source import find_source

pytestmark = [
    pytest.mark.heavy("torch", "transformers", "optimum", "onnx"),
    # torch and optimum announce their own deprecations.
    pytest.mark.filterwarnings("default"),
]

CACHE = "TORCHINDUCTOR_CACHE_DIR"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("bert", tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.mark.parametrize("chosen", [None, "mine"])
def test_the_files_of_the_compiler_go_with_the_export(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str | None
) -> None:
    from onbrand_models import export as graph

    def compile_something(*_: object) -> None:
        # Where PyTorch's compiler works, as its documentation says.
        cache = Path(os.environ[CACHE])
        cache.mkdir(exist_ok=True)
        (cache / "compiled").write_text("")
        raise OnbrandError("enough")

    monkeypatch.setattr(graph, "_export_hidden_states", compile_something)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv(CACHE, str(tmp_path / "mine"))
    if chosen is None:
        monkeypatch.delenv(CACHE)
    with pytest.raises(OnbrandError, match="enough"):
        graph.pooled_graph(find_source(str(model)), [1])
    assert [path.name for path in tmp_path.iterdir()] == ([chosen] if chosen else [])
    assert (CACHE in os.environ) == (chosen is not None)


def test_of_the_base_only_what_a_model_needs_is_kept(model: Path, tmp_path: Path) -> None:
    from onbrand_models.source import load_model, save_model

    weights = ("tf_model.h5", "flax_model.msgpack", "model.gguf", "model.pt", "pytorch_model.bin")
    others = ("modules.json", "training_args.json", ".DS_Store", "data_config.json")
    papers = ("README.md", "LICENSE.txt", "NOTICE", "sentence_bert_config.json")
    for name in (*weights, *others, *papers):
        (model / name).write_text("{}")
    base = find_source(str(model))
    made = tmp_path / "made"
    made.mkdir()
    save_model(base, load_model(base), made)
    assert {path.name for path in made.iterdir()} == {
        *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"),
        *("special_tokens_map.json", "vocab.txt", *papers),
    }
    find_source(str(made))
