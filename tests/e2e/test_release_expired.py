"""Releases that expire: who keeps newer ones back is noticed, and nothing stops working."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cli_runner import run, tree
from release_desk import Publisher
from release_samples import TRUSTED, write_release
from release_tampering import works

from onbrand.errors import OnbrandError
from onbrand.installation import voices_of
from onbrand_releases import signing
from onbrand_releases.install import install, roll_back, update

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
DAY = datetime.timedelta(days=1)
EXPIRED = rf"release 2 expired on {NOW - DAY:%Y-%m-%d} \(today is .* and no newer one has come"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An installation of a release that expires tomorrow."""
    write_release(tmp_path / "release", expires=NOW + DAY)
    install(str(tmp_path / "release"), tmp_path / "root", [TRUSTED])
    return tmp_path / "root"


def test_it_is_taken_before_its_time(root: Path, tmp_path: Path) -> None:
    assert update(root).expires == NOW + DAY
    write_release(tmp_path / "release", 2)
    done = update(root)
    assert (done.status, done.expires) == ("updated", None)


def test_a_newer_one_is_refused_after_its_time(root: Path, tmp_path: Path) -> None:
    before = tree(root)
    write_release(tmp_path / "release", 2, voices={"acme": 1, "beta": 1}, expires=NOW - DAY)
    with pytest.raises(OnbrandError, match=EXPIRED):
        update(root)
    with pytest.raises(OnbrandError, match=EXPIRED):
        install(str(tmp_path / "release"), tmp_path / "fresh", [TRUSTED])
    assert voices_of(tmp_path / "fresh") is None
    assert tree(root) == before
    works(root)


def test_one_that_has_expired_where_it_is_goes_on_working(root: Path, tmp_path: Path) -> None:
    write_release(tmp_path / "release", 2, voices={"acme": 1, "beta": 1}, expires=NOW + DAY)
    update(root)
    write_release(tmp_path / "release", 2, voices={"acme": 1, "beta": 1}, expires=NOW - DAY)
    with pytest.raises(OnbrandError, match=EXPIRED):
        update(root)
    works(root)
    assert roll_back(root).release == 1
    works(root)


def test_publishers_say_for_how_many_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(signing.PASSPHRASE, raising=False)
    monkeypatch.delenv(signing.SIGNING_KEY, raising=False)
    desk = Publisher(tmp_path)
    assert desk.published().expires is None
    done = desk.publish("--expires", "30")
    index = desk.index()
    assert index.expires == datetime.datetime.fromisoformat(index.created) + 30 * DAY
    assert f"expires on {index.expires:%Y-%m-%d}: publish again before then" in done.out
    taken = run(
        *("voices", "install", desk.release, "--to", tmp_path / "root"),
        *("--key", f"ed25519:{TRUSTED}", "--format", "json"),
    ).json()
    assert taken["installations"][0]["expires"] == f"{index.expires:%Y-%m-%dT%H:%M:%SZ}"
    assert desk.publish("--expires", "0").code == 2
