"""What goes into a release: encoder bundles and voices, checked before anybody gets them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from onbrand.encoder import EncoderManifest, default_bundle, read_manifest
from onbrand.encoder.bundle import MANIFEST as BUNDLE_MANIFEST
from onbrand.encoder.bundle import BundleFile
from onbrand.errors import OnbrandError
from onbrand.files import sha256_file
from onbrand.labels.keys import check_brand
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand.voice.library import find_voices
from onbrand.voice.model import EncoderReference
from onbrand.voice.storage import EXAMPLES, load_voice, save_voice
from onbrand.voice.storage import MANIFEST as VOICE_MANIFEST
from onbrand_releases.index import ENCODERS, VOICES, Word


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
    """What is in the folder and belongs to it."""

    @property
    def has_examples(self) -> bool:
        """Whether a voice holds the lines that it was trained on."""
        return self.kind == VOICES and EXAMPLES in self.files


def collect(
    encoders: Sequence[Path],
    voices: Sequence[Path],
    *,
    aside: Path | None = None,
    progress: Progress = silent,
) -> list[Content]:
    """Return what is to be published after checking that it can be used.

    Args:
        encoders: bundles; each must pass ``onbrand models verify``.
        voices: folders of voices, or voices' own; each must load, and its encoder must be one of
            the bundles or the one that ships with onbrand.
        aside: a folder to be made for copies of the voices that lack their example lines; without
            it voices are published as they are.
        progress: told what is being checked.

    Raises:
        OnbrandError: there is nothing, a name comes twice or cannot name a folder, or something is
            damaged, bad or does not fit.
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
    files = _measure(folder, [BUNDLE_MANIFEST, *manifest.files])
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
    files = _measure(folder, [VOICE_MANIFEST, *voice.manifest.files])
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


def _measure(folder: Path, names: Iterable[str]) -> dict[str, BundleFile]:
    files = {}
    for name in names:
        path = folder / name
        try:
            files[name] = BundleFile(path.stat().st_size, sha256_file(path))
        except OSError as error:
            raise OnbrandError(f"cannot be read ({error.strerror or error})", path=path) from None
    return files


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
