"""``onbrand models install``: the encoders of a signed release, without its voices."""

from __future__ import annotations

from pathlib import Path

import typer

from onbrand_cli.options import Format, print_json
from onbrand_cli.voices.install import (
    Keys,
    Source,
    Target,
    encoders_root,
    install_to,
    outcome_line,
)


def install(source: Source, key: Keys = None, to: Target = None, form: Format = "text") -> None:
    """Install the encoders of a signed release; voices update brings them up to date."""
    from onbrand.installation import encoders_of

    done = install_to(to or encoders_root(source), source, key, voices=False)
    if form == "json":
        print_json({"version": 1, "installations": [done]})
        return
    folder = Path(done.folder)
    bundles = encoders_of(folder)
    if not bundles:
        typer.echo(
            f"{done.name}: release {done.release} holds no encoders; "
            "its voices come with onbrand voices install"
        )
        return
    typer.echo(outcome_line(done))
    # The installation stands for its only encoder, and goes on doing so after updates.
    for bundle in [folder] if len(bundles) == 1 else bundles:
        typer.echo(f"to train on it: onbrand train LABELS --encoder {bundle}")
