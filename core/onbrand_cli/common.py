"""Helpers of several commands: options, reading of drafts, tables and progress bars."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from onbrand.errors import OnbrandError
from onbrand.progress import Progress, ProgressEvent
from onbrand.report.message import plural, printable

if TYPE_CHECKING:
    import rich.progress
    from rich.console import Console
    from rich.table import Table

    from onbrand.checking import Draft
    from onbrand.voice.model import DoubtfulLine, Manifest, Share, TrainingReport


class LogLevel(StrEnum):
    """Lowest level of log lines that are printed to stderr."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


Voices = Annotated[
    list[Path] | None,
    typer.Option(
        "--voices",
        metavar="DIR",
        help="Folder of voices, once or more. Else: voices in onbrand.toml, else ./voices.",
        show_default=False,
    ),
]
Brand = Annotated[
    str | None,
    typer.Option(
        "--brand",
        "-b",
        metavar="BRAND",
        help="Judge as this brand. Else: what the draft says, then onbrand.toml.",
        show_default=False,
    ),
]
Avoid = Annotated[
    list[str] | None,
    typer.Option(
        "--avoid",
        metavar="NAMES",
        help="Judge without a voice: what the text must not read like, say corporate,hype.",
        show_default=False,
    ),
]
EncoderFolder = Annotated[
    Path | None,
    typer.Option(
        "--encoder",
        metavar="DIR",
        help="Encoder bundle. Else: the one installed with the voices, or onbrand's own.",
        show_default=False,
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Use this configuration file only. Else: onbrand.toml, from the draft upwards.",
        show_default=False,
    ),
]
StdinPath = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="Name of the draft on standard input: decides its format and settings.",
        show_default=False,
    ),
]
ReadAs = Annotated[
    str | None,
    typer.Option(
        metavar="FORMAT",
        help="Read the named drafts as FORMAT, say text or markdown. Else: as their names end.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to FILE.", show_default=False),
]

OutputFormat = Annotated[Literal["text", "json"], typer.Option("--format", help="How to print it.")]


def one_of(registry: Mapping[str, object], text: str) -> Any:  # noqa: ANN401 - as typer.Option
    """Return the option ``--format``, which takes a name that is in ``registry`` when it is used.

    Args:
        registry: formats by name.
        text: the option's help.
    """

    def check(name: str) -> str:
        if name not in registry:
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(map(repr, registry))}")
        return name

    return typer.Option("--format", parser=check, metavar=f"<{'|'.join(registry)}>", help=text)


PROGRESS_AFTER = 1.0
"""Seconds of work before a progress bar appears."""


def avoided_names(
    avoid: Sequence[str] | None,
    *,
    brand: str | None,
    voices: list[Path] | None,
    every: bool = False,
) -> tuple[str, ...] | None:
    """Return the registers in all ``--avoid`` options; None where there is no such option.

    Raises:
        OnbrandError: it names none, or an option that needs a voice is given, too.
    """
    if not avoid:
        return None
    from onbrand.voice.avoid import split_names

    beside = {"--brand": brand, "--voices": voices, "--all": every}
    for option in (name for name, given in beside.items() if given):
        raise OnbrandError(f"--avoid judges without a voice; leave out {option}, or --avoid")
    return split_names(",".join(avoid))


def warn(message: str) -> None:
    """Print a warning to stderr."""
    typer.echo(f"warning: {message}", err=True)


def error_line(error: OnbrandError | OSError, place: str | Path) -> str:
    """Return an error in one line; ``place`` is the file to name if the error names none."""
    if isinstance(error, OnbrandError):
        return str(error)
    return f"{error.filename or place}: {error.strerror or error}"


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    typer.echo(json_text(value))


def json_text(value: object) -> str:
    """Return a value as indented JSON."""
    import msgspec

    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:  # names of files may not be UTF-8
        encoded = msgspec.json.encode(_printable(msgspec.to_builtins(value)))
    return msgspec.json.format(encoded, indent=2).decode()


def _printable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(key): _printable(item) for key, item in value.items()}
    return [_printable(item) for item in value] if isinstance(value, list | tuple) else value


