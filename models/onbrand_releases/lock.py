"""One process at a time changes an installation."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from onbrand.errors import OnbrandError, missing_extra
from onbrand.installation import PARTIAL, POINTER, RELEASES
from onbrand.progress import Progress, ProgressEvent

LOCK = ".lock"
HOLDER = ".lock.holder"
"""Says who holds the lock: on Windows nobody else can read the lock file itself."""
WAIT = 300.0
"""Seconds to wait for another process: it may be fetching an encoder over a slow line."""


@contextlib.contextmanager
def locked(root: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock of the installation in ``root``, a folder that is made if it is not there.

    Folders that were made for it are removed afterwards, if it is still no installation and holds
    nothing to go on from.

    Args:
        root: the folder.
        progress: told when there is somebody to wait for.

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
            _remove_empty(root / PARTIAL, root / RELEASES)
            lock.release()
        if not os.path.exists(root / POINTER):  # noqa: PTH110 - Path.exists() may raise
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
    """Remove the lock's file where there is nothing else, and so nothing to go on from."""
    with contextlib.suppress(OSError):  # somebody else is at work
        if [entry.name for entry in root.iterdir()] == [LOCK]:
            (root / LOCK).unlink()


def _remove_empty(*folders: Path) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):  # it is not there, no folder, or there is more in it
            folder.rmdir()
