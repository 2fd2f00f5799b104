"""``onbrand models verify`` and ``list`` on the bundle that ships."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from onbrand.cli.models import app
from onbrand.encoder import default_bundle, read_manifest
from onbrand.errors import OnbrandError

CLI = CliRunner()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(default_bundle(), tmp_path / "encoder"))


def set_parity(folder: Path, parity: dict[str, Any] | None) -> None:
    path = folder / "encoder.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"parity": parity}))


def test_the_bundle_that_ships_verifies() -> None:
    result = CLI.invoke(app, ["verify", str(default_bundle())])
    assert result.exit_code == 0, result.output
    assert "FAIL" not in result.output
    for check in ("files", "batches", "tokens", "parity"):
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
    bundle: Path, parity: dict[str, Any] | None, message: str
) -> None:
    set_parity(bundle, parity)
    result = CLI.invoke(app, ["verify", str(bundle)])
    assert result.exit_code == 1
    assert "FAIL parity" in result.output
    assert message in result.output


def test_a_tampered_bundle_is_an_error_and_not_a_finding(bundle: Path) -> None:
    (bundle / "model.onnx").write_bytes(b"")
    result = CLI.invoke(app, ["verify", str(bundle)])
    assert isinstance(result.exception, OnbrandError)
    assert result.exception.path == bundle / "model.onnx"


def test_list_as_json() -> None:
    result = CLI.invoke(app, ["list", "--format", "json"])
    (entry,) = json.loads(result.output)
    manifest = read_manifest(default_bundle())
    assert entry == {
        "path": str(default_bundle()),
        "name": "all-MiniLM-L6-v2",
        "layers": [0, 1, 2, 3, 4, 5, 6],
        "dim": 2688,
        "max_tokens": 256,
        "fingerprint": manifest.fingerprint,
        "licence": "Apache-2.0",
        "size": manifest.size,
    }


def test_list_as_a_table(bundle: Path) -> None:
    result = CLI.invoke(app, ["list", str(bundle.parent)])
    header, *rows = result.output.splitlines()
    assert header.split() == [
        *("name", "layers", "dim", "size", "fingerprint", "licence", "folder")
    ]
    assert len(rows) == 2
    assert all("0-6" in row and "2688" in row and "24.1 MB" in row for row in rows)


def test_list_of_a_folder_without_bundles(tmp_path: Path) -> None:
    result = CLI.invoke(app, ["list", str(tmp_path)])
    assert isinstance(result.exception, OnbrandError)
    assert "is not an encoder bundle" in result.exception.message
