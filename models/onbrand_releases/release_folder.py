"""The folder of a release as its publisher keeps it: what is there, what stays, what goes.

Beside the index and the archives (see `onbrand_releases.index`) it holds what only the next
publication needs::

    history/6.json      the index of the release before, as it was
    .new/               what a publication that is under way has made so far
    .lock               held while one is

Archives are named after their content and never change, and the index is replaced last, in one
step: whoever reads the folder meanwhile sees the old release or the new one. The archives of the
releases in ``history/`` stay, for laptops that have read an old index and are still fetching.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from onbrand.errors import OnbrandError, missing_extra
from onbrand.files import write_atomic
from onbrand_releases.index import (
    ENCODERS,
    INDEX,
    MAX_INDEX_BYTES,
    VOICES,
    Index,
    encode,
    is_archive,
    read_index,
    signers,
)

NEW = ".new"
"""Folder in which a publication works."""
_HISTORY = "history"
_LOCK = ".lock"
_OLD_INDEX = re.compile(r"[1-9][0-9]{0,15}\.json")


def read_release(folder: Path, keys: Collection[str]) -> Index | None:
    """Return the index of the release in ``folder``; None where one can be begun.

    Raises:
        OnbrandError: the folder holds something else, or a release that none of these public keys
            (64 hexadecimal digits each) has signed.
    """
    path = folder / INDEX
    if not path.exists():
        stranger = _stranger(folder)
        if stranger is not None:
            raise OnbrandError(
                f"holds {stranger}, which is no part of a release; name a new folder", path=folder
            )
        return None
    data = _read(path)
    try:
        return read_index(data, keys, source=str(path))
    except OnbrandError as error:
        reason = error.message.partition(";")[0]
        advice = "bring back the one that was published, or publish to another folder"
        if not signers(data).issubset(keys):
            advice = (
                "publish with the key of the releases here, or name it with --previous-key "
                "if a new one takes its place"
            )
        raise OnbrandError(f"{reason}; {advice}", path=path) from None


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other publications out; a folder that is new and stays without an index is removed."""
    try:
        from filelock import FileLock, Timeout
    except ImportError:
        raise missing_extra("publishing", "update") from None
    created = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK, timeout=0)
        lock.acquire()
    except Timeout:
        raise OnbrandError("somebody else is publishing here; try again", path=folder) from None
    except OSError as error:
        raise unwritable(folder, error) from None
    try:
        yield
    finally:
        lock.release()
        if created and not (folder / INDEX).exists():
            shutil.rmtree(folder, ignore_errors=True)


def replace_index(folder: Path, index: Index, before: Index | None) -> None:
    """Make ``index``, whose archives are in place, the release; the one before becomes history."""
    if before is not None:
        write_atomic(folder / _HISTORY / f"{before.release}.json", _read(folder / INDEX))
    write_atomic(folder / INDEX, encode(index))


def remove_old(folder: Path, index: Index, keep: int) -> list[Index]:
    """Remove the archives that no release needs any more, and what killed publications left.

    The new release is out by now, so that nothing here is worth an error.

    Returns:
        The indexes of the releases before whose archives stay.
    """
    kept: list[Index] = []
    needed = archives_of(index)
    old = [path for path in (folder / _HISTORY).glob("*.json") if _OLD_INDEX.fullmatch(path.name)]
    old.sort(key=lambda path: int(path.stem), reverse=True)
    for path in old[: keep - 1]:
        with contextlib.suppress(OnbrandError):
            # Whoever has signed it, say with a key of years ago: all it does is keep archives.
            data = _read(path)
            kept.append(read_index(data, signers(data)))
            needed |= archives_of(kept[-1])
    stale = [*old[keep - 1 :], *folder.glob(".*.tmp"), *(folder / _HISTORY).glob(".*.tmp")]
    for kind in (VOICES, ENCODERS):
        for path in (folder / kind).iterdir():
            relative = f"{kind}/{path.name}"
            if is_archive(relative) and relative not in needed:
                stale.append(path)
    for path in stale:
        with contextlib.suppress(OSError):
            path.unlink()
    return kept


def archives_of(index: Index) -> set[str]:
    """Return the paths of a release's archives."""
    return {package.archive for package in (*index.voices, *index.encoders)}


def unwritable(folder: Path, error: OSError) -> OnbrandError:
    """Return the error for a release's folder that cannot be written to."""
    return OnbrandError(
        f"cannot be written ({error.strerror or error}); the release is as it was", path=folder
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_INDEX_BYTES + 1)
    except OSError as error:
        raise OnbrandError(f"cannot be read ({error.strerror or error})", path=path) from None


def _stranger(folder: Path) -> str | None:
    """Return what is in a folder without index and was not left there by a killed publication."""
    if not folder.exists():
        return None
    try:
        for entry in sorted(folder.iterdir()):
            if entry.name in (VOICES, ENCODERS) and entry.is_dir():
                for inside in sorted(entry.iterdir()):
                    if not is_archive(f"{entry.name}/{inside.name}"):
                        return f"{entry.name}/{inside.name}"
            elif entry.name not in (NEW, _LOCK) and not entry.match(f".{INDEX}.*.tmp"):
                return entry.name
    except OSError as error:
        raise OnbrandError(
            f"cannot be read ({error.strerror or error}); name a folder", path=folder
        ) from None
    return None
