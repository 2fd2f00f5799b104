"""What an install, an update or a rollback did."""

from __future__ import annotations

import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from onbrand.installation import Installed, without_secrets
from onbrand_releases.index import ENCODERS, VOICES
from onbrand_releases.staging import Release


class Status(StrEnum):
    """What came out."""

    INSTALLED = "installed"
    UPDATED = "updated"
    UP_TO_DATE = "up to date"
    REPAIRED = "repaired"
    WAITING = "waiting"
    """The release that is offered was rolled back here."""
    ROLLED_BACK = "rolled back"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an install, an update or a rollback did."""

    folder: str
    name: str
    """Of the series of releases."""
    source: str
    """Without passwords."""
    status: Status
    before: int | None
    """The release that was current before."""
    release: int
    """The release that is current now."""
    created: str
    """When that release was published, as its index says: an old one tells that the source is
    frozen, or that nothing comes through from it."""
    expires: datetime.datetime | None = None
    """When that release must have been followed by a newer one, if it must at all."""
    offered: int | None = None
    """The release that the source has; None where it was not asked."""
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
    """Say what was done.

    Args:
        root: the installation.
        status: what came out.
        installed: what was installed before.
        before: the release that was current before.
        offered: the release that the source has, or that was gone back to.
        after: what is installed now.
        fetched: bytes of archives.
    """
    current = before if status is Status.WAITING and before is not None else offered
    switched = status in (Status.INSTALLED, Status.UPDATED, Status.ROLLED_BACK)
    return Outcome(
        folder=str(root),
        name=after.name,
        source=without_secrets(after.source),
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
    """Return how many packages are new, other than before, or gone."""
    old, new = (
        {package.name: package.files for where, package in release.packages() if where == kind}
        if release is not None
        else {}
        for release in (before, after)
    )
    return sum(old.get(name) != new.get(name) for name in old.keys() | new.keys())
