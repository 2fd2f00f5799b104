"""Small signed releases: voices of a few numbers on an encoder of a few kilobytes."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tiny_encoder import tiny_encoder

from onbrand.encoder.bundle import EncoderManifest
from onbrand.errors import OnbrandError
from onbrand.voice.lexical import Vocabulary
from onbrand.voice.model import (
    DoubtfulLine,
    DraftCalibration,
    EncoderReference,
    Examples,
    LabelCounts,
    LinearHead,
    Manifest,
    Metrics,
    OutOfDomainDetector,
    ShortCalibration,
    TrainingReport,
    Voice,
    quantise_rows,
    unit,
)
from onbrand.voice.profile import build_profile
from onbrand.voice.storage import save_voice
from onbrand_releases.archive import pack
from onbrand_releases.index import FORMAT, INDEX, Index, Package, encode, sign_index
from onbrand_releases.install import update
from onbrand_releases.signing import key_digits

KEY = Ed25519PrivateKey.from_private_bytes(b"a key for tests, and only tests!")
TRUSTED = key_digits(KEY)
"""The public key of the releases here, as `read_index` takes it."""
STRANGER = Ed25519PrivateKey.from_private_bytes(b"another, that nobody has pinned!")
NAME = "agency"
LINES = ("We brand the oats simple.", "You and your oats are in.", "Our new brand is to you.")


def names(folder: Path) -> list[str]:
    """Return what is in a folder, in order."""
    return sorted(entry.name for entry in folder.iterdir())


def update_error(root: Path) -> str:
    """Return in one line why an update is refused."""
    with pytest.raises(OnbrandError) as caught:
        update(root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def write_release(
    folder: Path,
    number: int = 1,
    *,
    voices: Mapping[str, int] | None = None,
    encoder: int | None = 0,
    name: str = NAME,
    key: Ed25519PrivateKey = KEY,
    created: str = "2025-11-22T10:00:00+00:00",
    expires: datetime.datetime | None = None,
) -> Index:
    """Write or replace a release in a fraction of a second.

    Args:
        folder: where to; archives that are there already stay.
        number: of the release.
        voices: a number for each brand; with another number the brand's voice is another one.
        encoder: the same for the encoder; None leaves it out of the release.
        name: of the series.
        key: who signs.
        created: when it was published.
        expires: when it is refused from.
    """
    brands = {"acme": 0, "beta": 0} if voices is None else voices
    with tempfile.TemporaryDirectory() as aside:
        manifest = tiny_encoder(Path(aside, "encoder"), encoder or 0)
        packages = []
        for brand, seed in brands.items():
            voice = tiny_voice(Path(aside, "voices", brand), brand, manifest, seed)
            packages.append(package(Path(aside, "voices", brand), folder, voice))
        bundles = () if encoder is None else (package(Path(aside, "encoder"), folder, manifest),)
    index = Index(
        format=FORMAT,
        name=name,
        release=number,
        created=created,
        expires=expires,
        onbrand="0.1.0",
        encoders=bundles,
        voices=tuple(packages),
    )
    signed = sign_index(index, key)
    (folder / INDEX).write_bytes(encode(signed))
    return signed


def package(source: Path, release: Path, what: Voice | EncoderManifest) -> Package:
    """Pack a voice's or a bundle's folder into the folder of a release."""
    if isinstance(what, Voice):
        kind, name, fingerprint = "voices", what.brand, what.manifest.encoder.fingerprint
        version = what.manifest.created
    else:
        kind, name, fingerprint = "encoders", what.name, what.fingerprint
        version = fingerprint[:12]
    (release / kind).mkdir(parents=True, exist_ok=True)
    aside = source.with_suffix(".tar.gz")
    files = pack(source, [file.name for file in source.iterdir()], aside)
    return archived(aside, release, kind, name, files, encoder=fingerprint, version=version)


def archived(
    archive: Path, release: Path, kind: str, name: str, files: dict, *, encoder: str, version: str
) -> Package:
    """Put an archive, whatever it holds, into a release and return what an index says of it."""
    import hashlib

    data = archive.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    path = f"{kind}/{name}-{digest[:12]}.tar.gz"
    (release / path).write_bytes(data)
    return Package(
        name=name,
        version=version,
        encoder=encoder,
        archive=path,
        size=len(data),
        sha256=digest,
        files=files,
    )


def tiny_voice(folder: Path, brand: str, encoder: EncoderManifest, seed: int = 0) -> Voice:
    """Write a voice that can be loaded and judges at random; another seed gives another voice."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(len(LINES), encoder.dim)).astype(np.float32)
    figures = Metrics(accuracy=0.5, auroc=0.5, log_loss=0.7, ece=0.1, recall_at_5fpr=0.1)
    manifest = Manifest(
        format=1,
        brand=brand,
        created=f"2025-11-{seed % 28 + 1:02}T10:00:00+00:00",
        encoder=EncoderReference(encoder.name, encoder.fingerprint, encoder.dim),
        threshold=0.3,
        gate=0.7,
        draft=DraftCalibration(1.0, 0.5),
        short=ShortCalibration(1.0, 0.0),
        familiarity=OutOfDomainDetector(-1.0, -1.0, ("the", "and")),
        labels=LabelCounts(2, 1, "0" * 64),
        profile=build_profile(list(LINES[:2])),
        report=TrainingReport(
            figures,
            figures,
            {"dense": 1.0},
            folds=2,
            grouped=False,
            doubtful=(DoubtfulLine("labels.jsonl:1", "on", 0.2, LINES[0]),),
        ),
        files={},
    )
    head = LinearHead(
        weights=vectors[0],
        bias=0.0,
        mean=np.zeros(encoder.dim, np.float32),
        vocabulary=Vocabulary((), np.zeros(0, np.float32)),
        term_weights=np.zeros(0, np.float32),
    )
    examples = Examples(
        vectors=quantise_rows(vectors),
        on=np.array([True, True, False]),
        texts=LINES,
        sources=(None,) * len(LINES),
        centroid=unit(vectors[:2].mean(axis=0)),
    )
    return save_voice(Voice(manifest, head, examples), folder)
