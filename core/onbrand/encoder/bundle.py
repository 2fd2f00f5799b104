"""Encoder bundles: reads and checks ``encoder.json`` and the files that it names.

A bundle may come from a share or a mail, so nothing of it is used before it is checked: only plain
file names, no links, and every file against the size and SHA-256 that the manifest gives.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from onbrand.errors import OnbrandError
from onbrand.files import open_regular, read_text
from onbrand.installation import encoders_of, read_installed, reinstall_hint

MANIFEST = "encoder.json"
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
LICENCE = "LICENSE"
CARD = "README.md"
FORMAT = 1

INPUTS = ("input_ids", "attention_mask")
"""Graph inputs, both (batch, tokens) of int64."""
VECTORS = "vectors"
"""Graph output: the sentence vectors, (batch, dim)."""
STATES = "hidden_states"
"""Graph outputs ``hidden_states.<layer>``: the token states, (batch, tokens, hidden)."""

DATA = Path(__file__).parents[1] / "data"
"""Data that ships with onbrand, such as the default encoder's bundle."""

_MAX_MANIFEST_BYTES = 1024 * 1024
_MAX_FILE_BYTES = 2 * 1024**3
_PLAIN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_PLAIN_NAME = re.compile(_PLAIN)

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Cosine = Annotated[float, Meta(ge=-1, le=1)]
Line = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*\Z")]
"""Text that is safe to print: no line breaks, control codes or changes of direction."""


class BundleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Size in bytes and SHA-256 of one file of a bundle."""

    size: Annotated[int, Meta(ge=0, le=_MAX_FILE_BYTES)]
    sha256: Sha256


class Parity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cosine of the bundle's sentence vectors to the source model's, in 32-bit floats."""

    mean: Cosine
    min: Cosine
    sentences: Count


class Speed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Speed as the exporting machine measured it; others differ."""

    sentences_per_second: Annotated[float, Meta(ge=0)]
    threads: Count
    machine: Line


class EncoderManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Content of ``encoder.json``.

    A sentence vector is the concatenation of the mean-pooled, L2-normalised hidden states of
    ``layers`` (0 is the embedding output), so ``dim == hidden * len(layers)``.
    """

    format: int
    name: Annotated[str, Meta(pattern=rf"^{_PLAIN}\Z")]
    """Safe as a file name: programs print it, and name folders after it."""
    source: Line
    """The name of the model that it was made from."""
    revision: Line
    """SHA-256 of the source weights."""
    licence: Line
    """SPDX identifier of the weights' licence."""
    layers: Annotated[tuple[Annotated[int, Meta(ge=0, le=1000)], ...], Meta(min_length=1)]
    hidden: Count
    dim: Count
    max_tokens: Annotated[int, Meta(ge=3, le=100_000)]
    """Longer texts are cut, special tokens included in the count."""
    quantisation: Line
    target: Line
    opset: Count
    files: dict[str, BundleFile]
    parity: Parity | None = None
    speed: Speed | None = None

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that identify what decides the vectors.

        Measurements, names and the licence are not part of it: a bundle that is measured again
        still fits the voices that were trained with it.
        """
        identity = {
            "format": self.format,
            "layers": self.layers,
            "max_tokens": self.max_tokens,
            "model": self.files[MODEL].sha256,
            "tokenizer": self.files[TOKENIZER].sha256,
        }
        return hashlib.sha256(msgspec.json.encode(identity)).hexdigest()

    @property
    def size(self) -> int:
        """Size of all its files, in bytes."""
        return sum(file.size for file in self.files.values())


def default_bundle() -> Path:
    """Return the folder of the encoder that ships with onbrand.

    Raises:
        OnbrandError: the installation has none.
    """
    for manifest in sorted(DATA.glob(f"*/{MANIFEST}")):
        return manifest.parent
    raise OnbrandError(
        "the default encoder is missing from this installation; install onbrand again"
    )


def bundle_at(folder: Path) -> Path:
    """Return ``folder`` if it is a bundle; for an installation, the bundle of its current release.

    Raises:
        OnbrandError: the installation is damaged, or has several bundles or none.
    """
    if read_installed(folder) is None:
        return folder
    bundles = encoders_of(folder)
    if len(bundles) != 1:
        names = ", ".join(bundle.name for bundle in bundles) or "none"
        raise OnbrandError(
            f"has {len(bundles)} encoders ({names}); name one of those it holds", path=folder
        )
    return bundles[0]


def find_bundles(folders: Iterable[Path]) -> list[Path]:
    """Return the default bundle and those in ``folders``, which are bundles or hold some."""
    found = [default_bundle()]
    for folder in folders:
        inside = sorted(manifest.parent for manifest in folder.glob(f"*/{MANIFEST}"))
        # A folder that is neither is returned as it is: reading it raises the error.
        found += [folder] if (folder / MANIFEST).exists() or not inside else inside
    return list({folder.resolve(): folder for folder in found}.values())


def read_manifest(folder: Path) -> EncoderManifest:
    """Read and check the manifest of the bundle in ``folder``.

    Raises:
        OnbrandError: no bundle there, or the manifest is not one that this version can use.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise OnbrandError(
            f"is not an encoder bundle (it has no {MANIFEST}); "
            "make one with: onbrand models export SOURCE -o DIR",
            path=folder,
        )
    text = read_text(path, max_bytes=_MAX_MANIFEST_BYTES)
    try:
        version = msgspec.json.decode(text, type=_Versioned).format
        if version != FORMAT:
            raise OnbrandError(
                f"bundle format {version}, this onbrand reads format {FORMAT}; "
                "update onbrand or export the encoder again",
                path=path,
            )
        manifest = msgspec.json.decode(text, type=EncoderManifest)
    except msgspec.DecodeError as error:
        raise OnbrandError(
            f"broken manifest: {error}; {_fix_hint(path.parent)}", path=path
        ) from None
    problem = _contradiction(manifest)
    if problem:
        raise OnbrandError(f"broken manifest: {problem}; {_fix_hint(path.parent)}", path=path)
    return manifest


