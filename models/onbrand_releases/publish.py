"""Publishes bundles and voices as a signed release that laptops can update to."""

from __future__ import annotations

import contextlib
import datetime
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import onbrand
from onbrand.errors import OnbrandError
from onbrand.files import sha256_file, sync_folder
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand.voice.storage import EXAMPLES
from onbrand_releases.archive import check_archive, pack
from onbrand_releases.index import (
    ENCODERS,
    FORMAT,
    MAX_NAME,
    MAX_RELEASE,
    VOICES,
    Index,
    Package,
    sign_index,
)
from onbrand_releases.release_folder import (
    NEW,
    Content,
    archives_of,
    locked,
    read_release,
    remove_old,
    replace_index,
    unwritable,
)
from onbrand_releases.signing import key_digits

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEEP = 2
"""Number of releases whose archives stay, the new one included."""
_COPIES = "copies"

Gather = Callable[[Path], Sequence[Content]]
"""Called with a temporary folder for copies; returns the checked contents to publish."""


@dataclass(frozen=True)
class Publication:
    """Result of publishing."""

    index: Index
    before: Index | None
    """The previous release; None if this is the first one of the folder."""
    fresh: frozenset[str]
    """Archives that the previous release did not have."""
    kept: tuple[Index, ...]
    """Earlier releases whose archives are still in the folder."""

    @property
    def new_key(self) -> bool:
        """Whether another key signed the previous release."""
        if self.before is None or self.before.signature is None or self.index.signature is None:
            return False
        return self.before.signature.key != self.index.signature.key

    @property
    def gone(self) -> list[str]:
        """Names of voices and encoders that only the previous release had."""
        return [] if self.before is None else sorted(_names(self.before) - _names(self.index))

    @property
    def old_texts(self) -> list[str]:
        """Voices whose archives of earlier releases are kept and hold training lines."""
        return sorted(
            {voice.name for index in self.kept for voice in index.voices if EXAMPLES in voice.files}
        )


def publish(
    folder: Path,
    gather: Gather,
    private: Ed25519PrivateKey,
    *,
    name: str | None = None,
    release: int | None = None,
    previous_key: str | None = None,
    expires: datetime.timedelta | None = None,
    keep: int = KEEP,
    progress: Progress = silent,
) -> Publication:
    """Write a release of exactly what ``gather`` returns to ``folder``.

    If it fails or is interrupted, the previous release is unchanged.

    Args:
        folder: a new or empty folder, or one with a release that the same key has signed.
        gather: called when the folder is locked (see
            `onbrand_releases.release_folder.collect`).
        private: signs the index.
        name: of the series of releases; required for the first one, then fixed.
        release: its number, greater than the previous one; by default the next one.
        previous_key: public key, 64 hexadecimal digits, that may have signed the previous release.
        expires: time for which laptops accept it; by default for ever.
        keep: releases whose archives stay in the folder, the new one included; at least 1.
        progress: receives the package at hand, and how many are packed.

    Raises:
        OnbrandError: see `read_release`; or number or name do not follow the previous release,
            another process is publishing here, or the folder cannot be written.
    """
    begin = partial(_begin, folder, key_digits(private), previous_key, name, release)
    begin()  # before a folder is made
    with locked(folder):
        before, series, number = begin()
        staged = folder / NEW
        shutil.rmtree(staged, ignore_errors=True)
        try:
            contents = gather(staged / _COPIES)
            packages: list[Package] = []
            for content in contents:
                progress(ProgressEvent(content.name, len(packages), len(contents)))
                packages.append(_package(content, folder, staged, before))
            now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
            unsigned = Index(
                format=FORMAT,
                name=series,
                release=number,
                created=now.isoformat(),
                expires=None if expires is None else now + expires,
                onbrand=onbrand.__version__,
                encoders=_of_kind(ENCODERS, packages),
                voices=_of_kind(VOICES, packages),
            )
            index = sign_index(unsigned, private)
            fresh = _put_in_place(index, folder, staged)
            replace_index(folder, index, before)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        kept = remove_old(folder, index, keep)
    known = set() if before is None else archives_of(before)
    return Publication(index, before, fresh - known, tuple(kept))


