"""Probes: pages in wrong voices that no voice was trained on, which a report tries it with.

They are the wrong voices of `PROBES`, pieces of the bank of voices. ``models/voice_bank/make.py``
leaves these pieces out of all that it makes a voice of (the registers' fit, the directions of the
background), and writes them into ``core/onbrand/data`` as texts and vectors, so that a report costs
no encoding. No voice has them among its labels or its published copy.

A vector is kept in the directions of the background and, exactly, in those of the registers: what a
voice says of it is within 0.1 log-odds of what it says of the whole vector.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder
from onbrand.errors import OnbrandError
from onbrand.training.background import Background, load_background, to_bytes
from onbrand.training.bank import WRONG_VOICES, Piece
from onbrand.voice.registers import Registers, load_registers

PROBES = (
    "bike-helmet",
    "dentist-reminder",
    "museum-late-opening",
    "nurse-job",
    "open-data-blog",
    "password-reset",
    "release-roundup",
    "webhooks-docs",
)
"""A product description, an e-mail, an announcement, a job advertisement, a blog post, error texts,
a digest and developer documentation."""
_FOLDER = Path(__file__).parents[1] / "data"


@dataclass(frozen=True, slots=True)
class Probes:
    """Lines of pages in wrong voices; a page is the lines of one piece in one voice."""

    pieces: tuple[str, ...]
    """Of each line, as `voices` and `texts`."""
    voices: tuple[str, ...]
    texts: tuple[str, ...]
    vectors: NDArray[np.float32]
    """Shape (lines, dim)."""


class _Line(msgspec.Struct, frozen=True, array_like=True):
    piece: str
    voice: str
    text: str


@dataclass(frozen=True, slots=True)
class _Basis:
    """The directions in which vectors are kept: those of the background, then the registers'."""

    background: Background
    registers: Registers

    @property
    def read(self) -> NDArray[np.float32]:
        """Orthonormal directions that the registers read, shape (dim, registers)."""
        return np.asarray(np.linalg.qr(self.registers.weights)[0])

    @property
    def digest(self) -> str:
        """What tells one basis from another: rows mean nothing in another one."""
        directions = self.background.basis.tobytes() + self.registers.weights.tobytes()
        return hashlib.sha256(directions).hexdigest()

    def project(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = self.background.project(vectors)
        rest = vectors - self.background.restore(rows)
        return np.concatenate([rows, rest @ self.read], axis=1)

    def restore(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        edge = self.background.basis.shape[1]
        vectors = self.background.restore(rows[:, :edge]) + rows[:, edge:] @ self.read.T
        return np.asarray(vectors, np.float32)


def save_probes(pieces: Sequence[Piece], encoder: Encoder, folder: Path = _FOLDER) -> Path:
    """Write the wrong voices of these pieces where `load_probes` finds them; return the file.

    Raises:
        OnbrandError: the encoder has no background or no registers.
    """
    from safetensors.numpy import save

    from onbrand.files import write_atomic

    basis = _basis_of(encoder)
    if basis is None:
        raise OnbrandError(f"encoder {encoder.name} has no background or no registers; make them")
    lines = [
        _Line(piece.name, voice, text)
        for piece in pieces
        for voice in WRONG_VOICES
        for text in piece.lines[voice]
    ]
    rows, row_step = to_bytes(basis.project(encoder.encode([line.text for line in lines])))
    packed = zlib.compress(msgspec.json.encode(lines), 9)
    tensors = {"rows": rows, "row_step": row_step, "lines": np.frombuffer(packed, np.uint8)}
    path = _file(folder, encoder.fingerprint)
    write_atomic(path, save(tensors, {"basis": basis.digest}))
    return path


def load_probes(encoder: Encoder) -> Probes | None:
    """Return the probes of an encoder; None where it has none that fit its other data."""
    from safetensors import safe_open

    basis, path = _basis_of(encoder), _file(_FOLDER, encoder.fingerprint)
    if basis is None or not path.is_file():
        return None
    with safe_open(path, framework="numpy") as file:
        if file.metadata()["basis"] != basis.digest:
            return None
        rows, row_step = file.get_tensor("rows"), file.get_tensor("row_step")
        packed = file.get_tensor("lines").tobytes()
    lines = msgspec.json.decode(zlib.decompress(packed), type=list[_Line])
    return Probes(
        pieces=tuple(line.piece for line in lines),
        voices=tuple(line.voice for line in lines),
        texts=tuple(line.text for line in lines),
        vectors=basis.restore(rows * row_step),
    )


def _file(folder: Path, fingerprint: str) -> Path:
    return folder / f"probes-{fingerprint[:12]}.safetensors"


def _basis_of(encoder: Encoder) -> _Basis | None:
    background, registers = load_background(encoder), load_registers(encoder.fingerprint)
    return None if background is None or registers is None else _Basis(background, registers)