@contextlib.contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Yield a `Progress` that draws a bar on stderr.

    The bar appears only on a terminal, and only after a while. That the work waits for another
    process is printed in any case, at once and only once.
    """
    start, drawn = time.monotonic(), sys.stderr.isatty()
    with contextlib.ExitStack() as stack:
        bar: rich.progress.Progress | None = None
        shown = False

        def update(event: ProgressEvent, /) -> None:
            nonlocal bar, shown
            if event.waiting:
                if not shown:
                    typer.echo(event.text, err=True)
                shown = True
                return
            if drawn and bar is None and time.monotonic() - start >= PROGRESS_AFTER:
                bar = stack.enter_context(_new_bar())
                bar.add_task(label, total=1.0)
            if bar is not None:
                task = bar.task_ids[0]
                text = f"{label} {event.text}".strip()
                bar.update(task, completed=event.share, description=text)

        yield update


@contextlib.contextmanager
def spinner(text: str) -> Iterator[Progress]:
    """Show ``text`` with a spinner on a terminal; yields a `Progress` that changes it."""
    from rich.console import Console

    with Console(stderr=True).status(text) as status:
        yield lambda event: status.update(event.text)


def _new_bar() -> rich.progress.Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def new_table(first: str, *figures: str) -> Table:
    """Return a table with a column of names, which are not shortened, and columns of figures."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def new_console(width: int | None = None) -> Console:
    """Return a console that prints text unchanged: brackets in copy are no markup.

    Args:
        width: in characters; by default the terminal's, or 80 where there is none.
    """
    from rich.console import Console

    return Console(width=width, highlight=False, markup=False, soft_wrap=True)


WIDTH = 78
SHOWN_DOUBTFUL = 10
DOUBT = 0.8
"""A training line is doubtful if P of the other label is at least this."""


def quality_lines(manifest: Manifest, doubtful: int = SHOWN_DOUBTFUL) -> Iterator[str]:
    """Yield the lines of a voice's training report; none for an old voice without one.

    Args:
        manifest: of the voice.
        doubtful: limit on the doubtful lines to show.
    """
    report = manifest.report
    if report.pages is not None:
        yield _line("own pages", f"{_so_many(report.pages)} go forward ({_pages(report)})")
    if report.stopped is not None:
        yield _line("wrong voices", f"{_so_many(report.stopped)} stopped (pages it never saw)")
        yield from _passed(report.probes)
    for warning in report.warnings:
        yield from _wrapped("warning", warning)
    if report.collect:
        yield from _wrapped("collect next", report.collect)
    if report.right is not None:
        beside = "" if report.baseline is None else f"; bag of words {report.baseline.accuracy:.0%}"
        yield _line("lines", f"{_so_many(report.right)} told right{beside}")
    for source, found in report.sources.items():
        yield _line("", f"off-brand from {source}: {_so_many(found)}")
    labelled = manifest.labels.on + manifest.labels.off > 0
    said = "the other lines contradict these" if labelled else "least like the rest of the copy"
    worst = [line for line in report.doubtful if _against(line) >= DOUBT][:doubtful]
    if worst:
        yield _line("look again", f"{said}, the worst first:")
        yield from _doubtful(worst)


def _passed(probes: dict[str, Share]) -> Iterator[str]:
    """Yield a line on the wrong voices of which pages are not stopped, the worst first."""
    from onbrand.voice.registers import read_as

    shown = [
        f"{read_as(name)} {found.count} of {found.of}"
        for name, found in sorted(probes.items(), key=lambda item: item[1].count / item[1].of)
        if found.count < found.of
    ]
    if shown:
        yield from _wrapped("", f"not all of: {', '.join(shown)}")


def _doubtful(worst: Sequence[DoubtfulLine]) -> Iterator[str]:
    from onbrand.report.snippet import truncate

    for line in worst:
        yield f"    {line.place}  {line.label}, but P {line.p:.2f}"
        if line.text:
            yield f"      {truncate(line.text, WIDTH - 6)}"


def _against(line: DoubtfulLine) -> float:
    return 1 - line.p if line.label == "on" else line.p


def _pages(report: TrainingReport) -> str:
    if not report.page_lines:
        return "held-out documents"
    return f"each {report.page_lines} held-out lines"


def _so_many(found: Share) -> str:
    return (
        f"{found.count} of {found.of} ({found.count / found.of:.0%}, likely "
        f"{100 * found.low:.0f}-{found.high:.0%})"
    )


