"""Archives hold exactly what the signed index says, or nothing of them is unpacked."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import random
import shutil
import subprocess
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from release_archives import (
    CONTENTS,
    FIRST,
    SECOND,
    STRUCTURE,
    described,
    entry,
    everything_in,
    honest,
    promise,
    squeeze,
    tar,
)

from onbrand.errors import OnbrandError
from onbrand_releases import archive as module
from onbrand_releases.archive import check_archive, pack, unpack
from onbrand_releases.index import Package


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    folder = tmp_path / "voice"
    folder.mkdir()
    for name, data in CONTENTS.items():
        (folder / name).write_bytes(data)
    return folder


def refusal(archive: bytes, tmp_path: Path, package: Package | None = None) -> str:
    """Return why an archive is refused; nothing of it is anywhere then."""
    path = tmp_path / "fetched.tar.gz"
    path.write_bytes(archive)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OnbrandError) as caught:
        unpack(path, package or promise(archive), tmp_path / "new" / "acme")
    assert caught.value.path == path
    assert "\n" not in str(caught.value)
    shutil.rmtree(tmp_path / "new")
    assert sorted(tmp_path.rglob("*")) == before
    return caught.value.message


def test_what_was_packed_is_unpacked(voice: Path, tmp_path: Path) -> None:
    path = tmp_path / "voice.tar.gz"
    assert pack(voice, CONTENTS, path) == described(CONTENTS)
    unpack(path, promise(path.read_bytes()), tmp_path / "new" / "acme")
    assert everything_in(tmp_path / "new" / "acme") == CONTENTS
    assert {f.stat().st_mode & 0o777 for f in (tmp_path / "new/acme").iterdir()} <= {0o644, 0o666}


def test_the_same_files_give_the_same_archive(voice: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.tar.gz", tmp_path / "second"
    pack(voice, ["voice.json", "head.safetensors"], first)
    for file in voice.iterdir():
        os.utime(file, (1, 1))
        file.chmod(0o600)
    (voice / "notes.txt").write_text("Not to be published.")
    pack(Path(voice).rename(tmp_path / "moved"), ["head.safetensors", "voice.json"], second)
    assert first.read_bytes() == second.read_bytes() == squeeze_as_pack(tar(*honest()))


def squeeze_as_pack(data: bytes) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile("", "wb", 6, out, mtime=0) as file:
        file.write(data)
    return out.getvalue()


@pytest.mark.skipif(shutil.which("tar") is None, reason="needs tar")
def test_every_tar_program_reads_it(voice: Path, tmp_path: Path) -> None:
    path = tmp_path / "voice.tar.gz"
    pack(voice, CONTENTS, path)
    done = subprocess.run(["tar", "-tvzf", path], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert [line.split()[-1] for line in done.stdout.splitlines()] == sorted(CONTENTS)


@pytest.mark.parametrize("chunk", [1, 7, 511, 512, 513])
def test_a_file_may_end_anywhere_in_a_chunk(
    voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(module, "_CHUNK", chunk)
    noise = random.Random(0)
    contents = {f"f{size}": noise.randbytes(size) for size in (0, 1, 511, 512, 513, 1024, 1500)}
    for name, data in contents.items():
        (voice / name).write_bytes(data)
    path = tmp_path / "voice.tar.gz"
    pack(voice, contents, path)
    unpack(path, promise(path.read_bytes(), contents), tmp_path / "new")
    assert everything_in(tmp_path / "new") == contents


def test_a_wrong_checksum_is_found_before_anything_is_read(
    voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "voice.tar.gz"
    pack(voice, CONTENTS, path)
    data = path.read_bytes()
    monkeypatch.setattr(module, "_Inflated", None)
    flipped = data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]
    assert "checksum does not match the index; fetch it again" in refusal(
        flipped, tmp_path, promise(data)
    )
    assert f"has {len(data) - 1:,} bytes but the index says {len(data):,}" in refusal(
        data[:-1], tmp_path, promise(data)
    )
    path.write_bytes(data)
    check_archive(path, promise(data))


@pytest.mark.parametrize("data", STRUCTURE.values(), ids=STRUCTURE.keys())
def test_members_other_than_promised_are_refused(tmp_path: Path, data: bytes) -> None:
    message = refusal(squeeze(data), tmp_path)
    assert "do not use this release, ask who publishes it" in message


GOOD = squeeze(tar(*honest()))
WRAPPING = {
    "no gzip": tar(*honest()),
    "xz": lzma.compress(tar(*honest())),
    "bare deflate": GOOD[10:-8],
    "data behind": GOOD + b"x",
    "a second member": GOOD + squeeze(b"more"),
    "an empty member behind": GOOD + squeeze(b""),
    "the tar in two members": squeeze(tar(*honest())[:700]) + squeeze(tar(*honest())[700:]),
    "no trailer": GOOD[:-8],
    "half a trailer": GOOD[:-4],
    "another checksum": GOOD[:-8] + bytes(4) + GOOD[-4:],
    "another length": GOOD[:-4] + bytes(4),
    "cut": GOOD[: len(GOOD) // 2],
    "a header alone": GOOD[:10],
}


@pytest.mark.parametrize("data", WRAPPING.values(), ids=WRAPPING.keys())
def test_streams_other_than_one_gzip_are_refused(tmp_path: Path, data: bytes) -> None:
    assert "do not use this release" in refusal(data, tmp_path)


def test_a_zip_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, data in CONTENTS.items():
            file.writestr(name, data)
    assert "is no gzip file" in refusal(out.getvalue(), tmp_path)


def test_the_honest_one_of_these_is_taken(tmp_path: Path) -> None:
    (tmp_path / "good.tar.gz").write_bytes(GOOD)
    unpack(tmp_path / "good.tar.gz", promise(GOOD), tmp_path / "new")
    assert everything_in(tmp_path / "new") == CONTENTS


def test_a_file_with_another_content_is_refused(tmp_path: Path) -> None:
    other = squeeze(tar(FIRST, (SECOND[0], SECOND[1].replace(b"acme", b"evil"))))
    assert "holds a voice.json with another checksum" in refusal(other, tmp_path)


@pytest.mark.parametrize("place", ["in a file", "behind the end", "in front"])
def test_a_bomb_never_expands(tmp_path: Path, place: str) -> None:
    zeros = bytes(64 * 1024**2)
    bomb = {
        "in a file": tar((entry(FIRST[0].name), zeros), SECOND),
        "behind the end": tar(*honest()) + zeros,
        "in front": zeros,
    }[place]
    archive = squeeze(bomb)
    del zeros, bomb
    tracemalloc.start()
    try:
        refusal(archive, tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024**2
    finally:
        tracemalloc.stop()


def test_a_large_file_is_packed_and_unpacked_in_little_memory(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(bytes(64 * 1024**2))
    path = tmp_path / "large.tar.gz"
    tracemalloc.start()
    try:
        files = pack(tmp_path, ["model.onnx"], path)
        package = promise(path.read_bytes(), {})
        package = Package(
            **{f: getattr(package, f) for f in Package.__struct_fields__[:-1]}, files=files
        )
        unpack(path, package, tmp_path / "new")
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024**2
    finally:
        tracemalloc.stop()
    assert (tmp_path / "new/model.onnx").stat().st_size == 64 * 1024**2


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "good.tar.gz").write_bytes(GOOD)
    (tmp_path / "thesis.md").write_text("Years of work.")
    with pytest.raises(OnbrandError, match="cannot be written") as caught:
        unpack(tmp_path / "good.tar.gz", promise(GOOD), tmp_path)
    assert caught.value.path == tmp_path
    assert (tmp_path / "thesis.md").read_text() == "Years of work."


@pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interruption_leaves_nothing(
    voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: BaseException
) -> None:
    def fail(_handle: int) -> None:
        raise problem

    (tmp_path / "good.tar.gz").write_bytes(GOOD)
    monkeypatch.setattr(module.os, "fsync", fail)
    expected = (OnbrandError, KeyboardInterrupt)
    with pytest.raises(expected, match=r"No space left on device\); nothing was left|^$"):
        unpack(tmp_path / "good.tar.gz", promise(GOOD), tmp_path / "new")
    with pytest.raises(expected, match=r"No space left on device\); nothing was left|^$"):
        pack(voice, CONTENTS, tmp_path / "packed.tar.gz")
    assert {path.name for path in tmp_path.iterdir()} == {"voice", "good.tar.gz"}


@pytest.mark.parametrize("kind", ["missing", "link", "folder", "pipe"])
def test_only_regular_files_are_packed(voice: Path, tmp_path: Path, kind: str) -> None:
    path = voice / "voice.json"
    path.unlink()
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(OnbrandError, match="cannot be read|is no regular file") as caught:
        pack(voice, CONTENTS, tmp_path / "packed.tar.gz")
    assert caught.value.path == path
    assert not (tmp_path / "packed.tar.gz").exists()


def test_an_archive_that_is_there_is_not_overwritten(voice: Path, tmp_path: Path) -> None:
    (tmp_path / "packed.tar.gz").write_bytes(b"precious")
    with pytest.raises(OnbrandError, match="File exists"):
        pack(voice, CONTENTS, tmp_path / "packed.tar.gz")
    assert (tmp_path / "packed.tar.gz").read_bytes() == b"precious"


def test_a_missing_archive(tmp_path: Path) -> None:
    with pytest.raises(OnbrandError, match="No such file"):
        unpack(tmp_path / "nowhere.tar.gz", promise(GOOD), tmp_path / "new")
    assert not (tmp_path / "new").exists()
