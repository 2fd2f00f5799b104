"""Finds the drafts in a folder, and reads their text."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from onbrand.document import formats
from onbrand.document.formats import InputFormat
from onbrand.errors import OnbrandError
from onbrand.files import CONFIG_FILE, check_length, decode_text, read_bytes

MAX_DRAFT_BYTES = 4 * 1024 * 1024
"""Limit on text: some 700,000 words, which take two minutes."""
MAX_PACKED_BYTES = 10 * 1024 * 1024
"""Limit on files that are not plain text and may hold pictures, as Word documents do."""


def find_drafts(
    folder: Path,
    left_out: set[Path] | None = None,
    irregular: Callable[[Path], None] = lambda _: None,
    *,
    text_only: bool = False,
) -> list[Path]:
    """Return the drafts in ``folder`` and below, sorted.

    Skipped are hidden files and folders, ``node_modules``, links to folders, and the lock files of
    Word (``~$draft.docx``); a folder that cannot be read counts as empty.

    Args:
        folder: where to look.
        left_out: the files in no known format are added to it.
        irregular: called with each pipe, socket or device that is named like a draft.
        text_only: leave out what a text editor cannot open.
    """
    found: list[Path] = []
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not _is_aside(name)]
        for name in files:
            if _is_aside(name):
                continue
            form = formats.of_path(Path(root, name))
            if form is not None and not (text_only and form.decode):
                found.append(Path(root, name))
            elif left_out is not None and name != CONFIG_FILE:
                left_out.add(Path(root, name))
    for file in found:
        if file.exists() and not file.is_file():
            irregular(file)
    return sorted(file for file in found if file.is_file())


def max_bytes(form: InputFormat) -> int:
    """Return the limit on the size of a draft's file, in bytes."""
    return MAX_PACKED_BYTES if form.decode else MAX_DRAFT_BYTES


def read_draft(path: Path, form: InputFormat, *, limit: int | None = None) -> str:
    """Return the text of a draft's file (see `decode_draft`).

    Raises:
        OnbrandError: it cannot be read, is too large, or is not in that format.
    """
    limit = limit or max_bytes(form)
    return decode_draft(read_bytes(path, max_bytes=limit), path, form, limit=limit)


def decode_draft(
    raw: bytes, path: str | Path, form: InputFormat, *, limit: int | None = None
) -> str:
    """Return the text of a draft from the bytes of its file, UTF-8 unless the format decodes it.

    Args:
        raw: the content of the file.
        path: its name, for errors.
        form: the format.
        limit: bytes that it may have; by default `max_bytes`.

    Raises:
        OnbrandError: the bytes are too many, or not in that format.
    """
    limit = limit or max_bytes(form)
    if form.decode is None:
        return decode_text(raw, path, max_bytes=limit)
    check_length(raw, path, limit)
    try:
        text = form.decode(raw)
    except OnbrandError as error:
        raise OnbrandError(error.message, path=path) from None
    if len(text.encode("utf-8", "surrogatepass")) > MAX_DRAFT_BYTES:
        most = f"{MAX_DRAFT_BYTES / 1024**2:.0f} MB"
        raise OnbrandError(f"holds more than {most} of text, the limit; split it", path=path)
    return text


def _is_aside(name: str) -> bool:
    return name.startswith((".", "~$")) or name == "node_modules"
