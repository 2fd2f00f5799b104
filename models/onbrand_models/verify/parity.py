"""Checks of a bundle's vectors: well-formed, and near to the source's in 32-bit floats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder, EncoderManifest
from onbrand.encoder.bundle import MANIFEST
from onbrand.errors import OnbrandError
from onbrand_models.export import cosines, reference_vectors
from onbrand_models.library_noise import suppress_stderr
from onbrand_models.source import SourceModel
from onbrand_models.validation import edge_case_texts, parity_sentences
from onbrand_models.verify.tolerances import Budgets, Check, quote

MAX_GAP = 1e-4
"""Largest difference by rounding, in a component of a vector of length 1."""


def check_vectors(encoder: Encoder) -> Iterator[Check]:
    """Check the vectors of the built-in sentences and of edge cases.

    Args:
        encoder: the bundle, without a cache, which would hide an influence of the batch.
    """
    texts = parity_sentences()
    try:
        with suppress_stderr():
            odd = encoder.encode(edge_case_texts(encoder.max_tokens))
            together = encoder.encode(texts)
    except OnbrandError as error:
        yield Check("vectors", False, error.message)
        return
    every = np.concatenate([odd, together])
    lengths = np.linalg.norm(every.reshape(len(every), len(encoder.layers), encoder.hidden), axis=2)
    gap = float(np.abs(lengths - 1).max())
    yield Check(
        "vectors",
        gap < MAX_GAP,
        f"finite, of length 1 in each layer within {gap:.1e} (at most {MAX_GAP:.0e})",
        figures={"finite": True, "length_gap": gap},
    )
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    yield _gap("batches", float(np.abs(together - alone).max()), "a vector changes with its batch")
    sums = np.stack([parts.parts.sum(axis=0) for parts in encoder.encode_tokens(texts)])
    yield _gap("tokens", float(np.abs(together - sums).max()), "token parts miss the vector")


def _gap(name: str, gap: float, what: str) -> Check:
    passed = gap < MAX_GAP  # false for NaN
    return Check(
        name, passed, f"{what} by {gap:.1e} at most (budget {MAX_GAP:.0e})", figures={"gap": gap}
    )


MIN_LINES = 20
"""Lines from which their mean vector is subtracted, at least; of fewer it means nothing."""


class Lines(NamedTuple):
    """Texts on which parity is measured."""

    check: str
    """The check's name."""
    what: str
    texts: Sequence[str]


def check_source(source: SourceModel, manifest: EncoderManifest) -> None:
    """Check that the bundle may have been made from ``source``.

    Raises:
        OnbrandError: it has other layers.
    """
    if source.hidden != manifest.hidden or source.num_layers < manifest.layers[-1]:
        raise OnbrandError(
            f"has layers 0-{source.num_layers} of width {source.hidden}, the bundle pools layer "
            f"{manifest.layers[-1]} of width {manifest.hidden}; name the model it was made from",
            path=source.folder,
        )


def recorded_parity(manifest: EncoderManifest, budgets: Budgets) -> Check:
    """Check the parity that the manifest records."""
    parity = manifest.parity
    if parity is None:
        reason = f"not in {MANIFEST}; measure it with --against SOURCE"
        return Check("parity", False, reason)
    return Check(
        "parity",
        parity.mean >= budgets.min_cosine and parity.min >= budgets.min_worst,
        f"cosine to the source {parity.mean:.4f} on average (at least {budgets.min_cosine}), "
        f"{parity.min:.4f} at worst (at least {budgets.min_worst}); as measured at export",
        figures={"mean": parity.mean, "min": parity.min, "lines": parity.sentences},
    )


def measured_parity(
    encoder: Encoder, source: SourceModel, samples: Sequence[Lines], budgets: Budgets
) -> list[Check]:
    """Check the cosine of each line's vector to the source's in PyTorch.

    Args:
        encoder: the bundle.
        source: the model it was made from.
        samples: texts; there is a check for each sample.
        budgets: least cosines of the mean, the worst line and each layer.
    """
    texts = [text for lines in samples for text in lines.texts]
    expected = reference_vectors(source, texts, encoder.layers, encoder.max_tokens)
    found = encoder.encode(texts)
    ends = np.cumsum([len(lines.texts) for lines in samples])[:-1]
    how = f"measured against {source.origin}"
    if source.weights_sha256() != encoder.manifest.revision:
        how += f", whose weights are not those that {MANIFEST} names"
    return [
        _compare(lines, a, b, encoder.layers, budgets, how)
        for lines, a, b in zip(
            samples, np.split(found, ends), np.split(expected, ends), strict=True
        )
    ]


def _compare(
    lines: Lines,
    found: NDArray[np.float32],
    expected: NDArray[np.float32],
    layers: Sequence[int],
    budgets: Budgets,
    how: str,
) -> Check:
    each = cosines(found, expected)
    mean, worst, p5 = float(each.mean()), float(each.min()), float(np.percentile(each, 5))
    plain = _by_layer(found, expected, layers)
    common = expected.mean(axis=0)
    apart = _by_layer(found - common, expected - common, layers) if len(each) >= MIN_LINES else {}
    text = lines.texts[int(each.argmin())]
    return Check(
        lines.check,
        mean >= budgets.min_cosine
        and worst >= budgets.min_worst
        and min(apart.values(), default=1.0) >= budgets.min_layer,
        f"cosine to the source {mean:.4f} on average (at least {budgets.min_cosine}), "
        f"{p5:.4f} at the 5th percentile, {worst:.4f} at worst (at least {budgets.min_worst}); "
        f"{lines.what}, {how}",
        notes=(
            f"by layer: {_listed(plain)}",
            f"and without what all lines share (each at least {budgets.min_layer}): "
            f"{_listed(apart) or 'too few lines to tell'}",
            f"worst: {quote(text)}",
        ),
        figures={
            "mean": round(mean, 5),
            "p5": round(p5, 5),
            "min": round(worst, 5),
            "lines": len(lines.texts),
            "layers": plain,
            "layers_centred": apart,
            "worst": text,
        },
    )


def _by_layer(
    a: NDArray[np.float32], b: NDArray[np.float32], layers: Sequence[int]
) -> dict[str, float]:
    """Return the mean cosine of each layer's part of the vectors."""
    parts = zip(np.split(a, len(layers), axis=1), np.split(b, len(layers), axis=1), strict=True)
    means = [round(float(cosines(*pair).mean()), 5) for pair in parts]
    return dict(zip(map(str, layers), means, strict=True))


def _listed(by_layer: Mapping[str, float]) -> str:
    return ", ".join(f"{layer} {value:.4f}" for layer, value in by_layer.items())
