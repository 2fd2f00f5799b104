"""Options and helpers that several commands share."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from onbrand.errors import OnbrandError
from onbrand.progress import Progress, ProgressEvent

if TYPE_CHECKING:
    import rich.progress

    from onbrand.config import Settings


class LogLevel(StrEnum):
    """What is worth a line on stderr."""

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

Format = Annotated[Literal["text", "json"], typer.Option("--format", help="How to print it.")]

PROGRESS_AFTER = 1.0
"""Seconds of work before a progress bar appears."""
"""How a text begins that is told at once: the work has to wait for another process."""


def voice_folders(chosen: list[Path] | None, settings: Settings) -> list[Path]:
    """Return where voices are: the option, else the configuration, else ``./voices``.

    Raises:
        OnbrandError: none of them says, or nothing is installed from the URL that one says.
    """
    folders = chosen or list(settings.voices)
    if folders:
        return folders
    for missing in settings.uninstalled:
        raise OnbrandError(missing.message)
    from onbrand.voice.library import DEFAULT_VOICES

    if DEFAULT_VOICES.is_dir():
        return [DEFAULT_VOICES]
    raise OnbrandError(
        "no voices: name their folder with --voices, or voices in onbrand.toml, "
        "or train some with onbrand train"
    )


def avoided_names(
    avoid: Sequence[str] | None,
    *,
    brand: str | None,
    voices: list[Path] | None,
    every: bool = False,
) -> tuple[str, ...] | None:
    """Return the registers that all ``--avoid`` name; None where there is none.

    Raises:
        OnbrandError: it names none, or stands beside an option that asks for a voice.
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


def line_of(error: OnbrandError | OSError, place: str | Path) -> str:
    """Return an error in one line; ``place`` is what it is about where it does not say."""
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
    except UnicodeEncodeError:  # the name of a file need not be UTF-8
        encoded = msgspec.json.encode(_printable(msgspec.to_builtins(value)))
    return msgspec.json.format(encoded, indent=2).decode()


def _printable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    from onbrand.report.message import printable

    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(key): _printable(item) for key, item in value.items()}
    return [_printable(item) for item in value] if isinstance(value, list | tuple) else value


@contextlib.contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Yield what draws on stderr how far the work is.

    It does only when that is a terminal, and only when the work takes a while. For whom there is to
    wait is printed there in any case, at once and once.
    """
    start, drawn = time.monotonic(), sys.stderr.isatty()
    with contextlib.ExitStack() as stack:
        bar: rich.progress.Progress | None = None
        told = False

        def update(event: ProgressEvent, /) -> None:
            nonlocal bar, told
            if event.waiting:
                if not told:
                    typer.echo(event.text, err=True)
                told = True
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
    """Show what is being done, at a terminal; yields what changes it."""
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
