"""``onbrand models``: make, check, ship and list encoder bundles."""

from __future__ import annotations

import typer

from onbrand_cli.models import compare, make, publish

app = typer.Typer(help="Make, check, ship and list encoder bundles.", no_args_is_help=True)
app.command(epilog=make.EXPORT_EXAMPLES)(make.export)
app.command(epilog=make.QUANTIZE_EXAMPLES)(make.quantize)
app.command(epilog=make.DEQUANTIZE_EXAMPLES)(make.dequantize)
app.command(epilog=compare.VERIFY_EXAMPLES)(compare.verify)
app.command(epilog=compare.BENCH_EXAMPLES)(compare.bench)
app.command(epilog=make.ADAPT_EXAMPLES)(make.adapt)
app.command(epilog=publish.EXAMPLES)(publish.publish)
app.command()(publish.install)
app.command("list")(make.list_)
app.command()(publish.keygen)
