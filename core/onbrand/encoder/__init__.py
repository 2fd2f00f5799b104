"""The sentence encoder: a bundle of files on disk, and the runtime that turns text into vectors.

Importing this package is cheap; onnxruntime and tokenizers load with the first encoder.
"""

from __future__ import annotations

from onbrand.encoder.bundle import EncoderManifest, default_bundle, find_bundles, read_manifest
from onbrand.encoder.runtime import Encoder, TokenParts

__all__ = [
    "Encoder",
    "EncoderManifest",
    "TokenParts",
    "default_bundle",
    "find_bundles",
    "read_manifest",
]
