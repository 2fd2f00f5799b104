"""What ``export`` and ``quantize`` say of the bundle that they made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from onbrand_cli.options import warn

if TYPE_CHECKING:
    from onbrand.encoder import EncoderManifest
    from onbrand.encoder.bundle import Parity


def print_made(manifest: EncoderManifest, headline: str, origin: str, output: Path) -> None:
    """Print what was made and measured, and warn of a bundle that ``verify`` would refuse.

    Args:
        manifest: of the new bundle.
        headline: what it is, in a few words.
        origin: what its vectors were compared with, say "source".
        output: where it is.
    """
    typer.echo(f"{manifest.name} for {manifest.target}: {headline}")
    if manifest.parity is not None:
        typer.echo(
            f"cosine to the {origin}: {manifest.parity.mean:.4f} on average, "
            f"{manifest.parity.min:.4f} at worst"
        )
    if manifest.speed is not None:
        typer.echo(f"{manifest.speed.sentences_per_second:.0f} sentences a second here")
    typer.echo(f"written to {output}")
    if manifest.parity is not None:
        _warn_of_loss(manifest.parity, origin)


def _warn_of_loss(parity: Parity, origin: str) -> None:
    from onbrand_models.verify.budgets import DEFAULT

    if parity.mean < DEFAULT.min_cosine or parity.min < DEFAULT.min_worst:
        warn(
            f"the vectors are far from the {origin}'s: onbrand models verify wants a cosine of "
            f"{DEFAULT.min_cosine} on average and {DEFAULT.min_worst} at worst; try --target "
            "accurate, or another model"
        )
