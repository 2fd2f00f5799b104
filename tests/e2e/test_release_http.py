"""Releases from a real web server, which may be slow, broken or not what it seems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_runner import tree
from release_samples import TRUSTED, write_release
from release_server import Server, serve

from onbrand.errors import OnbrandError
from onbrand.installation import read_installed
from onbrand_releases import fetch, web
from onbrand_releases.index import Index
from onbrand_releases.install import install, update


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No pauses, no proxy, and nobody's own ~/.netrc."""
    monkeypatch.setattr(fetch, "PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setattr(web, "TIMEOUT", 5.0)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def release(tmp_path: Path) -> Index:
    return write_release(tmp_path / "release")


@pytest.fixture
def server(tmp_path: Path, release: Index) -> Iterator[Server]:
    with serve(tmp_path / "release") as running:
        yield running


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "installed"


def size(index: Index) -> int:
    return sum(package.size for package in (*index.encoders, *index.voices))


def error_of(source: str, root: Path) -> str:
    with pytest.raises(OnbrandError) as caught:
        install(source, root, [TRUSTED])
    assert "\n" not in str(caught.value)
    assert read_installed(root) is None
    return str(caught.value)


@pytest.mark.parametrize("end", ["", "/", "/index.json"])
def test_the_url_may_be_that_of_the_folder_or_of_the_index(
    server: Server, root: Path, release: Index, end: str
) -> None:
    done = install(server.url + end, root, [TRUSTED])
    assert (done.status, done.release, done.fetched) == ("installed", 1, size(release))
    installed = read_installed(root)
    assert installed is not None
    assert installed.source == f"{server.url}/index.json"


def test_an_update_fetches_what_is_new_and_nothing_else(
    server: Server, root: Path, tmp_path: Path
) -> None:
    install(server.url, root, [TRUSTED])
    new = write_release(tmp_path / "release", 2, voices={"acme": 1, "beta": 0})
    server.does.asked.clear()
    done = update(root)
    assert (done.before, done.release, done.voices_changed) == (1, 2, 1)
    assert [asked.path for asked in server.does.asked] == [
        "/index.json",
        f"/{new.voices[0].archive}",
    ]
    server.does.asked.clear()
    assert update(root).status == "up to date"
    assert [asked.path for asked in server.does.asked] == ["/index.json"]


def test_connections_that_are_cut_go_on_where_they_ended(server: Server, root: Path) -> None:
    server.does.cut, server.does.cuts = "encoders/", 3
    assert install(server.url, root, [TRUSTED]).status == "installed"
    assert any(asked.start for asked in server.does.asked)


def test_an_index_that_is_cut_is_read_again(server: Server, root: Path) -> None:
    server.does.cut, server.does.cuts = "index.json", 3
    assert install(server.url, root, [TRUSTED]).status == "installed"


def test_a_server_without_ranges_starts_again(server: Server, root: Path) -> None:
    server.does.ranges = False
    server.does.cut, server.does.cuts = "encoders/", 3
    assert install(server.url, root, [TRUSTED]).status == "installed"
    assert any(asked.start for asked in server.does.asked)


def test_the_next_run_goes_on_with_what_the_last_one_fetched(
    server: Server, root: Path, release: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "PAUSES", ())
    bodies, package = server.does.bodies, release.encoders[0]
    whole = (root.parent / "release" / package.archive).read_bytes()
    # A body that ends early: the whole of it is asked for again by the next run only.
    bodies[f"/{package.archive}"] = whole[:100]
    assert f"cannot be fetched (it was cut after 100 of {len(whole)} bytes); what was fetched" in (
        error_of(server.url, root)
    )
    assert [file.stat().st_size for file in (root / "partial").iterdir()] == [100]
    bodies.clear()
    server.does.asked.clear()
    assert install(server.url, root, [TRUSTED]).status == "installed"
    assert (f"/{package.archive}", 100) in [(a.path, a.start) for a in server.does.asked]
    assert not (root / "partial").exists()


def test_a_damaged_download_is_fetched_once_again(
    server: Server, root: Path, release: Index
) -> None:
    package = release.encoders[0]
    (root / "partial").mkdir(parents=True)
    (root / "partial" / package.sha256).write_bytes(b"x" * 50)
    (root / "partial" / f"{0:064}").write_bytes(b"x" * 50)
    assert install(server.url, root, [TRUSTED]).status == "installed"
    starts = [asked.start for asked in server.does.asked if package.archive in asked.path]
    assert starts == [50, 0]


@pytest.mark.parametrize("size", ["shorter", "longer", "other"])
def test_another_archive_is_refused(server: Server, root: Path, release: Index, size: str) -> None:
    package = release.voices[1]
    data = (root.parent / "release" / package.archive).read_bytes()
    wrong = {"shorter": data[:-1], "longer": data + b"!", "other": bytes(len(data))}[size]
    server.does.bodies[f"/{package.archive}"] = wrong
    error = error_of(server.url, root)
    assert error.startswith(f"{server.url}/{package.archive}: ")
    asked = [asked for asked in server.does.asked if package.archive in asked.path]
    assert 2 <= len(asked) <= 8


@pytest.mark.parametrize("lies", [-1, -200, 1, 200])
def test_a_wrong_content_length_ends_well_or_is_told(server: Server, root: Path, lies: int) -> None:
    server.does.lies = lies
    try:
        assert install(server.url, root, [TRUSTED]).status == "installed"
    except OnbrandError:
        assert read_installed(root) is None


def test_passing_trouble_of_the_server_is_sat_out(server: Server, root: Path) -> None:
    server.does.refusals = [503, 500, 429]
    assert install(server.url, root, [TRUSTED]).status == "installed"


@pytest.mark.parametrize(
    ("refusals", "message"),
    [
        ([404], "the server answers 404 Not Found; check the URL"),
        ([403], "the server answers 403 Forbidden; check that this computer may read it"),
        ([410], "the server answers 410 Gone; check the URL"),
        ([500] * 9, "cannot be fetched (500 Internal Server Error); check the connection"),
    ],
)
def test_refusals_are_told_in_a_line(
    server: Server, root: Path, refusals: list[int], message: str
) -> None:
    server.does.refusals = list(refusals)
    assert error_of(server.url, root).startswith(f"{server.url}/index.json: {message}")
    assert not root.exists()
    assert len(server.does.asked) == (4 if refusals[0] == 500 else 1)


def test_a_login_page_is_no_release(server: Server, root: Path) -> None:
    server.does.bodies["/index.json"] = b"\n<!doctype html><title>Log in</title>"
    assert "is a web page and no release; does the server want a login?" in error_of(
        server.url, root
    )


def test_an_endless_index_is_not_read_to_its_end(
    server: Server, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "MAX_INDEX_BYTES", 1000)
    assert "is too long for the index of a release" in error_of(server.url, root)


@pytest.mark.parametrize("silent", [True, False])
def test_a_server_that_hangs_is_given_up(
    server: Server, root: Path, silent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "TIMEOUT", 0.05)
    server.does.silent, server.does.drips = silent, not silent
    assert "cannot be fetched (no answer in time)" in error_of(server.url, root)
    assert len(server.does.asked) == 4


def test_redirects_are_followed(server: Server, root: Path, release: Index) -> None:
    server.does.redirects["/latest/index.json"] = f"{server.url}/index.json"
    for package in (*release.encoders, *release.voices):
        server.does.redirects[f"/latest/{package.archive}"] = f"/{package.archive}"
    assert install(f"{server.url}/latest", root, [TRUSTED]).status == "installed"


@pytest.mark.parametrize("target", ["http://example.com/index.json", "ftp://example.com/i"])
def test_redirects_out_of_encryption_are_refused(server: Server, root: Path, target: str) -> None:
    server.does.redirects["/index.json"] = target
    assert "is not encrypted; use https://" in error_of(server.url, root)


def test_a_circle_of_redirects_ends(server: Server, root: Path) -> None:
    server.does.redirects["/index.json"] = "/index.json"
    assert "is redirected too often; check the URL" in error_of(server.url, root)


def test_without_encryption_only_this_computer_is_asked(root: Path) -> None:
    for url in ("http://brand.example.com/voices", "http://10.0.0.1", "http://127.0.0.1.nip.io"):
        assert error_of(url, root) == f"{url}/index.json: is not encrypted; use https://"


def test_nobody_is_there(server: Server, root: Path) -> None:
    server.ended.set()
    error = error_of("http://127.0.0.1:9", root)
    assert error.startswith("http://127.0.0.1:9/index.json: cannot be fetched (")


@pytest.mark.parametrize("where", ["url", "netrc"])
def test_passwords_are_used_and_never_shown(
    server: Server, root: Path, tmp_path: Path, where: str
) -> None:
    server.does.login = "ada:s3cret"
    url = server.url
    if where == "url":
        url = url.replace("http://", "http://ada:s3cret@")
    else:
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ada password s3cret\n")
        (tmp_path / ".netrc").chmod(0o600)
    done = install(url, root, [TRUSTED])
    assert "s3cret" not in str(done)
    assert (root.stat().st_mode & 0o077 == 0) == (where == "url")
    assert update(root).status == "up to date"
    server.does.login = "ada:changed"
    with pytest.raises(OnbrandError, match="401 Unauthorized; put user and password") as caught:
        update(root)
    assert "s3cret" not in str(caught.value)


def test_passwords_follow_on_the_same_host(server: Server, root: Path) -> None:
    server.does.login = "ada:s3cret"
    server.does.redirects["/latest/index.json"] = f"{server.url}/index.json"
    install_from = server.url.replace("http://", "http://ada:s3cret@")
    with pytest.raises(OnbrandError, match="404 Not Found"):  # it got to the archives
        install(f"{install_from}/latest", root, [TRUSTED])


def test_passwords_do_not_follow_to_another_host(
    server: Server, root: Path, tmp_path: Path
) -> None:
    with serve(tmp_path / "release") as other:
        server.does.redirects["/index.json"] = f"{other.url}/index.json"
        install(server.url.replace("http://", "http://ada:s3cret@"), root, [TRUSTED])
        assert {asked.login for asked in other.does.asked} == {None}
    assert {asked.login for asked in server.does.asked} == {"ada:s3cret"}


def test_the_signature_of_a_url_goes_with_every_request(server: Server, root: Path) -> None:
    done = install(f"{server.url}/index.json?token=s3cret", root, [TRUSTED])
    assert "s3cret" not in str(done)
    assert {asked.path.partition("?")[2] for asked in server.does.asked} == {"token=s3cret"}


def test_a_failed_update_changes_nothing(server: Server, root: Path, tmp_path: Path) -> None:
    install(server.url, root, [TRUSTED])
    before = tree(root)
    new = write_release(tmp_path / "release", 2, voices={"acme": 1, "beta": 1})
    (tmp_path / "release" / new.voices[1].archive).unlink()
    with pytest.raises(OnbrandError, match="404 Not Found"):
        update(root)
    after = tree(root)
    assert {name for name in after if name not in before} == {
        "partial",
        f"partial/{new.voices[0].sha256}",
    }
    assert {name: after[name] for name in before} == before
