"""Servers that change what they send, and URLs with letters that few have."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from release_samples import TRUSTED, write_release
from release_server import Server, serve

from onbrand.errors import OnbrandError
from onbrand_releases import fetch
from onbrand_releases.fetch import Source, fetch_index
from onbrand_releases.index import Index
from onbrand_releases.install import install
from onbrand_releases.web import _request


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No pauses, no proxy, and nobody's own ~/.netrc."""
    monkeypatch.setattr(fetch, "PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def release(tmp_path: Path) -> Index:
    return write_release(tmp_path / "release")


@pytest.fixture
def server(tmp_path: Path, release: Index) -> Iterator[Server]:
    with serve(tmp_path / "release") as running:
        yield running


def error_of(url: str, root: Path) -> str:
    with pytest.raises(OnbrandError) as caught:
        install(url, root, [TRUSTED])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def content(release: Path, name: str = "index.json") -> bytes:
    return (release / name).read_bytes()


AS_THEY_ARE = "have it send the files of a release as they are"


@pytest.mark.parametrize("coding", ["gzip", "br", None])
def test_a_compressed_index_is_told_as_such(
    server: Server, tmp_path: Path, coding: str | None
) -> None:
    packed = gzip.compress(content(tmp_path / "release"))
    server.does.bodies["/index.json"] = packed if coding != "br" else b"\x8b\x05" + packed
    server.does.headers = {"Content-Encoding": coding} if coding else {}
    assert error_of(server.url, tmp_path / "root") == (
        f"{server.url}/index.json: is compressed by the server; {AS_THEY_ARE}"
    )


def test_a_compressed_archive_is_told_as_such(
    server: Server, release: Index, tmp_path: Path
) -> None:
    packages = (*release.encoders, *release.voices)
    server.does.headers = {"Content-Encoding": "gzip"}
    for package in packages:
        packed = gzip.compress(content(tmp_path / "release", package.archive))
        assert len(packed) > package.size
        server.does.bodies[f"/{package.archive}"] = packed
    assert error_of(server.url, tmp_path / "root").endswith(
        "is not what the index promises (size or checksum differ); the server compresses what it "
        f"sends; {AS_THEY_ARE}"
    )


def test_a_server_that_only_says_that_it_compresses(server: Server, tmp_path: Path) -> None:
    """Many do so with names that end in ``.gz``."""
    server.does.headers = {"Content-Encoding": "x-gzip"}
    assert install(server.url, tmp_path / "root", [TRUSTED]).status == "installed"


@pytest.mark.parametrize("lies", [-1, -200])
def test_too_small_a_content_length(server: Server, tmp_path: Path, lies: int) -> None:
    server.does.lies = lies
    assert "is cut off; does the server give the right Content-Length?" in error_of(
        server.url, tmp_path / "root"
    )


def test_an_empty_index(server: Server, tmp_path: Path) -> None:
    server.does.bodies["/index.json"] = b"\n"
    assert "is cut off; " in error_of(server.url, tmp_path / "root")


def test_too_large_a_content_length(server: Server, tmp_path: Path) -> None:
    server.does.lies = 1
    size = len(content(tmp_path / "release"))
    assert f"cannot be fetched (it was cut after {size} of {size + 1} bytes)" in error_of(
        server.url, tmp_path / "root"
    )


@pytest.mark.parametrize("folder", ["Größe", "a b", "a%20b", "100%", 'q"<>', "ø+&=;,~"])
def test_folders_with_any_letters(
    server: Server, release: Index, tmp_path: Path, folder: str
) -> None:
    (tmp_path / "release").rename(tmp_path / "moved")
    (tmp_path / "release").mkdir()
    (tmp_path / "moved").rename(tmp_path / "release" / folder.replace("%20", " "))
    done = install(f"{server.url}/{folder}", tmp_path / "root", [TRUSTED])
    assert (done.status, done.source) == ("installed", f"{server.url}/{folder}/index.json")


@pytest.mark.parametrize(
    "location",
    [
        "/sp ace/index.json",
        "/Gr\xc3\xb6\xc3\x9fe/index.json",
        "/Gr%C3%B6%C3%9Fe/index.json",
        "sp ace/x?a b#c d",
    ],
)
def test_redirects_with_any_letters(server: Server, tmp_path: Path, location: str) -> None:
    """The server's headers are sent as Latin-1, so these bytes are those of UTF-8."""
    index = content(tmp_path / "release")
    server.does.bodies |= {
        f"/{name}": index for name in ("sp ace/index.json", "sp ace/x", "Größe/index.json")
    }
    server.does.redirects["/index.json"] = location
    assert fetch_index(Source.of(server.url)) == index


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://localhost:99999/v", "its port must be a number up to 65535"),
        ("http://localhost:http/v", "its port must be a number up to 65535"),
        ("https://ada:s3cret#x@brand.example.com/v", "its port must be a number up to 65535"),
        (f"https://{'ü' * 70}.example.com/v", "no host can have this name"),
        (
            "https://brand example.com/v",
            "URL can't contain control characters. 'brand example.com' (found at least ' ')",
        ),
    ],
)
def test_urls_that_cannot_be_asked(tmp_path: Path, url: str, why: str) -> None:
    assert error_of(url, tmp_path / "root").endswith(f": is no URL that can be asked: {why}")


@pytest.mark.parametrize("target", ["https://[::1/x", "http://localhost:bad/x", "https://a:99999/"])
def test_redirects_to_what_cannot_be_asked(server: Server, tmp_path: Path, target: str) -> None:
    server.does.redirects["/index.json"] = target
    assert "is no URL that can be asked: " in error_of(server.url, tmp_path / "root")
    assert len(server.does.asked) == 1


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://münchen.example:8443/v?a b", "https://xn--mnchen-3ya.example:8443/v?a%20b"),
        ("https://u:p@MÜNCHEN.example/v", "https://xn--mnchen-3ya.example/v"),
        ("https://u:p@[::1]:1/é?t=%2B/=", "https://[::1]:1/%C3%A9?t=%2B/="),
    ],
)
def test_what_is_asked_for(url: str, asked: str) -> None:
    assert _request(url, 0).full_url == asked
