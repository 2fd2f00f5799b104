"""Data that ships for training: other organisations' copy, and pieces of copy in wrong voices.

`Background` is copy of open voices as vectors. The bank of voices has short pieces of copy, each in
a neutral voice and again in wrong ones. `Probes` are pieces of the bank that nothing is fitted on:
``models/voice_bank/make.py`` leaves them out of the registers and of the background's directions,
and writes them to ``core/onbrand/data`` as texts and vectors, so that a report can test a voice on
them without encoding. Vectors are projected onto the directions of the background and of the
registers; a voice's log-odds of the projection are within 0.1 of those of the whole vector.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import SentenceEncoder
from onbrand.errors import OnbrandError
from onbrand.files import read_text
from onbrand.training.crossval import Fold
from onbrand.training.logistic import fit_weighted
from onbrand.voice.registers import Registers, load_registers

REGRESSION_C = 0.01
"""scikit-learn's C on vectors scaled to a mean variance of 1."""
SHRINKAGE = 0.1
"""Share of the mean variance that is added to the background's covariance."""
_FOLDER = Path(__file__).parents[1] / "data"


@dataclass(frozen=True, slots=True)
class Background:
    """Vectors of open voices, projected onto the directions in which copy varies most."""

    fingerprint: str
    """Fingerprint of the encoder that made them."""
    mean: NDArray[np.float32]
    """Shape (dim,)."""
    basis: NDArray[np.int8]
    """Shape (dim, dimensions)."""
    step: float
    """The value of one unit of the basis."""
    rows: NDArray[np.int8]
    """Shape (lines, dimensions)."""
    row_step: NDArray[np.float32]
    """The value of one unit of each column of the rows, shape (dimensions,)."""

    @classmethod
    def compress(
        cls,
        fingerprint: str,
        mean: NDArray[np.float32],
        basis: NDArray[np.float32],
        vectors: NDArray[np.float32],
    ) -> Background:
        """Project vectors (lines, dim) onto a basis (dim, dimensions), and quantise to bytes."""
        step = float(np.abs(basis).max()) / 127
        small = np.round(basis / step).astype(np.int8)
        rows, row_step = to_bytes((vectors - mean) @ (small.astype(np.float32) * step))
        return cls(fingerprint, mean.astype(np.float32), small, step, rows, row_step)

    def project(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Project vectors of shape (lines, dim) onto the basis, shape (lines, dimensions)."""
        return np.asarray((vectors - self.mean) @ (self.basis * np.float32(self.step)))

    def lines(self) -> NDArray[np.float32]:
        """Return the background's own lines in the basis, shape (lines, dimensions)."""
        return self.rows * self.row_step

    def restore(self, projected: NDArray[np.float32]) -> NDArray[np.float32]:
        """Invert `project`, up to the directions that the basis lacks, shape (lines, dim)."""
        return np.asarray(self.mean + projected @ (self.basis * np.float32(self.step)).T)

    def lift(self, weights: NDArray[np.float64], bias: float) -> tuple[NDArray[np.float64], float]:
        """Turn weights and bias in the basis into those for the encoder's vectors."""
        whole = (self.basis * self.step) @ weights
        return whole, bias - float(whole @ self.mean)


def to_bytes(rows: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantise rows (lines, dimensions) to bytes; also return the value of a column's unit."""
    step = np.maximum(np.abs(rows).max(axis=0), 1e-12) / 127
    return np.round(rows / step).astype(np.int8), step.astype(np.float32)


def fit_own(
    own: NDArray[np.float32], other: NDArray[np.float32]
) -> tuple[NDArray[np.float64], float]:
    """Return weights and bias that separate a brand's own copy from other copy, in the basis.

    The weights are the mean of two: logistic regression, and the difference of the means whitened
    by the other copy's covariance (Fisher 1936, The use of multiple measurements in taxonomic
    problems), which is more robust if own lines are few. Each is scaled to a standard deviation of
    1 over the other copy.
    """
    fit = fit_weighted(
        np.concatenate([own, other]), np.arange(len(own) + len(other)) < len(own), REGRESSION_C
    )
    covariance = np.cov(other.T)
    ridge = SHRINKAGE * np.trace(covariance) / len(covariance)
    fisher = np.linalg.solve(
        covariance + ridge * np.eye(len(covariance)), own.mean(axis=0) - other.mean(axis=0)
    )
    joined = fit.weights / np.std(other @ fit.weights) + fisher / np.std(other @ fisher)
    middle = (own.mean(axis=0) + other.mean(axis=0)) / 2
    return joined, -float(joined @ middle)


def held_out_logits(
    both: NDArray[np.float32],
    on: NDArray[np.bool_],
    folds: Sequence[Fold],
    trusted: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return the logits of lines by models that were fitted on the other folds, shape (lines,).

    Args:
        both: own and other lines in the basis, shape (lines, dimensions).
        on: True for own lines, shape (lines,).
        folds: (train, held-out) index pairs.
        trusted: True for lines to fit on, shape (lines,); None for all.
    """
    logits = np.zeros(len(both))
    for train, held in folds:
        rows = train if trusted is None else train[trusted[train]]
        weights, bias = fit_own(both[rows][on[rows]], both[rows][~on[rows]])
        logits[held] = both[held] @ weights + bias
    return logits


def load_background(encoder: SentenceEncoder) -> Background | None:
    """Return the background of an encoder; None if it has none."""
    from safetensors import safe_open

    path = _FOLDER / f"background-{encoder.fingerprint[:12]}.safetensors"
    if not path.is_file():
        return None
    with safe_open(path, framework="numpy") as file:
        about = file.metadata()
        tensors = {name: file.get_tensor(name) for name in ("mean", "basis", "rows", "row_step")}
    if about["fingerprint"] != encoder.fingerprint:
        return None
    return Background(encoder.fingerprint, step=float(about["step"]), **tensors)


def save_background(background: Background, folder: Path = _FOLDER) -> Path:
    """Write a background where `load_background` finds it; return the path."""
    from safetensors.numpy import save

    from onbrand.files import write_atomic

    path = folder / f"background-{background.fingerprint[:12]}.safetensors"
    names = ("mean", "basis", "rows", "row_step")
    tensors = {name: getattr(background, name) for name in names}
    about = {"fingerprint": background.fingerprint, "step": repr(background.step)}
    write_atomic(path, save(tensors, about))
    return path


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
"""Pieces of the bank that are probes: a product description, an e-mail, an announcement, a job
advertisement, a blog post, error texts, a digest and developer documentation."""


@dataclass(frozen=True, slots=True)
class Probes:
    """Lines of pages in wrong voices; a page is the lines of one piece in one voice."""

    pieces: tuple[str, ...]
    """The piece of each line; `voices` and `texts` are per line, too."""
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
    """The directions that probes are projected onto: the background's, then the registers'."""

    background: Background
    registers: Registers

    @property
    def register_directions(self) -> NDArray[np.float32]:
        """Orthonormal directions that the registers read, shape (dim, registers)."""
        return np.asarray(np.linalg.qr(self.registers.weights)[0])

    @property
    def digest(self) -> str:
        """SHA-256 of the basis; rows are valid for one basis only."""
        directions = self.background.basis.tobytes() + self.registers.weights.tobytes()
        return hashlib.sha256(directions).hexdigest()

    def project(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = self.background.project(vectors)
        rest = vectors - self.background.restore(rows)
        return np.concatenate([rows, rest @ self.register_directions], axis=1)

    def restore(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        width = self.background.basis.shape[1]
        vectors = (
            self.background.restore(rows[:, :width]) + rows[:, width:] @ self.register_directions.T
        )
        return np.asarray(vectors, np.float32)


def save_probes(pieces: Sequence[Piece], encoder: SentenceEncoder, folder: Path = _FOLDER) -> Path:
    """Write the wrong voices of these pieces where `load_probes` finds them; return the path.

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


def load_probes(encoder: SentenceEncoder) -> Probes | None:
    """Return the probes of an encoder; None if it has none that match its other data."""
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


def _basis_of(encoder: SentenceEncoder) -> _Basis | None:
    background, registers = load_background(encoder), load_registers(encoder.fingerprint)
    return None if background is None or registers is None else _Basis(background, registers)


NEUTRAL = "neutral"
GOOD_VOICES = (NEUTRAL, "plain", "wry", "warm", "terse", "exact")
"""Voices of the bank that are good copy."""
WRONG_VOICES: tuple[str, ...] = (
    *("hype", "corporate", "legalese", "chatbot", "chummy", "academic", "bureaucratic", "tabloid"),
    *("hardsell", "motivational", "condescending", "florid", "telegraphic", "jargon"),
    *("apologetic", "slang"),
)
"""Voices of the bank that are faults, as drafts have them."""

_LINE = re.compile(r"(\d+)\. (\S.*)")


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of copy in several voices; line *n* says the same in each of them."""

    name: str
    kind: str
    """The kind of text, such as "help page"."""
    subject: str
    """The subject, such as "neighbourhood bakery"."""
    lines: dict[str, tuple[str, ...]]
    """Voice → its lines, the same number for all; the first line is a heading."""


def read_piece(path: Path) -> Piece:
    """Read a piece from its Markdown file (see ``models/voice_bank/README.md``).

    Raises:
        OnbrandError: the file is not of that form; the message names the line.
    """
    head, matter, body = [*read_text(path).split("---\n", 2), "", ""][:3]
    settings = dict(line.split(": ", 1) for line in matter.splitlines() if ": " in line)
    if head or not {"kind", "subject"} <= set(settings):
        raise OnbrandError("needs front matter with kind and subject", path=path)
    lines: dict[str, list[str]] = {}
    voice: list[str] | None = None
    for number, line in enumerate(body.splitlines(), 1 + matter.count("\n") + 2):
        if line.startswith("## "):
            voice = lines.setdefault(line[3:].strip(), [])
        elif line.strip():
            found = _LINE.fullmatch(line.strip())
            if voice is None or not found or int(found[1]) != len(voice) + 1:
                raise OnbrandError(
                    "expected a heading '## voice' or the next numbered line",
                    path=path,
                    line=number,
                )
            voice.append(found[2])
    counts = {len(each) for each in lines.values()}
    if NEUTRAL not in lines or len(counts) != 1:
        raise OnbrandError(
            f"needs a section '## {NEUTRAL}', and as many lines in every other section", path=path
        )
    voices = {name: tuple(each) for name, each in lines.items()}
    return Piece(path.stem, settings["kind"], settings["subject"], voices)


def read_pieces(folder: Path) -> list[Piece]:
    """Read all pieces of a folder, sorted by name (see `read_piece`)."""
    return [read_piece(path) for path in sorted(folder.glob("*.md"))]
