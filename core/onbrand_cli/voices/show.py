"""``onbrand voices show``: what a voice is like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onbrand_cli.options import Format, Voices, print_json
from onbrand_cli.voices.listing import find_manifests, record, release_line

if TYPE_CHECKING:
    from rich.console import Console

    from onbrand.voice.model import LabelCounts, Manifest, Metrics


def show(
    brand: Annotated[str, typer.Argument(help="The brand, as voices list prints it.")],
    voices: Voices = None,
    form: Format = "text",
) -> None:
    """Show a voice: its habits, its quality, its thresholds."""
    from onbrand.voice.library import unknown_brand

    manifests = {manifest.brand: (folder, manifest) for folder, manifest in find_manifests(voices)}
    if brand not in manifests:
        raise unknown_brand(brand, manifests)
    folder, manifest = manifests[brand]
    if form == "json":
        print_json(record(folder, manifest))
        return
    from onbrand_cli.tables import new_console

    _print_voice(new_console(), folder, manifest)


def _print_voice(console: Console, folder: Path, manifest: Manifest) -> None:
    from onbrand.voice.profile import MARKS, RANGES
    from onbrand_cli.quality import quality_lines

    report, held_out = manifest.report, manifest.report.held_out
    console.print(f"{manifest.brand}  ({folder})", style="bold")
    console.print(f"  trained {manifest.created[:10]} on {_trained_on(manifest.labels)}")
    release = release_line(folder)
    if release is not None:
        console.print(f"  {release}")
    console.print(f"  encoder {manifest.encoder.name} ({manifest.encoder.fingerprint[:12]})")
    console.print(
        f"  held-out accuracy {held_out.accuracy:.1%}{_bag_of_words(report.baseline)}, "
        f"AUROC {held_out.auroc:.3f}, "
        f"ECE {held_out.ece:.3f}"
    )
    console.print(
        f"  sentences are flagged below P {manifest.threshold:.2f}; "
        f"drafts go forward from P {manifest.gate:.2f}"
    )
    for line in quality_lines(manifest, doubtful=len(report.doubtful)):
        console.print(line)
    console.print("\n  What its sentences are like (8 of 10 lie in the range)")
    for key, figure in RANGES.items():
        usual = manifest.profile.ranges.get(key)
        if usual is not None:
            console.print(f"    {figure.say(usual.low, usual.high)}")
    console.print("\n  How many of 100 sentences have")
    for key, rate in sorted(manifest.profile.rates.items(), key=lambda item: -item[1]):
        if key in MARKS:
            console.print(f"    {rate * 100:3.0f}  {MARKS[key][0]}")


def _trained_on(labels: LabelCounts) -> str:
    parts = []
    if labels.on or labels.off:
        parts.append(f"{labels.on} on-brand and {labels.off} off-brand lines")
    if labels.published:
        parts.append(f"{labels.published:,} lines of published copy")
    return " and ".join(parts)


def _bag_of_words(baseline: Metrics | None) -> str:
    return "" if baseline is None else f" (bag of words {baseline.accuracy:.1%})"
