"""Writes the folder of a bundle: all or nothing, and never over other files."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from onbrand.encoder import EncoderManifest
from onbrand.encoder.bundle import MANIFEST, BundleFile
from onbrand.errors import OnbrandError
from onbrand.files import replace_folder, sha256_file


@contextlib.contextmanager
def replace_bundle(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of ``folder`` when the block ends well.

    Raises:
        OnbrandError: ``folder`` is there and holds something else, or cannot be written.
    """
    check_replaceable(folder)
    with replace_folder(folder) as fresh:
        yield fresh


def check_replaceable(folder: Path) -> None:
    """Check that a bundle can be written and that nothing else would be lost, before any work.

    Raises:
        OnbrandError: ``folder`` is there and holds something else, is the current folder or above
            it, or cannot be written.
    """
    if not (folder / MANIFEST).is_file() and not _is_free(folder):
        raise OnbrandError(
            "is there and is no encoder bundle, so it is left alone; name a new folder",
            path=folder,
        )
    _check_place(folder)


def check_new_folder(folder: Path) -> None:
    """Check that a folder can be made, before any work.

    Raises:
        OnbrandError: ``folder`` is there and not empty, is the current folder or above it, or
            cannot be written.
    """
    if not _is_free(folder):
        raise OnbrandError("is not empty, so it is left alone; name a new folder", path=folder)
    _check_place(folder)


def _is_free(folder: Path) -> bool:
    folder = folder.resolve()  # "missing/.." exists only once it is resolved
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def _check_place(folder: Path) -> None:
    place = folder.resolve()
    if Path.cwd().is_relative_to(place):
        raise OnbrandError("is where you are, or above it; name a new folder", path=folder)
    above = next(parent for parent in place.parents if parent.exists())
    try:
        # By trying: permissions do not show that a file system is read-only.
        Path(tempfile.mkdtemp(dir=above, prefix=".onbrand.", suffix=".tmp")).rmdir()
    except OSError as error:
        raise OnbrandError(
            f"cannot be written ({error.strerror}); name another folder", path=folder
        ) from None


def bundle_files(folder: Path, names: Iterable[str]) -> dict[str, BundleFile]:
    """Return the size and SHA-256 of the files called ``names`` in ``folder``.

    Raises:
        OnbrandError: one cannot be read.
    """
    files = {}
    for path in (folder / name for name in names):
        try:
            files[path.name] = BundleFile(path.stat().st_size, sha256_file(path))
        except OSError as error:
            raise OnbrandError(f"cannot be read ({error.strerror or error})", path=path) from None
    return files


def write_manifest(folder: Path, manifest: EncoderManifest) -> None:
    """Write ``encoder.json``, indented."""
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(content + b"\n")
