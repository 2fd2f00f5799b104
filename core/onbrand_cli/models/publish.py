"""``onbrand models`` publish, keygen and install: signed releases of encoders and voices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onbrand_cli.common import OutputFormat, print_json
from onbrand_cli.voices import (
    Keys,
    Source,
    Target,
    encoders_root,
    install_to,
    outcome_line,
)

if TYPE_CHECKING:
    from onbrand_releases.index import Package
    from onbrand_releases.publish import Publication
    from onbrand_releases.release_folder import Content


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
    from onbrand_cli.common import progress_bar, warn
    from onbrand_releases.publish import publish as write
    from onbrand_releases.release_folder import collect
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
    from onbrand_cli.common import warn

    count = sum(content.has_examples for content in contents)
    if count:
        voices = "1 voice holds" if count == 1 else f"{count} voices hold"
        warn(
            f"{voices} training lines, which whoever can read the release can read; "
            "--no-examples leaves them out"
        )


def _print(done: Publication, folder: Path, signer: str) -> None:
    import shlex

    from onbrand_cli.common import new_console, new_table, warn

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


def keygen(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="File for the private key.")
    ],
) -> None:
    """Make a key that signs releases, and print the public key that laptops pin.

    The private key is encrypted if ONBRAND_KEY_PASSPHRASE holds a passphrase.
    """
    from onbrand_releases.signing import (
        PASSPHRASE,
        load_private_key,
        new_key,
        public_key,
        read_passphrase,
    )

    passphrase = read_passphrase()
    _write_secret(output, new_key(passphrase))
    typer.echo(public_key(load_private_key(output)))
    state = "encrypted" if passphrase else f"not encrypted: set {PASSPHRASE} for that"
    typer.echo(
        f"written to {output} ({state}); keep it secret and backed up: without it laptops "
        "must pin a new key",
        err=True,
    )


def _write_secret(path: Path, data: bytes) -> None:
    """Write a new file that its owner alone can read; nothing is ever overwritten.

    Raises:
        OnbrandError: there is a file, or none can be written; nothing is left of it then.
    """
    import os

    from onbrand.errors import OnbrandError

    if os.path.lexists(path):
        raise OnbrandError("exists, and a key is never overwritten; name another file", path=path)
    half_written = False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        half_written = True
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        half_written = False
    except OSError as error:
        raise OnbrandError(
            f"cannot be written ({error.strerror or error}); name another place", path=path
        ) from None
    finally:
        if half_written:
            path.unlink(missing_ok=True)


def install(
    source: Source, key: Keys = None, to: Target = None, form: OutputFormat = "text"
) -> None:
    """Install the encoders of a signed release; voices update brings them up to date."""
    from onbrand.installation import encoders_of

    done = install_to(to or encoders_root(source), source, key, voices=False)
    if form == "json":
        print_json({"version": 1, "installations": [done]})
        return
    folder = Path(done.folder)
    bundles = encoders_of(folder)
    if not bundles:
        typer.echo(
            f"{done.name}: release {done.release} holds no encoders; "
            "its voices come with onbrand voices install"
        )
        return
    typer.echo(outcome_line(done))
    # The installation stands for its only encoder, and goes on doing so after updates.
    for bundle in [folder] if len(bundles) == 1 else bundles:
        typer.echo(f"to train on it: onbrand train LABELS --encoder {bundle}")
