"""``onbrand train`` and ``onbrand evaluate``: voices from labelled lines, and how good they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onbrand.errors import OnbrandError
from onbrand.report.evaluation import FORMATS as EVALUATION_FORMATS
from onbrand_cli.common import EncoderFolder, Output, one_of, progress_bar, warn

# As in onbrand.voice.model and onbrand.training.crossval, which load numpy; a test compares them.
DEFAULT_GATE = 0.7
DEFAULT_ALARM_BUDGET = 0.05

TRAIN_EXAMPLES = """\b
Examples:
  onbrand train labels.jsonl
  onbrand train sheet.csv --brand acme -o voices
  onbrand train labels.jsonl --published site.jsonl
  onbrand train --labels-db -
"""
EVALUATE_EXAMPLES = """\b
Examples:
  onbrand evaluate tasks/
  onbrand evaluate tasks/ --format html -o quality.html
"""
SHORT_HEADINGS = (
    "task",
    "accuracy",
    "bag of\nwords",
    "AUROC",
    "log\nloss",
    "ECE",
    "recall*",
    "drafts\nof 5",
)
"""Of an evaluation's table, for a terminal of 80 columns."""

if TYPE_CHECKING:
    from onbrand.labels.files import LabelLine
    from onbrand.training.evaluate import Evaluation
    from onbrand.voice.model import Voice


def train(
    labels: Annotated[
        list[Path] | None,
        typer.Argument(
            help="JSONL, CSV or TSV files (or folders of them) with text, label (on or off), "
            "brand, and doc if known.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Folder for the voices, one folder each."
        ),
    ] = Path("voices"),
    brand: Annotated[
        str | None,
        typer.Option(
            "--brand",
            "-b",
            metavar="BRAND",
            help="Train this brand only; lines without a brand are taken for it.",
            show_default=False,
        ),
    ] = None,
    labels_db: Annotated[
        str | None,
        typer.Option(
            metavar="PATH|URL",
            help="Also train from this label store: an SQLite file, a postgresql:// URL, or - "
            "for the default store.",
            show_default=False,
        ),
    ] = None,
    published: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Published copy, nobody's labels needed: files of lines with text (and brand), "
            "pages, or folders of them. Repeat for several.",
            show_default=False,
        ),
    ] = None,
    gate: Annotated[
        float,
        typer.Option(metavar="P", min=0.0, max=1.0, help="P of a draft at which it goes forward."),
    ] = DEFAULT_GATE,
    alarm_budget: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            min=0.0,
            max=0.5,
            help="Share of on-brand sentences that may be underlined.",
        ),
    ] = DEFAULT_ALARM_BUDGET,
    no_texts: Annotated[
        bool, typer.Option("--no-texts", help="Keep no example lines in the voice.")
    ] = False,
    encoder: EncoderFolder = None,
) -> None:
    """Train a voice for each brand and report its held-out quality."""
    from onbrand.labels.files import group_by_brand
    from onbrand.training.own_copy import MIN_WORDS, read_published, train_voices_from_copy
    from onbrand.training.train import train_voices
    from onbrand_cli.drafts import note_left_out

    others: set[Path] = set()
    copy = read_published(published, brand, left_out=others) if published else []
    note_left_out(others)
    if published and not copy and not labels and labels_db is None:
        raise OnbrandError(
            f"{', '.join(map(str, published))}: no line of published copy; on pages, sentences of "
            f"{MIN_WORDS} words and more count, in tables, lines that are not labelled off"
        )
    if copy and not labels and labels_db is None:
        with progress_bar("Training") as progress:
            voices = train_voices_from_copy(
                copy,
                output,
                brand=brand,
                encoder=encoder,
                gate=gate,
                alarm_budget=alarm_budget,
                keep_texts=not no_texts,
                progress=progress,
            )
        print_report(voices, output)
        return
    lines = _collect(labels or [], labels_db, brand)
    if brand is not None:
        found = sorted({line.brand for line in lines})
        lines = [line for line in lines if line.brand == brand]
        if not lines:
            raise OnbrandError(f"no line is of brand {brand!r} (found: {', '.join(found)})")
    brands = group_by_brand(lines, warn=warn)
    with progress_bar("Training") as progress:
        voices = train_voices(
            brands,
            output,
            encoder=encoder,
            gate=gate,
            alarm_budget=alarm_budget,
            keep_texts=not no_texts,
            published=copy,
            progress=progress,
        )
    print_report(voices, output)


