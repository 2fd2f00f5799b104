"""Making a graph smaller and faster for the machines that it is meant for.

Importing this package is cheap; `recipes`, `static` and `weights` need onnx.
"""

from __future__ import annotations

from enum import StrEnum


class Target(StrEnum):
    """Names a recipe of `onbrand_models.quantise.recipes` by the machines it is meant for."""

    PORTABLE = "portable"
    """Right, and the same, on every x86-64 and arm64 chip; the default."""
    AVX2 = "avx2"
    """x86-64 without VNNI."""
    AVX512_VNNI = "avx512_vnni"
    """x86-64 with VNNI: all 8 bits of the weights."""
    ARM64 = "arm64"
    """arm64 with the dot-product instructions."""
    ACCURATE = "accurate"
    """Nearest to the source, on every chip, slower."""
    FLOAT32 = "float32"
    """Not quantised: what the others are compared with, and made from."""
