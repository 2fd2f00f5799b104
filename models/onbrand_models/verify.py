"""Checks of an encoder bundle, from its files to its vectors."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from onbrand.encoder import Encoder, EncoderManifest
from onbrand.encoder.bundle import MODEL
from onbrand_models.sentences import parity_sentences
from onbrand_models.source import SourceModel

MIN_MEAN_COSINE = 0.985
"""Budget for what quantisation may cost: less is known to cost accuracy of the voices."""
MIN_COSINE = 0.95
"""The same for the worst of the built-in sentences."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    passed: bool
    detail: str


def verify_bundle(folder: Path, against: SourceModel | None = None) -> Iterator[Check]:
    """Check the bundle in ``folder``, yielding each result as it is known.

    Args:
        folder: the bundle.
        against: the model it was made from, to measure parity anew; else its own figure is read.

    Raises:
        OnbrandError: the files are not what the manifest says, or cannot be loaded.
    """
    encoder = Encoder.load(folder, cache_size=0)
    manifest = encoder.manifest
    yield Check("files", True, f"{len(manifest.files)} files, sizes and checksums match")
    if importlib.util.find_spec("onnx") is not None:
        yield _graph(folder)
    yield from _vectors(encoder)
    yield _parity(folder, manifest, against)


def _graph(folder: Path) -> Check:
    import onnx

    model = onnx.load(folder / MODEL, load_external_data=False)
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        return Check("graph", False, str(error).splitlines()[0])
    opsets = ", ".join(f"{o.domain or 'ai.onnx'} {o.version}" for o in model.opset_import)
    return Check("graph", True, f"{len(model.graph.node)} nodes, opsets {opsets}")


def _vectors(encoder: Encoder) -> Iterator[Check]:
    texts = parity_sentences()
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    gap = float(np.abs(together - alone).max())
    yield Check("batches", gap < 1e-4, f"a vector changes by at most {gap:.1e} with its batch")
    sums = np.stack([parts.parts.sum(axis=0) for parts in encoder.encode_tokens(texts)])
    gap = float(np.abs(together - sums).max())
    yield Check("tokens", gap < 1e-4, f"token parts add up to the vector within {gap:.1e}")


def _parity(folder: Path, manifest: EncoderManifest, against: SourceModel | None) -> Check:
    parity, how = manifest.parity, "as measured at export"
    if against is not None:
        from onbrand_models.export import measure_parity

        parity, how = measure_parity(folder, against), f"measured against {against.origin}"
    if parity is None:
        return Check("parity", False, "not in the manifest; measure it with --against SOURCE")
    return Check(
        "parity",
        parity.mean >= MIN_MEAN_COSINE and parity.min >= MIN_COSINE,
        f"cosine to the source {parity.mean:.4f} on average (at least {MIN_MEAN_COSINE}), "
        f"{parity.min:.4f} at worst (at least {MIN_COSINE}); {how}",
    )
