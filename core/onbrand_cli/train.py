"""``onbrand train``: from labelled lines to voices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onbrand.errors import OnbrandError
from onbrand.progress import scaled
from onbrand.training.crossval import DEFAULT_ALARM_BUDGET
from onbrand_cli.common import EncoderFolder, progress_bar, warn

# As in onbrand.voice.model, which loads numpy; a test compares them.
DEFAULT_GATE = 0.7

EXAMPLES = """\b
Examples:
  onbrand train labels.jsonl
  onbrand train sheet.csv --brand acme -o voices
  onbrand train labels.jsonl --published site.jsonl
  onbrand train --labels-db -
"""

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onbrand.labels.files import LabelLine
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
    from onbrand.labels.grouping import group_by_brand
    from onbrand.training.own_copy import MIN_WORDS, read_published
    from onbrand_cli.common import note_left_out

    others: set[Path] = set()
    copy = read_published(published, brand, left_out=others) if published else []
    note_left_out(others)
    if published and not copy and not labels and labels_db is None:
        raise OnbrandError(
            f"{', '.join(map(str, published))}: no line of published copy; on pages, sentences of "
            f"{MIN_WORDS} words and more count, in tables, lines that are not labelled off"
        )
    if copy and not labels and labels_db is None:
        voices = train_from_published(
            copy,
            output,
            brand=brand,
            encoder=encoder,
            gate=gate,
            alarm_budget=alarm_budget,
            keep_texts=not no_texts,
        )
        print_report(voices, output)
        return
    lines = _collect(labels or [], labels_db, brand)
    if brand is not None:
        found = sorted({line.brand for line in lines})
        lines = [line for line in lines if line.brand == brand]
        if not lines:
            raise OnbrandError(f"no line is of brand {brand!r} (found: {', '.join(found)})")
    voices = train_all(
        group_by_brand(lines, warn=warn),
        output,
        encoder=encoder,
        gate=gate,
        alarm_budget=alarm_budget,
        keep_texts=not no_texts,
        published=copy,
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


def train_all(
    brands: dict[str, list[LabelLine]],
    output: Path,
    *,
    encoder: Path | None = None,
    gate: float = DEFAULT_GATE,
    alarm_budget: float = DEFAULT_ALARM_BUDGET,
    keep_texts: bool = True,
    published: Sequence[LabelLine] = (),
) -> list[Voice]:
    """Train and save one voice per brand; each is written whole or not at all."""
    from onbrand.encoder import Encoder
    from onbrand.training.train import train_voice
    from onbrand.training.weak_labels import PublishedModel, learn_from_copy
    from onbrand.voice.storage import check_output_folder, save_voice

    for name in brands:
        check_output_folder(output / name)
    loaded = Encoder.load(encoder)
    voices = []
    models: dict[str, PublishedModel] = {}
    if published:
        with progress_bar("Learning from published copy") as progress:
            models = learn_from_copy(published, loaded, progress=progress)
    with progress_bar("Training") as progress:
        for i, (name, lines) in enumerate(sorted(brands.items())):
            voice = train_voice(
                name,
                lines,
                loaded,
                gate=gate,
                alarm_budget=alarm_budget,
                keep_texts=keep_texts,
                published=models.get(name),
                progress=scaled(progress, name, start=i, size=1, total=len(brands)),
            )
            voices.append(save_voice(voice, output / name))
    return voices


def train_from_published(
    published: Sequence[LabelLine],
    output: Path,
    *,
    brand: str | None = None,
    encoder: Path | None = None,
    gate: float = DEFAULT_GATE,
    alarm_budget: float = DEFAULT_ALARM_BUDGET,
    keep_texts: bool = True,
) -> list[Voice]:
    """Train and save a voice from published copy alone, for one brand or for each that has some."""
    from onbrand.encoder import Encoder
    from onbrand.training.own_copy import train_from_copy
    from onbrand.voice.storage import check_output_folder, save_voice

    names = sorted({line.brand for line in published}) if brand is None else [brand]
    for name in names:
        check_output_folder(output / name)
    loaded = Encoder.load(encoder, cache_size=len(published) + 1)
    voices = []
    with progress_bar("Training") as progress:
        for i, name in enumerate(names):
            voice = train_from_copy(
                name,
                published,
                loaded,
                gate=gate,
                alarm_budget=alarm_budget,
                keep_texts=keep_texts,
                progress=scaled(progress, name, start=i, size=1, total=len(names)),
            )
            voices.append(save_voice(voice, output / name))
    return voices


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
