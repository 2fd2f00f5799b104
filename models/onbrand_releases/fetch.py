"""Fetches the files of a release from a folder, a web server or any storage that fsspec knows.

The source is not trusted: sizes are limited before anything is read, and an archive is accepted
only with the size and the SHA-256 of the signed index. The next run resumes an interrupted
download.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

from onbrand.errors import OnbrandError, missing_extra
from onbrand.files import sha256_file
from onbrand.installation import is_url, redact_url
from onbrand.progress import Progress, ProgressEvent
from onbrand_releases.index import INDEX, MAX_INDEX_BYTES, Package
from onbrand_releases.web import Deadline, Interrupted, NotThereError, open_web, reason

_CHUNK = 256 * 1024


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """An open file of a source."""

    stream: _Readable
    start: int
    """The byte it begins at."""
    compressed: bool = False
    """Whether the web server says that it compresses the file."""

    def pieces(self, limit: int) -> Iterator[bytes]:
        """Yield the content, ``limit`` bytes at most.

        Raises:
            Interrupted: the content ends too early, or comes too slowly.
        """
        read = getattr(self.stream, "read1", self.stream.read)  # returns what has arrived
        while limit > 0:
            try:
                piece = bytes(read(min(_CHUNK, limit)))
            except Interrupted:
                raise
            except Exception as error:  # the errors of storages have no common base
                raise Interrupted(reason(error)) from None
            if not piece:
                return
            yield piece
            limit -= len(piece)


@contextlib.contextmanager
def open_place(place: str, start: int) -> Iterator[Opened]:
    """Open a path or URL from byte ``start`` on, if the source can do that.

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
    """A file of a storage; the time limit is checked between reads, as one read cannot be ended."""

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
    shown = redact_url(url)
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


PAUSES = (1.0, 3.0, 10.0)
"""Seconds to wait before each retry after a failure of the network."""
MAX_PAUSE = 60.0
"""Seconds to wait before a retry at most, even if the server asks for more."""
_GZIP = b"\x1f\x8b"
_AS_THEY_ARE = "have it send the files of a release as they are"