class _Versioned(msgspec.Struct):
    format: int


def _contradiction(manifest: EncoderManifest) -> str | None:
    for name in manifest.files:
        if not _PLAIN_NAME.fullmatch(name):
            return f"file name {name[:80]!r} is not a plain name"
    for name in (MODEL, TOKENIZER):
        if name not in manifest.files:
            return f"{name} is not listed under files"
    if list(manifest.layers) != sorted(set(manifest.layers)):
        return "layers are not in ascending order"
    if manifest.dim != manifest.hidden * len(manifest.layers):
        return "dim is not hidden times the number of layers"
    return None


def read_file(folder: Path, name: str, manifest: EncoderManifest) -> bytes:
    """Return the content of a file of the bundle after checking its size and SHA-256.

    What was checked is what is used: the bytes are read once, and a session made from bytes cannot
    follow references to other files.

    Raises:
        OnbrandError: missing, unreadable, a link, truncated or tampered with.
    """
    expected = manifest.files[name]
    path = folder / name
    try:
        if path.is_symlink():
            raise OnbrandError("is a link; a bundle holds its files itself", path=path)
        size = path.stat().st_size
        if size != expected.size:
            raise OnbrandError(
                f"has {size:,} bytes but {MANIFEST} says {expected.size:,}; {_fix_hint(folder)}",
                path=path,
            )
        with open_regular(path) as file:
            data = file.read(size + 1)  # no more, should it grow
    except FileNotFoundError:
        raise OnbrandError(f"is missing; {_fix_hint(folder)}", path=path) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OnbrandError(f"cannot be read ({reason})", path=path) from None
    if hashlib.sha256(data).hexdigest() != expected.sha256:
        raise OnbrandError(f"checksum does not match {MANIFEST}; {_fix_hint(folder)}", path=path)
    return data


def _fix_hint(folder: Path) -> str:
    return reinstall_hint(folder) or "install the bundle again"
