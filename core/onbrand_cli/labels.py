"""``onbrand labels``: imports, exports and counts the labels in a label store."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from onbrand.errors import OnbrandError
from onbrand_cli.common import OutputFormat, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from onbrand.labels.files import LabelLine
    from onbrand.labels.model import BrandStats, Label, ResolvedLabel
    from onbrand.labels.store import LabelStore

app = typer.Typer(help="Keep, merge and count labelled lines.", no_args_is_help=True)

_PROGRESS_FROM = 5_000  # labels; fewer take less than a second

Database = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="PATH|URL",
        help="SQLite file or postgresql:// URL. Else: $ONBRAND_LABELS_DB, labels_db in "
        "onbrand.toml, the project's .onbrand/labels.db, or the user's data folder.",
        show_default=False,
    ),
]
OnlyBrand = Annotated[
    str | None, typer.Option("--brand", help="Only this brand.", show_default=False)
]
Workspace = Annotated[
    str,
    typer.Option(
        "--workspace",
        metavar="ID",
        help="Labels given in this Slack workspace (T…), which are kept apart.",
        show_default=False,
    ),
]


ExportFormat = Literal["jsonl", "csv"]


@app.command("import")
def import_(
    files: Annotated[
        list[Path], typer.Argument(help="JSONL, CSV or TSV files, or folders of them.")
    ],
    db: Database = None,
    author: Annotated[
        str, typer.Option(help="Who labelled the lines that name no author.", show_default=False)
    ] = "",
    brand: Annotated[
        str | None, typer.Option(help="Brand of the lines that name none.", show_default=False)
    ] = None,
) -> None:
    """Put label files into the store: all lines, or none if one is wrong.

    Lines need text, label (on or off) and brand; doc, author and time
    (ISO 8601) are kept. What only repeats its author's last word adds nothing.
    """
    from rich.progress import track

    from onbrand.labels.files import read_labels
    from onbrand.labels.store import LabelStore

    lines = read_labels(files, brand=brand)
    labels = _labels(lines, author)
    show = sys.stderr.isatty() and len(labels) >= _PROGRESS_FROM
    with LabelStore.open(db) as store:
        added = store.add(
            track(labels, "Importing", console=_stderr(), transient=True, disable=not show)
        )
    figures = [f"{added:,} new", f"{len(labels) - added:,} known already"]
    if len(lines) > len(labels):
        figures.append(f"{len(lines) - len(labels):,} dropped as contradicting")
    typer.echo(f"{store.display_name}: {', '.join(figures)}")


@app.command()
def export(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; else standard output."),
    ] = None,
    form: Annotated[
        ExportFormat | None,
        typer.Option("--format", help="jsonl or csv; else by the file's name, else jsonl."),
    ] = None,
    brand: OnlyBrand = None,
    history: Annotated[
        bool,
        typer.Option(
            "--history", help="Every word of every author, with its time, not only what counts."
        ),
    ] = False,
    workspace: Workspace = "",
    db: Database = None,
) -> None:
    """Write what the authors agree on, one line a text, as `onbrand train` reads it.

    Texts with as many authors for as against are left out. In CSV, a cell
    that a spreadsheet would run as a formula gets an apostrophe before it,
    which importing takes off again.
    """
    from onbrand.files import write_atomic
    from onbrand.labels.files import to_csv, to_jsonl
    from onbrand.labels.store import LabelStore

    with LabelStore.open(db, create=False) as store:
        labels = store.workspace(workspace)
        records = _history(labels, brand) if history else _decided(labels, brand)
    columns = ["text", "label", "brand", "doc", *(["author", "source", "time"] if history else [])]
    if form == "csv" or (form is None and output and output.suffix.lower() == ".csv"):
        # The mark tells Excel that the file is UTF-8.
        data = ("\ufeff" if output else "") + to_csv(records, columns)
    else:
        data = to_jsonl(records)
    if output is not None:
        write_atomic(output, data)
        typer.echo(f"{output}: {len(records):,} labels")
    else:
        sys.stdout.buffer.write(data.encode())
        sys.stdout.flush()


@app.command()
def stats(
    form: OutputFormat = "text",
    workspace: Workspace = "",
    db: Database = None,
) -> None:
    """Count each brand's labels, and how often its authors disagree."""
    from onbrand.labels.store import LabelStore

    with LabelStore.open(db, create=False) as store:
        brands = store.workspace(workspace).stats()
        place = store.display_name
    if form == "json":
        print_json({"version": 1, "database": place, "brands": brands})
    else:
        _print_stats(place, brands)


def _stderr() -> Console:
    from rich.console import Console

    return Console(stderr=True)


def _warn(message: str) -> None:
    _stderr().print(f"warning: {message}", style="yellow", markup=False, soft_wrap=True)


def _labels(lines: Iterable[LabelLine], author: str) -> list[Label]:
    """Return the labels of lines, without those that contradict each other."""
    from onbrand.labels.files import drop_contradictions
    from onbrand.labels.model import label_of
    from onbrand.labels.normalization import text_key

    def word(line: LabelLine) -> tuple[str | None, ...]:
        # With times, on and later off is a change of mind and not a contradiction.
        moment = (line.time, line.label) if line.time else ()
        return line.brand, text_key(line.text), line.author or author, *moment

    return [label_of(line, author) for line in drop_contradictions(lines, by=word, warn=_warn)]


def _history(store: LabelStore, brand: str | None) -> list[dict[str, str | None]]:
    words = store.history(brand)
    if not words:
        raise _no_labels(store, brand)
    return [
        {
            **_fields(word),
            "author": word.author or None,
            "source": word.source,
            "time": None if word.time is None else word.time.isoformat().replace("+00:00", "Z"),
        }
        for word in words
    ]


def _decided(store: LabelStore, brand: str | None) -> list[dict[str, str | None]]:
    labels = store.current(brand)
    if not labels:
        raise _no_labels(store, brand)
    decided = [label for label in labels if label.label is not None]
    if len(decided) < len(labels):
        left_out = len(labels) - len(decided)
        _warn(f"left out {left_out:,} texts with as many authors for as against")
    return [_fields(label) for label in decided]


def _fields(label: Label | ResolvedLabel) -> dict[str, str | None]:
    return {
        "text": label.text,
        "label": label.label,
        "brand": label.brand,
        "doc": label.document,
    }


def _no_labels(store: LabelStore, brand: str | None) -> OnbrandError:
    import difflib

    brands = [stats.brand for stats in store.stats()]
    if brand is None or not brands:
        return OnbrandError(
            "holds no labels yet; `onbrand labels import FILE`", path=store.display_name
        )
    near = difflib.get_close_matches(brand, brands, n=1, cutoff=0) or brands
    return OnbrandError(
        f'holds no labels of brand "{brand}"; did you mean "{near[0]}"?', path=store.display_name
    )


def _print_stats(place: str, brands: list[BrandStats]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(place), title_justify="left", box=None, header_style="bold")
    table.add_column("brand")
    for name in ("on", "off", "undecided", "disputed", "authors"):
        table.add_column(name, justify="right")
    table.add_column("sources")
    table.add_column("last change (UTC)")
    for stats in brands:
        figures = stats.on, stats.off, stats.undecided, stats.disputed, stats.authors
        sources = ", ".join(f"{source} {count:,}" for source, count in stats.sources.items())
        cells = [f"{figure:,}" for figure in figures]
        table.add_row(stats.brand, *cells, sources, f"{stats.last:%Y-%m-%d %H:%M}")
    Console().print(table)
