"""The index of a release, ``index.json``: its content, its exact encoding, and its checks.

A release is a folder, on a share or behind a web server::

    index.json                          the signed list: sizes, checksums, versions
    voices/acme-1a2b3c4d5e6f.tar.gz     one voice (see `onbrand_releases.archive`)
    encoders/minilm-6f5e4d3c2b1a.tar.gz one encoder bundle

The index is JSON in UTF-8, indented by two spaces, its keys in the order of the classes below, file
names in alphabetical order, one line feed at the end. The Ed25519 signature is over
``onbrand release index 1``, a NUL byte, and that same text with ``"signature": null``. An index is
accepted only in the exact bytes that `encode` gives for it, so that no byte can change unnoticed,
white space included. It holds the SHA-256 of every archive and of every file in it, so that one
signature covers everything.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from onbrand.encoder.bundle import MANIFEST as BUNDLE_MANIFEST
from onbrand.encoder.bundle import BundleFile, Sha256
from onbrand.errors import OnbrandError
from onbrand.labels.normalization import check_brand
from onbrand_releases import signing

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

INDEX = "index.json"
FORMAT = 1
VOICES = "voices"
ENCODERS = "encoders"
VOICE_MANIFEST = "voice.json"  # as in onbrand.voice.storage, which loads numpy

MAX_INDEX_BYTES = 4 * 1024**2
MAX_NAME = 128
MAX_RELEASE = 2**53
"""The highest number of a release, which every reader of JSON represents exactly."""
MAX_UNPACKED = 8 * 1024**3
"""Bytes of all files of a release."""

_DOMAIN = b"onbrand release index 1\0"
"""Prefix of the signed bytes, so that the key's signatures of other data are not valid here."""
_ARCHIVE = re.compile(r"(voices|encoders)/[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.tar\.gz", re.ASCII)
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_ADVICE = "do not use this release; ask who publishes it"

Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
Word = Annotated[str, Meta(pattern=r"^[0-9A-Za-z.:+_-]{1,64}\Z")]
Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Hex64 = Annotated[str, Meta(pattern=r"^[0-9a-f]{128}\Z")]


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An archive that holds one voice or one encoder bundle."""

    name: Name
    """The brand, or the encoder's name; it can name a folder on every system."""
    version: Word
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
    """The files in it: names without folders, sizes and checksums."""

    @property
    def unpacked(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files.values())


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An Ed25519 signature (RFC 8032)."""

    key: Hex32
    """The public key."""
    value: Hex64


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Content of ``index.json``."""

    format: int
    name: Name
    """Name of the series of releases, say the agency's."""
    release: Annotated[int, Meta(ge=1, le=MAX_RELEASE)]
    """Number that counts up; a laptop never goes back to a smaller one by itself."""
    created: Word
    expires: Annotated[datetime.datetime, Meta(tz=True)] | None = None
    """Time from which laptops refuse it, so that a frozen source is noticed; None for never."""
    onbrand: Word
    """The version that wrote it."""
    encoders: Annotated[tuple[Package, ...], Meta(max_length=64)]
    voices: Annotated[tuple[Package, ...], Meta(max_length=2000)]
    signature: Signature | None = None


class _Signed(msgspec.Struct):
    signature: Signature


class _Versioned(msgspec.Struct):
    format: Annotated[int, Meta(ge=0, le=1_000_000)]


def encode(index: Index) -> bytes:
    """Return the exact bytes of an index."""
    compact = msgspec.json.encode(index, order="deterministic")
    return msgspec.json.format(compact, indent=2) + b"\n"


def signed_bytes(index: Index) -> bytes:
    """Return the bytes that the signature of an index covers; its `signature` is left out."""
    return _DOMAIN + encode(msgspec.structs.replace(index, signature=None))


def is_archive(path: str) -> bool:
    """Return whether ``path``, relative to the index, can be that of an archive."""
    return _ARCHIVE.fullmatch(path) is not None


def sign_index(index: Index, private: Ed25519PrivateKey) -> Index:
    """Return the index with its signature by this key, ready for `encode`.

    Raises:
        OnbrandError: the index is one that `read_index` would refuse.
    """
    key = signing.key_digits(private)
    signature = Signature(key, signing.sign(private, signed_bytes(index)))
    return read_index(encode(msgspec.structs.replace(index, signature=signature)), {key})


def signers(data: bytes) -> set[str]:
    """Return the public key that an index names as its signer, unchecked; empty for none."""
    try:
        return {msgspec.json.decode(data, type=_Signed).signature.key}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return set()


