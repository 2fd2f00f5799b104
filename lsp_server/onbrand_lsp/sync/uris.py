"""URIs to paths. Here and not beside the documents: what runs before pygls is imported needs it."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit


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
        host = parts.netloc if parts.netloc != "localhost" else ""
        return Path(f"//{host}{path}" if host else path.removeprefix("/"))
    return Path(path)
