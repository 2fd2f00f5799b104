"""Installations of releases: reads which release is current, and where its voices and encoders are.

An installation is a folder like this; a release's folder never changes once it is there::

    installed.json                    which release is current: replaced in one step
    releases/7-1a2b3c4d5e6f/          number, and the first 12 digits of the index's SHA-256
        index.json
        voices/<folder>/…
        encoders/<name>/…
    partial/<sha256>                  downloads that can be resumed

Every check reads it, so this module needs no packages for networks or signatures.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from onbrand.errors import OnbrandError
from onbrand.files import write_atomic

STATE_FILE = "installed.json"
RELEASES = "releases"
DOWNLOADS = "partial"
VOICES = "voices"
ENCODERS = "encoders"
FORMAT = 1
DATA_DIR = "ONBRAND_DATA_DIR"
"""Environment variable: the folder for data, instead of the system's default."""

_INDEX = "/index.json"
_MAX_BYTES = 1024 * 1024
_WEB = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # a single letter is a drive on Windows

RELEASE_NAME = r"[1-9][0-9]{0,15}-[0-9a-f]{12}"
"""Pattern of a release folder's name."""
ReleaseName = Annotated[str, Meta(pattern=rf"^{RELEASE_NAME}\Z")]


class Installed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Content of ``installed.json``."""

    format: int = FORMAT
    source: str
    """Where releases come from: a folder or the URL of the index."""
    name: str
    """The name of the series of releases."""
    keys: tuple[Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")], ...]
    """Public keys that releases may be signed with, in hexadecimal digits."""
    highest: Annotated[int, Meta(ge=1)]
    """The highest release that was ever installed; lower ones are refused."""
    refused: tuple[ReleaseName, ...] = ()
    """Releases that were rolled back."""
    voices: bool = True
    """Whether voices are installed, or encoders alone."""
    current: ReleaseName
    previous: ReleaseName | None = None

    @property
    def release(self) -> int:
        """The number of the current release."""
        return release_number(self.current)


def release_number(name: str) -> int:
    """Return the number of a release by the name of its folder."""
    return int(name.partition("-")[0])


def read_installed(root: Path) -> Installed | None:
    """Return what is installed in ``root``, None when it is no installation.

    Raises:
        OnbrandError: ``installed.json`` is damaged, cannot be read, or was written by a newer
            onbrand.
    """
    path = root / STATE_FILE
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise OnbrandError(
            f"cannot be read ({error.strerror or type(error).__name__}); "
            "check who may read the folder",
            path=path,
        ) from None
    try:
        text = data.decode("utf-8-sig")
        version = msgspec.json.decode(text, type=_Versioned).format
        if version != FORMAT:
            raise OnbrandError(
                f"installation of format {version}, this onbrand reads format {FORMAT}; "
                "update onbrand",
                path=path,
            )
        return msgspec.json.decode(text, type=Installed)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise OnbrandError(
            f"is damaged ({error}); delete the folder and install again", path=path
        ) from None


class _Versioned(msgspec.Struct):
    format: int


def write_installed(root: Path, installed: Installed) -> None:
    """Replace the state file of ``root`` in one step."""
    text = msgspec.json.format(msgspec.json.encode(installed), indent=2) + b"\n"
    write_atomic(root / STATE_FILE, text)


def release_folder(root: Path, name: str) -> Path:
    """Return the folder of the release called ``name``."""
    return root / RELEASES / name


def voices_of(root: Path) -> Path | None:
    """Return the folder of the current release's voices, None when ``root`` is no installation.

    Raises:
        OnbrandError: see `read_installed`.
    """
    installed = read_installed(root)
    return None if installed is None else release_folder(root, installed.current) / VOICES


def encoders_of(root: Path) -> list[Path]:
    """Return the encoders of the current release, by name; none when ``root`` is no installation.

    Raises:
        OnbrandError: see `read_installed`.
    """
    installed = read_installed(root)
    if installed is None:
        return []
    folder = release_folder(root, installed.current) / ENCODERS
    return sorted(manifest.parent for manifest in folder.glob("*/encoder.json"))


def installation_of(voice: Path) -> tuple[Path, Installed] | None:
    """Return the installation that holds the folder of a voice or an encoder, if one does."""
    above = voice.absolute().parents
    if len(above) < 4 or above[2].name != RELEASES:
        return None
    installed = read_installed(above[3])
    return None if installed is None else (above[3], installed)


def reinstall_hint(part: Path) -> str | None:
    """Return how to fetch a damaged voice or encoder again; None if no current release has it.

    Args:
        part: its folder, which need not exist.
    """
    with contextlib.suppress(OnbrandError, OSError):  # of the installation: reported elsewhere
        held = installation_of(part)
        if held is None:
            return None
        root, installed = held
        kind, release = (parent.name for parent in part.absolute().parents[:2])
        if release == installed.current and (installed.voices or kind == ENCODERS):
            place = f'"{root}"' if " " in str(root) else root
            return f"repair it: onbrand voices update {place}"
    return None


def is_url(source: str) -> bool:
    """Tell a URL from a path."""
    return _WEB.match(source) is not None


def redact_url(source: str) -> str:
    """Return a source without what may be secret: a URL's user, password and query."""
    if not is_url(source):
        return source
    try:
        parts = urlsplit(source)
    except ValueError:  # not a valid URL: show as little as possible
        return f"{source.partition('://')[0]}://…"
    # Not urlunsplit, which drops the slashes before an empty host.
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def default_root(source: str) -> Path:
    """Return the default folder for releases from ``source``.

    A release's URL and that of its ``index.json`` give the same, with or without a password.
    """
    if is_url(source):
        plain = redact_url(source)
        scheme, host, path, *_ = urlsplit(plain)
        place = path.rstrip("/").removesuffix(_INDEX).rstrip("/")
        plain, readable = f"{scheme}://{host.lower()}{place}", host + place
    else:
        folder = Path(source).absolute()
        plain = (folder.parent if f"/{folder.name}" == _INDEX else folder).as_posix()
        readable = Path(plain).name
    slug = re.sub(r"[^a-z0-9]+", "-", readable.lower()).strip("-")[:48].strip("-") or "release"
    digest = hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
    return installations_folder() / f"{slug}-{digest[:8]}"


def installations_folder() -> Path:
    """Return the folder that installations are in by default."""
    return data_folder() / "installed"


def data_folder() -> Path:
    """Return the folder for a user's data."""
    chosen = os.environ.get(DATA_DIR)
    if chosen:
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("onbrand", appauthor=False)


def installations() -> list[Path]:
    """Return all installations in the default folder."""
    return sorted(pointer.parent for pointer in installations_folder().glob(f"*/{STATE_FILE}"))
