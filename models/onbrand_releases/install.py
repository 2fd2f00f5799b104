"""Installs a release, updates it, and rolls back to the previous one.

``installed.json`` alone decides which release is current. It is replaced atomically when the new
release is complete, tested and on the disk, so that after a crash at any moment the old or the new
release works; the next run removes what was left.

The index is fetched before the lock is taken, so that a server that does not answer cannot block a
rollback. What is installed is compared again under the lock.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from onbrand.errors import OnbrandError
from onbrand.files import sync_folder
from onbrand.installation import (
    STATE_FILE,
    Installed,
    read_installed,
    redact_url,
    release_folder,
    release_number,
    write_installed,
)
from onbrand.progress import Progress, silent
from onbrand_releases.clearing import check_folder, clear_downloads, clear_releases, locked
from onbrand_releases.fetch import Source, fetch_index
from onbrand_releases.index import ENCODERS, VOICES, check_not_expired, read_index
from onbrand_releases.staging import Release, is_whole, read_release, stage, try_out


class Status(StrEnum):
    """Result of an install, an update or a rollback."""

    INSTALLED = "installed"
    UPDATED = "updated"
    UP_TO_DATE = "up to date"
    REPAIRED = "repaired"
    WAITING = "waiting"
    """The offered release was rolled back here."""
    ROLLED_BACK = "rolled back"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Report on an install, an update or a rollback."""

    folder: str
    name: str
    """Name of the series of releases."""
    source: str
    """Without passwords."""
    status: Status
    before: int | None
    """The release that was current before."""
    release: int
    """The release that is current now."""
    created: str
    """Time at which that release was published; if long ago, the source may be frozen."""
    expires: datetime.datetime | None = None
    """Time at which that release expires, if it does."""
    offered: int | None = None
    """The release that the source has; None if it was not asked."""
    voices_changed: int = 0
    encoders_changed: int = 0
    fetched: Annotated[int, Meta(ge=0)] = 0
    """Bytes."""


def outcome_of(
    root: Path,
    status: Status,
    installed: Installed | None,
    before: Release | None,
    offered: Release,
    after: Installed,
    *,
    fetched: int = 0,
) -> Outcome:
    """Return the report on what was done.

    Args:
        root: the installation.
        status: the result.
        installed: state before, None if nothing was installed.
        before: the release that was current before.
        offered: the release of the source, or the one that was rolled back to.
        after: state now.
        fetched: bytes of the archives that were needed.
    """
    current = before if status is Status.WAITING and before is not None else offered
    switched = status in (Status.INSTALLED, Status.UPDATED, Status.ROLLED_BACK)
    return Outcome(
        folder=str(root),
        name=after.name,
        source=redact_url(after.source),
        status=status,
        before=None if installed is None else installed.release,
        release=after.release,
        created=current.index.created,
        expires=current.index.expires,
        offered=None if status is Status.ROLLED_BACK else offered.index.release,
        voices_changed=_changed(before, offered, VOICES) if switched and after.voices else 0,
        encoders_changed=_changed(before, offered, ENCODERS) if switched else 0,
        fetched=fetched,
    )


def _changed(before: Release | None, after: Release, kind: str) -> int:
    """Return how many packages were added, changed or removed."""
    old, new = (
        {package.name: package.files for where, package in release.packages() if where == kind}
        if release is not None
        else {}
        for release in (before, after)
    )
    return sum(old.get(name) != new.get(name) for name in old.keys() | new.keys())


@dataclass(frozen=True, slots=True)
class Order:
    """A request to install, and the state that it was made for."""

    place: Source
    """Location of the release."""
    installed: Installed | None
    """State when the index was fetched; None for a first installation."""
    keys: Sequence[str]
    """Public keys that the release may be signed with."""
    voices: bool
    """False for encoders alone."""
    again: bool = False
    """Whether to accept a release that was rolled back."""


