"""``onbrand models verify`` and ``list`` on the bundle that ships."""

from __future__ import annotations

import importlib.util
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from spoiled import respell, sign
from tiny_encoder import tiny_encoder
from typer.testing import CliRunner

from onbrand.encoder import default_bundle, read_manifest
from onbrand.errors import OnbrandError
from onbrand_cli.models import app
from onbrand_cli.models.make import print_made
from onbrand_models.source import SourceModel
from onbrand_models.verify import Budgets, verify_bundle

CLI = CliRunner()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(default_bundle(), tmp_path / "encoder"))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    tiny_encoder(tmp_path / "small")
    return tmp_path / "small"


def set_parity(folder: Path, parity: dict[str, Any] | None) -> None:
    path = folder / "encoder.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"parity": parity}))


def test_the_bundle_that_ships_verifies() -> None:
    result = CLI.invoke(app, ["verify", str(default_bundle())])
    assert result.exit_code == 0, result.output
    assert "FAIL" not in result.output
    for check in ("files", "vectors", "batches", "tokens", "parity"):
        assert f"ok   {check}" in result.output


@pytest.mark.parametrize(
    ("parity", "message"),
    [
        ({"mean": 0.98, "min": 0.97, "sentences": 50}, "cosine to the source 0.9800 on average"),
        ({"mean": 0.99, "min": 0.5, "sentences": 50}, "0.5000 at worst"),
        (None, "measure it with --against SOURCE"),
    ],
)
def test_too_little_parity_is_a_failure(
    small: Path, parity: dict[str, Any] | None, message: str
) -> None:
    set_parity(small, parity)
    result = CLI.invoke(app, ["verify", str(small)])
    assert result.exit_code == 1
    assert "FAIL parity" in result.output
    assert message in result.output


@pytest.mark.parametrize("option", ["--min-cosine", "--min-worst"])
def test_a_budget_of_ones_own(small: Path, option: str) -> None:
    set_parity(small, {"mean": 0.999, "min": 0.999, "sentences": 50})
    assert CLI.invoke(app, ["verify", str(small)]).exit_code == 0
    result = CLI.invoke(app, ["verify", str(small), option, "0.9999"])
    assert (result.exit_code, "FAIL parity" in result.output) == (1, True)
    assert "(at least 0.9999)" in result.output


def test_the_options_state_the_budgets_that_python_has(small: Path) -> None:
    result = CLI.invoke(app, ["verify", str(small), "--format", "json"])
    assert json.loads(result.stdout)["budgets"] == asdict(Budgets())


def test_json_has_all_figures(small: Path) -> None:
    set_parity(small, {"mean": 0.99, "min": 0.5, "sentences": 50})
    result = CLI.invoke(app, ["verify", str(small), "--format", "json"])
    document = json.loads(result.stdout)
    assert (result.exit_code, document["passed"]) == (1, False)
    assert document["fingerprint"] == read_manifest(small).fingerprint
    checks = {check["name"]: check for check in document["checks"]}
    assert [name for name in checks if not checks[name]["passed"]] == ["parity"]
    assert checks["parity"]["figures"] == {"mean": 0.99, "min": 0.5, "lines": 50}
    assert checks["files"]["figures"]["bytes"] == read_manifest(small).size
    assert 0 <= checks["batches"]["figures"]["gap"] < 1e-4


def test_a_tampered_bundle_is_an_error_and_not_a_finding(small: Path) -> None:
    (small / "model.onnx").write_bytes(b"")
    result = CLI.invoke(app, ["verify", str(small)])
    assert isinstance(result.exception, OnbrandError)
    assert result.exception.path == small / "model.onnx"


def test_a_file_that_the_manifest_does_not_list(small: Path) -> None:
    (small / "model.onnx.data").write_bytes(b"weights")
    (small / "notes").mkdir()
    result = CLI.invoke(app, ["verify", str(small)])
    assert result.exit_code == 1
    assert "FAIL files     not listed in encoder.json: model.onnx.data, notes" in result.output


@pytest.mark.parametrize(
    "options", [["--data", "."], ["--voices", "."], ["--data", ".", "--voices", "."]]
)
def test_what_compares_needs_a_source(options: list[str]) -> None:
    result = CLI.invoke(app, ["verify", str(default_bundle()), *options])
    assert isinstance(result.exception, OnbrandError)
    assert "name it with --against" in result.exception.message


@pytest.mark.parametrize("option", ["--min-cosine", "--min-layer", "--max-changed"])
def test_a_budget_that_is_no_number(small: Path, option: str) -> None:
    result = CLI.invoke(app, ["verify", str(small), option, "nan", "--format", "json"])
    assert isinstance(result.exception, OnbrandError)
    assert (result.exception.message, result.output) == (f"{option} nan: expected a number", "")


def test_an_empty_text_must_have_a_vector(small: Path) -> None:
    respell(small, lambda content: content.update(post_processor=None))
    result = CLI.invoke(app, ["verify", str(small)])
    assert result.exit_code == 1
    assert "FAIL tokenizer adds no special tokens" in result.output


def test_a_target_that_nobody_knows(small: Path) -> None:
    sign(small, target="gpu")
    result = CLI.invoke(app, ["verify", str(small)])
    assert (result.exit_code, "FAIL files     target 'gpu' is none of" in result.output) == (
        1,
        True,
    )


@pytest.mark.parametrize(
    ("mean", "least", "warned"), [(0.99, 0.96, False), (0.98, 0.96, True), (0.99, 0.9, True)]
)
def test_what_verify_would_refuse_is_told_when_it_is_made(
    small: Path, capsys: pytest.CaptureFixture[str], mean: float, least: float, warned: bool
) -> None:
    set_parity(small, {"mean": mean, "min": least, "sentences": 50})
    print_made(read_manifest(small), "small", "source", small)
    printed = capsys.readouterr()
    assert f"cosine to the source: {mean:.4f} on average" in printed.out
    assert ("warning: the vectors are far from the source's" in printed.err) == warned


def test_a_source_needs_the_extra(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = SourceModel(Path(), "tiny", "tiny", "MIT", max_tokens=64, num_layers=1, hidden=8)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(OnbrandError, match=r"pip install '.*\[export\]'"):
        next(verify_bundle(small, source))


def test_list_as_json() -> None:
    result = CLI.invoke(app, ["list", "--format", "json"])
    (entry,) = json.loads(result.stdout)
    manifest = read_manifest(default_bundle())
    assert entry == {
        "path": str(default_bundle()),
        "name": "all-MiniLM-L6-v2-voices",
        "layers": [0, 1, 2, 3, 4, 5, 6],
        "dim": 2688,
        "max_tokens": 256,
        "fingerprint": manifest.fingerprint,
        "licence": "Apache-2.0",
        "size": manifest.size,
    }


def test_list_as_a_table(bundle: Path) -> None:
    result = CLI.invoke(app, ["list", str(bundle.parent)])
    header, _, *rows = [line for line in result.output.splitlines() if line.strip()]
    assert header.split() == [
        *("name", "layers", "dim", "size", "fingerprint", "licence", "folder")
    ]
    assert len(rows) == 2
    assert all("0-6" in row and "2688" in row and "23.4 MB" in row for row in rows)


def test_list_of_a_folder_without_bundles(tmp_path: Path) -> None:
    result = CLI.invoke(app, ["list", str(tmp_path)])
    assert isinstance(result.exception, OnbrandError)
    assert "is not an encoder bundle" in result.exception.message
