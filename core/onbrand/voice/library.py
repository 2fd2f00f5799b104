"""Finding and loading voices: a folder that is one, a folder of them, or an installation.

An installation may switch to another release at any moment. Whoever reads more than one thing of it
does so within `read_current`, which says once where everything is.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from onbrand.encoder.bundle import MANIFEST as BUNDLE
from onbrand.encoder.bundle import read_manifest
from onbrand.errors import OnbrandError
from onbrand.installation import ENCODERS, RELEASES, VOICES, holder_of, voices_of
from onbrand.stamps import Stamp, stamp
from onbrand.verdict import is_brand
from onbrand.voice.model import Manifest, Voice
from onbrand.voice.storage import (
    EXAMPLES,
    HEAD,
    MANIFEST,
    is_voice,
    load_manifest,
    load_voice,
    mend,
)

if TYPE_CHECKING:
    from onbrand.encoder import Encoder, EncoderManifest

T = TypeVar("T")
DEFAULT_VOICES = Path("voices")
"""The folder of voices where nothing names another."""
_TRAIN = "train one with onbrand train"


def read_current(folders: Iterable[Path], read: Callable[[Sequence[Path]], T]) -> T:
    """Return what ``read`` makes of the folders, all of it from one release of each installation.

    Args:
        folders: folders of voices, voices' own folders, or installations.
        read: gets the same folders, but the current release's voices for an installation. It is
            called again when a release was taken away while it read.

    Raises:
        OnbrandError: what ``read`` raises.
    """
    folders = tuple(folders)
    while True:
        places = _places(folders)
        try:
            result = read(places)
        except (OnbrandError, OSError):
            if _places(folders) == places:
                raise
        else:
            if _places(folders) == places or all(map(_is_kept, places)):
                return result


def encoder_for(folders: Iterable[Path], brands: Iterable[str] | None = None) -> Path | None:
    """Return the bundle that an installed release brings for its voices.

    None: the voices need none but the one that ships with onbrand, or one that nobody brings. Where
    they need different ones, it is the one that most of them need.

    Args:
        folders: folders of voices, voices' own folders, or installations.
        brands: whose voices are to be judged by; all by default.

    Raises:
        OnbrandError: a bundle is damaged.
    """
    places = _places(folders)
    bundles = {read_manifest(bundle).fingerprint: bundle for bundle in _bundles(places)}
    if not bundles:
        return None
    needed: dict[str, str] = {}
    for candidate in (voice for place in places for voice in _voices_in(place)):
        with suppress(OnbrandError, OSError):  # whoever loads it learns of it
            manifest = load_manifest(candidate)
            needed.setdefault(manifest.brand, manifest.encoder.fingerprint)
    wanted = Counter(needed[brand] for brand in brands or needed if brand in needed)
    most = wanted.most_common(1)
    return bundles.get(most[0][0]) if most else None


def find_voices(folders: Iterable[Path]) -> dict[str, Path]:
    """Return the folder of each brand's voice, by name; a brand named twice keeps its first folder.

    Raises:
        OnbrandError: a folder is missing, or none holds a voice.
    """
    found: dict[str, Path] = {}
    looked = [voices_of(folder) or folder for folder in folders]
    for folder in looked:
        if not folder.is_dir():
            raise OnbrandError(f"no such folder of voices; {_mend(folder)}", path=folder)
        candidates = [folder] if is_voice(folder) else sorted(folder.iterdir())
        for candidate in candidates:
            if not candidate.name.startswith(".") and is_voice(candidate):
                found.setdefault(load_manifest(candidate).brand, candidate)
    if not found:
        where = ", ".join(str(folder) for folder in looked) or "no folder was named"
        mends = dict.fromkeys(map(_mend, looked)) or [_TRAIN]
        raise OnbrandError(f"no voices found ({where}); {', or '.join(mends)}")
    return found


def list_manifests(folders: Iterable[Path]) -> list[tuple[Path, Manifest]]:
    """Return every voice's folder and manifest without reading its head."""

    def read(places: Sequence[Path]) -> list[tuple[Path, Manifest]]:
        return [(folder, load_manifest(folder)) for folder in find_voices(places).values()]

    return read_current(folders, read)


def load_voices(folders: Iterable[Path], brands: Sequence[str] | None = None) -> list[Voice]:
    """Load the voices of ``brands``, or all of them.

    Raises:
        OnbrandError: a brand is unknown (the nearest known name is offered), or a voice is damaged.
    """
    found = find_voices(folders)
    for brand in brands or ():
        if brand not in found:
            raise unknown_brand(brand, found)
    return [load_voice(found[brand]) for brand in (brands or found)]


