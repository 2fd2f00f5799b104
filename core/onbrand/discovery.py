"""Finds the drafts in folders and by globs, and reads their text."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from onbrand.document import formats
from onbrand.document.formats import InputFormat
from onbrand.encodings import decode_legacy, has_mark
from onbrand.errors import OnbrandError
from onbrand.files import CONFIG_FILE, check_length, decode_text, read_bytes

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MAX_DRAFT_BYTES = 4 * 1024 * 1024
"""Limit on text: some 700,000 words, which take two minutes."""
MAX_PACKED_BYTES = 10 * 1024 * 1024
"""Limit on files that are not plain text and may hold pictures, as Word documents do."""
NEVER_SEARCHED = frozenset(
    {
        *("node_modules", "bower_components", "jspm_packages", "site-packages"),
        *("venv", "virtualenv", "__pycache__", "__pypackages__"),
        *("build", "_build", "dist", "_site", "buck-out"),
    }
)
"""Folders of installed and built things; one that is named itself is searched."""
_VENV = "pyvenv.cfg"
"""The file in each virtual environment of Python's, which may have any name."""
_NEVER_SEARCHED_ENDS = (".egg-info", ".dist-info")
_NO_DRAFT = re.compile(
    r"(?i:.*(?:requirements|constraints).*\.txt|(?:.*-)?ads\.txt|(?:robots|security|humans)\.txt"
    r"|CMakeLists\.txt|meson_options\.txt|conanfile\.txt|runtime\.txt|licen[cs]e\.txt|copying\.txt)"
    r"|(?:.*\.)?(?:UN)?LICEN[CS]E(?![A-Za-z]).*|(?:COPYING|NOTICE|PATENTS)(?![A-Za-z]).*"
)
_KEY_BLOCK = re.compile(rb"\s*-----BEGIN [A-Z0-9 ]+-----\s")
_LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\n"


@dataclass(slots=True)
class Search:
    """What is in a folder."""

    drafts: list[Path] = field(default_factory=list)
    """Sorted."""
    unknown: set[Path] = field(default_factory=set)
    """The files in no known format."""
    no_drafts: set[Path] = field(default_factory=set)
    """The files that are none by their names: licences, requirements, ``robots.txt``."""
    irregular: list[Path] = field(default_factory=list)
    """The pipes, sockets and devices that are named like drafts."""


def search(folder: Path, *, text_only: bool = False, ignored: bool = False) -> Search:
    """Return what is in ``folder`` and below.

    Skipped are hidden files and folders, `NEVER_SEARCHED`, what git ignores, links to folders, and
    the lock files of Word (``~$draft.docx``); a folder that cannot be read counts as empty.

    Args:
        folder: where to look.
        text_only: leave out what a text editor cannot open.
        ignored: look at what git ignores too.
    """
    found = Search()
    for root, files in _walk(folder, ignored=ignored):
        in_requirements = Path(root).name == "requirements"
        for name in files:
            form = formats.of_path(Path(root, name))
            if is_no_draft(name) or (in_requirements and name.endswith(".txt")):
                found.no_drafts.add(Path(root, name))
            elif form is not None and not (text_only and form.decode):
                found.drafts.append(Path(root, name))
            elif name != CONFIG_FILE:
                found.unknown.add(Path(root, name))
    found.irregular = [file for file in found.drafts if file.exists() and not file.is_file()]
    found.drafts = sorted(file for file in found.drafts if file.is_file())
    return found


def find_drafts(
    folder: Path,
    left_out: set[Path] | None = None,
    irregular: Callable[[Path], None] = lambda _: None,
    *,
    text_only: bool = False,
) -> list[Path]:
    """Return the drafts in ``folder`` and below, sorted (see `search`).

    Args:
        folder: where to look.
        left_out: the files in no known format are added to it.
        irregular: called with each pipe, socket or device that is named like a draft.
        text_only: leave out what a text editor cannot open.
    """
    found = search(folder, text_only=text_only)
    if left_out is not None:
        left_out |= found.unknown
    for file in found.irregular:
        irregular(file)
    return found.drafts