def _collect(files: list[Path], labels_db: str | None, brand: str | None) -> list[LabelLine]:
    from onbrand.labels.files import read_labels

    if not files and labels_db is None:
        raise OnbrandError("nothing to train from; name label files, --published or --labels-db")
    lines = read_labels(files, brand=brand) if files else []
    if labels_db is not None:
        from onbrand.labels.store import LabelStore

        with LabelStore.open(None if labels_db == "-" else labels_db, create=False) as store:
            lines += store.training_lines(brand)
    return lines


def print_report(voices: list[Voice], output: Path) -> None:
    """Print what the voices do with pages and lines that they had not seen."""
    from onbrand.report.message import plural
    from onbrand_cli.common import new_console, new_table, quality_lines

    table = new_table("brand", "on + off", "accuracy", "bag of\nwords", "AUROC", "ECE", "recall*")
    for voice in voices:
        counts, report = voice.manifest.labels, voice.manifest.report
        table.add_row(
            voice.brand,
            f"{counts.on} + {counts.off}"
            if counts.on + counts.off
            else f"{counts.published} published",
            f"{report.held_out.accuracy:.1%}",
            "–" if report.baseline is None else f"{report.baseline.accuracy:.1%}",
            f"{report.held_out.auroc:.3f}",
            f"{report.held_out.ece:.3f}",
            f"{report.held_out.recall_at_5fpr:.0%}",
        )
    console = new_console()
    console.print(f"{plural(len(voices), 'voice')} in {output}", style="bold")
    for voice in voices:
        console.print(f"\n{voice.brand}")
        for line in quality_lines(voice.manifest):
            console.print(line)
    console.print()
    console.print(table)
    console.print(
        "Held-out lines of the training labels. ECE: calibration error of P.\n"
        "* off-brand lines found at 5 % false alarms"
    )


def evaluate(
    folder: Annotated[
        Path, typer.Argument(help="Folder with TASK.train.jsonl and TASK.test.jsonl pairs.")
    ],
    form: Annotated[str, one_of(EVALUATION_FORMATS, "How to print it.")] = "text",
    output: Output = None,
    published: Annotated[
        bool,
        typer.Option("--published", help="Learn from the unlabelled TASK.pool.jsonl files too."),
    ] = False,
    encoder: EncoderFolder = None,
) -> None:
    """Train on each task's training file, judge on its test file.

    A bag of words, fitted on the same lines, stands beside it.
    """
    from onbrand.encoder import Encoder
    from onbrand.files import write_atomic
    from onbrand.training.evaluate import evaluate_folder

    with progress_bar("Evaluating") as progress:
        result = evaluate_folder(
            folder, Encoder.load(encoder), published=published, progress=progress
        )
    if form == "text" and output is None:
        _print_table(result)
        return
    rendered = EVALUATION_FORMATS[form](result)
    if output is None:
        typer.echo(rendered, nl=False)
    else:
        write_atomic(output, rendered)


def _print_table(result: Evaluation) -> None:
    from onbrand.report.evaluation import rows
    from onbrand_cli.common import new_console, new_table

    table = new_table(*SHORT_HEADINGS)
    *tasks, mean = rows(result)
    for row in tasks:
        table.add_row(*row)
    table.add_section()
    table.add_row("mean", *mean[1:], style="bold")
    console = new_console()
    console.print(table)
    console.print(
        f"ECE: calibration error; over all lines together {result.mean.pooled_ece:.3f}.\n"
        "* off-brand lines found at 5 % false alarms"
    )
    if result.mean.stopped is not None:
        stopped = f"{result.mean.stopped:.0%}"
        console.print(f"Of pages in wrong voices that they never saw, voices stop {stopped}.")
