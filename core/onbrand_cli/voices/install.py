"""``onbrand voices install``: a signed release of voices and encoders gets on this computer."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onbrand_cli.options import Format, print_json, progress_bar

if TYPE_CHECKING:
    from onbrand_releases.outcome import Outcome

RELEASE_KEY = "ONBRAND_RELEASE_KEY"
EXAMPLES = """
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


def install(source: Source, key: Keys = None, to: Target = None, form: Format = "text") -> None:
    """Install a signed release of voices and encoders, or update the one that is there."""
    from onbrand.installation import default_root, is_url, without_secrets

    usual = default_root(source)
    done = install_to(to or usual, source, key, voices=True)
    if form == "json":
        print_json({"version": 1, "installations": [done]})
        return
    typer.echo(outcome_line(done))
    # Such a URL stands for the usual folder of what was installed from it.
    named = without_secrets(source) if is_url(source) and not to else done.folder
    typer.echo(f"installed in {done.folder}; to use it, write into onbrand.toml:")
    typer.echo(f"  voices = [{_quoted(named)}]")


def install_to(root: Path, source: str, keys: Sequence[str] | None, *, voices: bool) -> Outcome:
    """Install to ``root``; keys from the environment count where nothing is installed yet."""
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
    """Trust an installation in a place of its own: the others are all known to be the user's."""
    from onbrand.config.trust import is_trusted, trust
    from onbrand.installation import installations_folder

    usual = installations_folder().resolve()
    if not (root.resolve().is_relative_to(usual) or is_trusted(root)):
        trust(root)


def encoders_root(source: str) -> Path:
    """Return the folder that ``models install`` installs to: one of its own.

    Beside it the same release may be installed with its voices.
    """
    from onbrand.installation import default_root

    usual = default_root(source)
    return usual.with_name(f"{usual.name}-encoders")


def absolute_path(folder: Path) -> Path:
    """Return the absolute path of a folder, without ``..``."""
    return folder.resolve() if ".." in folder.parts else folder.absolute()


def outcome_line(done: Outcome) -> str:
    """Return in one line what was done."""
    from onbrand_releases.outcome import Status

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
    """Return a TOML string, of a folder of Windows' one that people can read."""
    if "\\" in text and text.isprintable() and "'" not in text:
        return f"'{text}'"
    # TOML has the escapes of JSON, and needs one more.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", r"\u007f")
