"""``onbrand models``: make, check and list encoder bundles."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Make, check and list encoder bundles.", no_args_is_help=True)


class ListFormat(StrEnum):
    """How ``onbrand models list`` prints."""

    TEXT = "text"
    JSON = "json"


@app.command()
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
    typer.echo(f"{manifest.name}: layers {_ranges(manifest.layers)}, {manifest.dim} dimensions")
    if manifest.parity is not None:
        typer.echo(
            f"cosine to the source: {manifest.parity.mean:.4f} on average, "
            f"{manifest.parity.min:.4f} at worst"
        )
    if manifest.speed is not None:
        typer.echo(f"{manifest.speed.sentences_per_second:.0f} sentences a second here")
    typer.echo(f"written to {output}")


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    against: Annotated[
        str | None,
        typer.Option(help="Measure parity anew with this model: folder, package or hub name."),
    ] = None,
) -> None:
    """Check a bundle's files, graph and vectors; exit code 1 when it is not good enough."""
    from rich.console import Console

    from onbrand_models.source import find_source
    from onbrand_models.verify import verify_bundle

    console = Console(highlight=False, soft_wrap=True)
    passed = True
    for check in verify_bundle(bundle, None if against is None else find_source(against)):
        mark = "[green]ok  [/]" if check.passed else "[red]FAIL[/]"
        console.print(f"{mark} {check.name:8}", end="")
        console.print(check.detail, markup=False)
        passed &= check.passed
    if not passed:
        raise typer.Exit(1)


@app.command("list")
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
            m.name, _ranges(m.layers), str(m.dim), size, m.fingerprint[:12], m.licence, str(folder)
        )
    console.print(table)


def _ranges(layers: tuple[int, ...]) -> str:
    whole = len(layers) > 1 and layers == tuple(range(layers[0], layers[-1] + 1))
    return f"{layers[0]}-{layers[-1]}" if whole else ", ".join(map(str, layers))