def _walk(folder: Path, *, ignored: bool) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder that is searched, and the names of the files in it."""
    from onbrand.gitignore import IgnoreRules

    top, shown = os.path.abspath(folder), str(folder)  # noqa: PTH100 - links stay
    above = IgnoreRules() if ignored else IgnoreRules.above(top)
    if above.ignores(top + os.sep):  # it is wanted all the same
        above = IgnoreRules()
    rules = {shown: above}
    for root, folders, files in os.walk(shown):
        here = rules.pop(root)
        if root != shown and _VENV in files:
            folders.clear()
            continue
        kept = [name for name in folders if not (_is_hidden(name) or _is_never_searched(name))]
        files = [name for name in files if not _is_hidden(name)]
        if ignored:
            rules |= {os.path.join(root, name): here for name in kept}  # noqa: PTH118
            folders[:] = kept
            yield root, files
            continue
        place = os.path.join(top, os.path.relpath(root, shown)) if root != shown else top  # noqa: PTH118
        here = here.within(place)
        if here.layers:
            start = place.rstrip(os.sep) + os.sep
            kept = [name for name in kept if not here.ignores(f"{start}{name}{os.sep}")]
            files = [name for name in files if not here.ignores(start + name)]
        rules |= {os.path.join(root, name): here for name in kept}  # noqa: PTH118
        folders[:] = kept
        yield root, files


_SPECIAL = re.compile(r"[*?\[]")
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_MAX_BRACES = 6


def is_glob(name: str) -> bool:
    """Return whether a name is a glob that the shell has not expanded."""
    return bool(_SPECIAL.search(name) or _BRACES.search(name)) and not os.path.lexists(name)


def search_glob(glob: str, *, ignored: bool = False) -> Search:
    """Return what a glob such as ``content/**/*.md`` matches, where `search` looks.

    Args:
        glob: the glob; ``**`` stands for any number of folders, ``{md,mdx}`` for either.
        ignored: look at what git ignores too.
    """
    from onbrand.config.load import compile_globs

    merged = Search()
    for one in _without_braces(glob):
        base, pattern = _split_glob(one)
        if not pattern:
            merged.drafts += [base] if base.is_file() else []
            continue
        try:
            globs = compile_globs([f"/{pattern}"])
        except (ValueError, re.error):
            raise OnbrandError(f"{glob!r} is no glob; name files or folders") from None
        found = search(base, ignored=ignored)
        merged.drafts += _matching(found.drafts, base, globs)
        merged.unknown |= set(_matching(found.unknown, base, globs))
        merged.no_drafts |= set(_matching(found.no_drafts, base, globs))
        merged.irregular += _matching(found.irregular, base, globs)
    merged.drafts = sorted(set(merged.drafts))
    return merged


def _matching(files: Iterable[Path], base: Path, globs: GitIgnoreSpec) -> list[Path]:
    return [file for file in files if globs.match_file(file.relative_to(base).as_posix())]


def _split_glob(glob: str) -> tuple[Path, str]:
    """Return the folder before the first name with a special character, and the rest."""
    parts = Path(glob).parts
    at = next((n for n, part in enumerate(parts) if _SPECIAL.search(part)), len(parts))
    return Path(*parts[:at]), "/".join(parts[at:])


def _without_braces(glob: str) -> list[str]:
    """Expand ``{a,b}`` as shells do."""
    found = _BRACES.search(glob)
    if found is None or glob.count("{") > _MAX_BRACES:
        return [glob]
    start, end = found.span()
    choices = found[1].split(",")
    return [
        one for choice in choices for one in _without_braces(glob[:start] + choice + glob[end:])
    ]


def is_no_draft(name: str) -> bool:
    """Return whether a file's name says that it is no draft, whatever its ending."""
    return _NO_DRAFT.fullmatch(name) is not None


def is_key_block(raw: bytes) -> bool:
    """Return whether a file holds a key or certificate (PEM, PGP) instead of a text."""
    return _KEY_BLOCK.match(raw) is not None


class DraftText(NamedTuple):
    """The text of a draft's file, and how it was written there."""

    text: str
    """Without a byte order mark."""
    encoding: str | None = None
    """The encoding that was detected; None: UTF-8, or a format of its own."""
    has_mark: bool = False
    """Whether the file begins with a byte order mark."""


def max_bytes(form: InputFormat) -> int:
    """Return the limit on the size of a draft's file, in bytes."""
    return MAX_PACKED_BYTES if form.decode else MAX_DRAFT_BYTES


def read_draft(path: Path, form: InputFormat, *, limit: int | None = None) -> str:
    """Return the text of a draft's file (see `decode_draft`).

    Raises:
        OnbrandError: it cannot be read, is too large, or is not in that format.
    """
    limit = limit or max_bytes(form)
    return decode_draft(read_bytes(path, max_bytes=limit), path, form, limit=limit).text


def decode_draft(
    raw: bytes,
    path: str | Path,
    form: InputFormat,
    *,
    limit: int | None = None,
    legacy: bool = False,
) -> DraftText:
    """Return the text of a draft from the bytes of its file, UTF-8 unless the format decodes it.

    Args:
        raw: the content of the file.
        path: its name, for errors.
        form: the format.
        limit: bytes that it may have; by default `max_bytes`.
        legacy: detect other encodings of text; the caller says to users which one was found.

    Raises:
        OnbrandError: the bytes are too many, or not in that format.
    """
    limit = limit or max_bytes(form)
    if raw.startswith(_LFS_POINTER):
        raise OnbrandError(
            "is a pointer of Git LFS, not the text itself; run git lfs pull", path=path
        )
    if form.decode is None:
        return _decode(raw, path, limit, legacy=legacy)
    check_length(raw, path, limit)
    try:
        text = form.decode(raw)
    except OnbrandError as error:
        raise OnbrandError(error.message, path=path) from None
    if len(text.encode("utf-8", "surrogatepass")) > MAX_DRAFT_BYTES:
        most = f"{MAX_DRAFT_BYTES / 1024**2:.0f} MB"
        raise OnbrandError(f"holds more than {most} of text, the limit; split it", path=path)
    return DraftText(text)


def _decode(raw: bytes, path: str | Path, limit: int, *, legacy: bool) -> DraftText:
    try:
        return DraftText(decode_text(raw, path, max_bytes=limit), has_mark=has_mark(raw))
    except OnbrandError:
        if not legacy or len(raw) > limit or (found := decode_legacy(raw)) is None:
            raise
    text, encoding = found
    return DraftText(text.removeprefix("\ufeff"), encoding)


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "~$"))


def _is_never_searched(name: str) -> bool:
    return name in NEVER_SEARCHED or name.endswith(_NEVER_SEARCHED_ENDS)
