"""``onbrand voices update``: what is installed is brought up to date, or back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onbrand.cli.options import progress_bar
from onbrand.cli.voices.install import line_of
from onbrand.cli.voices.listing import Format, print_json
from onbrand.errors import OnbrandError

if TYPE_CHECKING:
    from onbrand.release.outcome import Outcome

EXAMPLES = """
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
    form: Format = "text",
) -> None:
    """Update what voices install and models install have installed."""
    from onbrand.release.install import roll_back
    from onbrand.release.install import update as update_release
    from onbrand.release.signing import parse_public_key

    if rollback and (again or key or only_key):
        raise OnbrandError("--rollback goes with no other option; run two commands")
    if only_key and not key:
        raise OnbrandError("--only-key needs the keys to trust: --key ed25519:…")
    keys = [parse_public_key(text) for text in key or ()]

    def one(root: Path) -> Outcome:
        if rollback:
            return roll_back(root)
        with progress_bar("updating") as progress:
            return update_release(
                root, keys=keys, only_keys=only_key, again=again, progress=progress
            )

    told: list[object] = []
    failed = False
    for root in _roots(places):
        try:
            done = one(root)
        except (OnbrandError, OSError) as error:
            failed = True
            told.append({"folder": str(root), "status": "failed", "error": str(error)})
            typer.echo(f"error: {error}", err=True)
            continue
        told.append(done)
        if form == "text":
            typer.echo(line_of(done))
    if form == "json":
        print_json({"version": 1, "installations": told})
    if failed:
        raise typer.Exit(2)


def _roots(places: list[str] | None) -> list[Path]:
    from onbrand.release.installed import (
        default_root,
        installations,
        installations_folder,
        is_url,
    )

    if places:
        return [default_root(p) if is_url(p) else Path(p).absolute() for p in places]
    found = installations()
    if not found:
        raise OnbrandError(
            "nothing is installed here for this user; name a folder, "
            "or install with: onbrand voices install",
            path=installations_folder(),
        )
    return found
