"""Writing the folder of a bundle: whole or not at all, and never over what is not a bundle."""

from __future__ import annotations

import contextlib
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
    """Check that nothing but a bundle would be lost: before work that takes long.

    Raises:
        OnbrandError: ``folder`` is there and holds something else.
    """
    taken = folder.exists() and not (folder / MANIFEST).is_file()
    if taken and (not folder.is_dir() or any(folder.iterdir())):
        raise OnbrandError(
            "is there and is no encoder bundle, so it is left alone; name a new folder",
            path=folder,
        )


def bundle_files(folder: Path, names: Iterable[str]) -> dict[str, BundleFile]:
    """Return the size and SHA-256 of the files called ``names`` in ``folder``."""
    return {
        name: BundleFile((folder / name).stat().st_size, sha256_file(folder / name))
        for name in names
    }


def write_manifest(folder: Path, manifest: EncoderManifest) -> None:
    """Write ``encoder.json`` for people to read."""
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(content + b"\n")
