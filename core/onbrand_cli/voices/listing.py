"""``onbrand voices list``: the voices, their quality, and the releases they came with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from onbrand_cli.options import Format, Voices, print_json, voice_folders

if TYPE_CHECKING:
    from onbrand.voice.model import Manifest


def list_(voices: Voices = None, form: Format = "text") -> None:
    """List the voices with their quality on held-out lines, and their releases."""
    manifests = find_manifests(voices)
    if form == "json":
        print_json({"version": 1, "voices": [record(*found) for found in manifests]})
        return
    from onbrand_cli.tables import new_console, new_table

    table = new_table("brand", "on + off", "accuracy", "flag below", "gate", "trained")
    for _, manifest in manifests:
        table.add_row(
            manifest.brand,
            f"{manifest.labels.on} + {manifest.labels.off}",
            f"{manifest.report.held_out.accuracy:.1%}",
            f"P {manifest.threshold:.2f}",
            f"P {manifest.gate:.2f}",
            manifest.created[:10],
        )
    console = new_console()
    console.print(table)
    for line in dict.fromkeys(release_line(folder) for folder, _ in manifests):
        if line is not None:
            console.print(line)


def find_manifests(voices: list[Path] | None) -> list[tuple[Path, Manifest]]:
    """Return the folder and the manifest of every voice that the options and settings name."""
    from onbrand.config import settings_for
    from onbrand.voice.library import list_manifests

    settings = settings_for(Path.cwd() / "draft.md")
    return list_manifests(voice_folders(voices, settings))


def release_line(folder: Path) -> str | None:
    """Return which release the voice in ``folder`` came with, None for one that came with none."""
    from onbrand.installation import holder_of, without_secrets

    held = holder_of(folder)
    if held is None:
        return None
    root, installed = held
    source = without_secrets(installed.source)
    return f"{installed.name}: release {installed.release} from {source}, installed in {root}"


def record(folder: Path, manifest: Manifest) -> dict[str, object]:
    """Return what the JSON says of a voice."""
    import msgspec

    from onbrand.installation import holder_of

    told: dict[str, object] = {"folder": str(folder), **msgspec.to_builtins(manifest)}
    held = holder_of(folder)
    if held is not None:
        told["release"] = {"name": held[1].name, "number": held[1].release, "folder": str(held[0])}
    return told
