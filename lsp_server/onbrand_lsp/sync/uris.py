"""URIs to paths. Here and not beside the documents: what runs before pygls is imported needs it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

WRITTEN = frozenset({"", "file", "inmemory", "untitled", "vscode-remote", "vscode-vfs"})
"""Schemes of what people write. All others, such as ``git:`` or ``vscode-notebook-cell:``, show a
part or an earlier state of something else."""
_DRIVE = re.compile(r"/[A-Za-z]:(?=/|$)")


def path_of(uri: str) -> Path | None:
    """Return the path that a ``file:`` URI names; None for any other URI."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    path = unquote(parts.path, errors="surrogateescape")
    if parts.scheme != "file" or "\0" in path:
        return None
    if os.name == "nt":
        host = parts.netloc if parts.netloc.lower() != "localhost" else ""
        return Path(f"//{host}{path}" if host else path.removeprefix("/"))
    return Path(path)


def uri_key(uri: str) -> str:
    """Return what all spellings of a URI have in common.

    Clients differ, and some do from message to message, in what they escape (``c%3A`` and ``c:``),
    in the case of a drive's letter, in ``file://localhost/``, and in slashes at the end.
    """
    key = unquote(uri, errors="surrogateescape")
    scheme, colon, rest = key.partition(":")
    if not colon or scheme.lower() != "file":
        return key
    rest = re.sub(r"^//localhost(?=/)", "", rest, flags=re.IGNORECASE)
    rest = "/" + rest.strip("/") if not rest.startswith("//") or rest[2:3] == "/" else rest
    return "file:" + _DRIVE.sub(lambda drive: drive[0].lower(), rest, count=1).rstrip("/")


def is_view(uri: str) -> bool:
    """Return whether a document is no text of its own: a diff, a cell of a notebook, a log."""
    scheme, colon, _ = uri.partition(":")
    return bool(colon) and len(scheme) > 1 and scheme.lower() not in WRITTEN