def take(root: Path, order: Order, release: Release, progress: Progress) -> Outcome:
    """Make ``release`` the current one in ``root``; the lock must be held.

    Args:
        root: the installation.
        order: the request, for the state of this moment.
        release: the release of the source, with a checked index.
        progress: receives the stage and how much is done.

    Raises:
        OnbrandError: the release is refused or cannot be fetched; nothing was changed then.
    """
    if order.place.private:  # installed.json keeps the URL with its password
        root.chmod(0o700)
    if order.installed is None:
        return _first(root, order, release, progress)
    installed, voices = order.installed, order.voices
    current = read_release(root, installed.current)
    _refuse(installed, release, root, damaged=current is None)
    clear(root, installed)
    status, after = _plan(root, order, installed, current, release)
    fetched = 0
    if status in (Status.UPDATED, Status.REPAIRED):
        there = (current, read_release(root, installed.previous))
        donors = [donor for donor in there if donor is not None]
        fetched = stage(root, release, order.place, voices=voices, donors=donors, progress=progress)
    if after != installed:
        switch(root, after)
    clear(root, after)
    clear_downloads(root)
    return outcome_of(root, status, installed, current, release, after, fetched=fetched)


def _first(root: Path, order: Order, release: Release, progress: Progress) -> Outcome:
    clear(root, None)
    fetched = stage(root, release, order.place, voices=order.voices, donors=(), progress=progress)
    after = Installed(
        source=order.place.index,
        name=release.index.name,
        keys=tuple(order.keys),
        highest=release.index.release,
        voices=order.voices,
        current=release.name,
    )
    switch(root, after)
    clear_downloads(root)
    return outcome_of(root, Status.INSTALLED, None, None, release, after, fetched=fetched)


def _plan(
    root: Path, order: Order, installed: Installed, current: Release | None, release: Release
) -> tuple[Status, Installed]:
    """Return the status that will result, and the state after it.

    Raises:
        OnbrandError: the current release is damaged, and the offered one was rolled back.
    """
    after = msgspec.structs.replace(installed, source=order.place.index)
    waiting = release.name in installed.refused and not order.again
    if release.name != installed.current and not waiting:
        return Status.UPDATED, msgspec.structs.replace(
            after,
            current=release.name,
            previous=installed.current,
            highest=release.index.release,
            refused=(),
        )
    if current is not None and is_whole(root, current, voices=order.voices):
        return Status.WAITING if waiting else Status.UP_TO_DATE, after
    if waiting:
        raise OnbrandError(
            f"release {installed.release} is damaged, and release {release.index.release} was "
            f"rolled back here; to take it all the same: onbrand voices update {root} --again",
            path=root,
        )
    return Status.REPAIRED, after


def _refuse(installed: Installed, release: Release, root: Path, *, damaged: bool) -> None:
    """Refuse a release of another series, and one older than any that was installed here."""
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
    if index.release == installed.highest and damaged:
        raise OnbrandError(
            f"is damaged: {installed.current}, the current release, cannot be read, and the source "
            f"has another release {index.release}; delete the folder and install again",
            path=root,
        )
    if index.release == installed.highest:
        raise OnbrandError(
            f"the source has another release {index.release} than the one that was installed here, "
            "and is refused; the publisher must give it a new number",
            path=root,
        )


def switch(root: Path, after: Installed) -> None:
    """Write the new state atomically, which makes its release the current one."""
    write_installed(root, after)
    sync_folder(root)


def clear(root: Path, installed: Installed | None) -> None:
    """Remove releases that are neither current nor previous, and remains of killed runs.

    If the current release cannot be read, all others stay, as they may be needed.
    """
    if installed is None:
        clear_releases(root, keep=())
    elif read_release(root, installed.current) is not None:
        clear_releases(root, keep=(installed.current, installed.previous or installed.current))


def install(
    source: str,
    root: Path,
    keys: Collection[str] = (),
    *,
    voices: bool = True,
    progress: Progress = silent,
) -> Outcome:
    """Install the release at ``source`` to ``root``, or update the installation there.

    Args:
        source: path or URL of the release's folder or of its ``index.json``.
        root: the folder; `onbrand.installation.default_root` gives the usual one.
        keys: public keys to trust, 64 hexadecimal digits each; required for a first installation,
            afterwards they must be pinned already.
        voices: false for encoders alone.
        progress: receives the stage and how much is done.

    Raises:
        OnbrandError: the release is refused or cannot be fetched; nothing was changed then.
    """
    _check_text(source)
    _check_text(str(root.absolute()))
    place = Source.of(source)
    _check_text(place.index)

    def order() -> Order:
        installed = read_installed(root)
        if installed is None:
            check_folder(root)
            if not keys:
                raise OnbrandError(
                    "whom to trust? give the publisher's key: --key ed25519:…", path=place.shown
                )
            return Order(place, None, tuple(keys), voices)
        _check_same(installed, root, keys, voices=voices)
        return Order(place, installed, installed.keys, voices)

    return _carry_out(root, order, progress)