def load_sound_voices(
    folders: Iterable[Path], fingerprint: str, before: Iterable[Voice] = ()
) -> tuple[list[Voice], list[str]]:
    """Load the voices that can be loaded, for programs that run on when one is damaged.

    Args:
        folders: folders of voices, voices' own folders, or installations.
        fingerprint: of the encoder; voices that were trained on another are left out.
        before: what was loaded the last time: of a voice that is damaged now, this stays.

    Returns:
        The voices, and in one line each why others could not be loaded.
    """
    known = {voice.folder: voice for voice in before}
    voices: dict[str, Voice] = {}
    problems: list[str] = []
    for folder in folders:
        try:
            place = voices_of(folder) or folder
            candidates = _voices_in(place)
        except (OnbrandError, OSError) as error:
            problems.append(str(error))
            continue
        if not candidates:
            problems.append(f"{folder}: no voices here; {_mend(place)}")
        for candidate in candidates:
            try:
                voice = load_voice(candidate)
                _check_fingerprint(voice, fingerprint)
            except (OnbrandError, OSError) as error:
                problems.append(str(error))
                old = known.get(candidate)
                if old is None or old.manifest.encoder.fingerprint != fingerprint:
                    continue
                voice = old
            voices.setdefault(voice.brand, voice)
    return list(voices.values()), problems


def stamp_voices(folders: Iterable[Path]) -> Stamp:
    """Return what changes when a file of a voice does, or an installation switches to a release.

    Reads folders, but of files only ``installed.json``. A switch shows in the release's own name:
    two of them may well lie within one tick of the file system's clock.
    """
    places = [place for folder in _places(folders) for place in (folder, *_inside(folder))]
    files = (MANIFEST, HEAD, EXAMPLES)
    return stamp(path for place in places for path in (place, *(place / name for name in files)))


def unknown_brand(
    brand: str, known: Iterable[str], *, path: str | None = None, line: int | None = None
) -> OnbrandError:
    """Return the error for a brand without a voice, asked for in a line of ``path``."""
    names = sorted(filter(is_brand, known))
    near = difflib.get_close_matches(brand.lower(), [name.lower() for name in names], 1, 0.5)
    hint = next((f"; did you mean {name!r}?" for name in names if near == [name.lower()]), "")
    listed = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
    message = f"no voice for brand {brand!r}{hint} (known: {listed or 'none'})"
    return OnbrandError(message, path=path, line=line)


def _places(folders: Iterable[Path]) -> tuple[Path, ...]:
    """Put the current release's voices in the place of each installation."""
    return tuple(map(_place, folders))


def _place(folder: Path) -> Path:
    try:
        return voices_of(folder) or folder
    except (OnbrandError, OSError):  # whoever loads it learns of it
        return folder


def _is_kept(place: Path) -> bool:
    """Tell whether a release is still there in full: the current and the one before it are."""
    held = holder_of(place / MANIFEST)
    return held is None or place.parent.name in (held[1].current, held[1].previous)


def _bundles(places: Iterable[Path]) -> list[Path]:
    releases = [place.parent for place in places if place.name == VOICES]
    found = [r.glob(f"{ENCODERS}/*/{BUNDLE}") for r in releases if r.parent.name == RELEASES]
    return sorted(manifest.parent for manifests in found for manifest in manifests)


def _mend(folder: Path) -> str:
    """Return what puts voices into a folder of voices."""
    return mend(folder / MANIFEST, _TRAIN)


def _check_fingerprint(voice: Voice, fingerprint: str) -> None:
    wanted = voice.manifest.encoder
    if wanted.fingerprint != fingerprint:
        raise OnbrandError(
            f"voice {voice.brand!r} was trained on another encoder ({wanted.name}, "
            f"{wanted.fingerprint[:12]}); train it again or name its encoder",
            path=voice.folder,
        )


def check_encoder(
    voices: Iterable[Voice],
    encoder: Encoder | EncoderManifest,
    *,
    what: str = "this",
    advice: str = "train it again or name its encoder",
) -> None:
    """Check that voices were trained on an encoder.

    Args:
        voices: the voices.
        encoder: the encoder, or what its bundle says of it.
        what: how errors call it.
        advice: what to do about a voice that was not.

    Raises:
        OnbrandError: a voice was trained on another encoder.
    """
    for voice in voices:
        wanted = voice.manifest.encoder
        if wanted.fingerprint != encoder.fingerprint:
            raise OnbrandError(
                f"voice {voice.brand!r} was trained on encoder {wanted.name} "
                f"({wanted.fingerprint[:12]}), {what} is {encoder.name} "
                f"({encoder.fingerprint[:12]}); {advice}",
                path=voice.folder,
            )


def _voices_in(folder: Path) -> list[Path]:
    if _may_be_voice(folder):
        return [folder]
    return [place for place in _inside(folder) if _may_be_voice(place)]


def _may_be_voice(place: Path) -> bool:
    try:
        return is_voice(place)
    except PermissionError:  # whoever loads it learns why it cannot be
        return True


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(place for place in folder.iterdir() if not place.name.startswith("."))
    except OSError:
        return []
