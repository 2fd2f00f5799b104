"""Stages a release: fetches, unpacks and tests it in a new folder, then moves it into place."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from onbrand.encoder.bundle import default_bundle, read_manifest
from onbrand.errors import OnbrandError
from onbrand.files import sha256_file, sync_folder
from onbrand.installation import DOWNLOADS, RELEASES, redact_url, release_folder
from onbrand.progress import Progress, ProgressEvent, scaled
from onbrand_releases.archive import unpack
from onbrand_releases.clearing import prepare_downloads
from onbrand_releases.fetch import Source, fetch_archive
from onbrand_releases.index import ENCODERS, INDEX, VOICES, Index, Package

_SENTENCE = "A short sentence to see that vectors come out."


def try_out(index: Index, folder: Path, *, voices: bool = True) -> None:
    """Load every encoder and every voice of the release in ``folder``, as a test.

    Raises:
        OnbrandError: one is damaged, differs from the index, does not run with this onbrand, or is
            a voice whose encoder is neither in the release nor in this onbrand.
    """
    dims = dict(
        _try_encoder(folder / ENCODERS / package.name, package) for package in index.encoders
    )
    if not voices:
        return
    try:
        bundled = read_manifest(default_bundle())
    except OnbrandError:  # the release may hold every encoder it needs
        pass
    else:
        dims.setdefault(bundled.fingerprint, bundled.dim)
    for package in index.voices:
        _try_voice(folder / VOICES / package.name, package, dims)


def _try_encoder(folder: Path, package: Package) -> tuple[str, int]:
    import numpy as np

    from onbrand.encoder import Encoder

    encoder = Encoder.load(folder, threads=1)
    if encoder.fingerprint != package.encoder:
        raise _other("encoder", package)
    if not np.isfinite(encoder.encode([_SENTENCE])).all():
        raise OnbrandError(
            f"encoder {package.name!r} gives values that are no numbers; the publisher must "
            "export it again"
        )
    return encoder.fingerprint, encoder.dim


def _try_voice(folder: Path, package: Package, dims: dict[str, int]) -> None:
    from onbrand.voice.storage import load_voice

    manifest = load_voice(folder).manifest
    wanted = manifest.encoder
    if manifest.brand != package.name or wanted.fingerprint != package.encoder:
        raise _other("voice", package)
    if wanted.fingerprint not in dims:
        raise OnbrandError(
            f"voice {package.name!r} needs the encoder {wanted.name} ({wanted.fingerprint[:12]}), "
            "which neither the release nor this onbrand has; publish it too, or update onbrand"
        )
    if wanted.dimensions != dims[wanted.fingerprint]:
        raise _other("voice", package)


def _other(kind: str, package: Package) -> OnbrandError:
    return OnbrandError(
        f"{kind} {package.name!r} is not the one that the index speaks of; "
        "the publisher must publish it again"
    )


_SPARE = 4 * 1024 * 1024
"""Bytes that must stay free on the disk, as folders take space too."""
_RENAMES = (0.1, 0.3, 1.0, 3.0)
"""Seconds before retries on Windows, where virus scanners keep new files open for a while."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release with a checked index, or an installed one."""

    index: Index
    name: str
    """Name of its folder: the number, and the first 12 digits of the index's SHA-256."""
    data: bytes
    """Content of ``index.json``."""

    @classmethod
    def of(cls, index: Index, data: bytes) -> Release:
        """Return the release of an index."""
        return cls(index, f"{index.release}-{hashlib.sha256(data).hexdigest()[:12]}", data)

    def packages(self, *, voices: bool = True) -> list[tuple[str, Package]]:
        """Return all packages, each with ``encoders`` or ``voices``, the folder for it."""
        encoders = [(ENCODERS, package) for package in self.index.encoders]
        return encoders + [(VOICES, package) for package in self.index.voices if voices]


def read_release(root: Path, name: str | None) -> Release | None:
    """Return the installed release ``name``; None if its index is missing or damaged."""
    if name is None:
        return None
    try:
        data = (release_folder(root, name) / INDEX).read_bytes()
        release = Release.of(msgspec.json.decode(data, type=Index), data)
    except (OSError, ValueError):  # msgspec's errors are ValueErrors
        return None
    return release if release.name == name else None


def is_whole(root: Path, release: Release, *, voices: bool = True) -> bool:
    """Return whether every file of an installed release matches the index."""
    folder = release_folder(root, release.name)
    return (folder / INDEX).is_file() and all(
        holds(folder / kind / package.name, package)
        for kind, package in release.packages(voices=voices)
    )


def holds(folder: Path, package: Package) -> bool:
    """Return whether a folder holds all files of a package, as in the index."""
    try:
        return all(
            (folder / name).stat().st_size == file.size
            and sha256_file(folder / name) == file.sha256
            for name, file in package.files.items()
        )
    except OSError:
        return False


