"""Releases that somebody has tampered with: each is refused, and what was installed still works."""

from __future__ import annotations

import random
from pathlib import Path

import fsspec
import msgspec
import pytest
from cli_runner import tree
from release_samples import STRANGER, TRUSTED, write_release
from release_tampering import Check, works

from onbrand.errors import OnbrandError
from onbrand_releases.fetch import Source, fetch_index
from onbrand_releases.index import INDEX, Index, encode, read_index
from onbrand_releases.install import install, roll_back, update


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
