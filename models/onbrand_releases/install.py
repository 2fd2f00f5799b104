"""Installing a release, updating it, and going back to the one before.

What is current is decided by ``installed.json`` alone, which is replaced in one step when the new
release is complete, tried out and on the disk. So whatever happens at whatever moment, the old or
the new release works; the next run clears away what was left.

The source is asked what it has before the lock is taken, so that a server that does not answer
keeps nobody from going back. What the answer was decided on is looked at again under the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from onbrand.errors import OnbrandError
from onbrand.installation import (
    POINTER,
    Installed,
    read_installed,
    release_folder,
    release_number,
    without_secrets,
)
from onbrand.progress import Progress, silent
from onbrand_releases.clearing import check_folder
from onbrand_releases.fetch import Source, fetch_index
from onbrand_releases.index import check_not_expired, read_index
from onbrand_releases.lock import locked
from onbrand_releases.outcome import Outcome, Status, outcome_of
from onbrand_releases.staging import Release, is_whole, read_release
from onbrand_releases.take import Order, clear, switch, take
from onbrand_releases.trial import try_out


def install(
    source: str,
    root: Path,
    keys: Collection[str] = (),
    *,
    voices: bool = True,
    progress: Progress = silent,
) -> Outcome:
    """Install the release at ``source`` to ``root``, or bring what is installed there up to date.

    Args:
        source: folder, URL, or either with ``/index.json``.
        root: the folder; `onbrand.installation.default_root` gives the usual one.
        keys: public keys to trust, 64 hexadecimal digits each; needed the first time, and must be
            pinned already afterwards.
        voices: false for encoders alone.
        progress: told how far it is.

    Raises:
        OnbrandError: the release is refused or cannot be had. What was installed is unchanged.
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
    """Bring an installation up to date with where it came from.

    Args:
        root: the installation.
        keys: public keys to trust from now on, besides those that are pinned; they are pinned
            even if there is no update to be had.
        only_keys: trust ``keys`` alone from now on.
        again: take the release that was rolled back.
        progress: told how far it is.

    Raises:
        OnbrandError: the release is refused or cannot be had. The release that was installed is
            unchanged.
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
    """Go back to the release before, without the network; the current one is refused from then on.

    Args:
        root: the installation.
        progress: told whom there is to wait for.

    Raises:
        OnbrandError: there is none, or it is damaged.
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
    """Ask the source what it has, and take it.

    Args:
        root: the installation.
        order: says what is wanted, by what is installed at that moment.
        progress: told how far it is.
    """
    while True:
        wanted = order()
        data = fetch_index(wanted.place)
        index = read_index(data, wanted.keys, source=wanted.place.shown)
        check_not_expired(index, wanted.place.shown)
        with locked(root, progress):
            # Another process may have been here meanwhile, and the source have something newer.
            if read_installed(root) == wanted.installed:
                return take(root, wanted, Release.of(index, data), progress)


def _pin(root: Path, keys: Collection[str], *, only_keys: bool, progress: Progress) -> None:
    """Trust ``keys`` from now on: who has stolen the old key must not be able to prevent that."""
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
            f"is no installation (it has no {POINTER}); make one with: onbrand voices install",
            path=root,
        )
    return installed


def _check_text(place: str) -> None:
    """Refuse a name whose bytes are no text: installed.json could not hold it."""
    try:
        place.encode("utf-8")
    except UnicodeEncodeError:
        shown = without_secrets(place).encode("utf-8", "backslashreplace").decode("utf-8")
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
