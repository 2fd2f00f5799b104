"""``onbrand models``: make, check, ship and list encoder bundles. One file per command."""

from __future__ import annotations

import typer

from onbrand_cli.models import (
    adapt,
    bench,
    dequantize,
    export,
    install,
    keygen,
    listing,
    publish,
    quantize,
    verify,
)

app = typer.Typer(help="Make, check, ship and list encoder bundles.", no_args_is_help=True)
app.command(epilog=export.EXAMPLES)(export.export)
app.command(epilog=quantize.EXAMPLES)(quantize.quantize)
app.command(epilog=dequantize.EXAMPLES)(dequantize.dequantize)
app.command(epilog=verify.EXAMPLES)(verify.verify)
app.command(epilog=bench.EXAMPLES)(bench.bench)
app.command(epilog=adapt.EXAMPLES)(adapt.adapt)
app.command(epilog=publish.EXAMPLES)(publish.publish)
app.command()(install.install)
app.command("list")(listing.list_)
app.command()(keygen.keygen)
