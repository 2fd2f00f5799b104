"""Making the release that a source offers the current one, unless it is, or must not be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from onbrand.errors import OnbrandError
from onbrand.files import sync_folder
from onbrand.installation import Installed, write_installed
from onbrand.progress import Progress
from onbrand_releases.clearing import clear_downloads, clear_releases
from onbrand_releases.fetch import Source
from onbrand_releases.outcome import Outcome, Status, outcome_of
from onbrand_releases.staging import Release, is_whole, read_release, stage


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted, and what it was decided on."""

    place: Source
    """Where to take the release from."""
    installed: Installed | None
    """What was installed when the source was asked; None for a first installation."""
    keys: Sequence[str]
    """Public keys that the release may be signed with."""
    voices: bool
    """False for encoders alone."""
    again: bool = False
    """Whether to take a release that was rolled back."""


def take(root: Path, order: Order, release: Release, progress: Progress) -> Outcome:
    """Make ``release`` the current one of ``root``, whose lock is held.

    Args:
        root: the installation.
        order: says what is installed at this moment.
        release: what the source offers; its index was checked.
        progress: told how far it is.

    Raises:
        OnbrandError: the release is refused or cannot be had. What was installed is unchanged.
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
    """Return what is to be done, and what is installed when it is done.

    Raises:
        OnbrandError: the current release is damaged, and the one that is offered was rolled back.
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
    """Say on the disk what is current from now on, in one step."""
    write_installed(root, after)
    sync_folder(root)


def clear(root: Path, installed: Installed | None) -> None:
    """Remove releases that nobody needs, and what a run that was killed has left.

    Where the current release cannot be read, nothing is known about the others either: they stay.
    """
    if installed is None:
        clear_releases(root, keep=())
    elif read_release(root, installed.current) is not None:
        clear_releases(root, keep=(installed.current, installed.previous or installed.current))
