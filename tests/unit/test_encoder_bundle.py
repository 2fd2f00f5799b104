"""Bundles are refused with a clear line when anything about them is not as the manifest says."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onbrand.encoder import Encoder, default_bundle, find_bundles, read_manifest
from onbrand.encoder.bundle import BundleFile, bundle_at
from onbrand.errors import OnbrandError


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(default_bundle(), tmp_path / "encoder"))


def edit_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "encoder.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def put(folder: Path, name: str, data: bytes) -> None:
    """Replace a file and make the manifest agree, as an attacker would."""
    (folder / name).write_bytes(data)
    entry = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    edit_manifest(folder, lambda m: m["files"].update({name: entry}))


def refusal(folder: Path) -> OnbrandError:
    with pytest.raises(OnbrandError) as caught:
        Encoder.load(folder)
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_default_bundle_loads_and_says_what_it_is() -> None:
    encoder = Encoder.load()
    assert (encoder.name, encoder.layers) == ("all-MiniLM-L6-v2-voices", tuple(range(7)))
    assert (encoder.hidden, encoder.dim, encoder.max_tokens) == (384, 2688, 256)
    assert encoder.manifest.licence == "Apache-2.0"
    assert encoder.manifest.size < 24.5e6


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "LICENSE"])
def test_a_flipped_byte_is_found(bundle: Path, name: str) -> None:
    data = bytearray((bundle / name).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle / name).write_bytes(data)
    error = refusal(bundle)
    assert error.path == bundle / name
    assert "checksum does not match encoder.json; install the bundle again" in error.message


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_truncated_file_is_found(bundle: Path, name: str) -> None:
    data = (bundle / name).read_bytes()
    (bundle / name).write_bytes(data[:-100])
    assert f"has {len(data) - 100:,} bytes but encoder.json says" in refusal(bundle).message


def test_a_missing_file_is_named(bundle: Path) -> None:
    (bundle / "tokenizer.json").unlink()
    error = refusal(bundle)
    assert (error.path, error.message) == (
        bundle / "tokenizer.json",
        "is missing; install the bundle again",
    )


def test_a_link_is_not_followed(bundle: Path, tmp_path: Path) -> None:
    (bundle / "model.onnx").rename(tmp_path / "elsewhere.onnx")
    (bundle / "model.onnx").symlink_to(tmp_path / "elsewhere.onnx")
    assert "is a link" in refusal(bundle).message


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "a/b", "a\\b", "..", ".", "", "C:x", ".hidden", "x\0"]
)
def test_file_names_stay_in_the_folder(bundle: Path, name: str) -> None:
    edit_manifest(bundle, lambda m: m["files"].update({name: m["files"]["LICENSE"]}))
    error = refusal(bundle)
    assert error.path == bundle / "encoder.json"
    assert "is not a plain name" in error.message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(format=2), "bundle format 2, this onbrand reads format 1"),
        (lambda m: m.pop("layers"), "missing required field `layers`"),
        (lambda m: m.update(extra=1), "unknown field `extra`"),
        (lambda m: m.update(dim=10), "dim is not hidden times the number of layers"),
        (lambda m: m.update(layers=[1, 0]), "layers are not in ascending order"),
        (lambda m: m["files"].pop("model.onnx"), "model.onnx is not listed"),
        (lambda m: m["files"]["model.onnx"].update(sha256="abc"), "Expected `str` matching regex"),
        (lambda m: m["files"]["model.onnx"].update(size=-1), "Expected `int` >= 0"),
        (lambda m: m.update(max_tokens=10**9), "Expected `int` <= 100000"),
        (lambda m: m["parity"].update(mean=5.0), "Expected `float` <= 1.0 - at `$.parity.mean`"),
        (lambda m: m["parity"].update(sentences=-1), "Expected `int` >= 1"),
        (lambda m: m["speed"].update(sentences_per_second=-1.0), "Expected `float` >= 0.0"),
        (lambda m: m.update(name="[/red]"), "at `$.name`"),
        (lambda m: m.update(name="x\r\n"), "at `$.name`"),
        (lambda m: m.update(name=""), "at `$.name`"),
        (lambda m: m.update(name="x" * 129), "at `$.name`"),
        (lambda m: m.update(licence="MIT\x1b[31m"), "at `$.licence`"),
        (lambda m: m.update(source="a\nb"), "at `$.source`"),
    ],
)
def test_a_manifest_that_cannot_be_right(
    bundle: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    edit_manifest(bundle, change)
    assert message in refusal(bundle).message


def test_a_manifest_that_is_no_json(bundle: Path) -> None:
    (bundle / "encoder.json").write_text('{"format": 1,')
    assert "broken manifest" in refusal(bundle).message


def test_a_folder_without_manifest_says_how_to_get_one(tmp_path: Path) -> None:
    error = refusal(tmp_path)
    assert (error.path, "onbrand models export" in error.message) == (tmp_path, True)


@pytest.mark.heavy("onnx")
def test_a_real_model_with_external_data_is_refused(bundle: Path) -> None:
    import onnx

    model = onnx.load(bundle / "model.onnx")
    onnx.save(model, bundle / "model.onnx", save_as_external_data=True, location="weights.bin")
    put(bundle, "model.onnx", (bundle / "model.onnx").read_bytes())
    assert "lies in another file" in refusal(bundle).message


def test_a_file_that_is_no_model(bundle: Path) -> None:
    put(bundle, "model.onnx", b"not a graph")
    error = refusal(bundle)
    assert (error.path, "is no ONNX graph" in error.message) == (bundle / "model.onnx", True)


def test_a_file_that_is_no_tokenizer(bundle: Path) -> None:
    put(bundle, "tokenizer.json", b"{}")
    assert "is no tokenizer" in refusal(bundle).message


def test_a_graph_that_gives_something_else(bundle: Path) -> None:
    edit_manifest(bundle, lambda m: m.update(layers=[0, 1], dim=768))
    assert "inputs and outputs are not those that encoder.json promises" in refusal(bundle).message


def test_an_unreadable_file(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("onbrand.encoder.bundle.open_regular", refuse)
    assert refusal(bundle).message == "cannot be read (Permission denied)"


def test_the_fingerprint_names_what_decides_the_vectors() -> None:
    manifest = read_manifest(default_bundle())
    replace = msgspec.structs.replace
    assert len(manifest.fingerprint) == 64
    assert replace(manifest, name="other", parity=None, speed=None, licence="MIT").fingerprint == (
        manifest.fingerprint
    )
    tampered = manifest.files | {"model.onnx": BundleFile(size=1, sha256="0" * 64)}
    others = [
        replace(manifest, files=tampered).fingerprint,
        replace(manifest, max_tokens=128).fingerprint,
        replace(manifest, layers=(0, 1, 2, 3, 4, 5, 7)).fingerprint,
    ]
    assert len({manifest.fingerprint, *others}) == 4


def test_bundles_are_found_in_a_folder_of_them(bundle: Path) -> None:
    assert find_bundles([]) == [default_bundle()]
    assert find_bundles([bundle]) == [default_bundle(), bundle]
    assert find_bundles([bundle, bundle]) == [default_bundle(), bundle]
    assert find_bundles([bundle.parent]) == [default_bundle(), bundle]


def test_an_installation_stands_for_the_encoder_that_it_holds(tmp_path: Path) -> None:
    bundle = tmp_path / "releases" / "1-000000000000" / "encoders" / "default"
    shutil.copytree(default_bundle(), bundle)
    pointer = {"format": 1, "source": "release", "name": "acme", "keys": ["0" * 64], "highest": 1}
    pointer |= {"refused": [], "current": "1-000000000000", "previous": None}
    (tmp_path / "installed.json").write_text(json.dumps(pointer))
    assert bundle_at(tmp_path) == bundle
    assert Encoder.load(tmp_path).fingerprint == Encoder.load(bundle).fingerprint
    shutil.copytree(bundle, bundle.with_name("other"))
    with pytest.raises(OnbrandError, match=r"has 2 encoders \(default, other\)"):
        Encoder.load(tmp_path)
