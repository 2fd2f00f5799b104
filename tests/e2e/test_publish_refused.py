"""What ``onbrand models publish`` refuses, and how it leaves the release that was there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from cli_runner import error_of, run, tree
from filelock import FileLock
from release_desk import Publisher, pem_of
from release_samples import STRANGER, tiny_voice

from onbrand.errors import install_command
from onbrand_releases import archive, signing


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    monkeypatch.delenv(signing.PASSPHRASE, raising=False)
    monkeypatch.delenv(signing.SIGNING_KEY, raising=False)
    return Publisher(tmp_path)


def test_another_key_does_not_go_on_with_a_release(desk: Publisher) -> None:
    desk.published()
    desk.write_key(pem_of(STRANGER))
    assert "publish with the key of the releases here" in desk.refusal()


def test_a_tampered_release_is_not_gone_on_with(desk: Publisher) -> None:
    desk.published()
    path = desk.release / "index.json"
    path.write_bytes(path.read_bytes().replace(b"acme", b"evil"))
    assert desk.refusal().endswith(
        "was changed after it was signed; bring back the one that was published, "
        "or publish to another folder"
    )


@pytest.mark.parametrize("place", ["thesis.md", "voices/acme/voice.json", "encoders/x", ".git/x"])
def test_a_folder_that_holds_something_else_is_left_alone(desk: Publisher, place: str) -> None:
    (desk.release / place).parent.mkdir(parents=True)
    (desk.release / place).write_text("Years of work.")
    assert "which is no part of a release; name a new folder" in desk.refusal()


def test_what_a_server_needs_may_lie_beside_a_release(desk: Publisher) -> None:
    desk.published()
    (desk.release / "robots.txt").write_text("User-agent: *\n")
    (desk.release / "voices" / "README.md").write_text("Hello.\n")
    desk.published("--keep", "1")
    assert (desk.release / "robots.txt").exists()
    assert (desk.release / "voices" / "README.md").exists()


def test_a_damaged_archive_is_packed_anew(desk: Publisher) -> None:
    first = desk.published()
    path = desk.release / first.voices[0].archive
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    assert desk.published().voices == first.voices
    assert path.read_bytes() == good


def test_only_one_publishes_at_a_time(desk: Publisher) -> None:
    desk.published()
    with FileLock(desk.release / ".lock"):
        assert desk.refusal().endswith("somebody else is publishing here; try again")


def test_a_damaged_voice_is_not_published(desk: Publisher) -> None:
    path = desk.voices / "beta" / "head.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    assert desk.refusal().startswith(f"{path}: checksum does not match voice.json")


def test_a_voice_whose_encoder_is_missing_is_not_published(desk: Publisher) -> None:
    message = desk.refusal(encoder=False)
    assert "voice 'acme' was trained on encoder tiny" in message
    assert "add its bundle with --encoder" in message


def change_manifest(folder: Path, **fields: object) -> None:
    path = folder / "encoder.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_bad_bundle_is_not_published(desk: Publisher) -> None:
    change_manifest(desk.bundle, parity={"mean": 0.9, "min": 0.2, "sentences": 50})
    message = desk.refusal()
    assert message.startswith(f"{desk.bundle}: fails onbrand models verify (parity: ")
    assert message.endswith("nothing was published")


@pytest.mark.parametrize("name", ["con", "x" * 100])
def test_a_bundle_whose_name_is_no_folder_is_not_published(desk: Publisher, name: str) -> None:
    change_manifest(desk.bundle, name=name)
    assert "export it again with --name" in desk.refusal()


@pytest.mark.parametrize("name", ["../evil", "a b"])
def test_a_bundle_whose_name_is_none_is_not_published(desk: Publisher, name: str) -> None:
    change_manifest(desk.bundle, name=name)
    assert desk.refusal().startswith(str(desk.bundle))


def test_two_of_one_name_are_not_published(desk: Publisher) -> None:
    tiny_voice(desk.desk / "more" / "Acme", "Acme", desk.encoder)
    message = desk.refusal("--voices", desk.desk / "more")
    assert "is named 'Acme' like" in message
    assert "'tiny' like" in desk.refusal("--encoder", desk.bundle)


@pytest.mark.parametrize("place", ["s3://bucket/x", "https://example.com/x", "file:///x"])
def test_a_url_is_no_folder(
    desk: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    message = desk.refusal("-o", place)
    assert message == f"{place}: is a URL; write the release to a folder, then copy it"


def test_nothing_to_publish(desk: Publisher) -> None:
    arguments = ("-o", desk.release, "--key", desk.key, "--name", "agency")
    message = error_of(run("models", "publish", *arguments))
    assert message.startswith("nothing to publish; name bundles with --encoder")
    assert not desk.release.exists()


def test_a_place_that_cannot_be_written_to(desk: Publisher) -> None:
    desk.release = desk.key / "release"
    assert "cannot be" in desk.refusal()


@pytest.mark.parametrize("before", [False, True])
def test_a_full_disk_leaves_the_release_as_it_was(
    desk: Publisher, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    if before:
        desk.published()
        desk.train("acme", 1)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(archive.os, "fsync", full)
        assert "No space left on device" in desk.refusal()
    assert desk.published().release == 1 + before


def test_ctrl_c_leaves_the_release_as_it_was(
    desk: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.published()
    before = tree(desk.release)
    for brand in ("acme", "beta"):
        desk.train(brand, 1)
    header = archive._header

    def interrupted(name: str, size: int) -> bytes:
        if name == "voice.json":
            raise KeyboardInterrupt
        return header(name, size)

    with monkeypatch.context() as patch:
        patch.setattr(archive, "_header", interrupted)
        assert desk.publish().code == 130
    assert tree(desk.release) == before


def test_a_missing_extra_is_named(desk: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "filelock", None)
    assert install_command("update") in desk.refusal()


def test_the_private_key_is_not_published(desk: Publisher) -> None:
    desk.published()
    desk.key = desk.key.rename(desk.release / "release.key")
    assert "the folder that all laptops read; move it elsewhere" in desk.refusal()


def test_a_voice_that_changes_meanwhile_is_not_published(
    desk: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.published()
    before = tree(desk.release)
    append = archive._append

    def retrained(path: Path, name: str, out: object) -> object:
        if path.parent.name == "acme" and name == "voice.json":
            path.write_text(path.read_text() + " ")
        return append(path, name, out)

    desk.train("acme", 1)
    monkeypatch.setattr(archive, "_append", retrained)
    assert "changed while it was being published; try again" in error_of(desk.publish())
    assert tree(desk.release) == before
