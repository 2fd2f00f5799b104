"""One process at a time changes an installation."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

from onbrand.errors import OnbrandError, missing_extra
from onbrand.release.installed import PARTIAL, POINTER, RELEASES

LOCK = ".lock"
HOLDER = ".lock.holder"
"""Says who holds the lock: on Windows nobody else can read the lock file itself."""
WAIT = 300.0
"""Seconds to wait for another process: it may be fetching an encoder over a slow line."""


@contextlib.contextmanager
def locked(root: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of the installation in ``root``, a folder that is made if it is not there.

    A folder that is still no installation afterwards, and holds nothing to go on from, is removed.

    Args:
        root: the folder.
        tell: called with a line when there is somebody to wait for.

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
    try:
        root.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            tell(f"waiting for {_who(holder)}")
            lock.acquire(timeout=WAIT)
        holder.write_text(f"process {os.getpid()} on {platform.node()}", encoding="utf-8")
    except filelock.Timeout:
        raise OnbrandError(
            f"is being changed by {_who(holder)}; wait for it, or end it", path=root
        ) from None
    except (OSError, NotImplementedError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        lock.release()
        raise OnbrandError(
            f"cannot be written ({why}); check who may write there or choose another folder",
            path=root,
        ) from None
    try:
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()
        _remove_empty(root)


def _who(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8")[:200].strip() or "another process"
    except (OSError, ValueError):
        return "another process"


def _remove_empty(root: Path) -> None:
    """Remove what a first installation that failed has left, if that is nothing to go on from."""
    for name in (PARTIAL, RELEASES):
        with contextlib.suppress(OSError):
            (root / name).rmdir()
    if (root / POINTER).exists():
        return
    with contextlib.suppress(OSError):  # there is more in it, or somebody else is at work
        if [entry.name for entry in root.iterdir()] == [LOCK]:
            (root / LOCK).unlink()
            root.rmdir()
