"""Fetching a release's files from a folder, a web server or any storage that fsspec knows.

Nothing that comes from there is trusted: sizes are limited before anything is read, and an archive
is only handed on when it has the size and the SHA-256 that the signed index gives. What was fetched
before an interruption is kept, and the next run goes on from there.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import url2pathname

from onbrand.errors import OnbrandError, missing_extra
from onbrand.files import sha256_file
from onbrand.release.index import INDEX, MAX_INDEX_BYTES, Package
from onbrand.release.installed import is_url, without_secrets
from onbrand.release.web import Interrupted, open_web, reason

PAUSES = (1.0, 3.0, 10.0)
"""Seconds before each new try after a failure of the network."""
PATIENCE = 60.0
"""Seconds within which at least `SLOWEST` bytes must come."""
SLOWEST = 64 * 1024
_CHUNK = 256 * 1024
_PROGRESS_WORTH = 1024 * 1024
"""Bytes more than ever before after which the tries are counted anew."""

Progress = Callable[[int], None]
"""Told how many bytes of an archive are here."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a release is: its folder, or the URL of its folder."""

    base: str
    query: str = ""
    """Of the URL, say a signature that gives access; sent with every request."""

    @classmethod
    def of(cls, source: str) -> Source:
        """Return the source for a folder, a URL, or those of the ``index.json`` in it.

        Raises:
            OnbrandError: it is neither.
        """
        if not is_url(source):
            return cls(_folder(Path(source)))
        if "::" in source and not source.startswith(("http://", "https://")):  # not IPv6
            raise OnbrandError("a release cannot be at a chain of URLs; name one URL")
        try:
            parts = urlsplit(source)
        except ValueError as error:
            raise OnbrandError(f"{error}; check the URL") from None
        if parts.scheme == "file":
            host = f"//{parts.netloc}" if parts.netloc not in ("", "localhost") else ""
            return cls(_folder(Path(url2pathname(host + parts.path))))
        path = parts.path.rstrip("/").removesuffix(f"/{INDEX}")
        if not parts.netloc and not path.strip("/"):
            raise OnbrandError("names no place; check the URL", path=without_secrets(source))
        return cls(urlunsplit((parts.scheme, parts.netloc, path, "", "")), parts.query)

    def place(self, name: str) -> str:
        """Return the path or URL of a file of the release."""
        if not is_url(self.base):
            return str(Path(self.base, name))
        query = f"?{self.query}" if self.query else ""
        return f"{self.base.rstrip('/')}/{quote(name)}{query}"

    @property
    def index(self) -> str:
        """The path or URL of ``index.json``."""
        return self.place(INDEX)

    @property
    def shown(self) -> str:
        """The same without passwords, for people."""
        return without_secrets(self.index)

    @property
    def private(self) -> bool:
        """Whether the URL holds a password or a signature that gives access."""
        return is_url(self.base) and bool(self.query or "@" in urlsplit(self.base).netloc)


def _folder(path: Path) -> str:
    folder = path.parent if path.name == INDEX and not path.is_dir() else path
    if not (folder / INDEX).is_file():
        raise OnbrandError(f"is no release (it has no {INDEX}); check the path", path=folder)
    return str(folder.absolute())


def fetch_index(source: Source) -> bytes:
    """Return the bytes of the release's ``index.json``, unchecked.

    Raises:
        OnbrandError: it cannot be read, is too long, or is a web page.
    """
    place, shown = source.index, source.shown
    failures = 0
    while True:
        try:
            with _open(place, 0) as (stream, _):
                data = b"".join(_pieces(stream, MAX_INDEX_BYTES + 1))
            break
        except Interrupted as error:
            _pause(place, failures, error)
            failures += 1
    if len(data) > MAX_INDEX_BYTES:
        raise OnbrandError("is too long for the index of a release; check the path", path=shown)
    if data.lstrip()[:1] == b"<":
        raise OnbrandError(
            "is a web page and no release; does the server want a login?", path=shown
        )
    return data


def fetch_archive(source: Source, package: Package, folder: Path, progress: Progress) -> Path:
    """Return the archive of ``package`` as a file in ``folder`` that has the promised checksum.

    What is there of it from an earlier run is not fetched again.

    Raises:
        OnbrandError: it cannot be read, or it is not what the index promises.
    """
    path = folder / package.sha256
    place = source.place(package.archive)
    for _ in range(2):  # what was there from an earlier run may be damaged
        _complete(place, path, package.size, progress)
        if _size(path) == package.size and sha256_file(path) == package.sha256:
            return path
        path.unlink()
    raise OnbrandError(
        "is not what the index promises (size or checksum differ); publish the release again",
        path=without_secrets(place),
    )


def _complete(place: str, path: Path, size: int, progress: Progress) -> None:
    failures, best = 0, _size(path)
    while _size(path) < size:
        try:
            _append(place, path, size, progress)
            if _size(path) < size:
                raise Interrupted("it ended early")
        except Interrupted as error:
            if _size(path) >= best + _PROGRESS_WORTH:
                failures, best = 0, _size(path)
            _pause(place, failures, error)
            failures += 1


def _append(place: str, path: Path, size: int, progress: Progress) -> None:
    with _open(place, _size(path)) as (stream, start), _writable(path, start) as file:
        # One byte more than was promised, to notice.
        for piece in _pieces(stream, size - start + 1):
            _write(file, piece, path)
            progress(min(file.tell(), size))


def _pieces(stream: _Readable, limit: int) -> Iterator[bytes]:
    """Yield what a stream gives, ``limit`` bytes at most, while it comes quickly enough."""
    read = getattr(stream, "read1", stream.read)  # does not wait for the whole of a piece
    since, came = time.monotonic(), 0
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
        came += len(piece)
        if time.monotonic() - since > PATIENCE:
            if came < SLOWEST:
                raise Interrupted("it comes too slowly")
            since, came = time.monotonic(), 0


def _pause(place: str, failures: int, error: Interrupted) -> None:
    """Wait before another try, or give up."""
    pauses = PAUSES if is_url(place) else ()
    if failures >= len(pauses):
        raise OnbrandError(
            f"cannot be fetched ({error}); check the connection and run the command again",
            path=without_secrets(place),
        ) from None
    time.sleep(pauses[failures])


@contextlib.contextmanager
def _writable(path: Path, start: int) -> Iterator[IO[bytes]]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab" if start else "wb")
    except OSError as error:
        raise _unwritable(path, error) from None
    with contextlib.closing(file):
        yield file


def _write(file: IO[bytes], piece: bytes, path: Path) -> None:
    try:
        file.write(piece)
        file.flush()
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> OnbrandError:
    return OnbrandError(f"cannot be written ({reason(error)})", path=path)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@contextlib.contextmanager
def _open(place: str, start: int) -> Iterator[tuple[_Readable, int]]:
    """Open a file of the release; yields it and the byte at which it begins."""
    if not is_url(place):
        with _open_file(Path(place), start) as file:
            yield file, start
    elif urlsplit(place).scheme in ("http", "https"):
        with open_web(place, start) as answer:
            yield answer
    else:
        with _open_storage(place, start) as file:
            yield file, start


@contextlib.contextmanager
def _open_file(path: Path, start: int) -> Iterator[IO[bytes]]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise OnbrandError(
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
        raise OnbrandError(f"cannot be read ({reason(error)})", path=shown) from None
    except Exception as error:
        raise Interrupted(reason(error)) from None
    with file:
        yield file
