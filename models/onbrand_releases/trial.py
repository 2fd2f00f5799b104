"""Trying out a release before it is put in place: what would not run must not get current."""

from __future__ import annotations

from pathlib import Path

from onbrand.encoder.bundle import default_bundle, read_manifest
from onbrand.errors import OnbrandError
from onbrand_releases.index import ENCODERS, VOICES, Index, Package

_SENTENCE = "A short sentence to see that vectors come out."


def try_out(index: Index, folder: Path, *, voices: bool = True) -> None:
    """Load every encoder and every voice of the release in ``folder``.

    Raises:
        OnbrandError: one of them is damaged, is not what the index calls it, cannot be run by this
            onbrand, or is a voice that has its encoder neither here nor in this onbrand.
    """
    dims = dict(
        _try_encoder(folder / ENCODERS / package.name, package) for package in index.encoders
    )
    if not voices:
        return
    try:
        bundled = read_manifest(default_bundle())
    except OnbrandError:  # the release may bring all that is needed
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
