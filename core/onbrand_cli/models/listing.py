"""``onbrand models list``: the encoder bundles that there are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onbrand.errors import OnbrandError
from onbrand_cli.options import Format, print_json, warn

if TYPE_CHECKING:
    from onbrand.encoder import EncoderManifest

_WIDE = 1000
"""Characters of a row that is never cut: a terminal breaks it, and folders can be copied whole."""


def list_(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Bundles, or folders of bundles.")
    ] = None,
    form: Format = "text",
) -> None:
    """List the encoder that ships with onbrand, and those in the given folders."""
    found = _find(folders or [])
    if form == "json":
        keys = ("name", "layers", "dim", "max_tokens", "fingerprint", "licence", "size")
        print_json([{"path": str(f)} | {key: getattr(m, key) for key in keys} for f, m in found])
    else:
        _print_table(found)


def _find(folders: list[Path]) -> list[tuple[Path, EncoderManifest]]:
    """Read the bundles; of those that nobody named, a broken one is warned of and left out.

    Raises:
        OnbrandError: a folder that was named is no bundle and holds none, or is a broken one.
    """
    from onbrand.encoder import find_bundles, read_manifest

    found = []
    for bundle in find_bundles(folders):
        try:
            found.append((bundle, read_manifest(bundle)))
        except OnbrandError as error:
            if bundle in folders:
                raise
            warn(str(error))
    return found


def _print_table(found: list[tuple[Path, EncoderManifest]]) -> None:
    from onbrand.report.snippet import shown
    from onbrand_cli.tables import new_console, new_table

    table = new_table("name", "layers", "dim", "size")
    for heading in ("fingerprint", "licence", "folder"):
        table.add_column(heading)
    for folder, manifest in found:
        table.add_row(
            shown(manifest.name),
            ranges(manifest.layers),
            str(manifest.dim),
            f"{manifest.size / 1e6:.1f} MB",
            manifest.fingerprint[:12],
            shown(manifest.licence),
            shown(str(folder)),
        )
    new_console(_WIDE).print(table)


def ranges(layers: tuple[int, ...]) -> str:
    """Return layers as people write them, say ``0-6``."""
    whole = len(layers) > 1 and layers == tuple(range(layers[0], layers[-1] + 1))
    return f"{layers[0]}-{layers[-1]}" if whole else ", ".join(map(str, layers))