def update(
    root: Path,
    *,
    keys: Collection[str] = (),
    only_keys: bool = False,
    again: bool = False,
    progress: Progress = silent,
) -> Outcome:
    """Update an installation from its source.

    Args:
        root: the installation.
        keys: further public keys to trust from now on; they are pinned even if the update fails.
        only_keys: trust ``keys`` alone from now on.
        again: accept the release that was rolled back.
        progress: receives the stage and how much is done.

    Raises:
        OnbrandError: the release is refused or cannot be fetched; the installed release stays.
    """
    if only_keys and not keys:
        raise OnbrandError("--only-key needs the keys to trust: --key ed25519:…")

    def order() -> Order:
        installed = _installed(root)
        place = Source.of(installed.source)
        return Order(place, installed, installed.keys, installed.voices, again)

    if not keys:
        return _carry_out(root, order, progress)
    _pin(root, keys, only_keys=only_keys, progress=progress)
    try:
        return _carry_out(root, order, progress)
    except OnbrandError as error:
        others = ", and no others" if only_keys else ""
        raise OnbrandError(
            f"{error.message} (the keys given are pinned all the same{others})",
            path=error.path,
            line=error.line,
        ) from None


def roll_back(root: Path, *, progress: Progress = silent) -> Outcome:
    """Roll back to the previous release, offline; the current one is refused from then on.

    Args:
        root: the installation.
        progress: receives an event when another process must be waited for.

    Raises:
        OnbrandError: there is no previous release, or it is damaged.
    """
    _installed(root)
    with locked(root, progress):
        installed = _installed(root)
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
        try_out(previous.index, release_folder(root, previous.name), voices=installed.voices)
        current = read_release(root, installed.current)
        after = msgspec.structs.replace(
            installed,
            current=previous.name,
            previous=installed.current,
            refused=(installed.current,),
        )
        switch(root, after)
        clear(root, after)
        return outcome_of(root, Status.ROLLED_BACK, installed, current, previous, after)


def _carry_out(root: Path, order: Callable[[], Order], progress: Progress) -> Outcome:
    """Fetch and check the index, then install its release.

    Args:
        root: the installation.
        order: returns the request for the state of the moment.
        progress: receives the stage and how much is done.
    """
    while True:
        wanted = order()
        data = fetch_index(wanted.place)
        index = read_index(data, wanted.keys, source=wanted.place.shown)
        check_not_expired(index, wanted.place.shown)
        with locked(root, progress):
            # Else another process has changed the installation meanwhile: start again.
            if read_installed(root) == wanted.installed:
                return take(root, wanted, Release.of(index, data), progress)


def _pin(root: Path, keys: Collection[str], *, only_keys: bool, progress: Progress) -> None:
    """Pin ``keys``, before the update: a thief of the old key must not be able to prevent it."""
    _installed(root)
    with locked(root, progress):
        installed = _installed(root)
        pinned = () if only_keys else installed.keys
        after = msgspec.structs.replace(installed, keys=tuple(dict.fromkeys((*pinned, *keys))))
        if after != installed:
            switch(root, after)


def _installed(root: Path) -> Installed:
    installed = read_installed(root)
    if installed is None:
        raise OnbrandError(
            f"is no installation (it has no {STATE_FILE}); make one with: onbrand voices install",
            path=root,
        )
    return installed


def _check_text(place: str) -> None:
    """Refuse a path that is not UTF-8, which installed.json could not hold."""
    try:
        place.encode("utf-8")
    except UnicodeEncodeError:
        shown = redact_url(place).encode("utf-8", "backslashreplace").decode("utf-8")
        raise OnbrandError(
            "has a name that is not UTF-8; choose another name", path=shown
        ) from None


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
