"""``onbrand models install``: the encoders of a signed release, without its voices."""

from __future__ import annotations

from pathlib import Path

import typer

from onbrand.cli.voices.install import Keys, Source, Target, install_to, line_of
from onbrand.cli.voices.listing import Format, print_json


def install(source: Source, key: Keys = None, to: Target = None, form: Format = "text") -> None:
    """Install the encoders of a signed release; voices update brings them up to date."""
    from onbrand.release.installed import default_root, encoders_of

    usual = default_root(source)
    # A folder of their own: beside it the same release may be installed with its voices.
    root = to or usual.with_name(f"{usual.name}-encoders")
    done = install_to(root, source, key, voices=False)
    if form == "json":
        print_json({"version": 1, "installations": [done]})
        return
    typer.echo(line_of(done))
    folder = Path(done.folder)
    bundles = encoders_of(folder)
    # The installation stands for its only encoder, and goes on doing so after updates.
    for bundle in [folder] if len(bundles) == 1 else bundles:
        typer.echo(f"to train on it: onbrand train LABELS --encoder {bundle}")
