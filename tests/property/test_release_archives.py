"""Whatever an archive holds, what is unpacked is what the index promises, or nothing."""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st
from release_archives import (
    CONTENTS,
    entry,
    everything_in,
    honest,
    promise,
    squeeze,
    tar,
)

from onbrand.errors import OnbrandError
from onbrand_releases.archive import pack, unpack

PLAIN = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
# Names that differ in case are one file on some systems; the index has none of them.
FILES = st.dictionaries(PLAIN, st.binary(max_size=3000), min_size=1, max_size=6).filter(
    lambda files: len({name.casefold() for name in files}) == len(files)
)
NAMES = st.one_of(
    st.sampled_from(
        [
            *CONTENTS,
            *("../voice.json", "/tmp/voice.json", "./voice.json", "x/../voice.json", "..", "/", ""),
            *("VOICE.JSON", "voice.json/", "x\\voice.json", "C:voice.json", "PaxHeader/voice.json"),
        ]
    ),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=120),
)
KINDS = st.sampled_from(
    [
        *(tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE),
        *(tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE),
        *(tarfile.GNUTYPE_SPARSE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE),
    ]
)
PAX = st.dictionaries(
    st.sampled_from(["path", "linkpath", "size", "uid", "comment", "GNU.sparse.map", "charset"]),
    st.sampled_from(["../x", "/etc/passwd", "1", "99999999999", "0,1,2,3"]),
    max_size=2,
)
MEMBERS = st.lists(
    st.tuples(
        st.builds(
            entry,
            NAMES,
            type=KINDS,
            mode=st.sampled_from([0o644, 0o755, 0o4777]),
            uid=st.sampled_from([0, 1000]),
            linkname=NAMES,
            pax_headers=PAX,
        ),
        st.sampled_from([*CONTENTS.values(), b"", b"x", bytes(512)]),
    ),
    max_size=4,
)


def unpacked(archive: bytes) -> dict[str, bytes] | None:
    """Return what is unpacked of an archive that is said to hold `CONTENTS`; None if nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "fetched").write_bytes(archive)
        try:
            unpack(folder / "fetched", promise(archive), folder / "new")
        except OnbrandError:
            assert [path.name for path in folder.rglob("*")] == ["fetched"]
            return None
        assert {path.name for path in folder.iterdir()} == {"fetched", "new"}
        return everything_in(folder / "new")


@given(FILES)
def test_any_files_are_packed_and_unpacked(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        for file, data in files.items():
            (folder / "in" / file).write_bytes(data)
        pack(folder / "in", files, folder / "first")
        pack(folder / "in", list(files)[::-1], folder / "second")
        archive = (folder / "first").read_bytes()
        assert archive == (folder / "second").read_bytes()
        with tarfile.open(folder / "first", "r:gz") as other:
            assert other.getnames() == sorted(files)
        unpack(folder / "first", promise(archive, files), folder / "out")
        assert everything_in(folder / "out") == files


@given(
    MEMBERS,
    st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.booleans(),
)
def test_hostile_members_are_refused(
    members: list[tuple[tarfile.TarInfo, bytes]], form: int, before: bool
) -> None:
    every = [*members, *honest()] if before else [*honest(), *members]
    try:
        data = tar(*every, form=form)
    except (ValueError, UnicodeError):  # a name that this format cannot hold
        assume(False)
    if data == tar(*honest()):
        assert unpacked(squeeze(data)) == CONTENTS
    else:
        assert unpacked(squeeze(data)) is None


HONEST = tar(*honest())


@given(st.integers(0, len(HONEST) - 1), st.integers(1, 255))
def test_no_byte_of_the_tar_can_differ(place: int, change: int) -> None:
    data = bytearray(HONEST)
    data[place] ^= change
    assert unpacked(squeeze(bytes(data))) is None


GOOD = squeeze(HONEST)


@given(st.data())
def test_a_damaged_stream_gives_what_was_promised_or_nothing(data: st.DataObject) -> None:
    """Even if its checksum is signed: gzip's header has bytes that do not matter."""
    archive = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(archive) - 1))
        archive[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    assert unpacked(bytes(archive)) in (None, CONTENTS)


@given(st.binary(max_size=2000))
def test_any_bytes_are_refused(archive: bytes) -> None:
    assert unpacked(archive) is None
