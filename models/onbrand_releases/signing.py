"""Ed25519 keys and signatures (RFC 8032), through the ``cryptography`` library.

A private key is a PEM file (PKCS #8), perhaps encrypted with a passphrase. A public key is one line
that people copy into a configuration or a mail: ``ed25519:`` and 64 hexadecimal digits. In code
it is the digits alone.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from onbrand.errors import OnbrandError, missing_extra
from onbrand.files import read_text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PASSPHRASE = "ONBRAND_KEY_PASSPHRASE"  # noqa: S105 - the variable's name
"""Environment variable with the passphrase of an encrypted key."""
SIGNING_KEY = "ONBRAND_SIGNING_KEY"
"""Environment variable with the private key itself, as PEM, for CI where no file is wanted."""

_PREFIX = "ed25519:"
_DIGITS = re.compile(r"[0-9a-fA-F]{64}")
_MAX_KEY_BYTES = 16 * 1024
_MAX_PASSPHRASE_BYTES = 1023  # of the cryptography library
_KEYGEN = "make one with: onbrand models keygen -o FILE"

_PRIME = 2**255 - 19
# The y coordinates of the curve's points of small order (the list is libsodium's). Anyone could
# sign for such a key, say all zeros.
_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_WEAK_Y = {0, 1, _PRIME - 1, _ORDER_8, _PRIME - _ORDER_8}


def need_cryptography() -> None:
    """Check that the optional library is installed.

    Raises:
        OnbrandError: it is not; the message says how to install it.
    """
    try:
        import cryptography.hazmat.primitives.asymmetric.ed25519  # noqa: F401
    except ImportError:
        raise missing_extra("signing and checking releases", "update") from None


def new_key(passphrase: bytes | None = None) -> bytes:
    """Return a fresh private key as PEM (PKCS #8), encrypted if there is a passphrase.

    Raises:
        OnbrandError: the passphrase is too long, or the ``update`` extra is missing.
    """
    need_cryptography()
    _check_passphrase(passphrase)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    cipher = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, cipher)


def read_passphrase() -> bytes | None:
    """Return the passphrase in ``ONBRAND_KEY_PASSPHRASE``, None where there is none.

    Raises:
        OnbrandError: it is too long.
    """
    # The bytes as they were set, even if they are not UTF-8.
    passphrase = os.fsencode(os.environ.get(PASSPHRASE, "")) or None
    _check_passphrase(passphrase)
    return passphrase


def _check_passphrase(passphrase: bytes | None) -> None:
    length = len(passphrase or b"")
    if length > _MAX_PASSPHRASE_BYTES:
        raise OnbrandError(
            f"the passphrase has {length:,} bytes; {_MAX_PASSPHRASE_BYTES:,} is the most, "
            "choose a shorter one",
            path=PASSPHRASE,
        )


def load_private_key(path: Path | None = None) -> Ed25519PrivateKey:
    """Read the private key in ``path``, or in the environment variable ``ONBRAND_SIGNING_KEY``.

    The passphrase of an encrypted key is taken from ``ONBRAND_KEY_PASSPHRASE``.

    Raises:
        OnbrandError: no key is named, others may read its file, it is no Ed25519 key, or the
            passphrase is wrong or too long; or the ``update`` extra is missing.
    """
    need_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    origin: str | Path = SIGNING_KEY if path is None else path
    pem = os.environ.get(SIGNING_KEY, "").strip() if path is None else _private_text(path)
    if not pem:
        raise OnbrandError(f"no key to sign with: name its file or set {SIGNING_KEY}; {_KEYGEN}")
    encrypted = "ENCRYPTED" in pem
    passphrase = read_passphrase() if encrypted else None
    try:
        key = load_pem_private_key(pem.encode("utf-8", "replace"), passphrase)
    except TypeError:
        raise OnbrandError(
            f"is encrypted; put its passphrase in the environment variable {PASSPHRASE}",
            path=origin,
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        wrong = f"cannot be decrypted; check the passphrase in {PASSPHRASE}"
        raise OnbrandError(
            wrong if encrypted else f"is no private key; {_KEYGEN}", path=origin
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise OnbrandError(f"is no Ed25519 key; {_KEYGEN}", path=origin)
    return key


def _private_text(path: Path) -> str:
    text = read_text(path, max_bytes=_MAX_KEY_BYTES)
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise OnbrandError(f"others may read this private key; run: chmod 600 {path}", path=path)
    return text


def key_digits(private: Ed25519PrivateKey) -> str:
    """Return the 64 hexadecimal digits of the public key that belongs to a private one."""
    return private.public_key().public_bytes_raw().hex()


def public_key(private: Ed25519PrivateKey) -> str:
    """Return the public key as people copy it: ``ed25519:`` and 64 hexadecimal digits."""
    return _PREFIX + key_digits(private)


def parse_public_key(text: str) -> str:
    """Return the 64 hexadecimal digits of a public key, as `read_index` and `verify` take it.

    Args:
        text: ``ed25519:<64 digits>``, or the path of a file that holds this line.

    Raises:
        OnbrandError: it is neither, or a weak key, for which anyone could sign.
    """
    origin = None
    line = text.strip()
    if not line.lower().startswith(_PREFIX):
        if _DIGITS.fullmatch(line):
            raise OnbrandError(f"write the public key as {_PREFIX}{line.lower()}")
        origin = Path(text)
        line = read_text(origin, max_bytes=_MAX_KEY_BYTES).strip()
    digits = line[len(_PREFIX) :].lower()
    if not line.lower().startswith(_PREFIX) or not _DIGITS.fullmatch(digits):
        raise OnbrandError(
            f"is no public key; expected {_PREFIX} and 64 hexadecimal digits, "
            "the line that onbrand models keygen printed",
            path=origin or text[:100],
        )
    if _is_weak(bytes.fromhex(digits)):
        raise OnbrandError(
            "is a key under which anybody could sign; ask the publisher for theirs",
            path=origin or line,
        )
    return digits


def sign(private: Ed25519PrivateKey, data: bytes) -> str:
    """Return the signature of ``data`` as 128 hexadecimal digits."""
    return private.sign(data).hex()


def verify(key: str, data: bytes, signature: str) -> bool:
    """Return whether ``signature`` is that of ``data`` by the holder of the public key.

    Args:
        key: 64 hexadecimal digits.
        data: the signed bytes.
        signature: 128 hexadecimal digits.

    Raises:
        OnbrandError: the ``update`` extra is missing.
    """
    need_cryptography()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        raw = bytes.fromhex(key)
        if _is_weak(raw):
            return False
        Ed25519PublicKey.from_public_bytes(raw).verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_weak(key: bytes) -> bool:
    y = int.from_bytes(key, "little") & ~(1 << 255)
    return y % _PRIME in _WEAK_Y
