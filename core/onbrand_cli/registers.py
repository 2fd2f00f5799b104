"""``onbrand registers``: what each paragraph of a draft reads like, compared with good copy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from onbrand.errors import OnbrandError
from onbrand_cli.common import (
    ConfigFile,
    EncoderFolder,
    NoIgnore,
    OutputFormat,
    ReadAs,
    StdinPath,
    print_json,
    progress_bar,
)

EXAMPLES = """\b
Examples:
  onbrand registers draft.md
  onbrand registers content/ --format json
"""
NOTABLE, STRONG = 1.0, 2.0
"""Standard deviations from good copy from which a scale is mentioned, and with "much"."""
SHOWN = 3
"""Limit on the registers that are named for a paragraph."""
EXCERPT = 60
"""Terminal cells of a paragraph that are shown."""
SIDES = {
    "formal": ("more formal", "less formal"),
    "warm": ("warmer", "cooler"),
    "plain": ("plainer", "less plain"),
    "confident": ("more confident", "less confident"),
}
"""Scale → the words for a text above and below most copy."""


def registers(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            help="Drafts, or folders of them; - for standard input.", show_default=False
        ),
    ] = None,
    form: OutputFormat = "text",
    stdin_path: StdinPath = None,
    read_as: ReadAs = None,
    encoder: EncoderFolder = None,
    config: ConfigFile = None,
    no_ignore: NoIgnore = False,
) -> None:
    """Print how a draft reads, paragraph by paragraph. Needs no voice."""
    from onbrand.checking import measure_registers
    from onbrand_cli.common import STDIN
    from onbrand_cli.drafts import read_drafts

    if not files and sys.stdin is not None and sys.stdin.isatty():
        raise OnbrandError("nothing to read; name drafts or folders, or - for standard input")
    found = read_drafts(files or [STDIN], stdin_path, config, read_as, ignored=no_ignore)
    found.tell_errors()
    drafts = found.drafts
    with progress_bar("Reading") as progress:
        read = measure_registers(drafts, encoder=encoder, progress=progress)
    if form == "json":
        print_json({"version": 1, "files": read})
    else:
        for n, one in enumerate(read):
            _print(one, gap=n > 0)
    raise typer.Exit(2 if found.errors else 0)


def _print(found: dict[str, Any], *, gap: bool) -> None:
    from onbrand.report.snippet import sanitize, truncate
    from onbrand_cli.common import new_console

    console = new_console()
    if gap:
        console.print()
    width = max((len(str(one["line"])) for one in found["paragraphs"]), default=1)
    for one in found["paragraphs"]:
        head = f"{one['line']:>{width}} | "
        notes = [*_said(one)]
        console.print(head + truncate(one["text"], EXCERPT), style="" if notes else "dim")
        for said in notes:
            console.print(f"{' ' * width} = {said}")
    if found["paragraphs"]:
        console.print()
    console.print(f"{sanitize(found['path'])}: {summary(found)}")


def _said(found: dict[str, Any]) -> Iterator[str]:
    """Yield a line on the registers of a paragraph, and one on its scales, where notable."""
    from onbrand.report.message import plural

    if found["outside"]:
        foremost = [one for one in found["registers"] if one["foremost"]]
        few = [f"{one['reads_like']} ({one['foremost']})" for one in foremost]
        if len(foremost) == 1:
            few = [foremost[0]["reads_like"]]
        listed = ", ".join(few[:SHOWN]) + (" and more" if len(few) > SHOWN else "")
        verb = "reads" if found["outside"] == 1 else "read"
        of = plural(found["sentences"], "sentence")
        yield f"{found['outside']} of {of} {verb} like {listed}"
    if scales := scale_words(found["scales"]):
        yield f"{scales} than most copy"


def scale_words(scales: dict[str, float | None]) -> str:
    """Return "much more formal, less plain"; nothing where all scales are as in most copy."""
    said = []
    for name, value in sorted(scales.items(), key=lambda item: -abs(item[1] or 0.0)):
        if value is not None and abs(value) >= NOTABLE:
            side = SIDES[name][value < 0]
            said.append(f"much {side}" if abs(value) >= STRONG else side)
    return ", ".join(said)


def summary(found: dict[str, Any]) -> str:
    """Return a line on what a draft reads like."""
    unread = found["not_judged"]
    rest = [f"{sum(unread.values()):,} not judged ({', '.join(sorted(unread))})"] if unread else []
    if not found["sentences"]:
        return "; ".join(["no sentence to read", *rest]) + "."
    said = [*_said(found)]
    if not found["outside"]:
        of = found["sentences"]
        many = "both sentences read" if of == 2 else f"all {of:,} sentences read"
        first = many if of > 1 else "its one sentence reads"
        said.insert(0, f"{first} like good copy")
    said += rest
    return "; ".join(said) + "."
