"""Encodings of drafts: UTF-8, and what files were written in before it."""

from __future__ import annotations

import codecs
import re

_MARKS = (  # UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf_32"),
    (codecs.BOM_UTF32_BE, "utf_32"),
    (codecs.BOM_UTF16_LE, "utf_16"),
    (codecs.BOM_UTF16_BE, "utf_16"),
)
_LEGACY = (
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "euc_kr"),
)
"""Python's names of the encodings that are looked for: others are rare, and need longer texts."""
_WESTERN = "cp1252"
_NAMES = {
    "koi8_r": "KOI8-R",
    "cp932": "Shift JIS",
    "euc_jp": "EUC-JP",
    "gb18030": "GB 18030",
    "big5": "Big5",
    "euc_kr": "EUC-KR",
    "utf_16": "UTF-16",
    "utf_16_le": "UTF-16",
    "utf_16_be": "UTF-16",
    "utf_32": "UTF-32",
}
_ESCAPED = re.compile("[\udc80-\udcff]")
_NOT_ASCII = re.compile("[^\0-\x7f\udc80-\udcff]")
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_SAMPLE = 256 * 1024
"""Bytes by which an encoding is detected."""


def has_mark(raw: bytes) -> bool:
    """Return whether a file begins with the byte order mark of UTF-8."""
    return raw.startswith(codecs.BOM_UTF8)


def decode_legacy(raw: bytes) -> tuple[str, str] | None:
    """Decode text that is not UTF-8.

    Args:
        raw: the content of a file.

    Returns:
        The text, and the name of the encoding for people; None for what is binary, UTF-8 with
        damaged bytes, or like no encoding.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _decode(raw, encoding)
    if b"\0" in raw:
        found = _unmarked_utf_16(raw)
    else:
        found = None if _is_damaged_utf_8(raw) else _detect(raw[:_SAMPLE])
    return _decode(raw, found) if found else None


def _decode(raw: bytes, encoding: str) -> tuple[str, str] | None:
    try:
        text = raw.decode(encoding)
    except UnicodeError:
        return None
    return text, _NAMES.get(encoding) or encoding.replace("cp", "Windows-")


def _unmarked_utf_16(raw: bytes) -> str | None:
    """Return the encoding of UTF-16 text of mostly Latin letters: every other byte is 0."""
    even, odd, most = raw[::2].count(0), raw[1::2].count(0), 0.4 * (len(raw) / 2)
    if len(raw) % 2 == 0 and max(even, odd) > most and min(even, odd) == 0:
        return "utf_16_le" if odd else "utf_16_be"
    return None


def _is_damaged_utf_8(raw: bytes) -> bool:
    """Return whether a text is UTF-8 but for some bytes: reading it otherwise spoils the rest."""
    if not _SURROGATE.sub(b"", raw).strip(bytes(range(0x80))):
        return True
    text = raw.decode("utf-8", "surrogateescape")
    whole = len(_NOT_ASCII.findall(text))
    return whole > 0 and whole >= len(_ESCAPED.findall(text))


def _detect(raw: bytes) -> str | None:
    from charset_normalizer import from_bytes

    found = from_bytes(raw, cp_isolation=[*_LEGACY])
    best = found.best()
    if best is None:
        return None
    # The Western one is the most frequent by far, and comes first where the text fits others too.
    ties = [one.encoding for one in found if one.chaos <= best.chaos]
    same = [*best.could_be_from_charset, *ties]
    return _WESTERN if _WESTERN in same else best.encoding
