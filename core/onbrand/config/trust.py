"""Who may choose an encoder: a checkout's own configuration only where the user has allowed it.

An encoder is a program of a kind, and a checkout comes from anyone. Its ``onbrand.toml`` may choose
among the encoders that the user has: the one inside onbrand and those that are installed, told by
their fingerprints. Others need ``onbrand config trust``, or ``--encoder`` on the command line.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from onbrand.encoder.bundle import default_bundle, read_manifest
from onbrand.errors import OnbrandError
from onbrand.files import read_text, write_atomic
from onbrand.installation import data_folder, encoders_of, installation_of, installations

FILE = "trusted.json"
_FORMAT = 1


class _Trusted(msgspec.Struct, forbid_unknown_fields=True):
    format: int
    folders: list[str]


def trusted_folders() -> list[Path]:
    """Return the folders that the user trusts, and all below them with them.

    Raises:
        OnbrandError: the list of them is damaged.
    """
    path = data_folder() / FILE
    if not path.exists():
        return []
    try:
        content = msgspec.json.decode(read_text(path), type=_Trusted)
    except msgspec.DecodeError as error:
        raise OnbrandError(
            f"is damaged ({error}); delete it and trust the folders again", path=path
        ) from None
    return [Path(folder) for folder in content.folders]


def trust(folder: Path) -> Path:
    """Have the user trust a folder from now on; return it as it is remembered.

    Raises:
        OnbrandError: it is no folder, or the list cannot be written.
    """
    if not folder.is_dir():
        raise OnbrandError("is no folder; name one", path=folder)
    folder = folder.resolve()
    _write({*trusted_folders(), folder})
    return folder


def distrust(folder: Path) -> Path:
    """Take back that the user trusts a folder; return it as it was remembered.

    Raises:
        OnbrandError: it is not among the folders that are trusted.
    """
    folder, known = folder.resolve(), trusted_folders()
    if folder not in known:
        raise OnbrandError("is not trusted; onbrand config trust lists what is", path=folder)
    _write({*known} - {folder})
    return folder


def is_trusted(place: Path) -> bool:
    """Tell whether a file or folder is in a folder that the user trusts.

    Raises:
        OnbrandError: see `trusted_folders`.
    """
    folders = trusted_folders()
    return any(place.resolve().is_relative_to(folder) for folder in folders)


def check_trust(bundle: Path | None, source: Path | None = None) -> Path | None:
    """Return a bundle that nobody named by hand, if it may be used.

    Args:
        bundle: its folder; None, the one inside onbrand, always may.
        source: the configuration file that chose it, or None.

    Raises:
        OnbrandError: neither is it the user's, nor is it or what chose it in a trusted folder.
    """
    if bundle is None:
        return None
    if is_trusted(bundle) or (source is not None and is_trusted(source)):
        return bundle
    fingerprint = read_manifest(bundle).fingerprint
    if any(fingerprint == known for known in _known()):
        return bundle
    held = installation_of(bundle)
    folder = source.parent if source else held[0] if held else bundle
    raise OnbrandError(
        "is an encoder that is not installed here, and its folder is not trusted; if you know "
        f"where it comes from: onbrand config trust {folder} (or name it with --encoder)",
        path=bundle,
    )


def _known() -> Iterator[str]:
    """Yield the fingerprints of the encoders that the user has."""
    yield read_manifest(default_bundle()).fingerprint
    for root in installations():
        with suppress(OnbrandError, OSError):  # told when it is used
            yield from [read_manifest(bundle).fingerprint for bundle in encoders_of(root)]


def _write(folders: set[Path]) -> None:
    content = _Trusted(_FORMAT, sorted(map(str, folders)))
    write_atomic(data_folder() / FILE, msgspec.json.format(msgspec.json.encode(content)) + b"\n")
