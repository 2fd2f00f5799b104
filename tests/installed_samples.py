"""Installations laid out by hand: releases side by side, and the pointer that switches."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from release_samples import tiny_voice
from tiny_encoder import tiny_encoder

from onbrand.encoder.bundle import MANIFEST as BUNDLE
from onbrand.encoder.bundle import default_bundle, read_manifest
from onbrand.installation import (
    ENCODERS,
    VOICES,
    Installed,
    release_folder,
    write_installed,
)
from onbrand.voice.storage import MANIFEST
from onbrand_releases.index import INDEX

SOURCE = "https://voices.example.com/index.json"
TINY = {"acme": 0, "beta": 0}


def name_of(number: int) -> str:
    """Return what the folder of a release is called."""
    return f"{number}-{number:012x}"


def tiny_release(
    root: Path, number: int, voices: Mapping[str, int] = TINY, *, encoder: int = 0
) -> Path:
    """Put a release of voices and an encoder of a few kilobytes in place, and return its folder.

    Args:
        root: the installation.
        number: of the release.
        voices: a number for each brand; with another number the voice is another one.
        encoder: the same for the encoder.
    """
    folder = release_folder(root, name_of(number))
    manifest = tiny_encoder(folder / ENCODERS / "tiny", encoder)
    for brand, seed in voices.items():
        tiny_voice(folder / VOICES / brand, brand, manifest, seed)
    (folder / INDEX).write_text("{}")
    return folder


def example_release(
    root: Path, number: int, voices: Path, *, threshold: float, max_tokens: int | None = None
) -> Path:
    """Put a release of voices in place that judge anew, and return its folder.

    Args:
        root: the installation.
        number: of the release.
        voices: a folder of voices on the bundled encoder.
        threshold: theirs now; 0 flags nothing.
        max_tokens: have them on an encoder of their own that cuts sentences there.
    """
    folder = release_folder(root, name_of(number))
    shutil.copytree(voices, folder / VOICES)
    (folder / ENCODERS).mkdir()
    changes: dict[str, object] = {"threshold": threshold}
    if max_tokens is not None:
        bundle = folder / ENCODERS / "short"
        shutil.copytree(default_bundle(), bundle, copy_function=os.link)
        _edit(bundle / BUNDLE, max_tokens=max_tokens)
        changes["encoder"] = {
            "name": "short",
            "fingerprint": read_manifest(bundle).fingerprint,
            "dimensions": read_manifest(bundle).dim,
        }
        changes["registers"] = None  # onbrand brings them for its own encoder alone
    for manifest in folder.glob(f"{VOICES}/*/{MANIFEST}"):
        _edit(manifest, **changes)
    (folder / INDEX).write_text("{}")
    return folder


def switch(root: Path, number: int, previous: int | None = None) -> None:
    """Make a release the current one, as an update or a rollback does."""
    write_installed(
        root,
        Installed(
            source=SOURCE,
            name="agency",
            keys=("0" * 64,),
            highest=max(number, previous or 0),
            current=name_of(number),
            previous=None if previous is None else name_of(previous),
        ),
    )


def _edit(file: Path, **changes: object) -> None:
    content = json.loads(file.read_bytes())
    file.unlink()  # it may be a link
    file.write_text(json.dumps(content | changes))
