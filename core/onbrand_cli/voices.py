"""``onbrand voices``: list and show voices, install and update signed releases of them."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onbrand.errors import OnbrandError
from onbrand_cli.common import OutputFormat, Voices, error_line, print_json, progress_bar

if TYPE_CHECKING:
    from rich.console import Console

    from onbrand.voice.model import LabelCounts, Manifest, Metrics
    from onbrand_releases.install import Outcome


RELEASE_KEY = "ONBRAND_RELEASE_KEY"
INSTALL_EXAMPLES = """
Example: onbrand voices install https://brand.example.com/voices --key ed25519:1a2b…
"""

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE", help="Folder or URL of the release (https://, file://, s3:// …)."
    ),
]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="KEY",
        help=f"The publisher's public key, ed25519:…, or a file with it. Else: {RELEASE_KEY}.",
        show_default=False,
    ),
]
Target = Annotated[
    Path | None,
    typer.Option(
        "--to",
        metavar="DIR",
        help="Folder to install to. Else: one in the user's data folder.",
        show_default=False,
    ),
]


def install(
    source: Source, key: Keys = None, to: Target = None, form: OutputFormat = "text"
) -> None:
    """Install a signed release of voices and encoders, or update the one that is there."""
    from onbrand.installation import default_root, is_url, redact_url

    usual = default_root(source)
    done = install_to(to or usual, source, key, voices=True)
    if form == "json":
        print_json({"version": 1, "installations": [done]})
        return
    typer.echo(outcome_line(done))
    # A URL in the configuration stands for the default folder of its releases.
    named = redact_url(source) if is_url(source) and not to else done.folder
    typer.echo(f"installed in {done.folder}; to use it, write into onbrand.toml:")
    typer.echo(f"  voices = [{_quoted(named)}]")


def install_to(root: Path, source: str, keys: Sequence[str] | None, *, voices: bool) -> Outcome:
    """Install to ``root``; a first installation takes keys from the environment by default."""
    from onbrand.installation import read_installed
    from onbrand_releases.install import install as install_release
    from onbrand_releases.signing import parse_public_key

    root = absolute_path(root)
    if not keys and read_installed(root) is None:
        keys = os.environ.get(RELEASE_KEY, "").split()
    trusted = [parse_public_key(key) for key in keys or ()]
    with progress_bar("installing") as progress:
        done = install_release(source, root, trusted, voices=voices, progress=progress)
    trust_place(root)
    return done


def trust_place(root: Path) -> None:
    """Trust an installation outside of the default folder, in which all are trusted anyway."""
    from onbrand.config.trust import is_trusted, trust
    from onbrand.installation import installations_folder

    usual = installations_folder().resolve()
    if not (root.resolve().is_relative_to(usual) or is_trusted(root)):
        trust(root)


def encoders_root(source: str) -> Path:
    """Return the default folder of ``models install``.

    It is not that of ``voices install``, which may install the same release with its voices.
    """
    from onbrand.installation import default_root

    usual = default_root(source)
    return usual.with_name(f"{usual.name}-encoders")


def absolute_path(folder: Path) -> Path:
    """Return the absolute path of a folder, without ``..``."""
    return folder.resolve() if ".." in folder.parts else folder.absolute()


def outcome_line(done: Outcome) -> str:
    """Return a line on what was done."""
    from onbrand_releases.install import Status

    match done.status:
        case Status.INSTALLED:
            return f"{done.name}: release {done.release} ({_figures(done, '')})"
        case Status.UPDATED:
            return f"{done.name}: release {done.before} → {done.release} ({_figures(done)})"
        case Status.REPAIRED:
            return f"{done.name}: release {done.release} repaired ({_fetched(done)})"
        case Status.WAITING:
            return (
                f"{done.name}: release {done.offered} was rolled back here; "
                f"still at release {done.release}, waiting for a newer one (--again takes it)"
            )
        case Status.ROLLED_BACK:
            return (
                f"{done.name}: release {done.before} → {done.release}, rolled back; "
                f"release {done.before} is not taken again without --again"
            )
        case Status.UP_TO_DATE:
            return f"{done.name}: up to date at release {done.release}"


def _figures(done: Outcome, changed: str = " changed") -> str:
    counts = [(done.voices_changed, "voice"), (done.encoders_changed, "encoder")]
    parts = [f"{n} {what}{'s' if n > 1 else ''}" for n, what in counts if n]
    said = f"{', '.join(parts)}{changed}" if parts else "nothing changed"
    return f"{said}, {_fetched(done)}"


def _fetched(done: Outcome) -> str:
    if done.fetched < 100_000:
        return f"{done.fetched / 1e3:.1f} kB fetched"
    return f"{done.fetched / 1e6:.1f} MB fetched"


def _quoted(text: str) -> str:
    """Return a TOML string; paths with backslashes as a literal one, which is easier to read."""
    if "\\" in text and text.isprintable() and "'" not in text:
        return f"'{text}'"
    # TOML has the escapes of JSON, and needs one more.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", r"\u007f")


def list_(voices: Voices = None, form: OutputFormat = "text") -> None:
    """List the voices with their quality on held-out lines, and their releases."""
    manifests = find_manifests(voices)
    if form == "json":
        print_json({"version": 1, "voices": [record(*found) for found in manifests]})
        return
    from onbrand_cli.common import new_console, new_table

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
    console = new_console()
    console.print(table)
    for line in dict.fromkeys(release_line(folder) for folder, _ in manifests):
        if line is not None:
            console.print(line)


def find_manifests(voices: list[Path] | None) -> list[tuple[Path, Manifest]]:
    """Return the folder and the manifest of every voice that the options and settings name."""
    from onbrand.checking import resolve_voice_dirs
    from onbrand.config import settings_for
    from onbrand.voice.storage import list_manifests

    settings = settings_for(Path.cwd() / "draft.md")
    return list_manifests(resolve_voice_dirs(voices, settings))


def release_line(folder: Path) -> str | None:
    """Return a line on the release of the voice in ``folder``, None if it is of none."""
    from onbrand.installation import installation_of, redact_url

    held = installation_of(folder)
    if held is None:
        return None
    root, installed = held
    source = redact_url(installed.source)
    return f"{installed.name}: release {installed.release} from {source}, installed in {root}"


def record(folder: Path, manifest: Manifest) -> dict[str, object]:
    """Return the JSON of a voice."""
    import msgspec

    from onbrand.installation import installation_of

    shown: dict[str, object] = {"folder": str(folder), **msgspec.to_builtins(manifest)}
    held = installation_of(folder)
    if held is not None:
        shown["release"] = {"name": held[1].name, "number": held[1].release, "folder": str(held[0])}
    return shown


def show(
    brand: Annotated[str, typer.Argument(help="The brand, as voices list prints it.")],
    voices: Voices = None,
    form: OutputFormat = "text",
) -> None:
    """Show a voice: its habits, its quality, its thresholds."""
    from onbrand.voice.storage import unknown_brand

    manifests = {manifest.brand: (folder, manifest) for folder, manifest in find_manifests(voices)}
    if brand not in manifests:
        raise unknown_brand(brand, manifests)
    folder, manifest = manifests[brand]
    if form == "json":
        print_json(record(folder, manifest))
        return
    from onbrand_cli.common import new_console

    _print_voice(new_console(), folder, manifest)


def _print_voice(console: Console, folder: Path, manifest: Manifest) -> None:
    from onbrand.voice.profile import STYLE_MARKERS, STYLE_STATS
    from onbrand_cli.common import quality_lines

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
    for key, figure in STYLE_STATS.items():
        usual = manifest.profile.ranges.get(key)
        if usual is not None:
            console.print(f"    {figure.format(usual.low, usual.high)}")
    console.print("\n  How many of 100 sentences have")
    for key, rate in sorted(manifest.profile.rates.items(), key=lambda item: -item[1]):
        if key in STYLE_MARKERS:
            console.print(f"    {rate * 100:3.0f}  {STYLE_MARKERS[key].name}")


def _trained_on(labels: LabelCounts) -> str:
    parts = []
    if labels.on or labels.off:
        parts.append(f"{labels.on} on-brand and {labels.off} off-brand lines")
    if labels.published:
        parts.append(f"{labels.published:,} lines of published copy")
    return " and ".join(parts)


def _bag_of_words(baseline: Metrics | None) -> str:
    return "" if baseline is None else f" (bag of words {baseline.accuracy:.1%})"


UPDATE_EXAMPLES = """
For a timer of the fleet's: onbrand voices update --format json
"""


def update(
    places: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DIR…]",
            help="Installations, or the URLs they came from. Else: all of this user's.",
            show_default=False,
        ),
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the release before; needs no network.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Take the release that was rolled back.")
    ] = False,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="KEY",
            help="Trust this public key from now on, besides those so far.",
            show_default=False,
        ),
    ] = None,
    only_key: Annotated[
        bool, typer.Option("--only-key", help="Trust no other key than the given ones any more.")
    ] = False,
    form: OutputFormat = "text",
) -> None:
    """Update what voices install and models install have installed."""
    from onbrand_releases.install import roll_back
    from onbrand_releases.install import update as update_release
    from onbrand_releases.signing import parse_public_key

    _check_options(rollback=rollback, again=again, key=key, only_key=only_key)
    keys = [parse_public_key(text) for text in key or ()]
    roots = _roots(places)
    chosen = {"--rollback": rollback, "--again": again, "--key": key}
    if not places and len(roots) > 1:
        _check_all(roots, [option for option, value in chosen.items() if value])

    def one(root: Path) -> Outcome:
        with progress_bar("rolling back" if rollback else "updating") as progress:
            if rollback:
                return roll_back(root, progress=progress)
            return update_release(
                root, keys=keys, only_keys=only_key, again=again, progress=progress
            )

    shown: list[object] = []
    failed = False
    for root in roots:
        try:
            done = one(root)
        except (OnbrandError, OSError) as error:
            failed = True
            line = error_line(error, root)
            shown.append(_failure(root, line))
            typer.echo(f"error: {line}", err=True)
            continue
        trust_place(root)
        shown.append(done)
        if form == "text":
            typer.echo(outcome_line(done))
    if form == "json":
        print_json({"version": 1, "installations": shown})
    if failed:
        raise typer.Exit(2)


def _check_options(*, rollback: bool, again: bool, key: list[str] | None, only_key: bool) -> None:
    if rollback and (again or key or only_key):
        raise OnbrandError("--rollback goes with no other option; run two commands")
    if only_key and not key:
        raise OnbrandError("--only-key needs the keys to trust: --key ed25519:…")


def _check_all(roots: list[Path], options: list[str]) -> None:
    """Refuse options that may not be meant for the releases of all publishers."""
    if options:
        raise OnbrandError(
            f"{options[0]} would change all {len(roots)} installations; name those that you "
            f"mean: {', '.join(map(str, roots))}"
        )


def _failure(root: Path, line: str) -> dict[str, object]:
    """Return the JSON of an installation that could not be updated."""
    from onbrand.installation import read_installed, redact_url

    shown: dict[str, object] = {"folder": str(root), "status": "failed", "error": line}
    with contextlib.suppress(OnbrandError, OSError):  # reading it may be what failed
        installed = read_installed(root)
        if installed is not None:
            shown["name"] = installed.name
            shown["release"] = installed.release
            shown["source"] = redact_url(installed.source)
    return shown


def _roots(places: list[str] | None) -> list[Path]:
    from onbrand.installation import installations, installations_folder

    if places:
        return [root for place in places for root in _roots_of(place)]
    found = installations()
    if not found:
        raise OnbrandError(
            "nothing is installed here for this user; name a folder, "
            "or install with: onbrand voices install",
            path=installations_folder(),
        )
    return found


def _roots_of(place: str) -> list[Path]:
    """Return the folder that was named, or the installations from a URL."""
    from onbrand.installation import STATE_FILE, default_root, is_url

    if not is_url(place):
        return [absolute_path(Path(place))]
    usual = default_root(place)
    there = [root for root in (usual, encoders_root(place)) if (root / STATE_FILE).exists()]
    return there or [usual]


app = typer.Typer(help="List, show, install and update voices.", no_args_is_help=True)
app.command("list")(list_)
app.command()(show)
app.command(epilog=INSTALL_EXAMPLES)(install)
app.command(epilog=UPDATE_EXAMPLES)(update)
