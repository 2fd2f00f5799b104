"""``onbrand models publish``: bundles and voices become a signed release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from onbrand_releases.contents import Content
    from onbrand_releases.index import Package
    from onbrand_releases.publish import Publication

EXAMPLES = """\b
Examples:
  onbrand models keygen -o release.key
  onbrand models publish --voices voices --key release.key --name acme -o release
  onbrand models publish --voices voices --encoder minilm-0-3 --key release.key -o release
"""


def publish(
    output: Annotated[
        str,  # a Path would make s3:/bucket of s3://bucket
        typer.Option("--output", "-o", metavar="RELEASE", help="Folder of the release."),
    ],
    encoder: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="An encoder bundle, once or more.", show_default=False),
    ] = None,
    voices: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="A folder of voices, once or more.", show_default=False),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Private key to sign with. Else: the key in ONBRAND_SIGNING_KEY.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="Name by which laptops tell these releases from others. Needed the first time; "
            "then it stays.",
            show_default=False,
        ),
    ] = None,
    release: Annotated[
        int | None,
        typer.Option(
            # Far below what an index can hold, so that after any of them come others.
            metavar="N",
            min=1,
            max=10**15,
            help="Number of the release. [default: the next one]",
        ),
    ] = None,
    previous_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="Public key of the release before, where --key is a new one: ed25519:…, or a "
            "file with it.",
            show_default=False,
        ),
    ] = None,
    expires: Annotated[
        int | None,
        typer.Option(
            metavar="DAYS",
            min=1,
            max=3650,
            help="Days after which laptops refuse it, so that they notice when newer ones are kept "
            "from them. Publish again before. [default: never]",
            show_default=False,
        ),
    ] = None,
    keep: Annotated[
        int, typer.Option(metavar="N", min=1, help="Releases whose archives stay in the folder.")
    ] = 2,
    no_examples: Annotated[
        bool,
        typer.Option("--no-examples", help="Leave the voices' training lines out."),
    ] = False,
) -> None:
    """Write or renew a signed release of encoder bundles and voices.

    A release is all that is named: what an earlier one had beside that is not in the new one.
    """
    import datetime

    from onbrand.errors import OnbrandError
    from onbrand.installation import is_url
    from onbrand_cli.options import progress_bar, warn
    from onbrand_releases.contents import collect
    from onbrand_releases.publish import publish as write
    from onbrand_releases.signing import load_private_key, parse_public_key, public_key

    if is_url(output):
        raise OnbrandError("is a URL; write the release to a folder, then copy it", path=output)
    folder = Path(output)
    if key is not None and key.resolve().is_relative_to(folder.resolve()):
        raise OnbrandError(
            "the private key lies in the folder that all laptops read; move it elsewhere", path=key
        )
    private = load_private_key(key)

    def gather(copies: Path) -> list[Content]:
        with progress_bar("checking") as progress:
            contents = collect(
                encoder or [],
                voices or [],
                aside=copies if no_examples else None,
                progress=progress,
            )
        _warn_of_texts(contents)
        return contents

    with progress_bar("packing") as progress:
        done = write(
            folder,
            gather,
            private,
            name=name,
            release=release,
            previous_key=None if previous_key is None else parse_public_key(previous_key),
            expires=None if expires is None else datetime.timedelta(days=expires),
            keep=keep,
            progress=progress,
        )
    _print(done, folder, public_key(private))
    if no_examples and done.old_texts:
        warn(
            "archives of earlier releases, kept for laptops that are fetching them, hold training "
            f"lines ({', '.join(done.old_texts)}); --keep 1 removes them here; remove them from "
            "your servers too"
        )


def _warn_of_texts(contents: list[Content]) -> None:
    from onbrand_cli.options import warn

    count = sum(content.has_examples for content in contents)
    if count:
        voices = "1 voice holds" if count == 1 else f"{count} voices hold"
        warn(
            f"{voices} training lines, which whoever can read the release can read; "
            "--no-examples leaves them out"
        )


def _print(done: Publication, folder: Path, signer: str) -> None:
    import shlex

    from onbrand_cli.options import warn
    from onbrand_cli.tables import new_console, new_table

    index = done.index
    packages = (*index.encoders, *index.voices)
    table = new_table("name", "kind", "version", "size", "")
    for package in packages:
        state = "new" if package.archive in done.fresh else "unchanged"
        kind = "encoder" if package in index.encoders else "voice"
        table.add_row(package.name, kind, package.version[:19], _size([package]), state)
    console = new_console()
    console.print(f"{index.name}, release {index.release}: {folder}")
    console.print(table)
    new = [package for package in packages if package.archive in done.fresh]
    console.print(f"{_size(packages)} in all, {_size(new)} of it new")
    console.print(f"signed by {signer}")
    if index.expires is not None:
        console.print(
            f"expires on {index.expires:%Y-%m-%d}: publish again before then, changed or not"
        )
    if done.before is None:
        typer.echo(
            "this is the first release of the folder: keep the folder for the next one, or publish "
            f"that one with --name {shlex.quote(index.name)} --release {index.release + 1}"
        )
    if done.new_key:
        warn(
            "signed by another key than the release before; laptops refuse it until they trust "
            f"that key: onbrand voices update DIR --key {signer}"
        )
    if done.gone:
        warn(f"no longer in the release: {', '.join(done.gone)}")
    inside = {package.encoder for package in index.encoders}
    if any(package.encoder not in inside for package in index.voices):
        warn(
            f"some voices need the encoder that ships with onbrand {index.onbrand}; for laptops "
            "with another onbrand add its folder (onbrand models list) with --encoder"
        )


def _size(packages: list[Package] | tuple[Package, ...]) -> str:
    return f"{sum(package.size for package in packages) / 1e6:.2f} MB"
