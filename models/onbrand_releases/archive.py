"""Archives of voices and encoder bundles: gzipped tar, in one exact form, written and read.

An archive is a POSIX ustar (IEEE 1003.1) of regular files in alphabetical order, mode 0644, owner
and time 0, without any extended header, closed by two blocks of zeros; then one gzip stream (RFC
1952). Every tar program opens it. The reader here parses no header: the signed index lists the
files with their sizes, so each header block is known in advance and must match byte for byte.
Links, devices, folders, paths, sparse maps, PAX records and files too many, too few or too long all
fail that one comparison.

Not ``tarfile`` with mode ``r|gz`` and a filter (tried): it accepts archives that are cut short,
have a wrong CRC or go on after their end, and it expands a PAX header or a long name of 300 MB into
memory before the filter is called.

gzip, because 8-bit weights hardly compress: of a model of 23.7 MB it leaves 19.8 in 2 seconds, xz
19.6 in 30, bzip2 20.5 and is slow to unpack.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import stat
import tarfile
import zlib
from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path

from onbrand.encoder.bundle import BundleFile
from onbrand.errors import OnbrandError
from onbrand.files import sync_folder
from onbrand_releases.index import Package

_LEVEL = 6
_CHUNK = 256 * 1024
_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)
_AGAIN = "fetch it again, and if that does not help ask who publishes it"


def pack(folder: Path, names: Iterable[str], target: Path) -> dict[str, BundleFile]:
    """Write the files ``names`` of a folder to the archive ``target``.

    The same files give the same bytes with the same version of zlib.

    Returns:
        Sizes and checksums for the index, by name in the archive's order.

    Raises:
        OnbrandError: a file is missing, a link or unreadable, or the archive exists or cannot be
            written; no incomplete one is left.
    """
    packed: dict[str, BundleFile] = {}
    try:
        raw = target.open("xb")
    except OSError as error:
        raise _unwritable(target, error) from None
    try:
        # No file name and no time in gzip's header.
        with raw, gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as out:
            for name in sorted(names):
                packed[name] = _append(folder / name, name, out)
            out.write(_END)
            out.close()
            raw.flush()
            os.fsync(raw.fileno())
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(target, error) from None
        raise
    return packed


def _append(path: Path, name: str, out: gzip.GzipFile) -> BundleFile:
    digest = hashlib.sha256()
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise OnbrandError("is no regular file; only those can be published", path=path)
        file = path.open("rb")
    except OSError as error:
        raise OnbrandError(f"cannot be read ({error.strerror or error})", path=path) from None
    with file:
        left = size = os.fstat(file.fileno()).st_size
        out.write(_header(name, size))
        while data := file.read(_CHUNK):
            digest.update(data)
            out.write(data)
            left -= len(data)
    if left:
        raise OnbrandError("changed while it was packed; publish again", path=path)
    out.write(bytes(_padding(size)))
    return BundleFile(size, digest.hexdigest())


def unpack(archive: Path, package: Package, folder: Path) -> None:
    """Unpack ``archive`` into the new folder ``folder``, if it matches the index exactly.

    Size and SHA-256 are checked first, on the open file that is read afterwards. The content is
    compared while it is expanded, so that at most a chunk more than the index says is expanded, and
    no file name is taken from the archive. Files and folder are on disk (fsync) on return.

    Args:
        archive: the fetched file.
        package: its entry in a checked index (`onbrand_releases.index.read_index`).
        folder: for the files; must not exist.

    Raises:
        OnbrandError: the archive does not match the index, or the folder cannot be written; the
            folder does not exist then.
    """
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        with _opened(archive) as file:
            _check_archive(file, package, archive)
            stream = _Inflated(file, archive)
            for name in sorted(package.files):
                stream.expect(_header(name, package.files[name].size))
                _write_file(stream, package.files[name], folder / name)
            stream.expect(_END)
            stream.expect_end()
        sync_folder(folder)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise _unwritable(folder, error) from None
        raise


def check_archive(archive: Path, package: Package) -> None:
    """Check the size and the SHA-256 of an archive against the index.

    Raises:
        OnbrandError: one differs, or the file cannot be read.
    """
    with _opened(archive) as file:
        _check_archive(file, package, archive)


def _opened(archive: Path) -> BufferedReader:
    try:
        return archive.open("rb")
    except OSError as error:
        raise OnbrandError(f"cannot be read ({error.strerror or error})", path=archive) from None


def _check_archive(file: BufferedReader, package: Package, archive: Path) -> None:
    size = os.fstat(file.fileno()).st_size
    if size != package.size:
        raise OnbrandError(
            f"has {size:,} bytes but the index says {package.size:,}; {_AGAIN}", path=archive
        )
    if hashlib.file_digest(file, "sha256").hexdigest() != package.sha256:
        raise OnbrandError(f"checksum does not match the index; {_AGAIN}", path=archive)
    file.seek(0)


def _write_file(stream: _Inflated, expected: BundleFile, path: Path) -> None:
    digest = hashlib.sha256()
    with path.open("xb") as out:
        left = expected.size
        while left:
            data = stream.read(min(left, _CHUNK))
            digest.update(data)
            out.write(data)
            left -= len(data)
        out.flush()
        os.fsync(out.fileno())
    path.chmod(0o644)
    if digest.hexdigest() != expected.sha256:
        raise stream.refusal(f"holds a {path.name} with another checksum")
    stream.expect(bytes(_padding(expected.size)))


class _Inflated:
    """Reads a gzip file, with at most a chunk of its content in memory."""

    def __init__(self, file: BufferedReader, archive: Path) -> None:
        self._file = file
        self._archive = archive
        self._inflate = zlib.decompressobj(wbits=31)

    def read(self, most: int) -> bytes:
        """Return 1 to ``most`` bytes."""
        while not self._inflate.eof:
            raw = self._inflate.unconsumed_tail or self._file.read(_CHUNK)
            try:
                data = self._inflate.decompress(raw, most)
            except zlib.error:
                raise self.refusal("is no gzip file, or a damaged one") from None
            if data:
                return data
            if not raw:
                break
        raise self.refusal("ends too early")

    def expect(self, data: bytes) -> None:
        """Read the next bytes, which must equal ``data``."""
        while data:
            found = self.read(len(data))
            if not data.startswith(found):
                raise self.refusal("is not packed as onbrand packs")
            data = data[len(found) :]

    def expect_end(self) -> None:
        """Check that the content ends here, and the file with it."""
        while not self._inflate.eof:
            raw = self._inflate.unconsumed_tail or self._file.read(_CHUNK)
            try:
                more = self._inflate.decompress(raw, 1)
            except zlib.error:
                raise self.refusal("is damaged at its end") from None
            if more:
                raise self.refusal("holds more than the index says")
            if not raw:
                raise self.refusal("ends too early")
        if self._inflate.unused_data or self._file.read(1):
            raise self.refusal("goes on behind its end")

    def refusal(self, problem: str) -> OnbrandError:
        return OnbrandError(
            f"{problem}; do not use this release, ask who publishes it", path=self._archive
        )


def _header(name: str, size: int) -> bytes:
    """Return the header block of a regular file, 512 bytes."""
    entry = tarfile.TarInfo(name)
    entry.size = size
    entry.mode = 0o644
    return entry.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")


def _padding(size: int) -> int:
    return -size % _BLOCK


def _unwritable(path: Path, error: OSError) -> OnbrandError:
    reason = error.strerror or str(error)
    return OnbrandError(
        f"cannot be written ({reason}); nothing was left there, name another place", path=path
    )
