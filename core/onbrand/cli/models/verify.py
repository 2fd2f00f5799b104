"""``onbrand models verify``: is a bundle as good as what it was made from?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def verify(
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    against: Annotated[
        str | None,
        typer.Option(help="Measure parity anew with this model: folder, package or hub name."),
    ] = None,
) -> None:
    """Check a bundle's files, graph and vectors; exit code 1 when it is not good enough."""
    from rich.console import Console

    from onbrand_models.source import find_source
    from onbrand_models.verify import verify_bundle

    console = Console(highlight=False, soft_wrap=True)
    passed = True
    for check in verify_bundle(bundle, None if against is None else find_source(against)):
        mark = "[green]ok  [/]" if check.passed else "[red]FAIL[/]"
        console.print(f"{mark} {check.name:8}", end="")
        console.print(check.detail, markup=False)
        passed &= check.passed
    if not passed:
        raise typer.Exit(1)
