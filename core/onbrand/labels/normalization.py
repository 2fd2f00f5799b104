"""Normal forms of labelled texts and of the names of brands, by which they are compared."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path

from onbrand.errors import OnbrandError

MAX_BRAND = 64
_BRAND = re.compile(r"\w(?:[\w.-]*\w)?")
_WINDOWS_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
# SQLite cannot store lone surrogates, PostgreSQL neither those nor NUL.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def clean_text(text: str) -> str:
    """Return ``text`` with NUL and lone surrogates, which no database keeps, made U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def normalise_text(text: str) -> str:
    """Return the form in which texts are compared: storable, NFC, white space collapsed."""
    return " ".join(unicodedata.normalize("NFC", clean_text(text)).split())


def text_key(text: str) -> str:
    """Return the SHA-256 of the normalised text; texts with equal keys count as the same."""
    return hashlib.sha256(normalise_text(text).encode()).hexdigest()


def check_brand(name: str, *, path: str | Path | None = None, line: int | None = None) -> str:
    """Return a brand's name, trimmed and in NFC, if it can be the name of a folder.

    Args:
        name: what the user wrote.
        path: the file that has it, for the error.
        line: its line there.

    Raises:
        OnbrandError: the name has characters other than letters, digits, ``-``, ``_`` and ``.``,
            begins or ends with a mark, is too long or is a device on Windows.
    """
    brand = unicodedata.normalize("NFC", name.strip())
    if len(brand) <= MAX_BRAND and _BRAND.fullmatch(brand) and not _WINDOWS_DEVICE.fullmatch(brand):
        return brand
    slug = re.sub(r"\W+", "-", brand).strip("-").lower()[:MAX_BRAND].strip("-")
    if not slug or _WINDOWS_DEVICE.fullmatch(slug):
        slug = f"brand-{slug}".rstrip("-")
    shown = brand if len(brand) <= MAX_BRAND else brand[:MAX_BRAND] + "…"
    raise OnbrandError(
        f"brand {shown!r} cannot name a folder; use letters, digits, - _ and . (say {slug!r})",
        path=path,
        line=line,
    )
