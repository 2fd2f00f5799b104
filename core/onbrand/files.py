"""Reads files with checks and clear errors, and writes them atomically."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path

from onbrand.errors import OnbrandError

CONFIG_FILE = "onbrand.toml"
"""The name of configuration files."""
MAX_TEXT_BYTES = 32 * 1024 * 1024
_OPEN_ALREADY = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
_LEFT_OVER = 24 * 3600
"""Seconds after which a temporary folder counts as left over by a process that was killed."""


def read_text(path: Path, *, max_bytes: int = MAX_TEXT_BYTES) -> str:
    """Return the text of a UTF-8 file, line ends untouched, a leading byte order mark dropped.

    Raises:
        OnbrandError: the file is missing, unreadable, a folder, a pipe, too large, binary or not
            UTF-8.
    """
    return decode_text(read_bytes(path, max_bytes=max_bytes), path, max_bytes=max_bytes)


def read_bytes(path: Path, *, max_bytes: int) -> bytes:
    """Return the content of a file; of a longer one, ``max_bytes`` and one byte more.

    Raises:
        OnbrandError: the file is missing, unreadable or a folder.
    """
    try:
        with open_regular(path) as file:
            return file.read(max_bytes + 1)
    except FileNotFoundError:
        raise OnbrandError("no such file; check the path", path=path) from None
    except IsADirectoryError:
        raise OnbrandError("is a folder; name a file", path=path) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise OnbrandError(
            f"cannot be read ({_reason(error)}); check the path and its permissions", path=path
        ) from None


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file to read it; others might never end, or wait for a writer.

    The shell's ``<(command)`` and redirections are pipes that are open already: they are read.

    Raises:
        OnbrandError: it is a pipe, a socket or a device.
        OSError: it cannot be opened.
    """
    if str(path).startswith(_OPEN_ALREADY):
        return path.open("rb")
    # Non-blocking for the sake of pipes; it makes no difference to regular files.
    wanted = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, wanted)
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OnbrandError("is no regular file; name one, or - for standard input", path=path)


def read_standard_input(name: str, *, max_bytes: int = MAX_TEXT_BYTES) -> bytes:
    """Return what is on standard input, called ``name`` in errors (see `read_bytes`)."""
    if sys.stdin is None:
        raise OnbrandError("standard input is closed; name a file", path=name)
    return sys.stdin.buffer.read(max_bytes + 1)


def check_length(raw: bytes, path: str | Path, max_bytes: int) -> None:
    """Check that a file is no longer than ``max_bytes``.

    Raises:
        OnbrandError: it is.
    """
    if len(raw) > max_bytes:
        limit = f"{max_bytes / 1024**2:.0f} MB"
        raise OnbrandError(f"is longer than {limit}, the limit; split or exclude it", path=path)


def decode_text(raw: bytes, path: str | Path, *, max_bytes: int = MAX_TEXT_BYTES) -> str:
    """Decode UTF-8 bytes read from ``path``, refusing binary content with a clear error.

    NUL bytes are taken as the mark of a binary file when they are more than one in a thousand;
    a stray one in a long text is kept.
    """
    check_length(raw, path, max_bytes)
    if raw.count(b"\0") * 1000 > len(raw):
        raise OnbrandError("looks like a binary file; onbrand reads UTF-8 text", path=path)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise OnbrandError(
            f"is not UTF-8 (byte 0x{raw[error.start]:02x} at offset {error.start}); "
            "save it as UTF-8",
            path=path,
            line=line,
        ) from None


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _write_error(path: Path, error: OSError) -> OnbrandError:
    return OnbrandError(
        f"cannot be written ({_reason(error)}); nothing was changed, name another place", path=path
    )


def write_atomic(path: Path, data: str | bytes) -> None:
    """Write a file so that readers see either the old or the new content.

    Raises:
        OnbrandError: the folder is read-only, the disk is full, …; the old file is untouched.
    """
    payload = data.encode("utf-8") if isinstance(data, str) else data
    if path.exists() and not path.is_file():  # a pipe or /dev/stdout: no old content to keep
        try:
            path.write_bytes(payload)
        except OSError as error:
            raise _write_error(path, error) from None
        return
    with replace_file(path) as fresh:
        fresh.write_bytes(payload)


@contextlib.contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield an empty file beside ``path`` that replaces it if the block raises nothing.

    Raises:
        OnbrandError: the folder is read-only, the disk is full, …; the old file is untouched.
    """
    fresh: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        target = path.resolve()  # a link stays one
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{path.name}.", suffix=".tmp")
        os.close(handle)
        fresh = Path(name)
        yield fresh
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
        fresh.chmod(mode)
        fresh.replace(target)
    except OSError as error:
        raise _write_error(path, error) from None
    finally:
        if fresh is not None:
            fresh.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk before going on, where the system can do that."""
    if os.name != "posix":  # Windows cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_writable(folder: Path) -> None:
    """Check, before long work, that a folder can be made or written to.

    Raises:
        OnbrandError: it cannot.
    """
    here = folder.absolute()
    above = next(place for place in (here, *here.parents) if place.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise OnbrandError("is no folder to write to; choose another output folder", path=above)


@contextlib.contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``path`` that replaces it if the block raises nothing.

    If the block raises (Ctrl-C included) the new folder is removed and ``path`` is unchanged. New
    folders that killed processes have left beside ``path`` are removed when a day old.

    Raises:
        OnbrandError: the folder above is read-only, the disk is full, …
    """
    try:
        target = path.resolve()  # a link stays one
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_left_over(target)
        fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp"))
    except OSError as error:
        raise _write_error(path, error) from None
    old = fresh.with_suffix(".old")
    try:
        yield fresh
        fresh.chmod(0o755)
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    except OSError as error:
        raise _write_error(path, error) from None
    finally:
        if old.exists() and not target.exists():
            old.rename(target)
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _remove_left_over(path: Path) -> None:
    pattern = f".{glob.escape(path.name)}.????????.tmp"
    for left in path.parent.glob(pattern):
        with contextlib.suppress(OSError):  # another process was faster
            if time.time() - left.stat().st_mtime > _LEFT_OVER:
                shutil.rmtree(left, ignore_errors=True)


FileSignature = tuple[tuple[str, int, int], ...]
"""Path, time of the last change in nanoseconds (-1: not there) and size in bytes."""


def file_signature(paths: Iterable[Path]) -> FileSignature:
    """Return a value that changes when one of the files or folders does."""
    return tuple(_of(str(path)) for path in paths)


def _of(path: str) -> tuple[str, int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116 - half the time of Path.stat, and polled often
    except (OSError, ValueError):
        return path, -1, 0
    return path, found.st_mtime_ns, found.st_size
