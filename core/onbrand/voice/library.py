"""Finding and loading voices: a folder that is one, or a folder of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

from onbrand.errors import OnbrandError
from onbrand.stamps import Stamp, stamp
from onbrand.voice.model import Manifest, Voice
from onbrand.voice.storage import EXAMPLES, HEAD, MANIFEST, is_voice, load_manifest, load_voice


def find_voices(folders: Iterable[Path]) -> dict[str, Path]:
    """Return the folder of each brand's voice, by name; a brand named twice keeps its first folder.

    Raises:
        OnbrandError: a folder is missing, or none holds a voice.
    """
    found: dict[str, Path] = {}
    looked = list(folders)
    for folder in looked:
        if not folder.is_dir():
            raise OnbrandError(
                "no such folder of voices; train one with onbrand train", path=folder
            )
        candidates = [folder] if is_voice(folder) else sorted(folder.iterdir())
        for candidate in candidates:
            if not candidate.name.startswith(".") and is_voice(candidate):
                found.setdefault(load_manifest(candidate).brand, candidate)
    if not found:
        where = ", ".join(str(folder) for folder in looked) or "no folder was named"
        raise OnbrandError(f"no voices found ({where}); train one with onbrand train")
    return found


def list_manifests(folders: Iterable[Path]) -> list[tuple[Path, Manifest]]:
    """Return every voice's folder and manifest without reading its head."""
    return [(folder, load_manifest(folder)) for folder in find_voices(folders).values()]


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
        folders: folders of voices, or voices' own folders.
        fingerprint: of the encoder; voices that were trained on another are left out.
        before: what was loaded the last time: of a voice that is damaged now, this stays.

    Returns:
        The voices, and in one line each why others could not be loaded.
    """
    known = {voice.folder: voice for voice in before}
    voices: dict[str, Voice] = {}
    problems: list[str] = []
    for folder in folders:
        candidates = _voices_in(folder)
        if not candidates:
            problems.append(f"{folder}: no voices here; train one with onbrand train")
        for candidate in candidates:
            try:
                voice = load_voice(candidate)
                _check_encoder(voice, fingerprint)
            except (OnbrandError, OSError) as error:
                problems.append(str(error))
                old = known.get(candidate)
                if old is None or old.manifest.encoder.fingerprint != fingerprint:
                    continue
                voice = old
            voices.setdefault(voice.brand, voice)
    return list(voices.values()), problems


def stamp_voices(folders: Iterable[Path]) -> Stamp:
    """Return what changes when a file of a voice does; reads folders, but no file."""
    places = [place for folder in folders for place in (folder, *_inside(folder))]
    files = (MANIFEST, HEAD, EXAMPLES)
    return stamp(path for place in places for path in (place, *(place / name for name in files)))


def unknown_brand(
    brand: str, known: Iterable[str], *, path: str | None = None, line: int | None = None
) -> OnbrandError:
    """Return the error for a brand without a voice, asked for in a line of ``path``."""
    names = sorted(known)
    near = difflib.get_close_matches(brand.lower(), [name.lower() for name in names], 1, 0.5)
    hint = next((f"; did you mean {name!r}?" for name in names if near == [name.lower()]), "")
    listed = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
    message = f"no voice for brand {brand!r}{hint} (known: {listed})"
    return OnbrandError(message, path=path, line=line)


def _check_encoder(voice: Voice, fingerprint: str) -> None:
    wanted = voice.manifest.encoder
    if wanted.fingerprint != fingerprint:
        raise OnbrandError(
            f"voice {voice.brand!r} was trained on another encoder ({wanted.name}, "
            f"{wanted.fingerprint[:12]}); train it again or name its encoder",
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
