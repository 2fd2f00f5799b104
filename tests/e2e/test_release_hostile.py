"""Releases signed with the right key that are up to no good: refused, and what was there works."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import tempfile
from pathlib import Path

import msgspec
import pytest
from release_samples import archived
from release_tampering import Check, first_voice, replace_voice, sign_anything

from onbrand.encoder.bundle import BundleFile
from onbrand_releases.archive import pack
from onbrand_releases.index import INDEX, Package


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/b", "..", ".hidden", "C:evil", "a\\b", "nul", "", "a\0b"]
)
@pytest.mark.parametrize("what", ["file", "name"])
def test_names_that_lead_out(release: Path, refused: Check, name: str, what: str) -> None:
    if what == "name":
        replace_voice(release, name=name)
    else:
        files = first_voice(release).files
        replace_voice(release, files={**files, name: BundleFile(1, "0" * 64)})
    refused(INDEX)


@pytest.mark.parametrize(
    "archive",
    ["../x.tar.gz", "/etc/passwd", "voices/../../x.tar.gz", "https://evil/x", "voices/x?y"],
)
def test_archives_that_are_elsewhere(release: Path, refused: Check, archive: str) -> None:
    replace_voice(release, archive=archive)
    refused(INDEX)


def _tar(entries: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz", format=tarfile.USTAR_FORMAT) as tar:
        for entry, data in entries:
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return raw.getvalue()


def _entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


HOSTILE = {
    "symlink": lambda files: [(_entry("head.safetensors", tarfile.SYMTYPE, "/etc/passwd"), b"")],
    "hard link": lambda files: [(_entry("head.safetensors", tarfile.LNKTYPE, "/etc/passwd"), b"")],
    "device": lambda files: [(_entry("head.safetensors", tarfile.CHRTYPE), b"")],
    "fifo": lambda files: [(_entry("head.safetensors", tarfile.FIFOTYPE), b"")],
    "traversal": lambda files: [(_entry("../../evil"), b"x")],
    "absolute": lambda files: [(_entry("/tmp/evil"), b"x")],
    "one more": lambda files: [*files, (_entry("zzz"), b"x")],
    "folder": lambda files: [(_entry("head.safetensors", tarfile.DIRTYPE), b"")],
    "nothing": lambda files: [],
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_archives_in_a_signed_index(
    release: Path, tmp_path: Path, refused: Check, kind: str
) -> None:
    voice = first_voice(release)
    with tarfile.open(release / voice.archive) as tar:
        honest = [(_entry(e.name), tar.extractfile(e).read()) for e in tar]  # type: ignore[union-attr]
    (tmp_path / "x.tar.gz").write_bytes(_tar(HOSTILE[kind](honest)))
    take_archive(release, tmp_path / "x.tar.gz", voice)
    refused(f"{release / first_voice(release).archive}: ")
    for root in (tmp_path / "root", tmp_path / "fresh"):  # it would be refused for ever
        assert not (root / "partial" / first_voice(release).sha256).exists()
    assert not (tmp_path.parent / "evil").exists()


def take_archive(release: Path, archive: Path, voice: Package) -> None:
    new = archived(
        archive, release, "voices", voice.name, dict(voice.files),
        encoder=voice.encoder, version=voice.version,
    )  # fmt: skip
    replace_voice(release, archive=new.archive, size=new.size, sha256=new.sha256)


def test_a_bomb_in_a_signed_index(release: Path, tmp_path: Path, refused: Check) -> None:
    voice = first_voice(release)
    with gzip.open(tmp_path / "x.tar.gz", "wb") as bomb:
        bomb.write(gzip.decompress((release / voice.archive).read_bytes())[:-1024])
        for _ in range(64):
            bomb.write(bytes(1024 * 1024))
    take_archive(release, tmp_path / "x.tar.gz", voice)
    refused(f"{release / first_voice(release).archive}: ")
    for root in (tmp_path / "root", tmp_path / "fresh"):  # it would be refused for ever
        assert not (root / "partial" / first_voice(release).sha256).exists()


def test_what_cannot_be_used_is_named_as_in_the_release(release: Path, refused: Check) -> None:
    """And not by the folder where it was tried out, which is gone."""
    voice = first_voice(release)
    with tempfile.TemporaryDirectory() as aside:
        folder, archive = Path(aside, "acme"), Path(aside, "acme.tar.gz")
        with tarfile.open(release / voice.archive) as tar:
            tar.extractall(folder, filter="data")
        manifest = json.loads((folder / "voice.json").read_bytes()) | {"format": 99}
        (folder / "voice.json").write_text(json.dumps(manifest))
        files = pack(folder, voice.files, archive)
        take_archive(release, archive, msgspec.structs.replace(voice, files=files))
        replace_voice(release, files=files)
    refused("voices/acme/voice.json of the release: voice format 99")


def test_sizes_beyond_the_disk_in_a_signed_index(release: Path, refused: Check) -> None:
    files = {n: BundleFile(2**31, f.sha256) for n, f in first_voice(release).files.items()}
    replace_voice(release, files=files)
    refused("")


def test_a_voice_that_is_not_what_the_index_calls_it(release: Path, refused: Check) -> None:
    replace_voice(release, encoder="0" * 64)
    refused("voice 'acme' is not the one that the index speaks of")


def test_a_voice_without_its_encoder(release: Path, refused: Check) -> None:
    sign_anything(release, encoders=())
    refused("which neither the release nor this onbrand has")
