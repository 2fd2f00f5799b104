"""``onbrand models export``: a sentence-transformer becomes an encoder bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onbrand.cli.models.listing import ranges


def export(
    source: Annotated[
        str,
        typer.Argument(help="Model folder, installed package that holds one, or hub name."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the bundle.")],
    layers: Annotated[
        str, typer.Option(help="Layers to pool: all, last or a range such as 0-3.")
    ] = "all",
    max_tokens: Annotated[
        int | None, typer.Option(help="Longest text in tokens. [default: the model's own limit]")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the bundle. [default: the model's]")
    ] = None,
) -> None:
    """Turn a sentence-transformer into a quantised encoder bundle."""
    from rich.console import Console

    from onbrand_models.export import ExportOptions, export_bundle
    from onbrand_models.source import find_source

    options = ExportOptions(layers=layers, max_tokens=max_tokens, name=name)
    with Console(stderr=True).status("reading the model") as status:
        manifest = export_bundle(find_source(source), output, options, stage=status.update)
    typer.echo(f"{manifest.name}: layers {ranges(manifest.layers)}, {manifest.dim} dimensions")
    if manifest.parity is not None:
        typer.echo(
            f"cosine to the source: {manifest.parity.mean:.4f} on average, "
            f"{manifest.parity.min:.4f} at worst"
        )
    if manifest.speed is not None:
        typer.echo(f"{manifest.speed.sentences_per_second:.0f} sentences a second here")
    typer.echo(f"written to {output}")
