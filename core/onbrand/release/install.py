"""Installing a release, updating it, and going back to the one before.

What is current is decided by ``installed.json`` alone, which is replaced in one step when the new
release is complete, tried out and on the disk. So whatever happens at whatever moment, the old or
the new release works; the next run clears away what was left.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from onbrand.errors import OnbrandError
from onbrand.files import sync_folder
from onbrand.release.fetch import Source, fetch_index
from onbrand.release.index import read_index
from onbrand.release.installed import (
    PARTIAL,
    POINTER,
    RELEASES,
    Installed,
    read_installed,
    release_folder,
    release_number,
    write_installed,
)
from onbrand.release.lock import locked
from onbrand.release.outcome import Outcome, Status, outcome_of
from onbrand.release.staging import (
    Progress,
    Release,
    clear,
    is_whole,
    read_release,
    stage,
)
from onbrand.release.trial import try_out


def _quiet(_text: str, _share: float) -> None:
    pass


def install(
    source: str,
    root: Path,
    keys: Collection[str] = (),
    *,
    voices: bool = True,
    progress: Progress = _quiet,
) -> Outcome:
    """Install the release at ``source`` to ``root``, or bring what is installed there up to date.

    Args:
        source: folder, URL, or either with ``/index.json``.
        root: the folder; `onbrand.release.installed.default_root` gives the usual one.
        keys: public keys to trust, 64 hexadecimal digits each; needed the first time, and must be
            pinned already afterwards.
        voices: false for encoders alone.
        progress: told how far it is.

    Raises:
        OnbrandError: the release is refused or cannot be had. What was installed is unchanged.
    """
    place = Source.of(source)
    installed = read_installed(root)
    if installed is None:
        _check_folder(root)
        if not keys:
            raise OnbrandError(
                "whom to trust? give the publisher's key: --key ed25519:…", path=place.shown
            )
        _read(place, keys)  # so that nothing is made for a release that is refused at once
    with locked(root, lambda line: progress(line, 0.0)):
        installed = read_installed(root)
        if installed is not None:
            _check_same(installed, root, keys, voices=voices)
            keys = installed.keys
        return _take(root, place, installed, keys, voices=voices, again=False, progress=progress)


def update(
    root: Path,
    *,
    keys: Collection[str] = (),
    only_keys: bool = False,
    again: bool = False,
    progress: Progress = _quiet,
) -> Outcome:
    """Bring an installation up to date with where it came from.

    Args:
        root: the installation.
        keys: public keys to trust from now on, besides those that are pinned.
        only_keys: trust ``keys`` alone from now on.
        again: take the release that was rolled back.
        progress: told how far it is.

    Raises:
        OnbrandError: the release is refused or cannot be had. What was installed is unchanged.
    """
    _installed(root)
    with locked(root, lambda line: progress(line, 0.0)):
        installed = _installed(root)
        pinned = () if only_keys else installed.keys
        return _take(
            root,
            Source.of(installed.source),
            installed,
            tuple(dict.fromkeys((*pinned, *keys))),
            voices=installed.voices,
            again=again,
            progress=progress,
        )


def roll_back(root: Path) -> Outcome:
    """Go back to the release before, without the network; the current one is refused from then on.

    Raises:
        OnbrandError: there is none, or it is damaged.
    """
    _installed(root)
    with locked(root, lambda _line: None):
        installed = _installed(root)
        _clear(root, installed)
        if installed.previous is None or installed.previous in installed.refused:
            raise OnbrandError(
                f"there is no release before {installed.release} to go back to", path=root
            )
        previous = read_release(root, installed.previous)
        if previous is None or not is_whole(root, previous, voices=installed.voices):
            raise OnbrandError(
                f"release {release_number(installed.previous)} is damaged; nothing was changed",
                path=release_folder(root, installed.previous),
            )
        try_out(previous, release_folder(root, previous.name), voices=installed.voices)
        current = read_release(root, installed.current)
        after = msgspec.structs.replace(
            installed,
            current=previous.name,
            previous=installed.current,
            refused=(installed.current,),
        )
        _switch(root, after)
        return outcome_of(root, Status.ROLLED_BACK, installed, current, previous, after)


def _installed(root: Path) -> Installed:
    installed = read_installed(root)
    if installed is None:
        raise OnbrandError(
            f"is no installation (it has no {POINTER}); make one with: onbrand voices install",
            path=root,
        )
    return installed


def _check_folder(root: Path) -> None:
    """Refuse a folder with other people's files: a release folder is cleared by updates."""
    if root.exists() and not root.is_dir():
        raise OnbrandError("is a file; choose another folder", path=root)
    names = {entry.name for entry in root.iterdir()} if root.is_dir() else set()
    if any(name not in (PARTIAL, RELEASES) and not name.startswith(".") for name in names):
        raise OnbrandError("holds other files; choose an empty folder", path=root)


