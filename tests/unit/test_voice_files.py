"""Voices on disk: read back as written, refused when anything is off."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from onbrand import OnbrandError, Scorer
from onbrand.voice.storage import find_voices, load_voice, load_voices, save_voice

BRAND = "oatfolk"


@pytest.fixture
def folder(example_voices: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(example_voices / BRAND, tmp_path / BRAND))


def test_a_voice_is_read_back_as_it_was_written(folder: Path, tmp_path: Path) -> None:
    voice = load_voice(folder)
    again = load_voice(save_voice(voice, tmp_path / "copy").brand and tmp_path / "copy")
    assert again.manifest == voice.manifest
    assert again.head.vocabulary.terms == voice.head.vocabulary.terms
    for name in ("weights", "mean", "term_weights"):
        np.testing.assert_array_equal(getattr(again.head, name), getattr(voice.head, name))
    assert again.examples.texts == voice.examples.texts


@pytest.mark.parametrize("name", ["head.safetensors", "examples.jsonl"])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_file_is_refused(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif damage == "cut":
        path.write_bytes(content[:-1])
    else:
        path.unlink()
    with pytest.raises(OnbrandError, match="checksum|missing") as error:
        load_voice(folder)
    assert error.value.path == path


def test_tensors_that_do_not_fit_the_manifest_are_refused(folder: Path) -> None:
    import hashlib

    from safetensors.numpy import load_file, save_file

    tensors = load_file(folder / "head.safetensors")
    tensors["weights"] = tensors["weights"][:-1].copy()
    save_file(tensors, folder / "head.safetensors")
    manifest = json.loads((folder / "voice.json").read_text())
    digest = hashlib.sha256((folder / "head.safetensors").read_bytes()).hexdigest()
    manifest["files"]["head.safetensors"] = digest
    (folder / "voice.json").write_text(json.dumps(manifest))
    with pytest.raises(OnbrandError, match="2687.*2688"):
        load_voice(folder)


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("format", 99, "update onbrand"),
        ("threshold", "high", "threshold"),
        ("files", {"../evil": "0"}, "evil"),
        ("files", {}, "head.safetensors"),
    ],
)
def test_a_manifest_that_is_off_is_refused(
    folder: Path, key: str, value: object, word: str
) -> None:
    manifest = json.loads((folder / "voice.json").read_text())
    manifest[key] = value
    (folder / "voice.json").write_text(json.dumps(manifest))
    with pytest.raises(OnbrandError, match=word):
        load_voice(folder)


def test_a_voice_for_another_encoder_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / "voice.json").read_text())
    manifest["encoder"]["fingerprint"] = "0" * 64
    (folder / "voice.json").write_text(json.dumps(manifest))
    with pytest.raises(OnbrandError, match="trained on encoder"):
        Scorer.load(folder)


def test_saving_never_replaces_a_folder_that_is_no_voice(folder: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.md").write_text("Years of work.")
    with pytest.raises(OnbrandError, match="no voice"):
        save_voice(load_voice(folder), precious)
    assert (precious / "thesis.md").read_text() == "Years of work."


def test_an_interrupted_save_leaves_the_old_voice(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    voice = load_voice(folder)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("onbrand.voice.storage.sha256_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_voice(voice, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == [BRAND]


def test_an_unknown_brand_gets_the_nearest_known_name(example_voices: Path) -> None:
    with pytest.raises(OnbrandError, match="did you mean 'oatfolk'"):
        load_voices([example_voices], ["oatfolks"])


def test_a_voices_own_folder_counts_as_well_as_a_folder_of_voices(example_voices: Path) -> None:
    assert set(find_voices([example_voices / BRAND])) == {BRAND}
    assert len(find_voices([example_voices])) == 4
    with pytest.raises(OnbrandError, match="no such folder"):
        find_voices([example_voices / "nowhere"])
