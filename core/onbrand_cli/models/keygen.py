"""``onbrand models keygen``: a key pair for signing releases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


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
