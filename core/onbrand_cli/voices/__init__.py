"""``onbrand voices``: what is there, and how it gets to laptops. One file per command."""

from __future__ import annotations

import typer

from onbrand_cli.voices import install, listing, show, update

app = typer.Typer(help="List, show, install and update voices.", no_args_is_help=True)
app.command("list")(listing.list_)
app.command()(show.show)
app.command(epilog=install.EXAMPLES)(install.install)
app.command(epilog=update.EXAMPLES)(update.update)
