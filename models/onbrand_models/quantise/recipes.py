"""Which form of quantisation each target gets. bench/recipes.py measures them all in one run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import onnx

from onbrand.errors import OnbrandError
from onbrand_models.quantise.blockwise import quantise_blockwise
from onbrand_models.quantise.calibration import Feeds
from onbrand_models.quantise.dense import dense_layers
from onbrand_models.quantise.embeddings import quantise_embeddings
from onbrand_models.quantise.static import quantise_static
from onbrand_models.targets import Target


@dataclass(frozen=True)
class Recipe:
    """A form of quantisation: what it does to a fused graph, and how the manifest puts it."""

    description: str
    apply: Callable[[onnx.ModelProto, Feeds], None]


def _all_bits(model: onnx.ModelProto, feeds: Feeds) -> None:
    _embeddings_and(model, lambda: quantise_static(model, feeds, pairs_fit=False))


def _fitting_pairs(model: onnx.ModelProto, feeds: Feeds) -> None:
    _embeddings_and(model, lambda: quantise_static(model, feeds, pairs_fit=True))


def _blocks(model: onnx.ModelProto, _: Feeds) -> None:
    _embeddings_and(model, lambda: quantise_blockwise(model))


def _floats(_: onnx.ModelProto, __: Feeds) -> None:
    pass


def _embeddings_and(model: onnx.ModelProto, quantise_dense: Callable[[], None]) -> None:
    dense = bool(dense_layers(model))
    if dense:  # calibrated on the embeddings as they were
        quantise_dense()
    if not quantise_embeddings(model) and not dense:
        raise OnbrandError("the exported graph has no dense layers and no tables to quantise")


_STATIC = (
    "weights int8 per channel{}; activations uint8 per tensor, calibrated, outlier channels "
    "equalised, biases corrected; embeddings int8 per row"
)
_PORTABLE = Recipe(_STATIC.format(", pairs within 16-bit sums"), _fitting_pairs)
_DOT_PRODUCT = Recipe(_STATIC.format(""), _all_bits)

RECIPES = {
    Target.PORTABLE: _PORTABLE,
    # The kernels of AVX2 are those whose 16-bit sums the pairs must fit.
    Target.AVX2: _PORTABLE,
    Target.AVX512_VNNI: _DOT_PRODUCT,
    Target.ARM64: _DOT_PRODUCT,
    Target.ACCURATE: Recipe(
        "weights uint8 in blocks; activations in floats that the kernel rounds to int8 in blocks; "
        "embeddings int8 per row",
        _blocks,
    ),
    Target.FLOAT32: Recipe("none: 32-bit floats", _floats),
}
