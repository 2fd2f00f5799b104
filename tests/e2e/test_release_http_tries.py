"""Lines that break again and again, and servers that want to be asked later."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path

import pytest
from release_samples import TRUSTED, write_release
from release_server import Server, serve

from onbrand.errors import OnbrandError
from onbrand_releases import fetch, web
from onbrand_releases.fetch import Source, fetch_archive, fetch_index
from onbrand_releases.index import Package, read_index
from onbrand_releases.install import install


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[float]:
    """The seconds of all pauses, of which none is made."""
    made: list[float] = []
    monkeypatch.setattr(fetch.time, "sleep", made.append)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("HOME", str(tmp_path))
    return made


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    write_release(tmp_path / "release")
    with serve(tmp_path / "release") as running:
        yield running


@pytest.fixture
def package(server: Server, tmp_path: Path) -> Package:
    return read_index((tmp_path / "release" / "index.json").read_bytes(), [TRUSTED]).voices[0]


def fetched(server: Server, package: Package, tmp_path: Path) -> Path:
    source = Source.of(server.url)
    return fetch_archive(source, package, tmp_path / "partial", lambda _here: None)


def test_a_line_that_breaks_every_few_bytes_gets_there(
    server: Server, package: Package, tmp_path: Path, pauses: list[float]
) -> None:
    server.does.most = 100
    path = fetched(server, package, tmp_path)
    assert path.stat().st_size == package.size
    assert pauses == [fetch.PAUSES[0]] * (package.size // 100)


def test_a_server_that_gives_a_few_bytes_each_time_is_given_up_in_the_end(
    server: Server, package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web.Deadline, "passed", True)
    server.does.most = 100
    with pytest.raises(OnbrandError) as caught:
        fetched(server, package, tmp_path)
    assert (
        f"cannot be fetched (it was cut after 400 of {package.size} bytes); what was fetched is "
        "kept; check the connection and run the command again"
    ) in str(caught.value)
    assert (tmp_path / "partial" / package.sha256).stat().st_size == 400
    server.does.most = None
    assert fetched(server, package, tmp_path).stat().st_size == package.size


def test_progress_worth_the_time_counts_the_tries_anew(
    server: Server, package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = itertools.count(0, 2)  # two seconds pass with every look at the clock
    monkeypatch.setattr(web, "monotonic", lambda: float(next(looks)))
    monkeypatch.setattr(web, "MIN_BYTES", 40)
    server.does.most = 40
    assert fetched(server, package, tmp_path).stat().st_size == package.size


def test_the_same_bytes_again_are_no_progress(
    server: Server, package: Package, tmp_path: Path
) -> None:
    server.does.ranges, server.does.most = False, 100
    with pytest.raises(OnbrandError, match="it was cut after 100 of"):
        fetched(server, package, tmp_path)
    # The first failure came with new bytes.
    assert len(server.does.asked) == 1 + len(fetch.PAUSES)


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize(
    ("wanted", "pause"),
    [
        ("20", 20.0),
        ("0", fetch.PAUSES[0]),
        ("999999", fetch.MAX_PAUSE),
        ("9" * 400, fetch.MAX_PAUSE),
        ("-5", fetch.PAUSES[0]),
        ("soon", fetch.PAUSES[0]),
        ("Mon, 99 Nov 99999 99:99:99 GMT", fetch.PAUSES[0]),
        ("Sun, 06 Nov 1994 08:49:37 GMT", fetch.PAUSES[0]),
        ("Fri, 31 Dec 9999 23:59:59 GMT", fetch.MAX_PAUSE),
    ],
)
def test_the_server_says_when_to_come_back(
    server: Server, pauses: list[float], code: int, wanted: str, pause: float
) -> None:
    server.does.refusals, server.does.headers = [code], {"Retry-After": wanted}
    assert fetch_index(Source.of(server.url))
    assert pauses == [pause]


def test_the_server_says_at_what_time_to_come_back(
    server: Server, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "MAX_PAUSE", 7200.0)
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    server.does.refusals = [503]
    server.does.headers = {"Retry-After": format_datetime(later, usegmt=True)}
    assert fetch_index(Source.of(server.url))
    assert 0 < pauses[0] <= 3600


def test_a_release_that_is_not_wholly_there_yet(
    server: Server, package: Package, tmp_path: Path
) -> None:
    (tmp_path / "release" / package.archive).unlink()
    mend = "the release is not wholly {} yet: try again later, or ask who publishes it"
    for source, why in [
        (server.url, f"the server answers 404 Not Found; {mend.format('on the server')}"),
        (
            tmp_path / "release",
            f"cannot be read (No such file or directory); {mend.format('here')}",
        ),
    ]:
        with pytest.raises(OnbrandError) as caught:
            install(str(source), tmp_path / "root", [TRUSTED])
        assert str(caught.value) == f"{source}/{package.archive}: {why}"
