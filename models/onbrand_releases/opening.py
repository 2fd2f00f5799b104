"""Opening a file of a release: in a folder, on a web server, or in any storage fsspec knows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import urlsplit

from onbrand.errors import OnbrandError, missing_extra
from onbrand.installation import is_url, without_secrets
from onbrand_releases.deadline import Deadline, Interrupted, reason
from onbrand_releases.web import NotThereError, open_web

_CHUNK = 256 * 1024


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is being read."""

    stream: _Readable
    start: int
    """The byte it begins at."""
    compressed: bool = False
    """Whether a web server says that it does not send the file as it is."""

    def pieces(self, limit: int) -> Iterator[bytes]:
        """Yield what comes, ``limit`` bytes at most.

        Raises:
            Interrupted: it ends before its end, or comes too slowly.
        """
        read = getattr(self.stream, "read1", self.stream.read)  # does not wait for a whole piece
        while limit > 0:
            try:
                piece = bytes(read(min(_CHUNK, limit)))
            except Interrupted:
                raise
            except Exception as error:  # every storage has errors of its own
                raise Interrupted(reason(error)) from None
            if not piece:
                return
            yield piece
            limit -= len(piece)


@contextlib.contextmanager
def open_place(place: str, start: int) -> Iterator[Opened]:
    """Open a path or URL, from byte ``start`` on where that can be.

    Raises:
        Interrupted: it cannot be reached at the moment.
        NotThereError: there is no such file.
        OnbrandError: it cannot be read.
    """
    if not is_url(place):
        with _open_file(Path(place), start) as file:
            yield Opened(file, start)
    elif urlsplit(place).scheme in ("http", "https"):
        with open_web(place, start) as (body, begins):
            yield Opened(body, begins, body.compressed)
    else:
        with _open_storage(place, start) as file:
            yield Opened(_Storage(file), start)


class _Storage:
    """A file of a storage; within one reading, only its own library can limit the time."""

    def __init__(self, file: _Readable) -> None:
        self._file = file
        self._deadline = Deadline("it comes too slowly")

    def read(self, size: int, /) -> bytes:
        piece = self._file.read(size)
        self._deadline.count(len(piece))
        self._deadline.left()
        return piece


@contextlib.contextmanager
def _open_file(path: Path, start: int) -> Iterator[IO[bytes]]:
    try:
        file = path.open("rb")
    except OSError as error:
        kind = NotThereError if isinstance(error, FileNotFoundError) else OnbrandError
        raise kind(
            f"cannot be read ({reason(error)}); publish the release again", path=path
        ) from None
    with file:
        file.seek(start)
        yield file


@contextlib.contextmanager
def _open_storage(url: str, start: int) -> Iterator[_Readable]:
    try:
        import fsspec
    except ImportError:
        raise missing_extra("installing releases", "update") from None
    shown = without_secrets(url)
    try:
        file = fsspec.open(url, "rb").open()
        file.seek(start)
    except (ImportError, ValueError) as error:  # an unknown protocol, or its package is missing
        why = str(error) if url == shown else type(error).__name__
        raise OnbrandError(f"cannot be fetched: {why}", path=shown) from None
    except (FileNotFoundError, PermissionError) as error:
        kind = NotThereError if isinstance(error, FileNotFoundError) else OnbrandError
        raise kind(f"cannot be read ({reason(error)})", path=shown) from None
    except Exception as error:
        raise Interrupted(reason(error)) from None
    with file:
        yield file
