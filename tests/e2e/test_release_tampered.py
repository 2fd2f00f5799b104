"""Releases that somebody has tampered with: each is refused, and what was installed still works."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import msgspec
import pytest
from cli_runner import tree
from release_samples import KEY, STRANGER, TRUSTED, archived, write_release

from onbrand import Scorer
from onbrand.encoder.bundle import BundleFile
from onbrand.errors import OnbrandError
from onbrand.release import signing
from onbrand.release.archive import pack
from onbrand.release.fetch import Source, fetch_index
from onbrand.release.index import INDEX, Index, Package, Signature, encode, read_index, signed_bytes
from onbrand.release.install import install, roll_back, update
from onbrand.release.installed import encoders_of, voices_of

Check = Callable[[str], None]


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The folder of a release that is an update of the installed one."""
    folder = tmp_path / "release"
    write_release(folder)
    install(str(folder), tmp_path / "root", [TRUSTED])
    write_release(folder, 2, voices={"acme": 1, "beta": 1}, encoder=1)
    return folder


@pytest.fixture
def refused(tmp_path: Path, release: Path) -> Check:
    """Checks that an update and an install are refused, and leave everything as it was."""
    root = tmp_path / "root"
    before = tree(root)

    def check(message: str = "") -> None:
        with pytest.raises(OnbrandError) as caught:
            update(root)
        assert "\n" not in str(caught.value)
        assert message in str(caught.value)
        after = {name: data for name, data in tree(root).items() if not name.startswith("partial")}
        assert after == before
        with pytest.raises(OnbrandError):
            install(str(release), tmp_path / "fresh", [TRUSTED])
        assert voices_of(tmp_path / "fresh") is None

    return check


def works(root: Path) -> None:
    voices = voices_of(root)
    assert voices is not None
    scorer = Scorer.load(voices, encoder=encoders_of(root)[0])
    assert scorer.score(["We brand the oats simple."]).shape == (1, 2)


def sign_anything(release: Path, **changes: Any) -> None:
    """Write an index that its own publisher's code would not write, signed with the right key."""
    index = msgspec.json.decode((release / INDEX).read_bytes(), type=Index)
    index = msgspec.structs.replace(index, **changes)
    value = signing.sign(KEY, signed_bytes(index))
    signature = Signature(TRUSTED, value)
    (release / INDEX).write_bytes(encode(msgspec.structs.replace(index, signature=signature)))


def first_voice(release: Path) -> Package:
    return msgspec.json.decode((release / INDEX).read_bytes(), type=Index).voices[0]


def replace_voice(release: Path, **changes: Any) -> None:
    voices = msgspec.json.decode((release / INDEX).read_bytes(), type=Index).voices
    sign_anything(release, voices=(msgspec.structs.replace(voices[0], **changes), *voices[1:]))


def test_the_untouched_release_is_taken(release: Path, tmp_path: Path) -> None:
    assert update(tmp_path / "root").release == 2
    works(tmp_path / "root")


def test_any_byte_of_the_index(release: Path, tmp_path: Path) -> None:
    root, path = tmp_path / "root", release / INDEX
    good = path.read_bytes()
    before = tree(root)
    memory = fsspec.filesystem("memory")
    for place in range(len(good)):
        bad = good[:place] + bytes([good[place] ^ 1 << place % 8]) + good[place + 1 :]
        memory.pipe(f"/tampered/{INDEX}", bad)
        with pytest.raises(OnbrandError):
            read_index(fetch_index(Source.of("memory://tampered")), [TRUSTED])
        if place % 100 == 0:
            path.write_bytes(bad)
            with pytest.raises(OnbrandError):
                update(root)
    assert tree(root) == before
    works(root)
    path.write_bytes(good)
    assert update(root).release == 2


@pytest.mark.parametrize("cut", [0, 1, 100, -100, -1])
def test_an_index_that_is_cut_or_goes_on(release: Path, refused: Check, cut: int) -> None:
    good = (release / INDEX).read_bytes()
    (release / INDEX).write_bytes(good[:cut])
    refused("")
    (release / INDEX).write_bytes(good + good[:cut] + b" ")
    refused("")


