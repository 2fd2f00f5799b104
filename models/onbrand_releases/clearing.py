"""Removes old releases and downloads from an installation, and locks it against other processes."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import platform
import re
import shutil
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from onbrand.errors import OnbrandError, missing_extra
from onbrand.installation import DOWNLOADS, RELEASE_NAME, RELEASES, STATE_FILE
from onbrand.progress import Progress, ProgressEvent
from onbrand_releases.index import ENCODERS, INDEX, VOICES

LOCK = ".lock"
HOLDER = ".lock.holder"
"""Names the process that holds the lock: on Windows, others cannot read the lock file itself."""
WAIT = 300.0
"""Seconds to wait for another process, which may be fetching an encoder over a slow line."""


@contextlib.contextmanager
def locked(root: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock of the installation in ``root``, a folder that is made if it is missing.

    New folders are removed afterwards if nothing was installed and no download is left in them.

    Args:
        root: the folder.
        progress: receives an event when another process must be waited for.

    Raises:
        OnbrandError: another process holds it for too long, the folder cannot be written, or the
            ``update`` extra is missing.
    """
    try:
        import filelock
    except ImportError:
        raise missing_extra("installing releases", "update") from None
    lock = filelock.FileLock(root / LOCK)
    holder = root / HOLDER
    above = (root, *root.parents)
    made = list(itertools.takewhile(lambda folder: not os.path.lexists(folder), above))
    try:
        try:
            root.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                told = f"waiting for {_who(holder)}"
                progress(ProgressEvent("waiting", message=told, waiting=True))
                lock.acquire(timeout=WAIT)
            holder.write_text(f"process {os.getpid()} on {platform.node()}", encoding="utf-8")
        except filelock.Timeout:
            raise OnbrandError(
                f"is being changed by {_who(holder)}; wait for it, or end it", path=root
            ) from None
        except (OSError, NotImplementedError) as error:
            raise _unwritable(root, error) from None
        yield
    finally:
        ours = lock.is_locked
        if ours:
            holder.unlink(missing_ok=True)
            _remove_empty(root / DOWNLOADS, root / RELEASES)
            lock.release()
        if not os.path.exists(root / STATE_FILE):  # noqa: PTH110 - Path.exists() may raise
            if ours:
                _remove_lock(root)
            _remove_empty(*made)


def _unwritable(root: Path, error: Exception) -> OnbrandError:
    why = getattr(error, "strerror", None) or type(error).__name__
    full = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # Windows has no quotas
    if getattr(error, "errno", None) in full:
        mend = "make room on the disk or choose another folder"
    else:
        mend = "check who may write there or choose another folder"
    return OnbrandError(f"cannot be written ({why}); {mend}", path=root)


def _who(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8")[:200].strip() or "another process"
    except (OSError, ValueError):
        return "another process"


def _remove_lock(root: Path) -> None:
    """Remove the lock file if the folder holds nothing else."""
    with contextlib.suppress(OSError):  # another process is at work
        if [entry.name for entry in root.iterdir()] == [LOCK]:
            (root / LOCK).unlink()


def _remove_empty(*folders: Path) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):  # missing, not a folder, or not empty
            folder.rmdir()


_RELEASES = re.compile(rf"{RELEASE_NAME}|\.{RELEASE_NAME}\.[a-z0-9_]{{8}}\.(tmp|old)", re.ASCII)
_DOWNLOADS = re.compile(r"[0-9a-f]{64}", re.ASCII)
_POINTERS = re.compile(rf"\.{re.escape(STATE_FILE)}\.[a-z0-9_]{{8}}\.tmp", re.ASCII)
_JUNCTION = 0xA0000003
"""Tag of a junction on Windows (IO_REPARSE_TAG_MOUNT_POINT), which lstat calls a folder."""


def check_folder(root: Path) -> None:
    """Refuse a folder that holds anything but remains of a first installation.

    Other hidden files are ignored and never removed: systems leave them everywhere.

    Raises:
        OnbrandError: it is a file, or holds other files.
    """
    if not root.exists():
        return
    if not root.is_dir():
        raise OnbrandError("is a file; choose another folder", path=root)
    for entry in _visible(root):
        if entry.name == RELEASES and is_folder(entry):
            good = all(_is_release(release) for release in _visible(entry))
        elif entry.name == DOWNLOADS and is_folder(entry):
            good = all(_is_download(download) for download in _visible(entry))
        else:
            good = False
        if not good:
            raise OnbrandError("holds other files; choose an empty folder", path=root)


def clear_releases(root: Path, keep: Collection[str]) -> None:
    """Remove all releases but those in ``keep``, and unfinished files of killed runs."""
    for entry in _entries(root / RELEASES):
        if entry.name not in keep and _RELEASES.fullmatch(entry.name) and is_folder(entry):
            shutil.rmtree(entry, ignore_errors=True)  # files in use are removed by the next run
    for entry in root.iterdir():
        if _POINTERS.fullmatch(entry.name) and _is_file(entry):
            _unlink(entry)


def clear_downloads(root: Path, keep: Collection[str] = ()) -> None:
    """Remove downloads but for those named in ``keep``."""
    for entry in _entries(root / DOWNLOADS):
        if entry.name not in keep and _is_download(entry):
            _unlink(entry)


def prepare_downloads(root: Path, wanted: Collection[str]) -> int:
    """Make the places of the wanted downloads safe to write to, and remove all other downloads.

    Args:
        root: the installation.
        wanted: SHA-256 of the archives that will be fetched.

    Returns:
        Bytes of them that were fetched before.

    Raises:
        OnbrandError: a folder, or a file in place of the folder, is in the way.
        OSError: the folder cannot be written.
    """
    folder = root / DOWNLOADS
    if os.path.lexists(folder) and not is_folder(folder):
        raise OnbrandError("is no folder, and downloads go there; move it away", path=folder)
    clear_downloads(root, keep=wanted)
    return sum(_prepare(folder / name) for name in wanted)


def is_folder(path: Path) -> bool:
    """Return whether ``path`` is a folder, and not a link to one."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and getattr(status, "st_reparse_tag", 0) != _JUNCTION


def _prepare(download: Path) -> int:
    """Return how many bytes of a download are there; free its name if it is not a plain file."""
    try:
        status = download.lstat()
    except FileNotFoundError:
        return 0
    if stat.S_ISDIR(status.st_mode):
        try:
            download.rmdir()  # only when it is empty
        except OSError:
            raise OnbrandError(
                "is a folder, and a download goes there; move it away", path=download
            ) from None
        return 0
    if stat.S_ISREG(status.st_mode) and status.st_nlink <= 1:
        return status.st_size
    download.unlink()  # a link, whose target must not be written to
    return 0


def _is_release(path: Path) -> bool:
    ours = (INDEX, VOICES, ENCODERS)
    return (
        _RELEASES.fullmatch(path.name) is not None
        and is_folder(path)
        and all(entry.name in ours for entry in _visible(path))
    )


def _is_download(path: Path) -> bool:
    return _DOWNLOADS.fullmatch(path.name) is not None and _is_file(path)


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _entries(folder: Path) -> list[Path]:
    """Return the entries of a folder; none if it is a link or not a folder."""
    return list(folder.iterdir()) if is_folder(folder) else []


def _visible(folder: Path) -> list[Path]:
    return [entry for entry in _entries(folder) if not entry.name.startswith(".")]


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):  # in use on Windows; the next run tries again
        path.unlink()
