"""Servers that send a byte now and then and never come to an end, and slow ones that do."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from certificate_samples import write_certificate
from dripping_server import drip
from release_samples import write_release

from onbrand.errors import OnbrandError
from onbrand_releases import fetch, web
from onbrand_releases.fetch import Source, fetch_archive, fetch_index

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(autouse=True)
def one_try(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No second try, no proxy, and nobody's own ~/.netrc."""
    monkeypatch.setattr(fetch, "PAUSES", ())
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two seconds pass with every look at the clock, of which each read takes one."""
    looks = itertools.count(0, 2)
    monkeypatch.setattr(web, "monotonic", lambda: float(next(looks)))


@pytest.fixture(params=["plain", "encrypted"])
def certificate(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path | None:
    if request.param == "plain":
        return None
    path = write_certificate(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


def error_of(url: str) -> str:
    with pytest.raises(OnbrandError) as caught:
        fetch_index(Source.of(url))
    return str(caught.value)


def endless(before: bytes, piece: bytes) -> Iterator[bytes]:
    return itertools.chain([before], itertools.repeat(piece))


@pytest.mark.parametrize(
    ("before", "piece"),
    [
        (b"", b"H"),
        (OK + b"X-Long: ", b"a"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 100 Continue\r\n", b"X"),
        (b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: ", b"1"),
    ],
    ids=["status", "header", "continue", "header of continue", "refusal"],
)
@pytest.mark.usefixtures("quick_clock")
def test_an_answer_that_never_begins(certificate: Path | None, before: bytes, piece: bytes) -> None:
    with drip(lambda _path: endless(before, piece), certificate) as url:
        assert error_of(url).startswith(
            f"{url}/index.json: cannot be fetched (no answer in time); check the connection"
        )


@pytest.mark.parametrize(
    ("before", "piece"),
    [
        (b"Content-Length: 1000000\r\n\r\n", b" "),
        (b"\r\n", b" "),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
    ],
    ids=["length", "no length", "chunks", "length of a chunk", "trailers"],
)
@pytest.mark.usefixtures("quick_clock")
def test_a_body_that_never_ends(certificate: Path | None, before: bytes, piece: bytes) -> None:
    with drip(lambda _path: endless(OK + before, piece), certificate) as url:
        assert "cannot be fetched (it comes too slowly); check the connection" in error_of(url)


def test_a_handshake_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PATIENCE", 0.2)
    certificate = write_certificate(tmp_path / "server.pem")
    hello = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"
    with drip(lambda _path: endless(hello, b"\x03"), certificate, shakes_hands=False) as url:
        assert "cannot be fetched (no answer in time)" in error_of(url)


def test_connecting_keeps_to_the_deadline_as_well(
    certificate: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_limit(*_: object, **__: object) -> None:
        raise AssertionError("this gives every address of a host the whole time")

    monkeypatch.setattr(socket, "create_connection", no_limit)
    with drip(lambda _path: [OK, b"Content-Length: 3\r\n\r\n{}\n"], certificate) as url:
        assert fetch_index(Source.of(url)) == b"{}\n"


@pytest.mark.usefixtures("quick_clock")
def test_a_proxy_that_never_lets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy")
    with drip(lambda _path: endless(b"HTTP/1.0 200 OK\r\nX-Long: ", b"a")) as url:
        monkeypatch.setenv("https_proxy", url)
        assert "cannot be fetched (no answer in time)" in error_of("https://brand.example.com/v")


@pytest.mark.usefixtures("quick_clock")
def test_redirects_share_the_time_of_one_answer(
    certificate: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "PATIENCE", 30.0)  # each takes 4 looks at the clock or more
    moved = b"HTTP/1.1 302 Found\r\nLocation: /on\r\nContent-Length: 0\r\n\r\n"
    with drip(lambda _path: [moved], certificate) as url:
        assert "cannot be fetched (no answer in time)" in error_of(url)


def test_a_slow_server_that_gets_there(
    certificate: Path | None,
    tmp_path: Path,
    quick_clock: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = write_release(tmp_path / "release")
    package = release.voices[0]
    assert package.size / 10 * 2 > 2 * web.PATIENCE  # in all it takes far longer
    monkeypatch.setattr(web, "MIN_BYTES", 50)

    def slowly(path: str) -> Iterable[bytes]:
        data = (tmp_path / "release" / path[1:]).read_bytes()
        yield OK + b"Content-Length: %d\r\n\r\n" % len(data)
        for start in range(0, len(data), 10):
            yield data[start : start + 10]

    with drip(slowly, certificate) as url:
        source = Source.of(url)
        assert fetch_index(source) == (tmp_path / "release" / "index.json").read_bytes()
        path = fetch_archive(source, package, tmp_path / "partial", lambda _here: None)
    assert path.stat().st_size == package.size
