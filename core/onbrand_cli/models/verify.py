"""``onbrand models verify``: is a bundle as good as what it was made from?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from onbrand.errors import OnbrandError
from onbrand.progress import ProgressEvent
from onbrand_cli.options import progress_bar

if TYPE_CHECKING:
    from onbrand.encoder import EncoderManifest
    from onbrand_models.verify import Budgets, Check

EXAMPLES = """\b
Examples:
  onbrand models verify encoders/small
  onbrand models verify encoders/small --against sentence-transformers/all-MiniLM-L12-v2
  onbrand models verify encoders/small --against models/ours --voices voices --data drafts
"""


def verify(
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    against: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="Measure anew beside this model: folder, package or hub name.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Real text to compare on, once or more: drafts, or pairs of TASK.train.jsonl and "
            "TASK.test.jsonl (they measure accuracy).",
            show_default=False,
        ),
    ] = None,
    voices: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Voices trained on the bundle: they judge the drafts, by it and by the source.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[Literal["text", "json"], typer.Option("--format", help="How to print.")] = (
        "text"
    ),
    min_cosine: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Mean cosine to the source, at least.")
    ] = 0.985,
    min_worst: Annotated[
        float, typer.Option(min=-1.0, max=1.0, help="Cosine of the worst line, at least.")
    ] = 0.95,
    min_layer: Annotated[
        float,
        typer.Option(
            min=-1.0,
            max=1.0,
            help="Mean cosine of each layer without what all lines share, at least.",
        ),
    ] = 0.93,
    max_changed: Annotated[
        float, typer.Option(min=0.0, max=100.0, help="Sentence flags that differ, at most, in %.")
    ] = 2.0,
    max_accuracy_loss: Annotated[
        float, typer.Option(min=0.0, max=100.0, help="Accuracy lost, at most, in points.")
    ] = 0.5,
) -> None:
    """Check a bundle: files, graph, vectors, and what its quantisation has cost.

    Exit code 0: good enough, 1: a check failed, 2: error.
    """
    from onbrand.encoder import read_manifest
    from onbrand_models.verify import Budgets

    for name, budget in (
        ("--min-cosine", min_cosine),
        ("--min-worst", min_worst),
        ("--min-layer", min_layer),
        ("--max-changed", max_changed),
        ("--max-accuracy-loss", max_accuracy_loss),
    ):
        if math.isnan(budget):  # no check would pass or fail by it
            raise OnbrandError(f"{name} nan: expected a number")
    budgets = Budgets(min_cosine, min_worst, min_layer, max_changed, max_accuracy_loss)
    checks = []
    for check in _checks(bundle, against, data or [], voices or [], budgets):
        checks.append(check)
        if form == "text":
            _print(check)
    if form == "json":
        _print_json(bundle, read_manifest(bundle), budgets, checks)
    if not all(check.passed for check in checks):
        raise typer.Exit(1)


def _checks(
    bundle: Path, against: str | None, data: list[Path], voices: list[Path], budgets: Budgets
) -> Iterator[Check]:
    """Yield the checks as they are known, with a bar while one of them takes long."""
    from onbrand_models.source import find_source
    from onbrand_models.verify import verify_bundle

    def show(event: ProgressEvent, /) -> None:
        bar(event)

    source = None if against is None else find_source(against)
    checks = verify_bundle(
        bundle,
        source,
        budgets=budgets,
        data=data,
        voices=voices,
        progress=show,
    )
    while True:
        with progress_bar("Verifying") as bar:
            check = next(checks, None)
        if check is None:
            return
        yield check


def _print(check: Check) -> None:
    from onbrand_cli.tables import new_console

    console = new_console()
    mark, style = ("ok", "green") if check.passed else ("FAIL", "red")
    console.print(f"{mark:5}", style=style, end="")
    console.print(f"{check.name:10}{check.detail}")
    for note in check.notes:
        console.print(f"{'':15}{note}")


def _print_json(
    bundle: Path, manifest: EncoderManifest, budgets: Budgets, checks: list[Check]
) -> None:
    import json
    from dataclasses import asdict

    document = {
        "version": 1,
        "bundle": str(bundle),
        "name": manifest.name,
        "fingerprint": manifest.fingerprint,
        "passed": all(check.passed for check in checks),
        "budgets": asdict(budgets),
        "checks": [
            {
                "name": check.name,
                "passed": check.passed,
                "skipped": False,  # readers may look for it
                "detail": check.detail,
                "figures": dict(check.figures),
            }
            for check in checks
        ],
    }
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
