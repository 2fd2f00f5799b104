"""``onbrand config``: shows the settings for a file with their origins; trusts folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onbrand.errors import OnbrandError
from onbrand_cli.common import OutputFormat, print_json

if TYPE_CHECKING:
    from onbrand.config import Setting, Settings

app = typer.Typer(help="Show the configuration in force; trust folders.", no_args_is_help=True)

_DEFAULTS = {
    "brand": "none; --brand names one",
    "avoid": "nothing; --avoid names what drafts must not read like",
    "voices": "none; --voices names a folder",
    "encoder": "the one installed with the voices, else onbrand's own",
    "gate": "the voice's own",
    "threshold": "the voice's own",
    "quotes": "block quotes are not judged",
    "underline": "the editor's own, else the sentence",
    "max_findings": "the editor's own, else 5",
    "brand_key": "brand",
    "exit": "review; --exit says what fails a check",
    "format": "what the file's name and its site say",
    "language": "what the document or its site says, else English",
    "code_blocks": "none but those that are known",
    "prose_blocks": "none but those that are known",
    "front_matter": "front matter is not judged",
    "labels_db": "the project's .onbrand/labels.db, else the user's data folder",
    "ignore": "no sentence is left alone",
    "excluded": "no glob in exclude matches",
}


@app.command()
def show(
    file: Annotated[Path, typer.Argument(help="The file to explain; it need not exist.")],
    config: Annotated[
        Path | None, typer.Option(help="Use this configuration file only, as `check` would.")
    ] = None,
    form: OutputFormat = "text",
) -> None:
    """Print every setting that holds for FILE, and the line it comes from."""
    from onbrand.config import ConfigCache, explain, settings_for

    cache: ConfigCache = {}
    settings = explain(file, explicit=config, cache=cache)
    in_force = settings_for(file, explicit=config, cache=cache)
    if form == "json":
        _print_json(file, settings, in_force)
    else:
        _print_text(file, settings, in_force.files, explicit=config is not None)
    for warning in in_force.warnings or [one.message for one in in_force.uninstalled]:
        typer.echo(f"warning: {warning}", err=True)


@app.command("trust")
def trust_folder(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="The folder, with all below it. Else: list the folders that are trusted.",
            show_default=False,
        ),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Trust it no more.")] = False,
) -> None:
    """Let the configuration in FOLDER choose encoders of its own.

    That of other folders may choose the encoder inside onbrand and those that are installed.
    """
    from onbrand.config.trust import distrust, trust, trusted_folders

    if folder is None:
        if remove:
            raise OnbrandError("--remove needs the folder to trust no more")
        for known in trusted_folders():
            typer.echo(known)
    elif remove:
        typer.echo(f"no longer trusted: {distrust(folder)}")
    else:
        typer.echo(f"trusted: {trust(folder)}")


def _print_json(file: Path, settings: Sequence[Setting], in_force: Settings) -> None:
    document = {
        "version": 1,
        "path": str(file),
        "files": [str(place) for place in in_force.files],
        "voices": [str(place) for place in in_force.voices],
        "settings": settings,
    }
    print_json(document)


def _print_text(
    file: Path, settings: Sequence[Setting], files: Sequence[Path], *, explicit: bool
) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(Text(str(file), "bold"))
    if not files:
        console.print("  no onbrand.toml and no [tool.onbrand] in its folder or above")
    for n, place in enumerate(files):
        why = "named by --config" if explicit else "wins, as the nearest to the file"
        console.print(
            f"  {_short(place)}: {why if n == 0 else 'sets what nearer files leave unset'}"
        )
    console.print()
    values = [_value(setting) for setting in settings]
    width = max(len(item) for value in values for item in value)
    margin = max(len(setting.key) for setting in settings)
    for setting, (first, *more) in zip(settings, values, strict=True):
        value = (f"{first:<{width}}", "bold")
        console.print(Text.assemble(f"  {setting.key:<{margin}}  ", value, f"  {_where(setting)}"))
        for item in more:
            console.print(Text.assemble(" " * (margin + 4), (item, "bold")))
    console.print(
        "\nStronger than these: options of the command line, then comments in the document, then "
        "its front matter."
    )


def _value(setting: Setting) -> Sequence[str]:
    from onbrand.report.message import plural

    match setting.value:
        case tuple(sentences) if setting.key == "ignore":
            return [plural(len(sentences), "sentence")]
        case None | ():
            return ["-"]
        case tuple(voices) if setting.key == "voices":
            return [line for voice in voices for line in (voice, *_installation(voice))]
        case bool():
            return [str(setting.value).lower()]
        case tuple():
            return setting.value
        case _:
            return [str(setting.value)]


def _installation(voice: str) -> Sequence[str]:
    from onbrand.installation import STATE_FILE, default_root, is_url

    if not is_url(voice):
        return []
    root = default_root(voice)
    return [f"  in {root}" if (root / STATE_FILE).is_file() else "  not installed yet"]


def _where(setting: Setting) -> str:
    if setting.file is None:
        return f"default: {_DEFAULTS[setting.key]}"
    if setting.kind == "front matter":
        return "front matter of the file"
    place = f"{_short(Path(setting.file))}:{setting.line}"
    return place if setting.glob is None else f'{place}, glob "{setting.glob}"'


def _short(path: Path) -> str:
    """Return the path relative to the working folder if it is inside."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