def test_any_byte_of_any_archive(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    before = {name: data for name, data in tree(root).items() if not name.startswith("partial")}
    rng = random.Random(7)
    index = msgspec.json.decode((release / INDEX).read_bytes(), type=Index)
    for archive in [release / package.archive for package in (*index.encoders, *index.voices)]:
        good = archive.read_bytes()
        places = {0, 1, 3, 9, len(good) // 2, len(good) - 8, len(good) - 1}
        places |= {rng.randrange(len(good)) for _ in range(15)}
        for place in sorted(places):
            archive.write_bytes(
                good[:place] + bytes([good[place] ^ rng.randrange(1, 256)]) + good[place + 1 :]
            )
            with pytest.raises(OnbrandError, match="is not what the index promises"):
                update(root)
        archive.write_bytes(good)
    after = {name: data for name, data in tree(root).items() if not name.startswith("partial")}
    assert after == before
    works(root)
    assert update(root).release == 2


def test_a_wrong_key(release: Path, refused: Check) -> None:
    write_release(release, 2, voices={"acme": 1, "beta": 1}, key=STRANGER)
    refused("a key that you do not trust")


def test_no_signature(release: Path, refused: Check) -> None:
    index = msgspec.json.decode((release / INDEX).read_bytes(), type=Index)
    (release / INDEX).write_bytes(encode(msgspec.structs.replace(index, signature=None)))
    refused("is not signed")


def test_the_signature_of_another_release(release: Path, tmp_path: Path, refused: Check) -> None:
    index = msgspec.json.decode((release / INDEX).read_bytes(), type=Index)
    other = write_release(tmp_path / "other", 9)
    (release / INDEX).write_bytes(
        encode(msgspec.structs.replace(index, release=3, signature=other.signature))
    )
    refused("was changed after it was signed")


def test_archives_that_are_exchanged(release: Path, refused: Check) -> None:
    one, two = sorted(release.glob("voices/*.tar.gz"))[:2]
    data = one.read_bytes(), two.read_bytes()
    one.write_bytes(data[1])
    two.write_bytes(data[0])
    for archive in release.glob("voices/*.tar.gz"):
        archive.write_bytes(data[0])
    refused(f"{release / 'voices'}")


def test_another_series_by_the_same_publisher(release: Path, tmp_path: Path) -> None:
    write_release(release, 2, name="another")
    with pytest.raises(OnbrandError, match="'agency' is installed here and the source has"):
        update(tmp_path / "root")
    works(tmp_path / "root")


def test_an_older_release(release: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    assert update(root).release == 2
    before = tree(root)
    write_release(release, 1)
    for again in (False, True):
        with pytest.raises(OnbrandError, match="release 1, older than 2 that was installed here"):
            update(root, again=again)
    with pytest.raises(OnbrandError, match="older than 2"):
        install(str(release), root, [TRUSTED])
    assert tree(root) == before


def test_an_older_release_after_a_rollback(release: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    update(root)
    write_release(release, 3)
    update(root)
    assert roll_back(root).release == 2
    write_release(release, 1)  # the one before, but what was here last was release 3
    with pytest.raises(OnbrandError, match="older than 3"):
        update(root)
    write_release(release, 3, voices={"acme": 9})
    with pytest.raises(OnbrandError, match="another release 3 than the one that was installed"):
        update(root, again=True)
    works(root)


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
    _take_archive(release, tmp_path / "x.tar.gz", voice)
    refused(f"{release / first_voice(release).archive}: ")
    for root in (tmp_path / "root", tmp_path / "fresh"):  # it would be refused for ever
        assert not (root / "partial" / first_voice(release).sha256).exists()
    assert not (tmp_path.parent / "evil").exists()


def _take_archive(release: Path, archive: Path, voice: Package) -> None:
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
    _take_archive(release, tmp_path / "x.tar.gz", voice)
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
        _take_archive(release, archive, msgspec.structs.replace(voice, files=files))
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
