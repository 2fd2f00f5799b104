"""Installing, updating and going back remove nothing that is not onbrand's own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from release_samples import TRUSTED, names, write_release

from onbrand.errors import OnbrandError
from onbrand.installation import voices_of
from onbrand_releases.index import Index
from onbrand_releases.install import install, roll_back, update

NAME = "1-0123456789ab"
"""A name that the folder of a release can have."""
DIGITS = "0123456789abcdef" * 4
"""A name that a download can have."""


def put(path: Path, text: str = "precious") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


OTHERS: dict[str, Callable[[Path, Path], object]] = {
    "a file among releases": lambda root, _: put(root / "releases/ours.tar"),
    "a file named like a release": lambda root, _: put(root / "releases" / NAME),
    "a folder among releases": lambda root, _: put(root / "releases/1.0/notes"),
    "a folder named like a release": lambda root, _: put(root / "releases" / NAME / "notes"),
    "a link among releases": lambda root, far: link(root / "releases" / NAME, far),
    "a file among downloads": lambda root, _: put(root / "partial/x"),
    "a folder named like a download": lambda root, _: put(root / "partial" / DIGITS / "x"),
    "a link among downloads": lambda root, far: link(root / "partial" / DIGITS, far / "precious"),
    "a link in place of releases": lambda root, far: link(root / "releases", far),
    "a link in place of partial": lambda root, far: link(root / "partial", far),
    "a file in place of releases": lambda root, _: put(root / "releases"),
    "a file in place of partial": lambda root, _: put(root / "partial"),
    "a file beside them": lambda root, _: put(root / "letter.txt"),
}


@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.parametrize("broken", [False, True])
def test_a_folder_with_files_of_others_is_refused(
    release: Path, tmp_path: Path, what: str, broken: bool
) -> None:
    far = put(tmp_path / "far" / "precious").parent
    put(far / NAME / "precious")
    put(far / DIGITS)
    OTHERS[what](tmp_path / "theirs", far)
    before = sorted((tmp_path / "theirs").rglob("*")), sorted(far.rglob("*"))
    if broken:
        next((release / "voices").iterdir()).unlink()
    with pytest.raises(OnbrandError, match="holds other files; choose an empty folder"):
        install(str(release), tmp_path / "theirs", [TRUSTED])
    assert (sorted((tmp_path / "theirs").rglob("*")), sorted(far.rglob("*"))) == before


def test_what_a_killed_installation_left_is_no_hindrance(release: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    put(root / "releases" / NAME / "voices/acme/voice.json")
    put(root / f"releases/.{NAME}.abcd_123.tmp/encoders/x")
    put(root / "partial" / DIGITS)
    put(root / ".installed.json.abcd_123.tmp")
    put(root / "releases/.DS_Store")
    put(root / ".DS_Store")
    install(str(release), root, [TRUSTED])
    assert names(root) == [".DS_Store", ".lock", "installed.json", "releases"]
    assert names(root / "releases") == [".DS_Store", voices_of(root).parent.name]


@pytest.mark.parametrize("command", ["update", "repair", "rollback"])
def test_files_of_others_in_an_installation_stay(
    release: Path, root: Path, tmp_path: Path, command: str
) -> None:
    write_release(release, 2, voices={"acme": 1, "beta": 0})
    if command != "update":
        update(root)
    far = put(tmp_path / "far" / "precious").parent
    mine = [
        put(root / "releases/notes"),
        put(root / "releases/old/notes"),
        put(root / f"releases/.{NAME}.notes.tmp/notes"),
        put(root / "partial/x"),
        put(root / "partial" / DIGITS / "x"),
        put(root / ".installed.json.mine.tmp"),
        put(root / ".installed.json.abcd_123.tmp/notes"),
    ]
    for name in (f"releases/{NAME}", f"releases/.{NAME}.abcd_123.old"):
        link(root / name, far)
    if command == "rollback":
        roll_back(root)
    else:
        if command == "repair":
            (voices_of(root) / "acme" / "head.safetensors").unlink()
        assert update(root).status == ("updated" if command == "update" else "repaired")
    assert [path.read_text() for path in mine] == ["precious"] * len(mine)
    assert names(far) == ["precious"]
    assert (root / "releases" / NAME).is_symlink()


def first_download(index: Index) -> str:
    return index.encoders[0].sha256


@pytest.mark.parametrize("kind", ["symbolic link", "hard link", "empty folder", "pipe"])
def test_a_download_goes_into_a_file_of_its_own(
    release: Path, tmp_path: Path, root: Path, kind: str
) -> None:
    place = root / "partial" / first_download(write_release(release, 2, encoder=1))
    place.parent.mkdir()
    precious = put(tmp_path / "precious")
    if kind == "symbolic link":
        place.symlink_to(precious)
    elif kind == "hard link":
        place.hardlink_to(precious)
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()
    assert update(root).release == 2
    assert precious.read_text() == "precious"
    assert names(root) == [".lock", "installed.json", "releases"]


def test_what_is_in_the_way_of_downloads_is_told(release: Path, root: Path, tmp_path: Path) -> None:
    digits = first_download(write_release(release, 2, encoder=1))
    partial = root / "partial"
    far = put(tmp_path / "far" / digits).parent
    ways: list[tuple[Callable[[], object], Path]] = [
        (lambda: put(partial), partial),
        (lambda: link(partial, far), partial),
        (lambda: put(partial / digits / "notes"), partial / digits),
    ]
    for make, place in ways:
        make()
        with pytest.raises(OnbrandError, match="download.* there; move it away") as caught:
            update(root)
        assert caught.value.path == place
        place.rename(tmp_path / "moved")
        assert (far / digits).read_text() == "precious"
        if (tmp_path / "moved").is_symlink():
            (tmp_path / "moved").unlink()
    assert update(root).release == 2