def _begin(
    folder: Path, key: str, previous_key: str | None, name: str | None, release: int | None
) -> tuple[Index | None, str, int]:
    """Return the previous release, and the name and the number of the new one."""
    before = read_release(folder, {key, previous_key or key})
    if before is None and previous_key:
        raise OnbrandError("holds no release by the --previous-key; check the folder", path=folder)
    return before, *_head(folder, before, name, release)


def _head(
    folder: Path, before: Index | None, name: str | None, release: int | None
) -> tuple[str, int]:
    """Return the name and the number of the new release."""
    if before is None:
        if name is None:
            raise OnbrandError(
                "the first release of a folder needs a name, by which laptops tell it from the "
                "releases of others: --name acme",
                path=folder,
            )
        if not (name.strip() and len(name) <= MAX_NAME and name.isprintable()):
            raise OnbrandError(f"--name must have 1 to {MAX_NAME} printable characters")
        return name, release or 1
    if name not in (None, before.name):
        raise OnbrandError(
            f"the releases here are named {before.name!r} and laptops know them by it; "
            "leave out --name, or publish to another folder",
            path=folder,
        )
    if release is not None and release <= before.release:
        raise OnbrandError(
            f"holds release {before.release} and laptops never go back; "
            f"--release must be {before.release + 1} or more",
            path=folder,
        )
    if before.release == MAX_RELEASE:
        raise OnbrandError(
            f"holds release {MAX_RELEASE}, the last number there is; "
            "publish under another --name to another folder",
            path=folder,
        )
    return before.name, release or before.release + 1


def _package(content: Content, folder: Path, staged: Path, before: Index | None) -> Package:
    """Return the index entry of a content: the previous one if unchanged, or a new archive's."""
    for old in _packages(before, content.kind):
        if _is_same(content, old):
            # A damaged archive is packed again.
            with contextlib.suppress(OnbrandError):
                check_archive(folder / old.archive, old)
                return old
    aside = staged / content.kind / "packed"
    try:
        aside.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from None
    if pack(content.folder, content.files, aside) != content.files:
        raise OnbrandError("changed while it was being published; try again", path=content.folder)
    digest = sha256_file(aside)
    archive = f"{content.kind}/{_plain(content.name)}-{digest[:12]}.tar.gz"
    aside.rename(staged / archive)
    return Package(
        name=content.name,
        version=content.version,
        encoder=content.encoder,
        archive=archive,
        size=(staged / archive).stat().st_size,
        sha256=digest,
        files=content.files,
    )


def _packages(index: Index | None, kind: str) -> tuple[Package, ...]:
    if index is None:
        return ()
    return index.voices if kind == VOICES else index.encoders


def _is_same(content: Content, old: Package) -> bool:
    now = (content.name, content.version, content.encoder, content.files)
    return now == (old.name, old.version, old.encoder, old.files)


def _plain(name: str) -> str:
    """Return a brand as a file name that every system and web server accepts."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._") or "voice"


def _of_kind(kind: str, packages: Sequence[Package]) -> tuple[Package, ...]:
    chosen = [package for package in packages if package.archive.startswith(f"{kind}/")]
    return tuple(sorted(chosen, key=lambda package: package.name))


def _put_in_place(index: Index, folder: Path, staged: Path) -> frozenset[str]:
    """Move the new archives to their places in the release, and return their paths."""
    fresh = {path for path in archives_of(index) if (staged / path).exists()}
    try:
        for kind in (VOICES, ENCODERS):
            (folder / kind).mkdir(exist_ok=True)
        for path in sorted(fresh):
            (staged / path).chmod(0o644)
            (staged / path).replace(folder / path)
        for kind in (VOICES, ENCODERS):
            sync_folder(folder / kind)
    except OSError as error:
        raise unwritable(folder, error) from None
    return frozenset(fresh)


def _names(index: Index) -> set[str]:
    return {package.name for package in (*index.voices, *index.encoders)}
