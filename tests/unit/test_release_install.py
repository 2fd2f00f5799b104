"""Installing, updating and going back, on a folder as source."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path

import filelock
import pytest
from release_samples import NAME, TRUSTED, names, update_error, write_release
from rights import no_special_rights

from onbrand.errors import OnbrandError
from onbrand.installation import encoders_of, read_installed, voices_of
from onbrand_releases import archive, clearing, staging
from onbrand_releases.install import install, roll_back, update


def test_the_life_of_an_installation(release: Path, root: Path) -> None:
    installed = read_installed(root)
    assert installed is not None
    assert (installed.name, installed.keys, installed.previous) == (NAME, (TRUSTED,), None)
    assert names(voices_of(root)) == ["acme", "beta"]
    assert [bundle.name for bundle in encoders_of(root)] == ["tiny"]
    assert update(root).status == "up to date"

    write_release(release, 2, voices={"acme": 1, "gamma": 0})
    done = update(root)
    assert (done.status, done.before, done.release) == ("updated", 1, 2)
    assert (done.voices_changed, done.encoders_changed) == (3, 0)
    assert names(voices_of(root)) == ["acme", "gamma"]

    done = roll_back(root)
    assert (done.status, done.before, done.release) == ("rolled back", 2, 1)
    assert names(voices_of(root)) == ["acme", "beta"]
    assert update(root).status == "waiting"
    with pytest.raises(OnbrandError, match="there is no release before 1 to go back to"):
        roll_back(root)

    done = update(root, again=True)
    assert (done.status, done.release, done.fetched) == ("updated", 2, 0)
    roll_back(root)
    write_release(release, 3)
    assert (update(root).before, update(root).release) == (1, 3)
    installed = read_installed(root)
    assert installed is not None
    assert (installed.highest, installed.refused) == (3, ())
    assert [name[0] for name in names(root / "releases")] == ["1", "3"]
    assert names(root) == [".lock", "installed.json", "releases"]


def test_after_two_updates_the_first_release_is_gone(release: Path, root: Path) -> None:
    for number in (2, 3):
        write_release(release, number, voices={"acme": number, "beta": 0})
        update(root)
    assert [name[0] for name in names(root / "releases")] == ["2", "3"]


def test_what_is_unchanged_is_copied_and_not_linked(release: Path, root: Path) -> None:
    new = write_release(release, 2, voices={"acme": 1, "beta": 0})
    for package in (*new.encoders, new.voices[1]):
        (release / package.archive).unlink()
    done = update(root)
    assert done.fetched == new.voices[0].size
    heads = [folder / "voices/beta/head.safetensors" for folder in (root / "releases").iterdir()]
    assert heads[0].read_bytes() == heads[1].read_bytes()
    assert not heads[0].samefile(heads[1])


@pytest.mark.parametrize("damage", ["change", "remove", "all"])
def test_damage_is_repaired(release: Path, root: Path, damage: str) -> None:
    head = voices_of(root) / "acme" / "head.safetensors"
    good = head.read_bytes()
    if damage == "change":
        head.write_bytes(bytes(len(good)))
    elif damage == "remove":
        head.unlink()
    else:
        shutil.rmtree(root / "releases")
    assert update(root).status == "repaired"
    assert head.read_bytes() == good
    assert update(root).status == "up to date"


def test_a_damaged_release_is_not_gone_back_to(release: Path, root: Path) -> None:
    old = voices_of(root)
    write_release(release, 2, voices={"acme": 1})
    update(root)
    (old / "acme" / "head.safetensors").unlink()
    with pytest.raises(OnbrandError, match="release 1 is damaged; nothing was changed"):
        roll_back(root)
    assert read_installed(root).release == 2


def test_encoders_alone(release: Path, tmp_path: Path) -> None:
    root = tmp_path / "encoders"
    done = install(str(release), root, [TRUSTED], voices=False)
    assert (done.voices_changed, done.encoders_changed) == (0, 1)
    assert names(voices_of(root)) == []
    write_release(release, 2, voices={"acme": 5}, encoder=1)
    done = update(root)
    assert (done.voices_changed, done.encoders_changed) == (0, 1)
    with pytest.raises(OnbrandError, match="holds encoders alone; choose another folder"):
        install(str(release), root, [TRUSTED])


def test_a_release_without_encoders_for_the_bundled_one(tmp_path: Path) -> None:
    write_release(tmp_path / "release", encoder=None)
    with pytest.raises(OnbrandError, match="which neither the release nor this onbrand has"):
        install(str(tmp_path / "release"), tmp_path / "root", [TRUSTED])
    # The download stays, for an onbrand that has the encoder.
    assert names(tmp_path / "root") == [".lock", "partial"]


def test_names_that_are_no_text(release: Path, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"odd\xfe")
    for source, root in ((odd, tmp_path / "root"), (release, odd / "root"), (odd, odd)):
        with pytest.raises(OnbrandError, match="is not UTF-8; choose another name") as caught:
            install(str(source), root, [TRUSTED])
        assert "odd\\udcfe" in str(caught.value).encode("utf-8").decode()
    assert names(tmp_path) == ["release"]


@pytest.mark.skipif(sys.platform != "linux", reason="file systems elsewhere have no such names")
def test_a_working_folder_whose_name_is_no_text(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / os.fsdecode(b"odd\xfe")
    odd.mkdir()
    monkeypatch.chdir(odd)
    shutil.copytree(release, "release")
    for source, root in (("release", tmp_path / "root"), (str(release), Path("root"))):
        with pytest.raises(OnbrandError, match="is not UTF-8"):
            install(source, root, [TRUSTED])
    assert names(odd) == ["release"]


def test_a_release_moves_to_another_place(release: Path, root: Path, tmp_path: Path) -> None:
    release.rename(tmp_path / "moved")
    assert "is no release (it has no index.json)" in update_error(root)
    assert install(str(tmp_path / "moved"), root).status == "up to date"
    assert update(root).source == str(tmp_path / "moved" / "index.json")


def test_folders_of_others_are_left_alone(release: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "letter.txt").write_text("dear")
    for folder, message in (("own", "holds other files"), ("own/letter.txt", "is a file")):
        with pytest.raises(OnbrandError, match=message):
            install(str(release), tmp_path / folder, [TRUSTED])
    assert names(tmp_path / "own") == ["letter.txt"]
    for command in (update, roll_back):
        with pytest.raises(OnbrandError, match=r"is no installation \(it has no installed.json\)"):
            command(tmp_path / "own")


def test_no_space(release: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_release(release, 2, encoder=1)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**9, 10**9, 10**6))
    assert "MB, the disk has 1.0 MB free; make room or choose another folder" in update_error(root)
    assert read_installed(root).release == 1


@pytest.mark.parametrize("where", ["_write", "unpack"])
def test_the_disk_gets_full(
    release: Path, root: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_release(release, 2, voices={"acme": 1, "beta": 0})
    before = names(root / "releases")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if where == "unpack":
        monkeypatch.setattr(archive, "_write_file", full)
    else:
        monkeypatch.setattr(staging, "_write", full)
    assert "No space left on device" in update_error(root)
    assert names(root / "releases") == before
    monkeypatch.undo()
    assert update(root).release == 2


def test_a_read_only_place(release: Path, root: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    shutil.copytree(root, theirs / "old")
    for path in (theirs, *theirs.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    with no_special_rights():
        for name in ("new", "old"):
            with pytest.raises(OnbrandError) as caught:
                install(str(release), theirs / name, [TRUSTED])
            assert str(caught.value) == (
                f"{theirs / name}: cannot be written (Permission denied); "
                "check who may write there or choose another folder"
            )
    for path in (theirs, *theirs.rglob("*")):
        path.chmod(0o755)


def test_who_holds_the_lock_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clearing, "WAIT", 0.0)
    told: list[str] = []
    with filelock.FileLock(root / ".lock"):
        (root / ".lock.holder").write_text("process 7 on ada's laptop")
        with pytest.raises(OnbrandError, match="is being changed by process 7 on ada's laptop; "):
            update(root, progress=lambda event: told.append(event.text))
    assert told == ["waiting for process 7 on ada's laptop"]


def test_two_at_once(release: Path, tmp_path: Path) -> None:
    done: list[str] = []
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        done.append(install(str(release), tmp_path / "root", [TRUSTED]).status)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["installed", "up to date", "up to date", "up to date"]


@pytest.mark.parametrize("now", [0.0, 2.0**33])
def test_clocks_do_not_matter(
    release: Path, root: Path, now: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_release(release, 2, voices={"acme": 1, "beta": 0})
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(time, "time_ns", lambda: int(now * 1e9))
    for file in root.rglob("*"):
        os.utime(file, (now, now))
    assert update(root).release == 2
    assert roll_back(root).release == 1
