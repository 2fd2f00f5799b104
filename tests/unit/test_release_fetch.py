"""Fetching from folders and storages; `tests/e2e/test_release_http.py` has the web."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import fsspec
import pytest
from release_samples import TRUSTED, write_release

from onbrand.errors import OnbrandError
from onbrand.progress import ProgressEvent
from onbrand_releases import fetch, web
from onbrand_releases.fetch import Source, fetch_archive, fetch_index
from onbrand_releases.index import Package, read_index


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "PAUSES", (0.0,))


@pytest.fixture
def release(tmp_path: Path) -> Path:
    write_release(tmp_path / "release")
    return tmp_path / "release"


def in_memory(release: Path) -> str:
    memory = fsspec.filesystem("memory")
    for file in release.rglob("*"):
        if file.is_file():
            memory.pipe(f"/fetched/{file.relative_to(release).as_posix()}", file.read_bytes())
    return "memory://fetched"


def package_of(release: Path) -> Package:
    return read_index((release / "index.json").read_bytes(), [TRUSTED]).encoders[0]


def fetched(source: str, package: Package, folder: Path) -> Path:
    return fetch_archive(Source.of(source), package, folder, lambda _here: None)


def test_every_way_to_name_a_folder(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(release.parent)
    sources = ["release", "release/", "release/index.json", str(release), release.as_uri()]
    sources += [f"{release.as_uri()}/index.json", f"file://localhost{release}"]
    assert {Source.of(source) for source in sources} == {Source(str(release))}
    assert Source.of("release").index == str(release / "index.json")
    assert not Source.of("release").private


@pytest.mark.parametrize(
    ("source", "index", "archive"),
    [
        ("https://h.example/v/", "https://h.example/v/index.json", "https://h.example/v/voices/a"),
        ("https://h.example", "https://h.example/index.json", "https://h.example/voices/a"),
        (
            "https://u:p@h.example/v/index.json?t=1#x",
            "https://u:p@h.example/v/index.json?t=1",
            "https://u:p@h.example/v/voices/a?t=1",
        ),
        ("https://[::1]/v", "https://[::1]/v/index.json", "https://[::1]/v/voices/a"),
        ("s3://bucket/v/index.json", "s3://bucket/v/index.json", "s3://bucket/v/voices/a"),
        ("memory://v", "memory://v/index.json", "memory://v/voices/a"),
        ("local:///tmp/v/", "local:///tmp/v/index.json", "local:///tmp/v/voices/a"),
        ("hdfs:///v/index.json", "hdfs:///v/index.json", "hdfs:///v/voices/a"),
    ],
)
def test_where_the_files_of_a_url_are(source: str, index: str, archive: str) -> None:
    place = Source.of(source)
    assert (place.index, place.place("voices/a")) == (index, archive)
    assert place.private == ("p@" in source)
    assert "p@" not in place.shown
    assert "t=1" not in place.shown


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere", "nowhere: is no release (it has no index.json); check the path"),
        ("", ".: is no release (it has no index.json); check the path"),
        ("https://", "https:/index.json: names no place; check the URL"),
        (
            "zip://a::https://u:p@h.example/z",
            "a release cannot be at a chain of URLs; name one URL",
        ),
        ("https://[::1", "Invalid IPv6 URL; check the URL"),
    ],
)
def test_what_is_no_source(
    source: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OnbrandError) as caught:
        Source.of(source)
    assert message.split(": ", 1)[-1] in str(caught.value)
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize("kind", ["folder", "memory"])
@pytest.mark.parametrize("there", [0, 1, 100, -1, None])
def test_a_download_goes_on_where_it_ended(
    release: Path, tmp_path: Path, kind: str, there: int | None
) -> None:
    source = str(release) if kind == "folder" else in_memory(release)
    package = package_of(release)
    whole = (release / package.archive).read_bytes()
    (tmp_path / "partial").mkdir()
    (tmp_path / "partial" / package.sha256).write_bytes(whole[:there])
    told: list[ProgressEvent] = []
    path = fetch_archive(Source.of(source), package, tmp_path / "partial", told.append)
    assert path.read_bytes() == whole
    assert [event.done for event in told] == ([] if there is None else [len(whole)])


@pytest.mark.parametrize("junk", [b"junk", b"x" * 100_000])
def test_a_damaged_part_is_thrown_away(release: Path, tmp_path: Path, junk: bytes) -> None:
    package = package_of(release)
    (tmp_path / package.sha256).write_bytes(junk)
    path = fetched(str(release), package, tmp_path)
    assert path.read_bytes() == (release / package.archive).read_bytes()


@pytest.mark.parametrize("kind", ["folder", "memory"])
@pytest.mark.parametrize("wrong", ["short", "long", "missing"])
def test_another_file_is_refused(release: Path, tmp_path: Path, kind: str, wrong: str) -> None:
    package = package_of(release)
    path = release / package.archive
    source = str(release) if kind == "folder" else in_memory(release)
    data = {"short": path.read_bytes()[:-1], "long": path.read_bytes() + b"!", "missing": None}
    if data[wrong] is None:
        path.unlink()
        fsspec.filesystem("memory").rm(f"/fetched/{package.archive}") if kind == "memory" else None
    else:
        path.write_bytes(data[wrong])
        fsspec.filesystem("memory").pipe(f"/fetched/{package.archive}", data[wrong])
    with pytest.raises(OnbrandError) as caught:
        fetched(source, package, tmp_path / "partial")
    assert package.archive in str(caught.value)
    there = list((tmp_path / "partial").glob("*"))
    assert all(part.stat().st_size <= package.size for part in there)


def test_the_index_comes_from_any_storage(release: Path) -> None:
    good = (release / "index.json").read_bytes()
    assert fetch_index(Source.of(str(release))) == good
    assert fetch_index(Source.of(in_memory(release))) == good


def test_a_storage_without_hosts(release: Path, tmp_path: Path) -> None:
    source = f"local://{release.as_posix()}"
    package = package_of(release)
    assert fetch_index(Source.of(source)) == (release / "index.json").read_bytes()
    assert fetched(source, package, tmp_path).stat().st_size == package.size


def test_a_storage_that_drips_is_given_up(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source.of(in_memory(release))
    monkeypatch.setattr(web, "PATIENCE", -1.0)
    with pytest.raises(OnbrandError, match="cannot be fetched \\(it comes too slowly\\)"):
        fetch_index(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("memory://nothing-here", "memory://nothing-here/index.json: cannot be read"),
        ("nosuch://a/b", "cannot be fetched: Protocol not known: nosuch"),
    ],
)
def test_storages_that_fail(source: str, message: str) -> None:
    with pytest.raises(OnbrandError) as caught:
        fetch_index(Source.of(source))
    assert message in str(caught.value)


def test_errors_of_a_storage_show_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    class OddError(Exception):
        pass

    def fail(url: str, mode: str) -> None:
        raise OddError(f"denied: {url}")

    monkeypatch.setattr(fsspec, "open", fail)
    with pytest.raises(OnbrandError) as caught:
        fetch_index(Source.of("s3://key:s3cret@bucket/x?token=s3cret"))
    assert str(caught.value).startswith("s3://bucket/x/index.json: cannot be fetched (OddError)")


def test_the_optional_part_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(OnbrandError, match=r"pip install '.*\[update\]'"):
        fetch_index(Source.of("s3://bucket/x"))


def test_a_full_disk_keeps_what_it_has(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "_CHUNK", 100)
    package = package_of(release)
    path = tmp_path / package.sha256

    class Full:
        def __init__(self, file: object) -> None:
            self.file = file

        def write(self, piece: bytes) -> None:
            if path.stat().st_size >= 200:
                raise OSError(errno.ENOSPC, "No space left on device")
            self.file.write(piece)

        def __getattr__(self, name: str) -> object:
            return getattr(self.file, name)

    honest = fetch._write
    monkeypatch.setattr(fetch, "_write", lambda file, *rest: honest(Full(file), *rest))
    with pytest.raises(OnbrandError, match="cannot be written \\(No space left on device\\)"):
        fetched(str(release), package, tmp_path)
    assert path.stat().st_size == 200
    monkeypatch.setattr(fetch, "_write", honest)
    assert fetched(str(release), package, tmp_path) == path
