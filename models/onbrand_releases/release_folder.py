"""The publisher's folder of a release: reads it, checks new contents, and removes old archives.

Besides the index and the archives (see `onbrand_releases.index`) it holds files for the next
publication::

    history/6.json      the index of the previous release
    .new/               work of a publication in progress
    .lock               held during a publication

Archives are named after their content and never change, and the index is replaced last and
atomically, so that laptops always see the old release or the new one. The archives of the releases
in ``history/`` stay for laptops that have read an old index and are still fetching.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from onbrand.encoder import EncoderManifest, default_bundle, read_manifest
from onbrand.encoder.bundle import MANIFEST as BUNDLE_MANIFEST
from onbrand.encoder.bundle import BundleFile
from onbrand.errors import OnbrandError, missing_extra
from onbrand.files import write_atomic
from onbrand.labels.normalization import check_brand
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand.voice.model import EncoderReference
from onbrand.voice.storage import EXAMPLES, find_voices, load_voice, save_voice
from onbrand.voice.storage import MANIFEST as VOICE_MANIFEST
from onbrand_models.bundle_writer import bundle_files
from onbrand_releases.index import (
    ENCODERS,
    INDEX,
    MAX_INDEX_BYTES,
    VOICES,
    Index,
    Word,
    encode,
    is_archive,
    read_index,
    signers,
)


@dataclass(frozen=True)
class Content:
    """A voice or an encoder bundle to be published."""

    kind: str
    """``voices`` or ``encoders``."""
    name: str
    version: str
    encoder: str
    """Fingerprint of the encoder: its own, or the one that the voice was trained on."""
    folder: Path
    files: dict[str, BundleFile]
    """Its files in the folder."""

    @property
    def has_examples(self) -> bool:
        """Whether it is a voice with its training lines."""
        return self.kind == VOICES and EXAMPLES in self.files


def collect(
    encoders: Sequence[Path],
    voices: Sequence[Path],
    *,
    aside: Path | None = None,
    progress: Progress = silent,
) -> list[Content]:
    """Check bundles and voices, and return them as contents of a release.

    Args:
        encoders: bundles; each must pass ``onbrand models verify``.
        voices: folders with voices, or of single voices; each must load, and its encoder must be
            one of the bundles or the one that ships with onbrand.
        aside: new folder for copies of the voices without their example lines; if None, voices are
            published as they are.
        progress: receives the name of what is checked.

    Raises:
        OnbrandError: there is nothing to publish, a name is a duplicate or cannot name a folder, or
            a check fails.
    """
    found = [_bundle(folder, progress) for folder in encoders]
    known = {content.encoder for content in found} | {_own_fingerprint()}
    for folder in voices:
        places = find_voices([folder]).values()
        found += [_voice(place, known, aside, progress) for place in places]
    if not found:
        raise OnbrandError(
            "nothing to publish; name bundles with --encoder, folders of voices with --voices"
        )
    _refuse_twins(found)
    return found


def _bundle(folder: Path, progress: Progress) -> Content:
    manifest = read_manifest(folder)
    progress(ProgressEvent("verifying", message=manifest.name))
    _check_name(manifest, folder)
    files = bundle_files(folder, [BUNDLE_MANIFEST, *manifest.files])
    _verify(folder)
    fingerprint = manifest.fingerprint
    return Content(ENCODERS, manifest.name, fingerprint[:12], fingerprint, folder, files)


def _check_name(manifest: EncoderManifest, folder: Path) -> None:
    try:
        good = check_brand(manifest.name) == manifest.name
    except OnbrandError:
        good = False
    if not good:
        raise OnbrandError(
            f"its name, {manifest.name!r}, cannot name a folder; export it again with --name",
            path=folder,
        )


def _verify(folder: Path) -> None:
    from onbrand_models.verify import verify_bundle

    for check in verify_bundle(folder):
        if not check.passed:
            detail = " ".join(check.detail.split())
            raise OnbrandError(
                f"fails onbrand models verify ({check.name}: {detail}); nothing was published",
                path=folder,
            )


def _voice(folder: Path, known: Collection[str], aside: Path | None, progress: Progress) -> Content:
    voice = load_voice(folder)
    brand = check_brand(voice.brand, path=folder / VOICE_MANIFEST)
    progress(ProgressEvent("checking", message=brand))
    _check_encoder(brand, voice.manifest.encoder, folder, known)
    if aside is not None:
        report = msgspec.structs.replace(voice.manifest.report, doubtful=())
        manifest = msgspec.structs.replace(voice.manifest, report=report)
        examples = replace(voice.examples, texts=(), sources=())
        folder = aside / brand
        voice = save_voice(replace(voice, manifest=manifest, examples=examples), folder)
    files = bundle_files(folder, [VOICE_MANIFEST, *voice.manifest.files])
    version = _version(voice.manifest.created, folder)
    return Content(VOICES, brand, version, voice.manifest.encoder.fingerprint, folder, files)


def _version(created: str, folder: Path) -> str:
    try:
        return msgspec.convert(created, Word)
    except msgspec.ValidationError:
        raise OnbrandError(
            "says in voice.json that it was created at no time; train the voice again", path=folder
        ) from None


def _check_encoder(
    brand: str, wanted: EncoderReference, folder: Path, known: Collection[str]
) -> None:
    if wanted.fingerprint not in known:
        raise OnbrandError(
            f"voice {brand!r} was trained on encoder {wanted.name} ({wanted.fingerprint[:12]}), "
            "which is not in the release; add its bundle with --encoder, or train the voice again",
            path=folder,
        )


def _own_fingerprint() -> str:
    return read_manifest(default_bundle()).fingerprint


def _refuse_twins(contents: Sequence[Content]) -> None:
    seen: dict[tuple[str, str], Path] = {}
    for content in contents:
        key = (content.kind, content.name.casefold())
        if key in seen:
            raise OnbrandError(
                f"is named {content.name!r} like {seen[key]}; a release holds one of a name",
                path=content.folder,
            )
        seen[key] = content.folder


NEW = ".new"
"""Folder of a publication in progress."""
_HISTORY = "history"
_LOCK = ".lock"
_OLD_INDEX = re.compile(r"[1-9][0-9]{0,15}\.json")


def read_release(folder: Path, keys: Collection[str]) -> Index | None:
    """Return the index of the release in ``folder``; None if the folder can take a first release.

    Raises:
        OnbrandError: the folder holds something else, or a release that none of these public keys
            (64 hexadecimal digits each) has signed.
    """
    path = folder / INDEX
    if not path.exists():
        stranger = _stranger(folder)
        if stranger is not None:
            raise OnbrandError(
                f"holds {stranger}, which is no part of a release; name a new folder", path=folder
            )
        return None
    data = _read(path)
    try:
        return read_index(data, keys, source=str(path))
    except OnbrandError as error:
        reason = error.message.partition(";")[0]
        advice = "bring back the one that was published, or publish to another folder"
        if not signers(data).issubset(keys):
            advice = (
                "publish with the key of the releases here, or name it with --previous-key "
                "if a new one takes its place"
            )
        raise OnbrandError(f"{reason}; {advice}", path=path) from None


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the folder against other publications; remove a new one that ends without an index."""
    try:
        from filelock import FileLock, Timeout
    except ImportError:
        raise missing_extra("publishing", "update") from None
    created = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK, timeout=0)
        lock.acquire()
    except Timeout:
        raise OnbrandError("somebody else is publishing here; try again", path=folder) from None
    except OSError as error:
        raise unwritable(folder, error) from None
    try:
        yield
    finally:
        lock.release()
        if created and not (folder / INDEX).exists():
            shutil.rmtree(folder, ignore_errors=True)


