"""Trust in folders: a checkout's configuration may name any encoder only where the user allows it.

An encoder is a kind of program, and a checkout may come from anyone. Its ``onbrand.toml`` may name
an encoder that the user has: the one inside onbrand, or an installed one, known by its fingerprint.
Others need ``onbrand config trust``, or ``--encoder`` on the command line.
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
    """Return the folders that the user trusts; whatever is below them is trusted, too.

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
    """Add a folder to those that the user trusts, and return it as it is stored.

    Raises:
        OnbrandError: it is no folder, or the list cannot be written.
    """
    if not folder.is_dir():
        raise OnbrandError("is no folder; name one", path=folder)
    folder = folder.resolve()
    _write({*trusted_folders(), folder})
    return folder


def distrust(folder: Path) -> Path:
    """Remove a folder from those that the user trusts, and return it as it was stored.

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
    """Return a bundle that no option named, if it may be used.

    Args:
        bundle: its folder; None, the one inside onbrand, always may.
        source: the configuration file that chose it, or None.

    Raises:
        OnbrandError: it is not installed, and neither it nor ``source`` is in a trusted folder.
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
        with suppress(OnbrandError, OSError):  # reported when it is used
            yield from [read_manifest(bundle).fingerprint for bundle in encoders_of(root)]


def _write(folders: set[Path]) -> None:
    content = _Trusted(_FORMAT, sorted(map(str, folders)))
    write_atomic(data_folder() / FILE, msgspec.json.format(msgspec.json.encode(content)) + b"\n")
