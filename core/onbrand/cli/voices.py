"""``onbrand voices``: what is installed, and what each voice is like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from onbrand.cli.options import Voices, voice_folders

if TYPE_CHECKING:
    from rich.console import Console

    from onbrand.voice.model import Manifest

app = typer.Typer(help="List voices and show what they are like.", no_args_is_help=True)
Format = Annotated[Literal["text", "json"], typer.Option("--format", help="How to print it.")]


@app.command("list")
def list_(voices: Voices = None, form: Format = "text") -> None:
    """List the voices with their quality on held-out lines."""
    manifests = _manifests(voices)
    if form == "json":
        records = [_record(folder, manifest) for folder, manifest in manifests]
        _print_json({"version": 1, "voices": records})
        return
    from onbrand.cli.tables import new_console, new_table

    table = new_table("brand", "on + off", "accuracy", "flag below", "gate", "trained")
    for _, manifest in manifests:
        table.add_row(
            manifest.brand,
            f"{manifest.labels.on} + {manifest.labels.off}",
            f"{manifest.report.held_out.accuracy:.1%}",
            f"P {manifest.threshold:.2f}",
            f"P {manifest.gate:.2f}",
            manifest.created[:10],
        )
    new_console().print(table)


@app.command()
def show(
    brand: Annotated[str, typer.Argument(help="The brand, as voices list prints it.")],
    voices: Voices = None,
    form: Format = "text",
) -> None:
    """Show a voice: its habits, its quality, its thresholds."""
    from onbrand.voice.library import unknown_brand

    manifests = {manifest.brand: (folder, manifest) for folder, manifest in _manifests(voices)}
    if brand not in manifests:
        raise unknown_brand(brand, manifests)
    folder, manifest = manifests[brand]
    if form == "json":
        _print_json(_record(folder, manifest))
        return
    from onbrand.cli.tables import new_console

    _print_voice(new_console(), folder, manifest)


def _manifests(voices: list[Path] | None) -> list[tuple[Path, Manifest]]:
    from onbrand.config import settings_for
    from onbrand.voice.library import list_manifests

    settings = settings_for(Path.cwd() / "draft.md")
    return list_manifests(voice_folders(voices, settings.voices))


def _record(folder: Path, manifest: Manifest) -> dict[str, object]:
    import msgspec

    record: dict[str, object] = {"folder": str(folder), **msgspec.to_builtins(manifest)}
    return record


def _print_json(value: object) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def _print_voice(console: Console, folder: Path, manifest: Manifest) -> None:
    from onbrand.voice.profile import MARKS, RANGES

    report, held_out = manifest.report, manifest.report.held_out
    console.print(f"{manifest.brand}  ({folder})", style="bold")
    console.print(
        f"  trained {manifest.created[:10]} on {manifest.labels.on} on-brand and "
        f"{manifest.labels.off} off-brand lines"
    )
    console.print(f"  encoder {manifest.encoder.name} ({manifest.encoder.fingerprint[:12]})")
    console.print(
        f"  held-out accuracy {held_out.accuracy:.1%} "
        f"(bag of words {report.baseline.accuracy:.1%}), AUROC {held_out.auroc:.3f}, "
        f"ECE {held_out.ece:.3f}"
    )
    console.print(
        f"  sentences are flagged below P {manifest.threshold:.2f}; "
        f"drafts go forward from P {manifest.gate:.2f}"
    )
    console.print("\n  What its sentences are like (8 of 10 lie in the range)")
    for key, figure in RANGES.items():
        usual = manifest.profile.ranges.get(key)
        if usual is not None:
            console.print(f"    {figure.say(usual.low, usual.high)}")
    console.print("\n  How many of 100 sentences have")
    for key, rate in sorted(manifest.profile.rates.items(), key=lambda item: -item[1]):
        if key in MARKS:
            console.print(f"    {rate * 100:3.0f}  {MARKS[key][0]}")