@dataclass(frozen=True, slots=True)
class Source:
    """Location of a release: the path or URL of its folder."""

    base: str
    query: str = ""
    """Query of the URL, say a signature that grants access; sent with every request."""

    @classmethod
    def of(cls, source: str) -> Source:
        """Parse the path or URL of a release's folder or of its ``index.json``.

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
            raise OnbrandError("names no place; check the URL", path=redact_url(source))
        # Not urlunsplit, which leaves the slashes out where a scheme has no hosts (local:///v).
        return cls(f"{parts.scheme}://{parts.netloc}{path}", parts.query)

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
        return redact_url(self.index)

    @property
    def private(self) -> bool:
        """Whether the URL holds a password or a signature that grants access."""
        return is_url(self.base) and bool(self.query or "@" in urlsplit(self.base).netloc)


def _folder(path: Path) -> str:
    try:
        folder = path.parent if path.name == INDEX and not path.is_dir() else path
        found = (folder / INDEX).is_file()
    except OSError as error:  # say, a name that is too long
        raise OnbrandError(
            f"cannot be read ({error.strerror}); check the path", path=path
        ) from None
    if not found:
        raise OnbrandError(f"is no release (it has no {INDEX}); check the path", path=folder)
    return str(folder.absolute())


def fetch_index(source: Source) -> bytes:
    """Return the bytes of the release's ``index.json``, unchecked.

    Raises:
        OnbrandError: it cannot be read, is too long, or is a web page.
    """
    place = source.index
    tries = _Tries(place)
    while True:
        try:
            with open_place(place, 0) as opened:
                data = b"".join(opened.pieces(MAX_INDEX_BYTES + 1))
            break
        except Interrupted as error:
            tries.pause(error)
    problem = _no_index(data, opened)
    if problem:
        raise OnbrandError(problem, path=source.shown)
    return data


def _no_index(data: bytes, opened: Opened) -> str | None:
    """Return what a server has done to an index, found before its signature is checked."""
    text = data.strip()
    if len(data) > MAX_INDEX_BYTES:
        return "is too long for the index of a release; check the path"
    if text.startswith(b"<"):
        return "is a web page and no release; does the server want a login?"
    if data.startswith(_GZIP) or (opened.compressed and not text.startswith(b"{")):
        return f"is compressed by the server; {_AS_THEY_ARE}"
    ends = text.endswith(b"}") and data.endswith(b"\n")  # as in every release
    if not text or (text.startswith(b"{") and not ends):
        return (
            "is cut off; does the server give the right Content-Length? Otherwise copy the "
            "release there again"
        )
    return None


def fetch_archive(source: Source, package: Package, folder: Path, progress: Progress) -> Path:
    """Fetch the archive of ``package`` to ``folder``, check its SHA-256, and return its path.

    An interrupted download of an earlier run is resumed.

    Raises:
        OnbrandError: it cannot be read, or does not match the index.
    """
    path = folder / package.sha256
    place = source.place(package.archive)
    mend = "publish the release again"
    for _ in range(2):  # the download of an earlier run may be damaged
        try:
            if _complete(place, path, package.size, progress):
                mend = f"the server compresses what it sends; {_AS_THEY_ARE}"
        except NotThereError as error:
            why = error.message.partition(";")[0]
            raise OnbrandError(
                f"{why}; the release is not wholly {'on the server' if is_url(place) else 'here'} "
                "yet: try again later, or ask who publishes it",
                path=error.path,
            ) from None
        if _size(path) == package.size and sha256_file(path) == package.sha256:
            return path
        path.unlink()
    raise OnbrandError(
        f"is not what the index promises (size or checksum differ); {mend}",
        path=redact_url(place),
    )


def _complete(place: str, path: Path, size: int, progress: Progress) -> bool:
    """Fetch the missing bytes of an archive; return whether the server says that it compresses."""
    tries, compressed = _Tries(place, path), False
    while _size(path) < size:
        try:
            compressed = _append(place, path, size, progress)
            if _size(path) < size:
                raise Interrupted(f"it was cut after {_size(path)} of {size} bytes")
        except Interrupted as error:
            tries.pause(error)
    return compressed


def _append(place: str, path: Path, size: int, progress: Progress) -> bool:
    with open_place(place, _size(path)) as opened, _writable(path, opened.start) as file:
        # One byte more than the index says, to notice a longer file.
        for piece in opened.pieces(size - opened.start + 1):
            _write(file, piece, path)
            progress(ProgressEvent("fetching", min(file.tell(), size), size))
    return opened.compressed


class _Tries:
    """Counts the attempts to fetch a file, and waits between them.

    The count starts again when more of the file has arrived than before. Once `PATIENCE` has
    passed, that takes `MIN_BYTES` bytes, so that a server that sends a few each time is given up.

    Args:
        place: path or URL of the file.
        kept: the file that holds the bytes fetched so far.
    """

    def __init__(self, place: str, kept: Path | None = None) -> None:
        self._place, self._kept = place, kept
        self._failures = 0
        self._most = self._here()
        self._stretch = Deadline("")

    def _here(self) -> int:
        return _size(self._kept) if self._kept else 0

    def pause(self, error: Interrupted) -> None:
        """Wait before the next attempt.

        Raises:
            OnbrandError: there were too many attempts.
        """
        fresh = self._here() - self._most
        if fresh > 0:
            self._most += fresh
            self._stretch.count(fresh)
            if not self._stretch.passed:
                self._failures = 0
        if not is_url(self._place):
            raise OnbrandError(f"{error}; publish the release again", path=self._place) from None
        if self._failures >= len(PAUSES):
            kept = "; what was fetched is kept" if self._here() else ""
            raise OnbrandError(
                f"cannot be fetched ({error}){kept}; check the connection and run the command "
                "again",
                path=redact_url(self._place),
            ) from None
        time.sleep(max(PAUSES[self._failures], min(error.after or 0.0, MAX_PAUSE)))
        self._failures += 1


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