def _check_same(installed: Installed, root: Path, keys: Collection[str], *, voices: bool) -> None:
    strange = [key for key in keys if key not in installed.keys]
    if strange:
        raise OnbrandError(
            f"does not trust ed25519:{strange[0]} so far; "
            f"to add a key: onbrand voices update {root} --key KEY",
            path=root,
        )
    if installed.voices != voices:
        what = "voices and encoders" if installed.voices else "encoders alone"
        raise OnbrandError(f"holds {what}; choose another folder", path=root)


def _read(place: Source, keys: Collection[str]) -> Release:
    data = fetch_index(place)
    return Release.of(read_index(data, keys, source=place.shown), data)


def _take(
    root: Path,
    place: Source,
    installed: Installed | None,
    keys: Collection[str],
    *,
    voices: bool,
    again: bool,
    progress: Progress,
) -> Outcome:
    """Make the release at ``place`` the current one, unless it is, or must not be."""
    _clear(root, installed)
    release = _read(place, keys)
    if place.private:  # installed.json keeps the URL with its password
        root.chmod(0o700)
    if installed is None:
        fetched = stage(root, release, place, voices=voices, donors=(), progress=progress)
        after = Installed(
            source=place.index,
            name=release.index.name,
            keys=tuple(keys),
            highest=release.index.release,
            voices=voices,
            current=release.name,
        )
        _switch(root, after)
        clear(root / PARTIAL, keep=set())
        return outcome_of(root, Status.INSTALLED, None, None, release, after, fetched=fetched)
    _refuse(installed, release, root)
    after = msgspec.structs.replace(installed, source=place.index, keys=tuple(keys))
    current = read_release(root, installed.current)
    fetched, status = 0, Status.UP_TO_DATE
    if release.name in installed.refused and not again:
        status = Status.WAITING
    elif release.name != installed.current:
        status = Status.UPDATED
        after = msgspec.structs.replace(
            after,
            current=release.name,
            previous=installed.current,
            highest=release.index.release,
            refused=(),
        )
    elif current is None or not is_whole(root, current, voices=voices):
        status = Status.REPAIRED
    if status in (Status.UPDATED, Status.REPAIRED):
        there = (current, read_release(root, installed.previous))
        donors = [donor for donor in there if donor is not None]
        fetched = stage(root, release, place, voices=voices, donors=donors, progress=progress)
    if after != installed:
        _switch(root, after)
    clear(root / PARTIAL, keep=set())
    return outcome_of(root, status, installed, current, release, after, fetched=fetched)


def _refuse(installed: Installed, release: Release, root: Path) -> None:
    """Refuse a release of another series, and one that is older than what was here."""
    index = release.index
    if index.name != installed.name:
        raise OnbrandError(
            f"{installed.name!r} is installed here and the source has {index.name!r}; "
            "choose another folder",
            path=root,
        )
    if release.name == installed.current or release.name in installed.refused:
        return
    if index.release < installed.highest:
        raise OnbrandError(
            f"the source has release {index.release}, older than {installed.highest} that was "
            "installed here, and is refused; to go back: onbrand voices update --rollback",
            path=root,
        )
    if index.release == installed.highest:
        raise OnbrandError(
            f"the source has another release {index.release} than the one that was installed here, "
            "and is refused; the publisher must give it a new number",
            path=root,
        )


def _switch(root: Path, after: Installed) -> None:
    write_installed(root, after)
    sync_folder(root)
    _clear(root, after)


def _clear(root: Path, installed: Installed | None) -> None:
    """Remove releases that nobody needs, and what a run that was killed has left."""
    needed = () if installed is None else (installed.current, installed.previous)
    clear(root / RELEASES, keep={name for name in needed if name is not None})
    for left in root.glob(f".{POINTER}.*.tmp"):
        left.unlink(missing_ok=True)