def stage(
    root: Path,
    release: Release,
    source: Source,
    *,
    voices: bool,
    donors: Sequence[Release],
    progress: Progress,
) -> int:
    """Put the folder of a release in place; packages of installed releases are copied, not fetched.

    Args:
        root: the installation.
        release: with a checked index.
        source: of the archives.
        voices: whether to install voices too, or encoders alone.
        donors: installed releases to copy unchanged packages from.
        progress: receives the stage and how much is done.

    Returns:
        Bytes of the archives that were needed.

    Raises:
        OnbrandError: no space, no network, or the release fails a check; only downloads are left
            then.
    """
    packages = release.packages(voices=voices)
    copies = {
        package.archive: _find_copy(root, kind, package, donors) for kind, package in packages
    }
    missing = [package for _, package in packages if copies[package.archive] is None]
    _prepare(root, packages, missing)
    archives = dict(_fetch(source, missing, root / DOWNLOADS, progress))
    progress(ProgressEvent("unpacking", 1.0))
    fresh = _new_folder(root, release.name)
    try:
        for kind, package in packages:
            folder, copy = fresh / kind / package.name, copies[package.archive]
            if copy is None:
                _unpack(archives[package.archive], package, folder, source)
            else:
                _copy(copy, package, folder)
        progress(ProgressEvent("trying out", 1.0))
        _try_out(release, fresh, voices=voices)
        _write(fresh / INDEX, release.data)
        for folder in (fresh / VOICES, fresh / ENCODERS, fresh):
            folder.mkdir(exist_ok=True)
            sync_folder(folder)
        fresh.chmod(0o755)
        _put(fresh, release_folder(root, release.name))
    except OSError as error:
        raise _unwritable(root, error) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return sum(package.size for package in missing)


def _find_copy(root: Path, kind: str, package: Package, donors: Sequence[Release]) -> Path | None:
    places = (release_folder(root, donor.name) / kind / package.name for donor in donors)
    return next((place for place in places if holds(place, package)), None)


def _prepare(root: Path, packages: list[tuple[str, Package]], missing: Sequence[Package]) -> None:
    """Prepare the downloads, and check that the disk has room for them and for their content."""
    try:
        fetched = prepare_downloads(root, {package.sha256 for package in missing})
        free = shutil.disk_usage(root).free
    except OSError as error:
        raise _unwritable(root, error) from None
    needed = sum(package.size for package in missing) - fetched
    needed += sum(package.unpacked for _, package in packages) + _SPARE
    if free < needed:
        raise OnbrandError(
            f"the release needs {needed / 1e6:.1f} MB, the disk has {free / 1e6:.1f} MB free; "
            "make room or choose another folder",
            path=root,
        )


def _fetch(
    source: Source, missing: Sequence[Package], partial: Path, progress: Progress
) -> Iterator[tuple[str, Path]]:
    total = sum(package.size for package in missing)
    before = 0
    for package in missing:
        told = scaled(progress, package.name, start=before, size=package.size, total=total)
        yield package.archive, fetch_archive(source, package, partial, told)
        before += package.size


def _new_folder(root: Path, name: str) -> Path:
    releases = root / RELEASES
    try:
        releases.mkdir(exist_ok=True)
        return Path(tempfile.mkdtemp(dir=releases, prefix=f".{name}.", suffix=".tmp"))
    except OSError as error:
        raise _unwritable(root, error) from None


def _unpack(archive: Path, package: Package, folder: Path, source: Source) -> None:
    """Unpack an archive; remove one that is refused, as it would be refused each time."""
    try:
        unpack(archive, package, folder)
    except OnbrandError as error:
        if error.path != archive:  # the folder cannot be written
            raise
        archive.unlink(missing_ok=True)
        shown = redact_url(source.place(package.archive))
        raise OnbrandError(error.message, path=shown) from None


def _try_out(release: Release, fresh: Path, *, voices: bool) -> None:
    try:
        try_out(release.index, fresh, voices=voices)
    except OnbrandError as error:
        if error.path is None or not Path(error.path).is_relative_to(fresh):
            raise
        inside = Path(error.path).relative_to(fresh).as_posix()  # the folder will be removed
        raise OnbrandError(f"{inside} of the release: {error.message}") from None


def _copy(source: Path, package: Package, folder: Path) -> None:
    """Copy a package; no links, so that damage to one release does not affect the other."""
    folder.mkdir(parents=True)
    for name in package.files:
        _write(folder / name, (source / name).read_bytes())
    sync_folder(folder)
    if not holds(folder, package):
        raise OnbrandError("was changed while it was copied; run the command again", path=source)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _put(fresh: Path, target: Path) -> None:
    """Rename a folder into place; a damaged one of the same name is removed."""
    if os.path.lexists(target):
        _rename(target, fresh.with_suffix(".old"))
    _rename(fresh, target)
    sync_folder(target.parent)
    shutil.rmtree(fresh.with_suffix(".old"), ignore_errors=True)


def _rename(old: Path, new: Path) -> None:
    for pause in _RENAMES if os.name == "nt" else ():
        try:
            old.rename(new)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    old.rename(new)


def _unwritable(root: Path, error: OSError) -> OnbrandError:
    why = error.strerror or type(error).__name__
    return OnbrandError(f"cannot be written ({why}); nothing was changed", path=root)
