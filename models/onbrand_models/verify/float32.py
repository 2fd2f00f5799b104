"""The source in 32-bit floats, as an encoder that judges in the bundle's place."""

from __future__ import annotations

import tempfile
from pathlib import Path

from onbrand.encoder import Encoder, EncoderManifest
from onbrand_models.export import ExportOptions, export_bundle
from onbrand_models.source import SourceModel
from onbrand_models.targets import Target


def float32_stand_in(source: SourceModel, manifest: EncoderManifest) -> Encoder:
    """Return an encoder of ``source`` in 32-bit floats that the bundle's voices take for theirs.

    It pools the same layers of as many tokens, so what it judges otherwise is what quantisation
    changed.

    Args:
        source: the model that the bundle was made from.
        manifest: the bundle's.

    Raises:
        OnbrandError: the source cannot be exported.
    """
    options = ExportOptions(
        layers=_choice(manifest.layers),
        max_tokens=manifest.max_tokens,
        target=Target.FLOAT32,
        measure=False,
    )
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "float32"
        export_bundle(source, bundle, options)
        encoder = Encoder.load(bundle, cache_size=0)
    encoder.fingerprint = manifest.fingerprint
    return encoder


def _choice(layers: tuple[int, ...]) -> str:
    first, last = layers[0], layers[-1]
    return str(first) if first == last else f"{first}-{last}"