def read_index(data: bytes, keys: Collection[str], *, source: str = INDEX) -> Index:
    """Decode and check an index.

    Nothing of the content is used before its signature is verified, and every name, path and limit
    is checked even then, as a key may be stolen.

    Args:
        data: content of ``index.json``.
        keys: the public keys that are trusted, 64 hexadecimal digits each (see
            `onbrand_releases.signing.parse_public_key`).
        source: where it came from, for errors.

    Raises:
        OnbrandError: it is too large, no index, of another format, unsigned, signed by a key that
            is not trusted, tampered with, or inconsistent; or the ``update`` extra is missing.
    """
    if len(data) > MAX_INDEX_BYTES:
        raise _refusal(f"is larger than {MAX_INDEX_BYTES // 1024**2} MB", source)
    try:
        version = msgspec.json.decode(data, type=_Versioned).format
        if version != FORMAT:
            raise OnbrandError(
                f"release format {version}, this onbrand reads format {FORMAT}; update onbrand",
                path=source,
            )
        index = msgspec.json.decode(data, type=Index)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(f"is no index of a release ({error})", source) from None
    _check_signature(index, data, keys, source)
    problem = _contradiction(index)
    if problem:
        raise _refusal(problem, source)
    return index


def check_not_expired(index: Index, source: str) -> None:
    """Refuse an expired release: newer ones do not come through.

    Raises:
        OnbrandError: it has expired, by the clock of this machine.
    """
    now = datetime.datetime.now(datetime.UTC)
    if index.expires is not None and index.expires <= now:
        raise OnbrandError(
            f"release {index.release} expired on {index.expires:%Y-%m-%d} (today is {now:%Y-%m-%d} "
            "here) and no newer one has come through; ask who publishes it",
            path=source,
        )


def _check_signature(index: Index, data: bytes, keys: Collection[str], source: str) -> None:
    if index.signature is None:
        raise _refusal("is not signed", source)
    if index.signature.key not in keys:
        raise _refusal(
            f"is signed by ed25519:{index.signature.key}, a key that you do not trust", source
        )
    good = data == encode(index) and signing.verify(
        index.signature.key, signed_bytes(index), index.signature.value
    )
    if not good:
        raise _refusal("was changed after it was signed", source)


def _contradiction(index: Index) -> str | None:
    """Return an inconsistency of a signed index, None if it has none."""
    if not index.name.isprintable():
        return "has a name that cannot be printed"
    for kind, packages, manifest in (
        (VOICES, index.voices, VOICE_MANIFEST),
        (ENCODERS, index.encoders, BUNDLE_MANIFEST),
    ):
        twice = _twice(package.name for package in packages)
        if twice:
            return f"names {twice!r} twice under {kind}"
        for package in packages:
            problem = _package_problem(package, kind, manifest)
            if problem:
                return problem
    twice = _twice(package.archive for package in (*index.voices, *index.encoders))
    if twice:
        return f"names the archive {twice} twice"
    if sum(package.unpacked for package in (*index.voices, *index.encoders)) > MAX_UNPACKED:
        return f"unpacks to more than {MAX_UNPACKED // 1024**3} GB"
    return None


def _package_problem(package: Package, kind: str, manifest: str) -> str | None:
    name = package.name
    if not _names_folder(name):
        return f"has {name[:80]!r} under {kind}, which cannot name a folder"
    match = _ARCHIVE.fullmatch(package.archive)
    if not match or match[1] != kind:
        return f"has {package.archive[:80]!r} as archive of {name}, which is not {kind}/NAME.tar.gz"
    for file in package.files:
        if not _FILE.fullmatch(file) or not _names_folder(file):
            return f"has {file[:80]!r} among the files of {name}, which is not a plain name"
    if _twice(package.files):
        return f"names a file of {name} twice"
    if manifest not in package.files:
        return f"has no {manifest} among the files of {name}"
    return None


def _names_folder(name: str) -> bool:
    try:
        return check_brand(name) == name
    except OnbrandError:
        return False


def _twice(names: Iterable[str]) -> str | None:
    """Return a duplicate name, ignoring case as some file systems do; None if there is none."""
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            return name
        seen.add(name.casefold())
    return None


def _refusal(problem: str, source: str) -> OnbrandError:
    # The problem may quote the index, which may hold control characters.
    problem = "".join(c if c.isprintable() else "?" for c in problem)[:300]
    return OnbrandError(f"{problem}; {_ADVICE}", path=source)
