"""``onbrand voices update``: what is installed is brought up to date, or back."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onbrand.errors import OnbrandError
from onbrand_cli.options import Format, line_of, print_json, progress_bar
from onbrand_cli.voices.install import absolute_path, encoders_root, outcome_line, trust_place

if TYPE_CHECKING:
    from onbrand_releases.outcome import Outcome

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

    told: list[object] = []
    failed = False
    for root in roots:
        try:
            done = one(root)
        except (OnbrandError, OSError) as error:
            failed = True
            line = line_of(error, root)
            told.append(_failure(root, line))
            typer.echo(f"error: {line}", err=True)
            continue
        trust_place(root)
        told.append(done)
        if form == "text":
            typer.echo(outcome_line(done))
    if form == "json":
        print_json({"version": 1, "installations": told})
    if failed:
        raise typer.Exit(2)


def _check_options(*, rollback: bool, again: bool, key: list[str] | None, only_key: bool) -> None:
    if rollback and (again or key or only_key):
        raise OnbrandError("--rollback goes with no other option; run two commands")
    if only_key and not key:
        raise OnbrandError("--only-key needs the keys to trust: --key ed25519:…")


def _check_all(roots: list[Path], options: list[str]) -> None:
    """Refuse to do to every publisher's releases what can only be meant for some of them."""
    if options:
        raise OnbrandError(
            f"{options[0]} would change all {len(roots)} installations; name those that you "
            f"mean: {', '.join(map(str, roots))}"
        )


def _failure(root: Path, line: str) -> dict[str, object]:
    """Return what the JSON says of an installation that could not be updated."""
    from onbrand.installation import read_installed, without_secrets

    told: dict[str, object] = {"folder": str(root), "status": "failed", "error": line}
    with contextlib.suppress(OnbrandError, OSError):  # that may be what has failed
        installed = read_installed(root)
        if installed is not None:
            told["name"] = installed.name
            told["release"] = installed.release
            told["source"] = without_secrets(installed.source)
    return told


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
    """Return the folder that was named, or those of what was installed from a URL."""
    from onbrand.installation import POINTER, default_root, is_url

    if not is_url(place):
        return [absolute_path(Path(place))]
    usual = default_root(place)
    there = [root for root in (usual, encoders_root(place)) if (root / POINTER).exists()]
    return there or [usual]
