"""Finding and loading voices: a folder that is one, or a folder of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

from onbrand.errors import OnbrandError
from onbrand.voice.model import Manifest, Voice
from onbrand.voice.storage import is_voice, load_manifest, load_voice


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
