"""``onbrand models``: make, check, ship and list encoder bundles. One file per command."""

from __future__ import annotations

import typer

from onbrand.cli.models import export, listing, verify

app = typer.Typer(help="Make, check, ship and list encoder bundles.", no_args_is_help=True)
app.command()(export.export)
app.command()(verify.verify)
app.command("list")(listing.list_)
