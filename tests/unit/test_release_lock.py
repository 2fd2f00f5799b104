"""One process at a time changes an installation, and no server keeps anybody waiting for it."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest
from release_samples import STRANGER, TRUSTED, names, write_release

from onbrand.errors import OnbrandError
from onbrand.installation import read_installed
from onbrand.progress import ProgressEvent
from onbrand_releases import clearing as lock
from onbrand_releases import install as installing
from onbrand_releases.fetch import Source
from onbrand_releases.install import Outcome, install, roll_back, update
from onbrand_releases.signing import key_digits

OTHER = key_digits(STRANGER)


@pytest.fixture
def root(release: Path, tmp_path: Path) -> Path:
    """An installation of the second release, from which one can go back."""
    install(str(release), tmp_path / "root", [TRUSTED])
    write_release(release, 2, voices={"acme": 1, "beta": 0})
    update(tmp_path / "root")
    return tmp_path / "root"


def test_who_goes_back_is_told_whom_to_wait_for(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "WAIT", 0.0)
    told: list[ProgressEvent] = []
    with filelock.FileLock(root / ".lock"):
        (root / ".lock.holder").write_text("process 7 on ada's laptop")
        with pytest.raises(OnbrandError, match="is being changed by process 7 on ada's laptop; "):
            roll_back(root, progress=told.append)
    assert [(event.waiting, event.text) for event in told] == [
        (True, "waiting for process 7 on ada's laptop")
    ]


def between(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    """Have something done after the source was first asked, before its answer is used."""
    ask = installing.fetch_index
    first = threading.Lock()

    def slow(source: Source) -> bytes:
        data = ask(source)
        if first.acquire(blocking=False):
            # Elsewhere: in one thread the lock lets its holder in again.
            thread = threading.Thread(target=meanwhile)
            thread.start()
            thread.join()
        return data

    monkeypatch.setattr(installing, "fetch_index", slow)


def test_a_server_that_does_not_answer_keeps_nobody_from_going_back(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "WAIT", 0.0)
    done: list[Outcome] = []
    between(monkeypatch, lambda: done.append(roll_back(root)))
    assert update(root).status == "waiting"
    assert [outcome.release for outcome in done] == [1]


def test_an_answer_that_got_old_while_waiting_is_not_used(
    release: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish_and_update() -> None:
        write_release(release, 3, key=STRANGER)
        update(root, keys=[OTHER], only_keys=True)

    between(monkeypatch, publish_and_update)
    assert (update(root).status, update(root).release) == ("up to date", 3)
    assert read_installed(root).keys == (OTHER,)


def test_another_process_was_first_to_install(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = tmp_path / "fresh"
    between(monkeypatch, lambda: install(str(release), fresh, [TRUSTED, OTHER]))
    assert install(str(release), fresh, [TRUSTED]).status == "up to date"
    assert read_installed(fresh).keys == (TRUSTED, OTHER)


def test_a_full_disk(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, *_: object, **__: object) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OnbrandError) as caught:
        update(root)
    assert caught.value.message == (
        "cannot be written (No space left on device); "
        "make room on the disk or choose another folder"
    )
    assert names(root) == [".lock", "installed.json", "releases"]
    with pytest.raises(OnbrandError, match="make room"), lock.locked(root.parent / "a/b", print):
        pass
    assert not (root.parent / "a").exists()


def test_folders_that_were_made_in_vain_go(release: Path, tmp_path: Path) -> None:
    next((release / "encoders").iterdir()).unlink()
    (tmp_path / "mine").mkdir()
    for folder in ("a/b/c", "mine", "mine/d/e"):
        with pytest.raises(OnbrandError, match="cannot be read"):
            install(str(release), tmp_path / folder, [TRUSTED])
    assert names(tmp_path) == ["mine", "release"]
    assert names(tmp_path / "mine") == []
