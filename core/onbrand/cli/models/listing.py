"""``onbrand models list``: the encoder bundles that there are."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class ListFormat(StrEnum):
    """How ``onbrand models list`` prints."""

    TEXT = "text"
    JSON = "json"


def list_(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Bundles, or folders of bundles.")
    ] = None,
    output: Annotated[ListFormat, typer.Option("--format", help="How to print.")] = ListFormat.TEXT,
) -> None:
    """List the encoder that ships with onbrand, and those in the given folders."""
    from onbrand.encoder import find_bundles, read_manifest

    rows = [(folder, read_manifest(folder)) for folder in find_bundles(folders or [])]
    if output is ListFormat.JSON:
        import json

        keys = ("name", "layers", "dim", "max_tokens", "fingerprint", "licence", "size")
        typer.echo(
            json.dumps(
                [{"path": str(f)} | {key: getattr(m, key) for key in keys} for f, m in rows],
                indent=2,
            )
        )
        return
    from rich.console import Console
    from rich.table import Table

    # A pipe has no width to cut the rows to.
    console = Console(width=None if sys.stdout.isatty() else 1000)
    table = Table("name", "layers", "dim", "size", "fingerprint", "licence", "folder", box=None)
    for folder, m in rows:
        size = f"{m.size / 1e6:.1f} MB"
        table.add_row(
            m.name, ranges(m.layers), str(m.dim), size, m.fingerprint[:12], m.licence, str(folder)
        )
    console.print(table)


def ranges(layers: tuple[int, ...]) -> str:
    """Return layers as people write them, say ``0-6``."""
    whole = len(layers) > 1 and layers == tuple(range(layers[0], layers[-1] + 1))
    return f"{layers[0]}-{layers[-1]}" if whole else ", ".join(map(str, layers))
