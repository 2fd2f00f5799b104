"""All commands. Heavy modules are imported when a command runs, so that ``--help`` is fast."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from onbrand.errors import OnbrandError
from onbrand_cli import check, config, demo, labels, registers, train, voices
from onbrand_cli.common import error_line, tell

app = typer.Typer(
    name="onbrand",
    help="Tells writers which sentences of a draft do not sound like their brand, offline.",
    epilog="Exit codes: 0 fine, 1 findings, 2 error. Try it: onbrand demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Plain help reads well at 80 columns, and panels would double the time for it.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("check", epilog=check.CHECK_EXAMPLES)(check.check)
app.command("gate", epilog=check.GATE_EXAMPLES)(check.gate)
app.command("registers", epilog=registers.EXAMPLES)(registers.registers)
app.command("score", epilog=check.SCORE_EXAMPLES)(check.score)
app.command("explain", epilog=check.EXPLAIN_EXAMPLES)(check.explain)
app.command("train", epilog=train.TRAIN_EXAMPLES)(train.train)
app.command("evaluate", epilog=train.EVALUATE_EXAMPLES)(train.evaluate)
app.add_typer(voices.app, name="voices")
app.add_typer(labels.app, name="labels")
app.add_typer(config.app, name="config")

ERROR = 2


def _add_other_packages() -> None:
    # The encoder tools and the two servers are packages of their own that depend on this one.
    import importlib.util

    if importlib.util.find_spec("onbrand_models") is not None:
        from onbrand_cli import models

        app.add_typer(models.app, name="models")
    if importlib.util.find_spec("onbrand_lsp") is not None:
        from onbrand_cli import servers

        app.command("lsp")(servers.lsp)
    if importlib.util.find_spec("onbrand_slack") is not None:
        from onbrand_cli import servers

        app.add_typer(servers.app, name="slack")


_add_other_packages()


def _version(wanted: bool) -> None:
    if wanted:
        from onbrand import __version__

        typer.echo(f"onbrand {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error (with any command).")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Options before the command."""


def run(arguments: Sequence[str]) -> int:
    """Run a command line, print its error if there is one, and return the exit code."""
    arguments, debug = _without_debug(arguments)
    try:
        return _run(arguments)
    except (OnbrandError, OSError, typer.TyperException) as error:
        if debug:
            traceback.print_exc()
        return _tell(error)
    except MemoryError:
        if debug:
            traceback.print_exc()
        return _tell(OnbrandError("there is not enough memory; close programs or name less text"))


def _without_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Remove ``--debug``, which may stand anywhere: users append it to a command that failed."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = [argument for argument in arguments[:end] if argument != "--debug"]
    return [*options, *arguments[end:]], len(options) < end


def _run(arguments: Sequence[str]) -> int:
    code = app(arguments, prog_name="onbrand", standalone_mode=False)
    try:
        sys.stdout.flush()
    except OSError as error:
        # Python flushes again at exit, and would print a second error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # the reader, say `head`, has what it wanted
            return 1
        raise
    return code if isinstance(code, int) else 0


def _tell(error: Exception) -> int:
    """Print an error in one line and return the exit code."""
    if isinstance(error, OSError):
        message = error_line(error, "standard output")
    elif isinstance(error, typer.TyperException):
        message = error.format_message()
        if message.startswith("Usage: "):  # a group without a command shows its help
            print(message, file=sys.stderr)  # noqa: T201
            return ERROR
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "onbrand"
        message = f"{' '.join(message.split()).rstrip('.')}; see {command} --help"
    else:
        message = str(error)
    tell("error", message)
    return ERROR
