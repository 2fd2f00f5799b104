"""Quantisation: smaller and faster graphs, by a recipe for each kind of machine.

Importing this package is cheap; `recipes`, `static` and `weights` need onnx.
"""

from __future__ import annotations

from enum import StrEnum


class Target(StrEnum):
    """Name of a recipe in `onbrand_models.quantise.recipes`, by the machines it is meant for."""

    PORTABLE = "portable"
    """Gives the same vectors on every x86-64 and arm64 chip; the default."""
    AVX2 = "avx2"
    """x86-64 without VNNI."""
    AVX512_VNNI = "avx512_vnni"
    """x86-64 with VNNI: uses all 8 bits of the weights."""
    ARM64 = "arm64"
    """arm64 with the dot-product instructions."""
    ACCURATE = "accurate"
    """Nearest to the source on every chip, but slower."""
    FLOAT32 = "float32"
    """Not quantised: the others are made from it and compared with it."""