def _line(name: str, text: str) -> str:
    return f"  {name:13}{text}"


def _wrapped(name: str, text: str) -> Iterator[str]:
    for i, part in enumerate(wrap(text, WIDTH - 15, break_on_hyphens=False)):
        yield _line("" if i else name, part)


STDIN = "-"
MAX_KINDS = 5
"""Limit on the suffixes that a line on files left out names."""


def read_drafts(
    names: list[str],
    stdin_path: str | None,
    config: Path | None,
    read_as: str | None = None,
    left_out: Counter[str] | None = None,
) -> list[Draft]:
    """Read the drafts that the user names, without those that the configuration excludes.

    Files in folders that are in no known format are left out, too; a line on stderr counts them.

    Args:
        names: files, folders, or ``-`` for standard input.
        stdin_path: what to call the draft on standard input.
        config: the one configuration file to use.
        read_as: the format of named files (not of those in folders) and of standard input. By
            default the suffix decides; standard input is plain text if that is unknown.
        left_out: the files in no known format are counted in it, by suffix.

    Raises:
        OnbrandError: a draft cannot be read or is in no known format, or a configuration file is
            wrong.
    """
    from onbrand.checking import Draft
    from onbrand.config import ConfigCache, settings_for
    from onbrand.discovery import decode_draft, max_bytes, read_draft
    from onbrand.document import formats
    from onbrand.document.document import parse_named
    from onbrand.files import read_bytes, read_standard_input

    chosen = formats.get(read_as) if read_as else None
    named = set(names)
    others: set[Path] = set()
    cache: ConfigCache = {}
    shown: set[str] = set()
    drafts = []
    for name in _expand(names, others):
        path = (stdin_path or "stdin.md") if name == STDIN else name
        settings = settings_for(Path(path), explicit=config, cache=cache)
        for warning in settings.warnings:
            if warning not in shown:
                warn(warning)
            shown.add(warning)
        if settings.excluded:
            if name in named:
                warn(f"{path}: not judged; {settings.source} excludes it")
            continue
        form = (chosen if name in named else None) or formats.of_path(path)
        if name == STDIN:
            read = form or formats.get("text")
            source = decode_draft(read_standard_input(path, max_bytes=max_bytes(read)), path, read)
        elif form is None:
            read_bytes(Path(name), max_bytes=0)  # raises if there is no such file
            raise formats.unknown_format(path, "say how to read it, as in --read-as text")
        else:
            source = read_draft(Path(name), form)
        document = parse_named(
            source,
            path,
            read_as=form.name if form else None,
            quotes=settings.quotes,
            front_keys=settings.front_matter,
        )
        drafts.append(Draft(path, source, document, settings))
    kinds = note_left_out(others)
    if left_out is not None:
        left_out.update(kinds)
    return drafts


def note_left_out(files: Iterable[Path]) -> Counter[str]:
    """Print how many files were left out to stderr, and return the counts by suffix."""
    kinds = Counter(sorted(file.suffix.lower() for file in files))
    if kinds:
        most = kinds.most_common(MAX_KINDS)
        listed = [f"{n:,} {kind or 'without an ending'}" for kind, n in most]
        listed += ["…"] if len(kinds) > MAX_KINDS else []
        count = plural(kinds.total(), "file")
        note = f"note: {count} left out, in no format that onbrand reads: {', '.join(listed)}"
        typer.echo(printable(note), err=True)
    return kinds


def _expand(names: list[str], others: set[Path]) -> list[str]:
    """Replace folders by the drafts in them; duplicates are dropped."""
    from onbrand.discovery import find_drafts
    from onbrand.document import formats

    found: dict[str, None] = {}
    for name in names:
        folder = Path(name)
        if name == STDIN or not folder.is_dir():
            found[name] = None
            continue
        inside = find_drafts(
            folder, others, lambda file: warn(f"{file}: left out; it is no regular file")
        )
        if not inside:
            raise OnbrandError(
                f"holds no drafts (files that end in {', '.join(formats.suffixes())}); "
                "name another folder",
                path=folder,
            )
        found.update(dict.fromkeys(map(str, inside)))
    return list(found)