def replace_index(folder: Path, index: Index, before: Index | None) -> None:
    """Make ``index`` the release, whose archives must be in place; keep the previous index."""
    if before is not None:
        write_atomic(folder / _HISTORY / f"{before.release}.json", _read(folder / INDEX))
    write_atomic(folder / INDEX, encode(index))


def remove_old(folder: Path, index: Index, keep: int) -> list[Index]:
    """Remove the archives that no kept release needs, and remains of killed publications.

    Failures are ignored, as the new release is complete.

    Returns:
        The indexes of earlier releases whose archives stay.
    """
    kept: list[Index] = []
    needed = archives_of(index)
    old = [path for path in (folder / _HISTORY).glob("*.json") if _OLD_INDEX.fullmatch(path.name)]
    old.sort(key=lambda path: int(path.stem), reverse=True)
    for path in old[: keep - 1]:
        with contextlib.suppress(OnbrandError):
            # Any signer will do, say an old key: the index only decides which archives stay.
            data = _read(path)
            kept.append(read_index(data, signers(data)))
            needed |= archives_of(kept[-1])
    stale = [*old[keep - 1 :], *folder.glob(".*.tmp"), *(folder / _HISTORY).glob(".*.tmp")]
    for kind in (VOICES, ENCODERS):
        for path in (folder / kind).iterdir():
            relative = f"{kind}/{path.name}"
            if is_archive(relative) and relative not in needed:
                stale.append(path)
    for path in stale:
        with contextlib.suppress(OSError):
            path.unlink()
    return kept


def archives_of(index: Index) -> set[str]:
    """Return the paths of a release's archives."""
    return {package.archive for package in (*index.voices, *index.encoders)}


def unwritable(folder: Path, error: OSError) -> OnbrandError:
    """Return the error for a release's folder that cannot be written."""
    return OnbrandError(
        f"cannot be written ({error.strerror or error}); the release is as it was", path=folder
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_INDEX_BYTES + 1)
    except OSError as error:
        raise OnbrandError(f"cannot be read ({error.strerror or error})", path=path) from None


def _stranger(folder: Path) -> str | None:
    """Return an entry of a folder without index that no publication has left; None if all are."""
    if not folder.exists():
        return None
    try:
        for entry in sorted(folder.iterdir()):
            if entry.name in (VOICES, ENCODERS) and entry.is_dir():
                for inside in sorted(entry.iterdir()):
                    if not is_archive(f"{entry.name}/{inside.name}"):
                        return f"{entry.name}/{inside.name}"
            elif entry.name not in (NEW, _LOCK) and not entry.match(f".{INDEX}.*.tmp"):
                return entry.name
    except OSError as error:
        raise OnbrandError(
            f"cannot be read ({error.strerror or error}); name a folder", path=folder
        ) from None
    return None
