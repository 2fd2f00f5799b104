"""The index of a release: ``index.json``, what it promises, and its one way of being written.

The signature covers the whole document. An index is only taken in the very bytes that `encode`
gives for it, so that no byte of the file can change unnoticed, white space included.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from onbrand.encoder.bundle import BundleFile, Sha256

INDEX = "index.json"
FORMAT = 1

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Hex64 = Annotated[str, Meta(pattern=r"^[0-9a-f]{128}$")]


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An archive that holds one voice or one encoder bundle."""

    name: Name
    """The brand, or the encoder's name."""
    version: str
    """When the voice was trained; an encoder's first 12 digits of the fingerprint."""
    encoder: Sha256
    """Fingerprint of the encoder: its own, or the one that the voice was trained on."""
    archive: str
    """Path from the index: ``voices/<file>`` or ``encoders/<file>``."""
    size: Annotated[int, Meta(ge=1)]
    """Bytes of the archive."""
    sha256: Sha256
    """Of the archive."""
    files: Annotated[dict[str, BundleFile], Meta(min_length=1, max_length=64)]
    """What it unpacks to: plain names, sizes and checksums."""


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An Ed25519 signature (RFC 8032)."""

    key: Hex32
    """The public key."""
    value: Hex64


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Content of ``index.json``."""

    format: int
    name: Name
    """Of the series of releases, say the agency's."""
    release: Annotated[int, Meta(ge=1, le=2**53)]
    """Counts up; a laptop never goes back to a smaller one by itself."""
    created: str
    onbrand: str
    """The version that wrote it."""
    encoders: tuple[Package, ...]
    voices: tuple[Package, ...]
    signature: Signature | None = None
