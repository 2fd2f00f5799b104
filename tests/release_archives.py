"""Archives that a publisher's stolen key could vouch for: hostile, and truly described."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from onbrand.encoder.bundle import BundleFile
from onbrand_releases.index import Package

CONTENTS = {"head.safetensors": b"weights" * 200, "voice.json": b'{"brand": "acme"}\n'}
"""What the archives of these tests are said to hold."""


def described(contents: Mapping[str, bytes]) -> dict[str, BundleFile]:
    return {
        name: BundleFile(len(data), hashlib.sha256(data).hexdigest())
        for name, data in contents.items()
    }


def promise(archive: bytes, contents: Mapping[str, bytes] = CONTENTS) -> Package:
    """Return an index's entry for an archive that is said to hold ``contents``."""
    return Package(
        name="acme",
        version="1",
        encoder="0" * 64,
        archive="voices/acme.tar.gz",
        size=max(1, len(archive)),
        sha256=hashlib.sha256(archive).hexdigest(),
        files=described(contents),
    )


def entry(name: str, **fields: object) -> tarfile.TarInfo:
    """Return a member as `pack` writes it, but for ``fields``."""
    member = tarfile.TarInfo(name)
    member.mode = 0o644
    for field, value in fields.items():
        setattr(member, field, value)
    return member


def tar(
    *members: tuple[tarfile.TarInfo, bytes],
    form: int = tarfile.USTAR_FORMAT,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return a tar of these members with two blocks at its end."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, pax_headers=headers or {}) as file:
        for member, data in members:
            if member.isreg() and not member.size:
                member.size = len(data)
            file.addfile(member, io.BytesIO(data))
        end = out.tell()
    return out.getvalue()[:end] + bytes(1024)


def honest() -> list[tuple[tarfile.TarInfo, bytes]]:
    """Return the members that the archive should have."""
    return [(entry(name), data) for name, data in sorted(CONTENTS.items())]


def squeeze(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def everything_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


FIRST, SECOND = honest()
_HEAD = FIRST[0].name


def _instead(**fields: object) -> bytes:
    """Return a tar whose first member has these fields and no content."""
    return tar((entry(_HEAD, **fields), b""), SECOND)


def _pax(**headers: str) -> bytes:
    """Return a tar whose first member has an extended header."""
    member = entry(_HEAD, pax_headers=headers)
    return tar((member, FIRST[1]), SECOND, form=tarfile.PAX_FORMAT)


STRUCTURE = {
    "a path upwards": tar(FIRST, (entry("../voice.json"), SECOND[1])),
    "an absolute path": tar(FIRST, (entry("/voice.json"), SECOND[1])),
    "a path into a folder": tar(FIRST, (entry("x/voice.json"), SECOND[1])),
    "a path from here": tar(FIRST, (entry("./voice.json"), SECOND[1])),
    "a path of Windows": tar(FIRST, (entry("..\\voice.json"), SECOND[1])),
    "a symbolic link": _instead(type=tarfile.SYMTYPE, linkname=SECOND[0].name),
    "a hard link": _instead(type=tarfile.LNKTYPE, linkname=SECOND[0].name),
    "a link first": tar((entry(_HEAD, type=tarfile.SYMTYPE, linkname="x"), b""), *honest()),
    "a device": _instead(type=tarfile.CHRTYPE, devmajor=1),
    "a block device": _instead(type=tarfile.BLKTYPE, devmajor=8),
    "a pipe": _instead(type=tarfile.FIFOTYPE),
    "a folder": _instead(type=tarfile.DIRTYPE),
    "a folder before": tar((entry("x", type=tarfile.DIRTYPE), b""), *honest()),
    "an old kind of file": tar((entry(_HEAD, type=tarfile.AREGTYPE), FIRST[1]), SECOND),
    "a kept kind of file": tar((entry(_HEAD, type=tarfile.CONTTYPE), FIRST[1]), SECOND),
    "a sparse file": tar((entry(_HEAD, type=tarfile.GNUTYPE_SPARSE), FIRST[1]), SECOND),
    "one file twice": tar(FIRST, FIRST, SECOND),
    "one file too many": tar(*honest(), (entry("x"), b"more")),
    "one file too few": tar(FIRST),
    "another order": tar(SECOND, FIRST),
    "another case": tar((entry(_HEAD.upper()), FIRST[1]), SECOND),
    "a program": tar((entry(_HEAD, mode=0o4755), FIRST[1]), SECOND),
    "an owner": tar((entry(_HEAD, uid=1000, uname="eve"), FIRST[1]), SECOND),
    "a time": tar((entry(_HEAD, mtime=1), FIRST[1]), SECOND),
    "a long name": tar((entry("x" * 200), b""), *honest(), form=tarfile.GNU_FORMAT),
    "a PAX comment": _pax(comment="x"),
    "a PAX path": _pax(path="../x"),
    "a PAX size": _pax(size="1"),
    "a sparse PAX file": _pax(**{"GNU.sparse.major": "1", "GNU.sparse.realsize": "9"}),
    "PAX for all": tar(*honest(), form=tarfile.PAX_FORMAT, headers={"path": "../x"}),
    "GNU's magic": tar(*honest(), form=tarfile.GNU_FORMAT),
    "a shorter file": tar((entry(_HEAD), FIRST[1][:-1]), SECOND),
    "a longer file": tar((entry(_HEAD), FIRST[1] + b"x"), SECOND),
    "a longer file behind a block": tar((entry(_HEAD), FIRST[1] + bytes(512)), SECOND),
    "other padding": tar(*honest()).replace(SECOND[1] + b"\0", SECOND[1] + b"\1"),
    "one block at the end": tar(*honest())[:-512],
    "no block at the end": tar(*honest())[:-1024],
    "three blocks at the end": tar(*honest()) + bytes(512),
    "a full record": tar(*honest()) + bytes(10240 - len(tar(*honest()))),
    "another tar behind": tar(*honest()) + tar(*honest()),
    "nothing": b"",
}
"""Tars that are not what `CONTENTS` says, by what is wrong with them."""
